"""The scans of the inbox and which are ready: events trigger a check, the directory listing decides."""

import contextlib
import errno
import heapq
import logging
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from digitwatch.spool.claims import CLAIMED
from digitwatch.spool.csv_rows import printable
from digitwatch.spool.durable_io import open_folder
from digitwatch.spool.file_probe import edges, is_being_written
from digitwatch.spool.ignored_names import IGNORED, IgnoredNames

log = logging.getLogger(__name__)

READABLE = stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH

SOON = 0.05  # seconds between two checks of an open file at least
REQUEST = "closed"
"""The file among the claims that requests group access to the files of the inbox; under systemd
digitwatch-inbox.path waits for it."""

EMPTY_SETTLES = 10.0  # seconds: many writers create a file first and fill it later
OPEN_MENTIONED = 60.0  # seconds after which a file that is still open for writing is logged
DEEPEST = 64  # depth of folders that are searched with `recursive: true`
MAX_SETTLE = 600.0  # seconds that the files of a writer that continues them wait at most
MAX_WRITERS = 1000  # that are remembered as continuing their files
LEFT_SECONDS = 60.0  # until a file that could not be taken is tried again


class _Seen(NamedTuple):  # made for each file of a listing, in half the time of a frozen dataclass
    """A file in the inbox: when it may be taken, by which size and time it is known unchanged, known since when.

    Until its turn comes it is not checked whether it is complete (None), and `due` is when it was first seen as it is.
    """

    due: float
    mtime_ns: int
    name: str
    size: int
    since: float
    complete: bool | None


def _writer(name: str, status: os.stat_result) -> tuple[int, str]:
    """Return what files of one program have in common: their owner and their ending."""
    return status.st_uid, os.path.splitext(name)[1].lower()


class Inbox:
    """The scans waiting in a folder, and which of them are ready to be taken.

    A file is ready when its size and modification time have not changed for `settle` seconds, or at
    once when `is_complete` recognises its last bytes as the end of its format; formats that can grow have no such
    end. If a writer (a user and a file ending) was seen to continue a file that looked complete, all its files
    wait; they wait twice as long each time that one was continued after it had been taken. Where the system can
    tell, a file that is open for writing is not ready, however long the pause. Only these bytes are
    read, and the kind of an event decides nothing: events only name files to check.
    """

    def __init__(
        self,
        folder: Path,
        *,
        settle: float,
        recursive: bool,
        is_complete: Callable[[bytes, bytes], bool],
        clock: Callable[[], float],
        ignored: IgnoredNames = IGNORED,
    ) -> None:
        """Store the rules; `clock` returns monotonic seconds."""
        self._ignored = ignored
        self.folder = folder
        self._prefix = f"{os.fspath(folder)}{os.sep}"  # joining paths would take longer than the system call
        self._settle = settle
        self._recursive = recursive
        self._is_complete = is_complete
        self._clock = clock
        self._seen: dict[str, _Seen] = {}
        self._order: list[tuple[int, str]] = []  # heap of ready files, oldest first
        self._settling: list[tuple[float, str]] = []  # heap of files in their settle time
        self._settle_of: dict[tuple[int, str], float] = {}  # seconds, of writers that continue their files
        self._tries: dict[str, int] = {}  # of files that were set aside, while they are there
        self._said: dict[str, tuple[str, str]] = {}  # name and logged reason, while it exists, oldest first

    def __len__(self) -> int:
        """Return the number of scans known to wait."""
        return len(self._seen)

    @property
    def left_alone(self) -> str:
        """The entry that has been left alone longest, and why; "" when there is none."""
        _, oldest = next(iter(self._said.values()), ("", ""))
        return f"{oldest} (and {len(self._said) - 1} more)" if len(self._said) > 1 else oldest

    def sweep(self) -> list[str]:
        """List the folder; return the names of the scans that were not known before.

        Raises:
            OSError: the folder is gone or not accessible.
        """
        before = self._seen.keys() | set()
        present = set()
        for name in self._list():
            present.add(name)
            self.note(name)
        for gone in before - present:
            self.forget(gone)
        self._said = {key: said for key, said in self._said.items() if os.path.lexists(self.folder / said[0])}
        self._tries = {name: tries for name, tries in self._tries.items() if name in self._said}
        return [name for name in self._seen if name not in before]

    def note(self, name: str) -> None:
        """Check one file that an event or a sweep named.

        Raises:
            OSError: the folder is not accessible or does not answer; the file is not forgotten.
        """
        try:
            status = os.lstat(f"{self._prefix}{name}")
        except (FileNotFoundError, NotADirectoryError):
            self.forget(name)
            return
        except OSError as error:
            if error.errno != errno.ENAMETOOLONG:
                raise
            self._say_once(os.path.dirname(name), name, "has too long a path and is left alone; move it up")
            return
        seen = self._seen.get(name)
        known = seen is not None and (seen.size, seen.mtime_ns) == (status.st_size, status.st_mtime_ns)
        if known and stat.S_ISREG(status.st_mode):
            return
        if not self._is_scan(name, status):
            self.forget(name)  # it may have been a file before
            return
        if seen is not None and status.st_size > seen.size and self._ends_complete(name, seen.size):
            self._remember(_writer(name, status), self._settle)
        now = self._clock()
        self._seen[name] = _Seen(now, status.st_mtime_ns, name, status.st_size, seen.since if seen else now, None)
        heapq.heappush(self._order, (status.st_mtime_ns, name))

    def leave(self, name: str, why: str) -> None:
        """Log once for its folder why a file could not be taken, and offer it again after LEFT_SECONDS."""
        self._say_once(os.path.dirname(name), name, why)
        try:
            status = os.lstat(self.folder / name)
        except OSError:
            return  # the next sweep reports it
        now = self._clock()
        self._await(_Seen(now + LEFT_SECONDS, status.st_mtime_ns, name, status.st_size, now, True))

    def set_aside(self, name: str, why: str) -> None:
        """Offer a returned file again, after a longer time at each try; log once why it waits.

        Raises:
            OSError: the folder is not accessible or does not answer.
        """
        self.note(name)  # one without permission to read is not offered
        if (seen := self._seen.get(name)) is None:
            return
        self._say_once(name, name, f"is set aside and tried again: {printable(why)}")
        tries = self._tries[name] = self._tries.get(name, 0) + 1
        seconds = min(LEFT_SECONDS, 2.0**tries)
        self._await(seen._replace(due=self._clock() + seconds, complete=True))

    def continued(self, name: str, status: os.stat_result) -> None:
        """Note that a file was written to after it had been taken: others of its writer wait twice as long from now."""
        writer = _writer(name, status)
        self._remember(writer, 2 * max(self._settle_of.get(writer, self._settle), 1.0))

    def forget(self, name: str) -> None:
        """Drop a file that was claimed or removed."""
        self._seen.pop(name, None)

    def take(self) -> str | None:
        """Return the oldest ready file and forget it, or None when none is ready."""
        while self._settle_due():
            mtime_ns, name = heapq.heappop(self._order)
            seen = self._seen.get(name)
            if seen is None or seen.mtime_ns != mtime_ns or seen.due > self._clock():
                continue  # removed or changed since: it is in a heap again
            self._look_again(name)  # it may have changed while it waited
            if self._seen.get(name) is seen and (seen.complete is not None or self._is_complete_now(seen)):
                self.forget(name)
                return name
        return None

    def _is_complete_now(self, seen: _Seen) -> bool:
        """Return whether a file is complete; otherwise it waits for its settle time."""
        settle = self._required_settle(seen)
        if seen.size and settle is None and self._ends_complete(seen.name, seen.size):
            return True
        self._await(seen._replace(due=seen.due + (settle or self._settle), complete=False))
        return False

    def _ends_complete(self, name: str, size: int) -> bool:
        """Return whether the first `size` bytes of a file are a complete one of its format."""
        return bool(size) and self._is_complete(*edges(self.folder / name, size))

    def _remember(self, writer: tuple[int, str], seconds: float) -> None:
        self._settle_of[writer] = min(MAX_SETTLE, max(seconds, self._settle_of.pop(writer, 0.0)))
        if len(self._settle_of) > MAX_WRITERS:
            del self._settle_of[next(iter(self._settle_of))]

    def next_due(self) -> float | None:
        """Return the clock time at which the next file will be ready, or None when none is waiting."""
        if self._order:
            return self._clock()
        return self._settling[0][0] if self._settling else None

    def _settle_due(self) -> bool:
        """Move files whose settle time is over to the ready ones, after one more check; return whether any is."""
        while self._settling and self._settling[0][0] <= self._clock():
            due, name = heapq.heappop(self._settling)
            seen = self._seen.get(name)
            if seen is None or seen.due != due:  # changed meanwhile: it is in a heap again
                continue
            self._look_again(name)
            if self._seen.get(name) is not seen:
                continue
            if not seen.complete and is_being_written(self.folder / name):
                self._wait_for_writer(seen)
            else:
                heapq.heappush(self._order, (seen.mtime_ns, name))
        return bool(self._order)

    def _look_again(self, name: str) -> None:
        try:
            self.note(name)
        except OSError:
            self.forget(name)  # it is in no heap now: the next sweep must see it as new
            raise

    def _await(self, seen: _Seen) -> None:
        self._seen[seen.name] = seen
        heapq.heappush(self._settling, (seen.due, seen.name))

    def _wait_for_writer(self, seen: _Seen) -> None:
        now = self._clock()
        if now - seen.since >= OPEN_MENTIONED:
            self._say_once(seen.name, seen.name, "is still open for writing in another program and waits for it")
        self._await(seen._replace(due=now + max(self._settle, SOON, (now - seen.since) / 10)))

    def _required_settle(self, seen: _Seen) -> float | None:
        """Return for how many seconds a file must be unchanged even if it looks complete; None if it need not be."""
        if not seen.size:
            return max(self._settle, EMPTY_SETTLES)
        if not self._settle_of:
            return None
        try:
            return self._settle_of.get(_writer(seen.name, os.lstat(f"{self._prefix}{seen.name}")))
        except OSError:
            return None  # the claim reports it

    def _list(self) -> Iterator[str]:
        folders = [""]
        while folders:
            below = folders.pop()
            if below.count(os.sep) >= DEEPEST:
                self._say_once("/", below, f"lies below more than {DEEPEST} folders and is left alone")
                continue
            try:
                entries = self._entries(below)
            except OSError as error:  # a sub-folder may go at any time; the inbox itself may not
                if not below:
                    raise
                self._say_once(below, below, f"cannot be listed: {error.strerror}")
                continue
            for entry, is_folder in entries:
                name = os.path.join(below, entry) if below else entry
                if not is_folder:
                    yield name
                elif entry in self._ignored:
                    continue
                elif self._recursive:
                    folders.append(name)
                else:
                    self._say_once(name, name, "is a folder and is left alone; `recursive: true` takes its scans")

    def _entries(self, below: str) -> list[tuple[str, bool]]:
        """Return the names in a folder, reached without following a link, and which of them are folders."""
        with open_folder(self.folder, self.folder / below) as folder, os.scandir(folder) as entries:
            return [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]

    def _is_scan(self, name: str, status: os.stat_result) -> bool:
        """Return whether a directory entry is a file to be read; log once why others are left alone."""
        if stat.S_ISDIR(status.st_mode):  # each of thousands in a new tree raises events: no look at those above it
            return False
        parts = name.split(os.sep)
        if len(parts) > DEEPEST + 1 or self._is_behind_link(parts):
            return False
        if len(parts) > 1 and not self._recursive:
            return False
        if any(part in self._ignored for part in parts):  # CLAIMED is hidden, too
            return False
        if stat.S_ISREG(status.st_mode):
            return status.st_mode & READABLE == READABLE or self._may_read(
                name
            )  # the system call takes a tenth of a listing
        self._say_once(name, name, "is not a plain file (a link, pipe, socket or device) and is left alone")
        return False

    def _is_behind_link(self, parts: list[str]) -> bool:
        """Return whether a folder on the way to an entry is a link: the watch may have followed it."""
        return any(os.path.islink(os.path.join(self.folder, *parts[:end])) for end in range(1, len(parts)))

    def _may_read(self, name: str) -> bool:
        if os.access(f"{self._prefix}{name}", os.R_OK):
            return True
        with contextlib.suppress(OSError):
            (self.folder / CLAIMED / REQUEST).touch()
        self._say_once(name, name, "may not be read by digitwatch; give its group the right to read: chmod g+r")
        return False

    def _say_once(self, key: str, name: str, what: str) -> None:
        if key not in self._said:
            self._said[key] = name, f"{printable(os.fspath(self.folder / name))} {what}"
            log.warning("%s", self._said[key][1])
