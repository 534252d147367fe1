"""What image decoders write to standard error while they decode: for most damage it is the only sign.

libjpeg, libtiff and their kin return a picture of damaged data, with grey or noise in place of what is missing, and
report it in a line of text. OpenCV passes on the picture alone.
"""

import contextlib
import os
import re
import tempfile
import threading
from collections.abc import Iterator
from typing import IO

import cv2

_ERRORS_AND_WARNINGS = 3  # level of OpenCV's log; libtiff's messages go through it
_SILENT = 0
# Until 4.12 the switch was elsewhere.
_set_level = getattr(cv2.utils, "logging", cv2).setLogLevel
_set_level(_SILENT)

# a line of OpenCV's log and the lines that belong to it; of libjpeg, libpng, and of the libtiff of Pillow
_OWN = re.compile(
    r"\[ *(?:FATAL|ERROR|WARN)|> |$|Corrupt JPEG|Premature end|Inconsistent|Invalid|Warning: |libpng|tempfile\.tif"
)
_DAMAGE = re.compile(
    r"Corrupt JPEG data: (?!\d+ extraneous bytes before marker 0xd9)|Premature end of JPEG|Inconsistent progression"
    r"|TIFF_Error (?!.*not (?:configured|implemented))|TIFF_Warning \w*Decode"
)
_EXTRANEOUS = re.compile(r"(\d+) extraneous bytes before marker 0xd9")

_lock = threading.Lock()  # standard error belongs to the whole process


@contextlib.contextmanager
def captured() -> Iterator[list[str]]:
    """Collect the lines that decoders write within the block; they are in the list after it.

    Lines of others, such as the log lines of another thread, are passed on.
    """
    lines: list[str] = []
    with _lock, _scratch_file() as file:
        stderr = _copy_of_stderr()
        os.dup2(file.fileno(), 2)
        _set_level(_ERRORS_AND_WARNINGS)
        try:
            yield lines
        finally:
            _set_level(_SILENT)
            os.dup2(stderr, 2)
            file.seek(0)
            written = file.read().decode("utf-8", "replace").splitlines(keepends=True)
            lines += [line for line in written if _OWN.match(line)]
            os.write(stderr, "".join(line for line in written if not _OWN.match(line)).encode())
            os.close(stderr)


def _scratch_file() -> IO[bytes]:
    """Return a file in memory, where the system has such files."""
    return open(os.memfd_create("decoder"), "w+b") if hasattr(os, "memfd_create") else tempfile.TemporaryFile()


def _copy_of_stderr() -> int:
    try:
        return os.dup(2)
    except OSError:  # closed
        return os.open(os.devnull, os.O_WRONLY)


def damage(lines: list[str], data: bytes) -> bool:
    """Return whether decoders reported that the picture in `data` is not whole.

    Zeros before the end marker of a JPEG are no damage: cameras fill up blocks with them.
    """
    if any(map(_DAMAGE.search, lines)):
        return True
    extraneous = next(filter(None, map(_EXTRANEOUS.search, lines)), None)
    return extraneous is not None and not _ends_in_zeros(data, int(extraneous[1]))


def _ends_in_zeros(data: bytes, number: int) -> bool:
    end = data.find(b"\xff\xd9", data.find(b"\xff\xda"))
    return end >= number and not data[end - number : end].strip(b"\0")
