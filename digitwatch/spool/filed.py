"""Files of a scan by the paths in the log: opened below the configured folders, by handle."""

import contextlib
import os
import re
from collections.abc import Iterator
from io import FileIO
from pathlib import Path

from digitwatch.errors import InputError
from digitwatch.spool.durable_io import open_folder, open_regular


class NotThereError(InputError):
    """The file of a reading is not where the log says."""


def open_filed(base: Path, shown: str, folders: tuple[Path, ...]) -> FileIO:
    """Return the file at a path of the log, relative to `base`, open for reading.

    It must lie below one of the folders. Below them no link is followed, so that a folder that is exchanged for a
    link meanwhile leads nowhere else.

    Raises:
        NotThereError: there is no regular file, or it lies outside the folders.
    """
    return _find(base, shown, folders)[0]


def name_below(base: Path, shown: str, folder: Path) -> str:
    """Return the path below `folder` of the regular file at a path of the log.

    Raises:
        NotThereError: there is no regular file, or it lies elsewhere.
    """
    file, name = _find(base, shown, (folder,))
    file.close()
    return name


def _find(base: Path, shown: str, folders: tuple[Path, ...]) -> tuple[FileIO, str]:
    """Return the open file and its path below the folder."""
    for text in _decodings(shown):
        path = Path(os.path.normpath(base / text))
        for folder in folders:
            for top in (folder, Path(os.path.realpath(folder))):  # the log may show either
                if path != top and path.is_relative_to(top):
                    with contextlib.suppress(OSError):
                        return _open(top, path), os.path.relpath(path, top)
    raise NotThereError(shown)


def _open(top: Path, path: Path) -> FileIO:
    with open_folder(top, path.parent) as folder, open_regular(path.name, folder) as file:
        return FileIO(os.dup(file))


def _decodings(shown: str) -> Iterator[str]:
    r"""Yield the paths that a text of the log may mean: itself, and with \xNN decoded to bytes."""
    if shown:
        yield shown
    if "\\x" in shown:
        raw = re.sub(rb"\\x([0-9a-f]{2})", lambda found: bytes([int(found[1], 16)]), os.fsencode(shown))
        if b"\0" not in raw:
            yield os.fsdecode(raw)
