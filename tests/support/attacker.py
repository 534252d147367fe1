"""What a hostile member of the inbox's group tries, over and over: run as that member, it needs nothing but Python.

    python3 attacker.py SPOOL LEDGER SECONDS SEED

SPOOL is the folder above inbox, failed, archive and the log. The scans that it leaves alone once they are in the inbox
are written to LEDGER, one SHA-256 a line: they must be recorded and filed once, as everybody's. At the end it
prints for each kind of attempt how often it was made and how often refused, as JSON.
"""

import contextlib
import hashlib
import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

HEADER = "time,file,page,prediction,confidence,status,reason,digits,id,sha256,annotated,filed,model,elapsed_ms"
ODD_NAMES = ('a"b,{}\r.png', "=1+1;{}\n.png", "\x1b]0;x\x07{}.png", "\u202egnp.{}.png", "-rf {}.png", "{}\udcff.png")
MOST_COSTLY = 5  # attempts that take the processor for seconds each
LEASE = (
    "import fcntl, os, signal, sys, time\nsignal.signal(signal.SIGIO, signal.SIG_IGN)\n"
    "f = os.open(sys.argv[1], os.O_RDWR)\nend = time.time() + 20\nwhile time.time() < end:\n"
    " try:\n  if fcntl.fcntl(f, fcntl.F_GETLEASE) == fcntl.F_UNLCK: fcntl.fcntl(f, fcntl.F_SETLEASE, fcntl.F_WRLCK)\n"
    " except OSError: pass\n time.sleep(0.01)\n"
)
WRITER = (
    "import os, sys, time\nf = os.open(sys.argv[1], os.O_RDWR)\nend = time.time() + 20\n"
    "while time.time() < end: os.pwrite(f, b'B', 0); time.sleep(0.005)\n"
)


class Attacker:
    """One member with all his attempts; each method that begins with `try_` is one kind."""

    def __init__(self, spool: Path, ledger: Path, seed: int) -> None:
        """Store the places; `seed` makes the order repeatable."""
        self.spool, self.inbox, self.failed = spool, spool / "inbox", spool / "failed"
        self.chance = random.Random(seed)
        self.number = 0
        self.tried: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self._ledger = ledger.open("a")

    def run(self, seconds: float) -> None:
        """Try one thing after the other in random order."""
        kinds = [getattr(self, name) for name in dir(self) if name.startswith("try_")]
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.number += 1
            self._once(self.chance.choice(kinds))
            time.sleep(self.chance.choice((0.0, 0.02, 0.2)))

    def _once(self, attempt: Callable[[], None]) -> None:
        self.tried[attempt.__name__] += 1
        try:
            attempt()
        except OSError:
            self.refused[attempt.__name__] += 1

    # --- odd scans, which must be read or refused once each ---

    def try_note_as_scan(self) -> None:
        """27: NAME and NAME.reason.txt fail together."""
        for name in (f"p{self.number}.png.reason.txt", f"p{self.number}.png"):
            self._bring(name)

    def try_odd_name(self) -> None:
        """10, 22: names with control characters, formulas, marks of direction."""
        self._bring(self.chance.choice(ODD_NAMES).format(self.number))

    def try_log_as_scan(self) -> None:
        """30: a copy of the log, or rows of his own, as a scan; it goes to failed/."""
        self._bring(f"predictions-{self.number}.csv", f"{HEADER}\n{self._forged()}\n")

    def try_one_name(self) -> None:
        """19: always the same name."""
        self._bring("same.png")

    # --- traps at names that the daemon may use ---

    def try_trap_in_failed(self) -> None:
        """01, 20: links, pipes and folders at the names of scratch files and notes of what is being read."""
        name = f"trap{self.number}.png"
        old = hashlib.sha256(f"{name}.reason.txt".encode()).hexdigest()[:16]
        for trap in (f".{old}.tmp", f"{name}.reason.txt", *(f".{scan}.tmp" for scan in self._claims())):
            self._plant(self.failed / trap)
        self._bring(name)

    def try_forged_log_in_failed(self) -> None:
        """28, 30: newer siblings of the log with rows for what is being read."""
        name = self.chance.choice(("predictions-{}.csv", "predictions.csv-{}", "predictions.csv.{}", ".predictions.{}"))
        (self.failed / name.format(self.number)).write_text(f"{HEADER}\n{self._forged()}\n")
        for target in (self.spool / name.format(self.number), self.inbox / ".digitwatch" / name.format(self.number)):
            with contextlib.suppress(OSError):
                target.write_text("forged")
                raise SystemExit(f"could write {target}")

    def try_exchanged_sub_folder(self) -> None:
        """02, 21b: a sub-folder of the inbox, or of failed/, becomes a link to the log's or the archive's folder."""
        top = self.chance.choice((self.inbox, self.failed))
        sub, away = top / f"sub{self.number}", top / f".away{self.number}"
        sub.mkdir()
        for name in ("predictions.csv", "corrections.csv", "same.png"):
            (sub / name).write_text(f"{name} of a member {self.number}")
        targets = [self.spool, self.spool / "outbox", *self._days()]
        for _ in range(30):
            os.rename(sub, away)
            os.symlink(self.chance.choice(targets), sub)
            time.sleep(0.02)
            os.unlink(sub)
            os.rename(away, sub)
            time.sleep(0.02)

    def try_retry_trap(self) -> None:
        """21: a failed scan for root to retry, and links where it goes."""
        sub = self.failed / f"evil{self.number}"
        sub.mkdir()
        (sub / "evil").write_text(f"* * * * * root touch /owned {self.number}\n")
        (self.inbox / f"evil{self.number}").symlink_to("/etc/cron.d")

    def try_links_and_pipes(self) -> None:
        """Links and pipes as scans."""
        for target in ("/etc/shadow", self.spool / "predictions.csv"):
            (self.inbox / f"link{self.number}{os.path.basename(target)}.png").symlink_to(target)
        os.mkfifo(self.inbox / f"pipe{self.number}.png")

    # --- scans that hold the others up ---

    def try_closed(self) -> None:
        """29: chmod 000 after the copy."""
        path = self._bring(f"closed{self.number}.png", "x", strict=False)
        time.sleep(0.1)
        path.chmod(0)

    def try_lease(self) -> None:
        """31: a write lease on a scan."""
        self._with_helper(LEASE)

    def try_writer(self) -> None:
        """25: written to for as long as it is there."""
        self._with_helper(WRITER)

    def try_sparse(self) -> None:
        """05: a file larger than the memory."""
        if self.tried["try_sparse"] > MOST_COSTLY:
            return
        path = self.inbox / f".sparse{self.number}"
        with path.open("wb") as file:
            file.truncate(3 << 30)
        path.rename(self.inbox / f"sparse{self.number}.png")

    def try_deep(self) -> None:
        """61: a hundred folders inside one another."""
        if self.tried["try_deep"] > MOST_COSTLY:
            return
        folder = self.inbox / f"deep{self.number}"
        folder.joinpath(*["d"] * 100).mkdir(parents=True)

    def try_file_as_folder(self) -> None:
        """03: a scan, and soon after a folder of its name."""
        path = self._bring(f"meter{self.number}", strict=False)
        time.sleep(1)
        path.mkdir()
        (path / "b.png").write_text(f"below a file {self.number}")

    # --- what the rights of the folders forbid ---

    def try_to_take_others(self) -> None:
        """Remove or replace waiting scans, and write among claims, pictures, originals and to the log."""
        others = [path for path in self.inbox.iterdir() if _owner(path) != os.getuid() and not path.is_symlink()]
        forbidden: list[Callable[[], object]] = [
            *(path.unlink for path in others[:5]),
            *((lambda path=path: os.rename(path, f"{path}.taken")) for path in others[:5]),
            lambda: (self.spool / "predictions.csv").open("a"),
            (self.inbox / ".digitwatch" / "x").touch,
            *((lambda day=day: (day / "x").touch()) for day in self._days()),
        ]
        for number, attempt in enumerate(forbidden):
            with contextlib.suppress(OSError):
                attempt()
                raise SystemExit(f"could do what the rights forbid: {number} of {others[:5]}")
        raise PermissionError

    # --- helpers ---

    def _bring(self, name: str, text: str = "", *, strict: bool = True) -> Path:
        """Put a file that is no image, and differs from every other, into the inbox; strict ones go to the ledger."""
        data = f"{text} no image, number {self.number} {time.time_ns()}".encode()
        scratch = self.inbox / f".bring{self.number}.{time.time_ns()}"
        scratch.write_bytes(data)
        while True:
            with contextlib.suppress(FileExistsError):
                os.link(scratch, self.inbox / name)
                break
            time.sleep(0.01)
        scratch.unlink()
        if strict:
            print(hashlib.sha256(data).hexdigest(), file=self._ledger, flush=True)
        return self.inbox / name

    def _with_helper(self, code: str) -> None:
        scratch = self.inbox / f".held{self.number}"
        scratch.write_text(f"held {self.number}")
        subprocess.Popen([sys.executable, "-c", code, str(scratch)])
        time.sleep(0.2)
        scratch.rename(self.inbox / f"held{self.number}.png")

    def _plant(self, place: Path) -> None:
        with contextlib.suppress(FileExistsError):
            match self.chance.randrange(4):
                case 0:
                    place.symlink_to(self.spool / "predictions.csv")
                case 1:
                    originals = [path for day in self._days() for path in day.glob("*")][:1]
                    place.symlink_to(originals[0] if originals else self.spool)
                case 2:
                    os.mkfifo(place)
                case 3:
                    place.mkdir()

    def _claims(self) -> list[str]:
        with contextlib.suppress(OSError):
            return [name for name in os.listdir(self.inbox / ".digitwatch") if len(name) == 29]
        return []

    def _days(self) -> list[Path]:
        return [path for path in (self.spool / "archive").glob("*") if path.is_dir()]

    def _forged(self) -> str:
        """Return rows that say of what is being read that it was filed already."""
        return "\n".join(self._rows())

    def _rows(self) -> Iterator[str]:
        for scan in self._claims() or ["20261122T000001.000Z-00000000"]:
            yield f"2026-11-22T00:00:00.000Z,a.png,1,99999,1.0,ok,,9:1.0,{scan},{'0' * 64},,archive/a.png,m,1"


def _owner(path: Path) -> int:
    """Return the owner of a directory entry; one that is gone meanwhile is nobody else's."""
    try:
        return path.lstat().st_uid
    except OSError:
        return os.getuid()


def main() -> None:
    """Run, then end what was started and print the counts."""
    spool, ledger, seconds, seed = sys.argv[1:]
    os.umask(0o007)
    attacker = Attacker(Path(spool), Path(ledger), int(seed))
    attacker.run(float(seconds))
    print(json.dumps({kind: [attacker.tried[kind], attacker.refused[kind]] for kind in sorted(attacker.tried)}))


if __name__ == "__main__":
    main()
