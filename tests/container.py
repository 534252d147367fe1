"""The proof under a real systemd: install as systemd/README.md says, then kill, hang, stop and reboot it under load.

As root, on a machine with debootstrap and systemd-nspawn (Debian: systemd-container), about six minutes:

    python3 tests/container.py                  # packages come from the network
    python3 tests/container.py --attacks 600    # a hostile member of the group for ten minutes instead of the faults
    python3 tests/container.py --wheels DIR     # or from DIR, filled by: pip wheel -w DIR '.[web]' 'setuptools>=77'
    python3 tests/container.py --wheels DIR --from-wheel /opt/other   # from the wheel in DIR, to this place; no faults

It prints a line for each step and at the end what was put in and what came out; the exit code tells whether
every step went well, no scan was lost and none counted twice. The container is thrown away afterwards.
"""

import argparse
import csv
import gzip
import hashlib
import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1]
PACKAGES = "systemd,systemd-sysv,dbus,python3,python3-venv,logrotate"
SPOOL = "srv/digitwatch"
USUAL = "/opt/digitwatch"  # where the program goes
LOAD = 120  # scans put in before each blow
BEGUN = 12  # rows of them after which it falls
PAUSE = 15  # seconds for which a slow writer says nothing
IMAGES = (".png", ".jpg", ".tif")
BROKEN_EVERY = 10  # one file in ten is no image


def until(condition: Callable[[], object], what: str, seconds: float = 900.0) -> float:
    """Poll until a condition holds; return how long it took, or end the proof with `what`."""
    start = time.monotonic()
    while not condition():
        if time.monotonic() - start > seconds:
            raise SystemExit(f"waited {seconds:g} s in vain: {what}")
        time.sleep(0.1)
    return time.monotonic() - start


class Container:
    """A booted Debian below `root`; its files can be read from outside at any time."""

    def __init__(self, root: Path, wheels: Path | None) -> None:
        """Remember the places; `boot` starts it."""
        self.root = root
        self.wheels = wheels
        self.process: subprocess.Popen[bytes] | None = None

    def boot(self) -> None:
        """Start systemd as process 1 and wait until it has started everything."""
        command = ["systemd-nspawn", "--quiet", f"--directory={self.root}", "--boot", "--register=no", "--keep-unit"]
        command += ["--hostname=proof", "--link-journal=no", "--capability=CAP_NET_ADMIN"]
        command += [f"--bind-ro={self.wheels}:/wheels"] if self.wheels else []
        with (self.root.parent / "console.txt").open("ab") as console:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=console, stderr=console)
        self.await_boot()

    def await_boot(self) -> None:
        """Wait until all units of the boot are started."""
        assert self.process is not None
        process, states = self.process, ("running", "degraded")

        def done() -> bool:
            return process.poll() is not None or self.say("systemctl is-system-running").strip() in states

        until(done, "the container has booted")
        if process.poll() is not None:
            raise SystemExit(f"the container did not boot; see {self.root.parent / 'console.txt'}")

    def reboot(self) -> None:
        """Shut down by systemd and boot again."""
        assert self.process is not None
        process, leader = self.process, self.leader()
        self.run("systemctl reboot")
        until(lambda: process.poll() is not None or self.leader() not in (None, leader), "the container has ended")
        if process.poll() is None:
            self.await_boot()
        else:  # where /run is no tmpfs, nspawn ends at this point instead of starting anew
            self.boot()

    def leader(self) -> int | None:
        """Return the process, seen from outside, that is process 1 inside."""
        assert self.process is not None
        try:
            children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        except FileNotFoundError:
            return None
        return int(children[0]) if children else None

    def run(self, line: str, user: str = "root") -> subprocess.CompletedProcess[str]:
        """Run a line of shell inside."""
        inside = ["nsenter", f"--target={self.leader()}", "--mount", "--uts", "--ipc", "--pid", "--cgroup", "--root"]
        clean = ["env", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"]
        clean += ["PIP_NO_INDEX=1", "PIP_FIND_LINKS=/wheels"] if self.wheels else []
        become = ["runuser", "-u", user, "--"] if user != "root" else []
        command = [*inside, "--", *clean, *become, "sh", "-c", f"cd / && {line}"]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def say(self, line: str) -> str:
        """Return what a line of shell prints."""
        return self.run(line).stdout

    def show(self, name: str) -> str:
        """Return a property of the service."""
        return self.say(f"systemctl show --value --property={name} digitwatch").strip()

    def end(self) -> None:
        """Kill everything inside at once, as a power cut does."""
        leader = self.leader()
        if leader is not None and self.process is not None:
            os.kill(leader, signal.SIGKILL)
            self.process.wait(60)


class Proof:
    """What was put in, what came out, and how each step went."""

    def __init__(self, container: Container) -> None:
        """Begin with nothing put in."""
        self.container = container
        self.spool = container.root / SPOOL
        self.put: dict[str, str] = {}  # name -> sha256
        self.well = True
        self._examples = itertools.cycle(
            sorted(path for path in (SOURCE / "examples/scans").iterdir() if path.suffix in IMAGES)
        )

    def note(self, step: str, well: object, detail: str = "") -> None:
        """Print how a step went."""
        self.well = self.well and bool(well)
        print(f"{'ok  ' if well else 'FAIL'} {step}{f': {detail}' if detail else ''}", flush=True)

    def scans(self, batch: str, number: int, mode: int = 0o644) -> list[str]:
        """Lay scans into a private folder of alice; return their names."""
        alice = self.container.root / "home/alice"
        owner, folder = alice.stat().st_uid, alice / batch
        folder.mkdir()
        os.chown(folder, owner, owner)
        names = []
        for count in range(1, number + 1):
            example = next(self._examples)
            data = example.read_bytes() if count % BROKEN_EVERY else b"this is no image\n"
            name = f"{batch}-{count:03}{example.suffix}"
            (folder / name).write_bytes(data)
            (folder / name).chmod(mode)
            os.chown(folder / name, owner, owner)
            self.put[name] = hashlib.sha256(data).hexdigest()
            names.append(name)
        return names

    def copy(self, batch: str, number: int, mode: int = 0o644, how: str = "umask 022; cp") -> list[str]:
        """Put scans into the inbox as alice, a member of the group; return their names."""
        names = self.scans(batch, number, mode)
        done = self.container.run(f"cd /home/alice/{batch} && {how} * /{SPOOL}/inbox/", "alice")
        if done.returncode:
            self.note(f"copy {batch}", False, done.stderr)
        return names

    def load(self, batch: str) -> list[str]:
        """Put many scans in and return as soon as the first of them are read."""
        names = self.copy(batch, LOAD)
        until(lambda: len(self.read(names)) >= BEGUN, f"the first rows of {batch}")
        return names

    def read(self, names: list[str]) -> set[str]:
        """Return those of the names that have a row."""
        return {row["file"] for row in self.rows()} & set(names)

    def rows(self) -> Iterator[dict[str, str]]:
        """Yield the rows of the log and of what logrotate made of it."""
        for path in sorted(self.spool.glob("predictions.csv*")):
            with gzip.open(path, "rt", newline="") if path.suffix == ".gz" else path.open(newline="") as file:
                yield from (row for row in csv.DictReader(file) if row["elapsed_ms"])

    def goes_on(self, step: str, names: list[str], detail: str, well: object = True) -> None:
        """Wait until the scans of a step are read, and print how it went."""
        waited = len(names) - len(self.read(names))
        seconds = until(lambda: len(self.read(names)) == len(names), f"{step}: the rest is read")
        self.note(step, well, f"{detail}{waited} of {len(names)} scans were still waiting, read after {seconds:.0f} s")

    def count(self) -> None:
        """Print what was put in and what came out, and judge it."""
        until(lambda: not self._inside(), "an empty inbox")
        scans = {(row["file"], row["id"]) for row in self.rows()}
        readings = Counter(name for name, _ in scans)
        pages = Counter((row["file"], row["page"]) for row in self.rows())
        archived, failed = self._digests("archive"), self._digests("failed")
        missing = Counter(self.put.values()) - archived - failed
        too_many = archived + failed - Counter(self.put.values())
        pictures = sum(path.suffix == ".png" for path in (self.spool / "outbox").rglob("*"))
        good = sum(row["status"] != "failed" for row in self.rows())
        lost = len(self.put.keys() - readings.keys()) + missing.total()
        doubled = sum(n - 1 for n in readings.values()) + sum(n - 1 for n in pages.values()) + too_many.total()
        print("\n| put in | scans in the log | archived | failed | pages read | pictures | lost | doubled |")
        print("|---|---|---|---|---|---|---|---|")
        print(
            f"| {len(self.put)} | {len(scans)} | {archived.total()} | {failed.total()} | {good} | {pictures} "
            f"| {lost} | {doubled} |\n"
        )
        self.note("the count", lost == doubled == 0 and len(scans) == len(self.put) and good == pictures)

    def _inside(self) -> list[Path]:
        return [path for path in (self.spool / "inbox").rglob("*") if path.is_file()]

    def _digests(self, folder: str) -> Counter[str]:
        """Return the sha256 of the originals in a folder."""
        files = (path for path in (self.spool / folder).rglob("*") if path.is_file())
        originals = (path for path in files if not path.name.endswith(".reason.txt"))
        return Counter(hashlib.sha256(path.read_bytes()).hexdigest() for path in originals)


def install(proof: Proof, place: str = "") -> None:
    """Paste the commands of systemd/README.md, for a checkout, or for a wheel that goes to a place."""
    container = proof.container
    page = (SOURCE / "systemd/README.md").read_text()
    blocks = [block.splitlines() for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL)]
    commands = blocks[0]
    if place:
        shutil.rmtree(container.root / "root/digitwatch")
        (container.root / "root/digitwatch").mkdir()
        wheel = [command.replace(USUAL, place) for command in blocks[1]]
        commands = ["cp /wheels/digitwatch-*.whl .", commands[0], *wheel, commands[2]]
    for command in commands:
        start = time.monotonic()
        done = container.run(f"cd /root/digitwatch && umask 077 && {command}")  # as careful roots have it
        proof.note(f"$ {command}", done.returncode == 0, f"{time.monotonic() - start:.1f} s {done.stderr.strip()}")
    container.say("for name in alice bob mallory; do useradd --create-home $name; done")
    container.say("usermod -aG digitwatch alice; usermod -aG digitwatch bob")
    proof.note("active at once, READY included", container.show("ActiveState") == "active")


def removal(proof: Proof, place: str) -> None:
    """Remove the service: none of its files stays but the settings, and no scan is touched."""
    container = proof.container
    before = proof._digests("archive") + proof._digests("failed")
    done = container.run(f"{place}/bin/digitwatch install-service --remove")
    left = container.say("find /etc -name '*digitwatch*' -not -path '/etc/digitwatch*' -type f").split()
    proof.note("install-service --remove", done.returncode == 0, done.stderr.strip())
    proof.note(
        "it is stopped, and its files are gone", container.show("ActiveState") == "inactive" and not left, str(left)
    )
    kept = proof._digests("archive") + proof._digests("failed") == before
    proof.note("settings and scans stay", kept and (container.root / "etc/digitwatch/config.yaml").exists())


def members(proof: Proof) -> None:
    """Put scans in with all usual file modes, and one slowly."""
    pages = SOURCE / "examples/scans/pages-86-93.tif"
    proof.put["slow.tif"] = hashlib.sha256(pages.read_bytes()).hexdigest()
    shutil.copy(pages, proof.container.root / "home/alice/slow.tif")
    halves = f"head -c 3000 /home/alice/slow.tif; sleep {PAUSE}; tail -c +3001 /home/alice/slow.tif"
    proof.container.run(f"({halves}) > /{SPOOL}/inbox/slow.tif 2>/dev/null </dev/null &", "alice")
    ways = {
        "copied, umask 022": ("a", 0o644, "umask 022; cp"),
        "copied, mode 600": ("b", 0o600, "umask 022; cp"),
        "copied, umask 077": ("c", 0o644, "umask 077; cp"),
        "moved from a private folder, mode 600": ("d", 0o600, "mv"),
        "copied with owner and times, mode 640": ("e", 0o640, "cp -p"),
    }
    for way, (batch, mode, how) in ways.items():
        names = proof.copy(batch, 15, mode, how)
        seconds = until(lambda names=names: len(proof.read(names)) == len(names), way)
        proof.note(f"by a member, {way}", True, f"{len(names)} read after {seconds:.1f} s")
    until(lambda: proof.read(["slow.tif"]), "slow.tif is read")
    statuses = [row["status"] for row in proof.rows() if row["file"] == "slow.tif"]
    well = len(statuses) == 2 and "failed" not in statuses
    proof.note(f"written with a pause of {PAUSE} s, two pages", well, " ".join(statuses))


def rights(proof: Proof) -> None:
    """Try forbidden actions as other users, while a scan waits for a stopped service."""
    run, inbox = proof.container.run, f"/{SPOOL}/inbox"
    run("systemctl stop digitwatch")
    [name] = proof.copy("held", 1)
    run("echo other > /home/bob/other; chown bob /home/bob/other")
    proof.note("another member cannot remove a waiting scan", run(f"rm -f {inbox}/{name}", "bob").returncode)
    proof.note("nor replace it", run(f"mv -f /home/bob/other {inbox}/{name}", "bob").returncode)
    proof.note("nor look at scans being read", run(f"touch {inbox}/.digitwatch/x", "bob").returncode)
    proof.note("others see nothing", run(f"ls /{SPOOL}", "mallory").returncode)
    run("systemctl start digitwatch")
    proof.goes_on("what waited for the start is read", [name], "")
    done = run("/opt/digitwatch/bin/digitwatch check", "digitwatch")
    proof.note("digitwatch check", done.returncode == 0, done.stdout.strip().splitlines()[-1])


def operations(proof: Proof) -> None:
    """Reload, rotate and break the settings, as operators do."""
    container = proof.container
    names = proof.load("reload")
    done = container.run("systemctl reload digitwatch")
    until(lambda: container.show("ActiveState") == "active", "the reload is over", 30)
    proof.goes_on("systemctl reload", names, "", done.returncode == 0)
    told = container.say("journalctl -u digitwatch --no-pager --grep='log is reopened' --output=cat")
    proof.note("the log is reopened, without a new start", told and container.show("NRestarts") == "0")
    drop = "/etc/systemd/system/logrotate.service.d"  # Debian's own unit, made to rotate at once
    exec_start = "ExecStart=\\nExecStart=/usr/sbin/logrotate --force /etc/logrotate.d/digitwatch"
    container.say(f"mkdir {drop}; printf '[Service]\\n{exec_start}\\n' > {drop}/now.conf; systemctl daemon-reload")
    for turn in ("first", "second"):  # the first file is packed by the second turn
        names = proof.load(f"{turn}-rotation")
        done = container.run("systemctl start logrotate")
        proof.goes_on(f"logrotate, {turn}", names, "", done.returncode == 0)
    logs = sorted(path.name for path in proof.spool.glob("predictions.csv*"))
    proof.note("rotated, the older one packed", len(logs) == 3 and logs[1].endswith(".gz"), " ".join(logs))
    status = re.search(r'Status: "(.*)"', container.say("systemctl status digitwatch"))
    proof.note("status line", status and status[1].startswith("watching by events"), status[1] if status else "none")
    settings = "/etc/digitwatch/config.yaml"
    container.say(f"cp {settings} /root/; echo 'setle: 3' >> {settings}; systemctl restart digitwatch")
    ended = container.show("ActiveState"), container.show("ExecMainStatus"), container.show("NRestarts")
    proof.note("wrong settings end it, once", ended == ("failed", "78", "0"), " ".join(ended))
    container.say(f"cp /root/config.yaml {settings}; mv /{SPOOL}/inbox /{SPOOL}/gone; systemctl restart digitwatch")
    code = container.show("ExecMainStatus")
    until(lambda: int(container.show("NRestarts") or 0) >= 1, "another try")
    container.say(f"mv /{SPOOL}/gone /{SPOOL}/inbox")
    seconds = until(lambda: container.show("ActiveState") == "active", "it is active again")
    proof.note("a missing inbox is waited for", code == "75", f"exit {code}; active {seconds:.0f} s after it was back")


def page(proof: Proof) -> None:
    """Switch the page on as systemd/README.md says: it shows a scan and is restarted after crashes."""
    container = proof.container
    container.say("sed -i 's/listen: null/listen: 127.0.0.1:8080/' /etc/digitwatch/config.yaml")
    commands = re.findall(r"```sh\n(systemctl stop.*?)```", (SOURCE / "systemd/README.md").read_text(), re.DOTALL)[0]
    done = container.run(" && ".join(commands.splitlines()))
    proof.note("digitwatch.socket is enabled and the page switched on", done.returncode == 0, done.stderr.strip())
    names = proof.copy("page", 3)
    until(lambda: len(proof.read(names)) == len(names), "the scans are read")
    proof.note("the page shows them, through the socket of systemd", set(names) <= _listed(proof))
    container.say("systemctl reload digitwatch")
    proof.note("systemctl reload: the page answers", set(names) <= _listed(proof))
    for number, what in (("KILL", "kill -9 the page"), ("STOP", "SIGSTOP the page")):
        find = 'for p in /proc/[0-9]*; do grep -qs -e "[-]-until-eof" $p/cmdline && echo ${p#/proc/}; done'
        before = container.say(find).split()
        container.say(f"kill -{number} {' '.join(before)}")
        seconds = until(lambda: set(names) <= _listed(proof), "the page answers again")
        well = before and container.say(find).split() not in ([], before)
        proof.note(f"{what}: another one answers", well, f"after {seconds:.0f} s")
    before = container.show("NRestarts")
    container.say("systemctl kill --signal=KILL --kill-who=main digitwatch")
    seconds = until(lambda: container.show("NRestarts") != before and set(names) <= _listed(proof), "both are back")
    proof.note("kill -9 the daemon: systemd starts it again, and the page answers", True, f"after {seconds:.0f} s")


def _listed(proof: Proof) -> set[str]:
    """Return the names in the list of the web interface, nothing while it does not answer."""
    ask = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8080/', timeout=20).read().decode())"
    return set(re.findall(r"page-\d+\.\w+", proof.container.say(f'/opt/digitwatch/bin/python -c "{ask}"')))


def blows(proof: Proof) -> None:
    """Kill, hang, stop, reboot and cut the power, each under load."""
    container = proof.container
    say, show = container.say, container.show
    names = proof.load("worker")
    before = show("NRestarts")
    processes = say("cat /sys/fs/cgroup/*/system.slice/digitwatch.service/cgroup.procs").split()
    processes += say("cat /sys/fs/cgroup/system.slice/digitwatch.service/cgroup.procs").split()
    killed = container.run(f"kill -KILL {max(map(int, processes))}").returncode == 0  # the newest is a worker
    proof.goes_on("kill -9 a worker", names, "", killed and show("NRestarts") == before)
    for who in ("main", "all"):
        names = proof.load(f"kill-{who}")
        before = show("NRestarts")
        say(f"systemctl kill --signal=KILL --kill-who={who} digitwatch")
        seconds = until(lambda before=before: show("NRestarts") != before, "systemd starts it again")
        proof.goes_on(f"kill -9 ({who})", names, f"started again after {seconds:.0f} s; ")
    names = proof.load("hang")
    before = show("NRestarts")
    say("systemctl kill --signal=STOP --kill-who=main digitwatch")
    seconds = until(lambda: show("NRestarts") != before, "the watchdog acts")
    proof.goes_on("SIGSTOP", names, f"the watchdog started it again after {seconds:.0f} s; ")
    names = proof.load("stop")
    start = time.monotonic()
    say("systemctl stop digitwatch")
    seconds, result = time.monotonic() - start, (show("Result"), show("ExecMainStatus"))
    waiting = len(list((proof.spool / "inbox").glob("stop-*")))
    say("systemctl start digitwatch")
    detail = f"{seconds:.1f} s, exit {result[1]}, {waiting} in the inbox; "
    proof.goes_on("systemctl stop", names, detail, seconds < 10 and result == ("success", "0") and waiting)
    names = proof.load("reboot")
    container.reboot()
    proof.goes_on("reboot", names, "started by itself; ", show("ActiveState") == "active")
    names = proof.load("power")
    container.end()
    container.boot()
    proof.goes_on("everything killed at one blow, booted again", names, "", show("ActiveState") == "active")


def attacks(proof: Proof, seconds: float) -> None:
    """Let bob, a member of the group, try all that support/attacker.py knows, while alice's scans come in.

    Meanwhile the daemon is killed, the log rotated, and root puts back what bob left among the failed scans.
    """
    container, bob = proof.container, proof.container.root / "home/bob"
    container.say("sed -i 's/^recursive: false/recursive: true/' /etc/digitwatch/config.yaml")
    container.say("systemctl restart digitwatch")
    shutil.copy(SOURCE / "tests/support/attacker.py", bob)
    before, end = _outside(container.root), time.monotonic() + seconds
    line = f"python3 /home/bob/attacker.py /{SPOOL} /home/bob/ledger {seconds:.0f} 1"
    operations = {"kill": 45.0, "rotate": 70.0, "retry": 11.0}  # seconds between two
    due = {name: time.monotonic() + wait for name, wait in operations.items()}
    done: Counter[str] = Counter()
    with ThreadPoolExecutor(1) as other:
        attack = other.submit(container.run, line, "bob")
        for batch in itertools.count(1):
            if time.monotonic() > end and attack.done():
                break
            names = _ordinary(proof, f"plain{batch:04}", 10)
            until(lambda names=names: len(proof.read(names)) >= 5, f"half of batch {batch} is read", 300)
            for name in [name for name in due if time.monotonic() > due[name]]:
                OPERATE[name](container)
                done[name] += 1
                due[name] = time.monotonic() + operations[name]
        result = attack.result()
    proof.note("the attacker came to his end", result.returncode == 0, result.stdout.strip() or result.stderr[-500:])
    proof.note("meanwhile", True, ", ".join(f"{name}: {number}" for name, number in done.items()))
    until(lambda: len(proof.read(list(proof.put))) == len(proof.put), "all scans of alice are read", 300)
    judge(proof, set((bob / "ledger").read_text().split()))
    changed = _outside(container.root).items() ^ before.items()
    proof.note("nothing was written outside the folders", not changed, " ".join(sorted({name for name, _ in changed})))


def judge(proof: Proof, ledger: set[str]) -> None:
    """Count what became of alice's scans and of those that the attacker left alone."""
    until(lambda: ledger <= {row["sha256"] for row in proof.rows()}, "the rows of the attacker's scans", 400)
    until(lambda: not any(path.name in proof.put for path in proof._inside()), "alice's scans are filed", 120)
    sent = set(proof.put.values()) | ledger
    rows = [row for row in proof.rows() if row["sha256"] in sent]
    ids = Counter(digest for _, digest in {(row["id"], row["sha256"]) for row in rows})
    originals = Counter(_digest(path) for folder in ("archive", "failed") for path in _files(proof.spool / folder))
    lost = [digest for digest in sent if not ids[digest] or not originals[digest]]
    doubled = [digest for digest in sent if ids[digest] > 1 or originals[digest] > 1]
    doubled += [digest for digest, number in Counter(row["sha256"] for row in rows).items() if number > ids[digest]]
    other = [row for row in proof.rows() if row["status"] != "failed" and not _is_its_original(proof, row)]
    print(
        "\n| alice's | attacker's | rows | distinct ids | lost | doubled | other bytes |\n|---|---|---|---|---|---|---|"
    )
    print(f"| {len(proof.put)} | {len(ledger)} | {len(rows)} | {len({row['id'] for row in rows})} ", end="")
    print(f"| {len(lost)} | {len(doubled)} | {len(other)} |\n")
    for what in (lost, doubled):
        print(*[row for row in proof.rows() if row["sha256"] in what][:10], *what[:10], sep="\n")
    proof.note("the count", not (lost or doubled or other))
    bugs = proof.container.say("journalctl -u digitwatch --no-pager -q | grep -c -e Traceback -e 'status=70'").strip()
    proof.note("no traceback in the journal", bugs == "0", bugs)


def _is_its_original(proof: Proof, row: dict[str, str]) -> bool:
    path = proof.container.root / row["filed"].lstrip("/")
    return path.is_file() and _digest(path) == row["sha256"]


def _files(folder: Path) -> list[Path]:
    """Return the regular files below a folder, notes included: a scan may have the name of a note."""
    return [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _ordinary(proof: Proof, batch: str, number: int) -> list[str]:
    """Let alice put small scans into the inbox that differ from one another; one in ten is no image."""
    home, names = proof.container.root / "home/alice" / batch, []
    home.mkdir()
    for count in range(number):
        body = b"tEXtnumber\0" + f"{batch}-{count}".encode()
        image = (SOURCE / "examples/scans/digit-3.png").read_bytes()
        chunk = (len(body) - 4).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")
        data = image[:33] + chunk + image[33:] if count else body
        names.append(f"{batch}-{count}.png")
        (home / names[-1]).write_bytes(data)
        proof.put[names[-1]] = hashlib.sha256(data).hexdigest()
    done = proof.container.run(f"cp /home/alice/{batch}/* /{SPOOL}/inbox/", "alice")
    if done.returncode:
        proof.note(f"copy {batch}", False, done.stderr)
    return names


def _kill(container: Container) -> None:
    before = container.show("NRestarts")
    container.say("systemctl kill --signal=KILL --kill-who=main digitwatch")
    until(lambda: container.show("NRestarts") != before, "systemd starts it again", 60)


def _retry(container: Container) -> None:
    """Put back, as root, what the attacker laid into sub-folders of failed/."""
    found = container.say(f"cd /{SPOOL}/failed && find . -path './evil*/evil'").split()
    for name in found[:5]:
        container.run(f"/opt/digitwatch/bin/digitwatch -c /etc/digitwatch/config.yaml retry {name[2:]}")


OPERATE: dict[str, Callable[[Container], object]] = {
    "kill": _kill,
    "rotate": lambda container: container.run("logrotate --force /etc/logrotate.d/digitwatch"),
    "retry": _retry,
}


def _outside(root: Path) -> dict[str, tuple[int, int]]:
    """Return size and time of what nobody may change: settings, program, other homes, the spool's own folder."""
    found = {}
    for top in ("etc", "root", "opt", "usr/local", "usr/bin"):
        for folder, _, files in os.walk(root / top):
            if "__pycache__" not in folder:
                found |= {os.path.join(folder, name): _stamp(Path(folder, name)) for name in files}
    logs = re.compile(r"\.?predictions\.csv.*")
    spool = [path for path in (root / SPOOL).iterdir() if path.is_file() and not logs.fullmatch(path.name)]
    return found | {str(path): _stamp(path) for path in spool}


def _stamp(path: Path) -> tuple[int, int]:
    status = path.lstat()
    return status.st_size, status.st_mtime_ns


def prepare(directory: Path, suite: str) -> Path:
    """Return a fresh copy of a Debian, which is fetched the first time, with this project in /root/digitwatch."""
    base, root = directory / suite, directory / "root"
    if not base.exists():
        part = base.with_suffix(".part")
        subprocess.run(["debootstrap", "--variant=minbase", f"--include={PACKAGES}", suite, part], check=True)
        part.rename(base)
    shutil.rmtree(root, ignore_errors=True)
    subprocess.run(["cp", "--archive", "--reflink=auto", base, root], check=True)
    unwanted = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "digitwatch-data")
    shutil.copytree(SOURCE, root / "root/digitwatch", ignore=unwanted)
    return root


def main() -> int:
    """Run the whole proof; return 0 when all went well."""
    parser = argparse.ArgumentParser(description="Prove the guarantee under a real systemd in a container.")
    parser.add_argument("--directory", type=Path, default=Path("/var/tmp/digitwatch-container"))
    parser.add_argument("--suite", default="bookworm", help="the Debian to boot (default: bookworm)")
    parser.add_argument("--wheels", type=Path, help="a folder of wheels instead of the network")
    parser.add_argument("--from-wheel", metavar="PLACE", default="", help="install the wheel in --wheels to PLACE")
    parser.add_argument("--attacks", type=float, metavar="SECONDS", help="a hostile member instead of the faults")
    parser.add_argument("--keep", action="store_true", help="leave the container's files for a look")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that no container stays behind
    options.directory.mkdir(parents=True, exist_ok=True)
    container = Container(prepare(options.directory, options.suite), options.wheels and options.wheels.resolve())
    proof = Proof(container)
    try:
        container.boot()
        install(proof, options.from_wheel)
        if options.attacks:
            attacks(proof, options.attacks)
        elif options.from_wheel:
            members(proof)
            proof.count()
        else:
            for part in (members, rights, operations, page, blows):
                part(proof)
            proof.count()
        removal(proof, options.from_wheel or USUAL)
        bugs = container.say("journalctl -u digitwatch -p err --no-pager -q")
        print(f"error lines in the journal:\n{bugs}" if bugs else "no error line in the journal")
    finally:
        container.end()
        if not options.keep:
            shutil.rmtree(container.root)
    return 0 if proof.well else 1


if __name__ == "__main__":
    sys.exit(main())
