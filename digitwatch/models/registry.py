"""The models that learned from corrections: which one stands in for the model of config.yaml, and which before it.

They lie in one folder as pairs that are never changed, `cnn-taught-1.tflite` and `.json`. A small file beside
them, history.json, names for each model those that stood in for it, the newest last; taking a new one and going
back are each one rename of that file.
"""

import contextlib
import fcntl
import glob
import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from digitwatch.errors import ConfigurationError
from digitwatch.spool.durable_io import sync_folder, write_durably

HISTORY = "history.json"
_STEM = re.compile(r"[^/\0]*-taught-[0-9]+")
History = dict[str, list[str]]  # what config.yaml names -> the stems that stood in for it, oldest first


class RegistryError(ConfigurationError):
    """The file that says which model stands in cannot be used; the message says what to do."""


def current(folder: Path, named: Path | str) -> Path | str:
    """Give the newest model that stands in for `named`, or `named` itself where none does.

    Raises:
        RegistryError: the history is no such file.
    """
    stems = _read(folder).get(str(named), [])
    return folder / stems[-1] if stems else named


def install(folder: Path, named: Path | str, save: Callable[[Path], None]) -> Path:
    """Let `save` write a pair of files at the stem it is given, then let it stand in for `named`; give the stem.

    Raises:
        OSError: the disk is full, or the folder is closed to us; what stood in still does.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder):
        history = _read(folder)
        number = 1
        while any(folder.glob(f"{glob.escape(Path(named).stem)}-taught-{number}.*")):  # also those rolled back
            number += 1
        stem = folder / f"{Path(named).stem}-taught-{number}"
        save(stem)
        history.setdefault(str(named), []).append(stem.name)
        _write(folder, history)
    return stem


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the registry alone: of two trainings that end at once each gets a name of its own."""
    handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def rollback(folder: Path, named: Path | str) -> tuple[Path, Path | str] | None:
    """Let the model before the newest stand in for `named`; give the one left and the one that counts now.

    The files of the one left are kept. None where nothing stands in.
    """
    if not folder.is_dir():
        return None
    with _locked(folder):
        history = _read(folder)
        if not history.get(str(named)):
            return None
        left = history[str(named)].pop()
        _write(folder, history)
    return folder / left, current(folder, named)


def _read(folder: Path) -> History:
    path = folder / HISTORY
    try:
        history = json.loads(path.read_text("utf-8-sig"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise RegistryError(f"{path} is damaged ({error}): delete it to read with the model of config.yaml") from error
    if not isinstance(history, dict) or not all(_is_stems(stems) for stems in history.values()):
        raise RegistryError(f"{path}: expected lists of models, found something else: delete it")
    return history


def _is_stems(stems: object) -> bool:
    return isinstance(stems, list) and all(isinstance(stem, str) and _STEM.fullmatch(stem) for stem in stems)


def _write(folder: Path, history: History) -> None:
    temporary = folder / f".{HISTORY}.{os.getpid()}"
    write_durably(temporary, (json.dumps(history, indent=2) + "\n").encode())
    temporary.replace(folder / HISTORY)
    sync_folder(folder)
