"""The scans below a directory, in the order of their names, with memory that does not grow with their number."""

import heapq
import os
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from digitwatch.recognition.image import formats
from digitwatch.spool.csv_rows import shown_name
from digitwatch.spool.ignored_names import IGNORED, IgnoredNames
from digitwatch.spool.inbox import DEEPEST

EXAMPLES = 3  # names of passed over files that are kept
RUN = 50_000  # names of one folder that are sorted in memory at a time; more are merged from files


class NameFile:
    """Names in a temporary file: added at the end, iterated over as often as needed."""

    def __init__(self, folder: Path) -> None:
        """Make a file without a name in `folder`; it is gone when closed."""
        self._file: BinaryIO = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 (see close)
        self._number = 0

    def add(self, name: bytes) -> None:
        """Add a name, which holds no NUL."""
        self._file.write(name + b"\0")
        self._number += 1

    def extend(self, names: Iterable[bytes]) -> None:
        """Add names."""
        for name in names:
            self.add(name)

    def close(self) -> None:
        """Remove the file."""
        self._file.close()

    def __len__(self) -> int:
        """Return the number of names."""
        return self._number

    def __iter__(self) -> Iterator[str]:
        """Yield the names, in the order in which they were added."""
        return map(os.fsdecode, self.raw())

    def raw(self) -> Iterator[bytes]:
        """Yield the names as the system has them."""
        position, rest = 0, b""
        while True:
            self._file.seek(position)  # nothing else moves the position between two blocks but another iterator
            if not (block := self._file.read(1 << 16)):
                return
            position += len(block)
            *names, rest = (rest + block).split(b"\0")
            yield from names


@dataclass
class Passed:
    """Files of one kind that are no scans: their number and the names of the first ones."""

    number: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, name: str) -> None:
        """Count a file."""
        self.number += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append(name)


class ScanListing:
    """Lists the scans below a directory; files that are ignored or of another kind are left out.

    Attributes:
        passed: what was left out, by kind in words.
    """

    def __init__(
        self,
        directory: Path,
        scratch: Path,
        failed: Callable[[str, str], None],
        ignored: IgnoredNames = IGNORED,
    ) -> None:
        """Keep the places. `failed` is called with each folder that is not read, and why; `scratch` takes files."""
        self._ignored = ignored
        self._directory = directory
        self._scratch = scratch
        self._failed = failed
        self.passed: defaultdict[str, Passed] = defaultdict(Passed)

    def __iter__(self) -> Iterator[str]:
        """Yield the names relative to the directory, sorted by their bytes.

        Raises:
            OSError: the directory itself cannot be listed.
        """
        os.scandir(self._directory).close()
        return self._below("", 0)

    def _below(self, folder: str, depth: int) -> Iterator[str]:
        is_too_deep = False
        for key in self._sorted(folder):
            name = os.path.join(folder, key.rstrip("/"))
            if not key.endswith("/"):
                yield name
            elif depth < DEEPEST:
                yield from self._below(name, depth + 1)
            else:
                is_too_deep = True
        if is_too_deep:
            self._failed(shown_name(folder), f"the folders in it are nested more than {DEEPEST} deep and are not read")

    def _sorted(self, folder: str) -> Iterator[str]:
        """Yield the scans and folders in one folder in the order of names; a folder ends with a slash."""
        runs: list[NameFile] = []
        names: list[bytes] = []
        try:
            for name in self._entries(folder):
                names.append(os.fsencode(name))
                if len(names) == RUN:
                    runs.append(NameFile(self._scratch))
                    runs[-1].extend(sorted(names))
                    names.clear()
            names.sort()
            yield from map(os.fsdecode, heapq.merge(names, *(run.raw() for run in runs)) if runs else names)
        finally:
            for run in runs:
                run.close()

    def _entries(self, folder: str) -> Iterator[str]:
        try:
            with os.scandir(self._directory / folder) as entries:
                for entry in entries:
                    is_folder = entry.is_dir(follow_symlinks=False)
                    kind = "" if is_folder and entry.name not in self._ignored else self._passed_kind(entry)
                    if kind:
                        self.passed[kind].add(os.path.join(folder, entry.name))
                    elif not is_folder:
                        yield entry.name
                    elif entry.name not in self._ignored:
                        yield entry.name + "/"
        except OSError as error:
            self._failed(shown_name(folder or "."), f"the folder cannot be listed: {error.strerror}")

    def _passed_kind(self, entry: "os.DirEntry[str]") -> str:
        """Return what a file is that is no scan, "" for a scan; ignored folders are not mentioned."""
        if entry.name in self._ignored:
            return "hidden or unfinished" if not entry.is_dir(follow_symlinks=False) else ""
        if not _is_file(entry):
            return "no plain file"
        return "" if _is_scan(entry) else "no image by name or content"


def _is_file(entry: "os.DirEntry[str]") -> bool:
    """Return whether an entry is a file or a link to one."""
    try:
        return entry.is_file()
    except OSError:  # a loop of links, or one into a closed folder
        return False


def _is_scan(entry: "os.DirEntry[str]") -> bool:
    if os.path.splitext(entry.name)[1].lower() in formats.ENDINGS:
        return True
    try:
        with open(entry.path, "rb") as file:
            return formats.find(file.read(64)) is not None
    except OSError:
        return True  # the reading reports the error
