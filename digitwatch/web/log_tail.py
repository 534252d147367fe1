"""New lines of a file as it grows, is cut back, or is replaced by rotation."""

import os
from collections.abc import Iterator
from pathlib import Path

from digitwatch.spool.durable_io import identity

BLOCK = 1 << 20  # bytes read at a time
PROOF = 256  # bytes before our position, compared to detect that the file was rewritten


class Tail:
    """Follows the file at a path. Holds it open, and never locks or changes it."""

    def __init__(self, path: Path) -> None:
        """Keep the path; nothing is opened before the first call."""
        self.path = path
        self._file: int | None = None
        self._position = 0
        self._proof = b""

    def new_lines(self) -> list[str] | None:
        """Return the complete lines that were added since the last call.

        Returns:
            the lines with their ends, or None when the file was replaced or truncated. Then call `begin`.

        Raises:
            OSError: the file cannot be read.
        """
        if self._file is None:
            return [] if not self.path.exists() else None
        if not self._is_same():
            return None
        return list(self._rest())

    def begin(self) -> Iterator[str]:
        """Open the file that is at the path now and yield all its complete lines; none when there is no file.

        They are read as they are consumed: a log may be larger than the memory.

        Raises:
            OSError: the file cannot be read.
        """
        self.close()
        try:
            self._file = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except FileNotFoundError:
            return iter(())
        return self._rest()

    @property
    def identity(self) -> tuple[int, int] | None:
        """Device and inode of the open file."""
        if self._file is None:
            return None
        status = os.fstat(self._file)
        return status.st_dev, status.st_ino

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            os.close(self._file)
        self._file, self._position, self._proof = None, 0, b""

    def _is_same(self) -> bool:
        assert self._file is not None
        if self.identity != identity(self.path):
            return False
        return os.pread(self._file, len(self._proof), self._position - len(self._proof)) == self._proof

    def _rest(self) -> Iterator[str]:
        assert self._file is not None
        half = b""  # of a line whose end is not written yet
        while block := os.pread(self._file, BLOCK, self._position + len(half)):
            end = block.rfind(b"\n") + 1
            if not end:
                half += block
                continue
            whole, half = half + block[:end], block[end:]
            self._position += len(whole)
            self._proof = (self._proof + whole)[-PROOF:]
            yield from (line + "\n" for line in whole.decode("utf-8", "replace").split("\n")[:-1])
