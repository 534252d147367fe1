"""Output of commands: folders that are named on the command line, and standard output."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from digitwatch.errors import UsageError
from digitwatch.system.os_errors import describe

NEVER = (errno.ENOTDIR, errno.EEXIST, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENAMETOOLONG, errno.EINVAL)
"""Errors that waiting does not end: the command line, or a permission, must be changed."""


def output_folder(option: str, folder: Path) -> Path:
    """Return the absolute path of an output folder, which is made when it is missing.

    Raises:
        UsageError: it can never be written.
        OSError: it cannot be made now; a later try may succeed.
    """
    absolute = folder.absolute()
    try:
        absolute.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        if error.errno in NEVER or str(absolute).startswith(("/proc/", "/sys/")):
            raise UsageError(f"{option}: expected a folder that can be written, found {describe(error)}") from error
        raise
    return absolute


@contextmanager
def closed_output_is_fine() -> Iterator[None]:
    """Print inside this block; where the reader of the pipe (`head`) has closed it, the rest is dropped."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
