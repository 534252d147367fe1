"""A look at the whole installation, with what to mend."""

import contextlib
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from digitwatch.patience import told
from digitwatch.reading.classifier import ModelError
from digitwatch.reading.reader import Reader
from digitwatch.spool import watch
from digitwatch.spool.claims import CLAIMED, Taken, lock
from digitwatch.spool.durable import rename_new
from digitwatch.spool.rows import HEADER
from digitwatch.spool.space import shortage
from digitwatch.work import Places


@dataclass(frozen=True)
class Finding:
    """One thing looked at: whether it is well, and if not, what to do."""

    well: bool
    what: str

    def __str__(self) -> str:
        """Give the line that `digitwatch check` prints."""
        return f"{'ok   ' if self.well else 'MEND '} {self.what}"


def inspect(places: Places, predictions: Path, *, model: Path | str, watching: str, min_free: int) -> Iterator[Finding]:
    """Yield a finding for everything that a running daemon needs."""
    folders = {name: getattr(places, name) for name in ("inbox", "outbox", "archive", "failed")} | {
        "predictions": predictions.parent
    }
    usable = True
    for name, folder in folders.items():
        finding = _writable(name, folder, places.base)
        usable = usable and folder.is_dir() and finding.well
        yield finding
    if usable:
        yield from (_rename(places.inbox, target) for target in (places.archive, places.failed))
        yield _space((places.outbox, places.archive, places.failed, predictions.parent), min_free)
        yield _events(places.inbox, watching)
        yield _daemon(places.inbox)
        yield _log(predictions)
    yield _model(model)


def _writable(name: str, folder: Path, base: Path) -> Finding:
    probe = folder / f".check-{secrets.token_hex(4)}"
    try:
        probe.write_bytes(b"")
        probe.unlink()
    except FileNotFoundError:
        if folder.is_relative_to(base):
            return Finding(True, f"{name}: {folder} will be made at the start")
        return Finding(False, f"{name}: {folder} does not exist; make it, or mount its disk: mkdir -p {folder}")
    except NotADirectoryError:
        return Finding(False, f"{name}: {folder} is not a folder; correct the path in config.yaml")
    except PermissionError:
        return Finding(
            False,
            f"{name}: no right to write in {folder}; give it to user {_user()}: chown {_user()} {folder}",
        )
    except OSError as error:
        return Finding(False, f"{name}: cannot write in {folder}: {told(error)}")
    return Finding(True, f"{name}: {folder} can be written")


def _user() -> str:
    return os.environ.get("USER") or str(os.getuid())


def _rename(inbox: Path, target: Path) -> Finding:
    name = f".check-{secrets.token_hex(4)}"
    source, moved = inbox / name, target / name
    try:
        source.write_bytes(b"")
        rename_new(source, moved)
    except OSError as error:
        return Finding(True, f"{inbox} -> {target}: originals are copied, since {told(error)}")
    finally:
        for path in (source, moved):
            with contextlib.suppress(OSError):
                path.unlink()
    return Finding(True, f"{inbox} -> {target}: originals move by one rename")


def _space(folders: tuple[Path, ...], min_free: int) -> Finding:
    short = shortage(folders, min_free)
    if short:
        return Finding(False, f"{short}: no scan would be taken; free some space or lower min_free")
    return Finding(True, f"free space: more than {min_free >> 20} MB everywhere")


def _events(inbox: Path, watching: str) -> Finding:
    kind = watch.filesystem(inbox) or "an unknown filesystem"
    if watching == "polling":
        return Finding(True, f"watch: {inbox} is listed on a timer, as config.yaml says")
    if watching == "auto" and kind.startswith(watch.WITHOUT_EVENTS):
        return Finding(True, f"watch: {inbox} lies on {kind}, where a timer replaces events")
    try:
        watch.Events(inbox, False, lambda name: None, lambda: None).stop()
    except watch.NoEvents as error:
        return Finding(watching == "auto", f"watch: {error}; without events the folder is listed on a timer")
    return Finding(True, f"watch: events arrive from {inbox} ({kind})")


def _daemon(inbox: Path) -> Finding:
    folder = inbox / CLAIMED
    if not folder.is_dir():
        return Finding(True, "daemon: none has worked here yet")
    try:
        os.close(lock(folder))
    except Taken:
        return Finding(True, "daemon: one is watching this inbox")
    left = sum(1 for entry in folder.iterdir() if entry.is_dir())
    return Finding(True, f"daemon: none is running; {left} scans wait in {folder} for its start")


def _log(predictions: Path) -> Finding:
    try:
        with predictions.open("rb") as file:
            head = file.readline(4096)
            file.seek(max(0, predictions.stat().st_size - 1))
            last = file.read(1)
    except FileNotFoundError:
        return Finding(True, f"log: {predictions} will be made with the first reading")
    except OSError as error:
        return Finding(False, f"log: {told(error)}")
    if head not in (b"", HEADER.encode()):
        return Finding(True, f"log: {predictions} has another header; it will be kept as {predictions.name}.old-1")
    if head and last != b"\n":
        return Finding(True, f"log: {predictions} ends in the middle of a line, which the next start cuts off")
    return Finding(True, f"log: {predictions} is sound")


def _model(model: Path | str) -> Finding:
    try:
        reader = Reader(model)
    except ModelError as error:
        return Finding(False, f"model: {error}")
    return Finding(True, f"model: {reader.model} answers")
