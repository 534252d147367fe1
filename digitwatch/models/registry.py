"""Registry of fine-tuned models: which one replaces the configured model, and which one did before.

The models lie in one folder as pairs of files that never change, `cnn-taught-1.tflite` and `.json`. history.json in
the same folder lists for each configured model its replacements, the newest last; installing one and rolling back
are each one rename of that file.
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
History = dict[str, list[str]]  # configured model -> stems of its replacements, oldest first


class RegistryError(ConfigurationError):
    """history.json cannot be used; the message says what to do."""


def current(folder: Path, named: Path | str) -> Path | str:
    """Return the newest replacement of `named`, or `named` itself if it has none.

    Raises:
        RegistryError: history.json is damaged.
    """
    stems = _read(folder).get(str(named), [])
    return folder / stems[-1] if stems else named


def install(folder: Path, named: Path | str, save: Callable[[Path], None]) -> Path:
    """Write a model with `save`, which gets its stem, and let it replace `named`; return the stem.

    Raises:
        OSError: the folder cannot be written; the model in use does not change.
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
    """Hold the lock of the registry, so that trainings that end at once get different names."""
    handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def rollback(folder: Path, named: Path | str) -> tuple[Path, Path | str] | None:
    """Remove the newest replacement of `named`; return the removed model and the one now in use.

    The files of the removed model are kept. None if `named` has no replacement.
    """
    if not folder.is_dir():
        return None
    with _locked(folder):
        history = _read(folder)
        if not history.get(str(named)):
            return None
        removed = history[str(named)].pop()
        _write(folder, history)
    return folder / removed, current(folder, named)


def _read(folder: Path) -> History:
    path = folder / HISTORY
    try:
        history = json.loads(path.read_text("utf-8-sig"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise RegistryError(f"{path} is damaged ({error}): delete it to use the configured model") from error
    if not isinstance(history, dict) or not all(_is_stems(stems) for stems in history.values()):
        raise RegistryError(f"{path}: expected lists of model names: delete it to use the configured model")
    return history


def _is_stems(stems: object) -> bool:
    return isinstance(stems, list) and all(isinstance(stem, str) and _STEM.fullmatch(stem) for stem in stems)


def _write(folder: Path, history: History) -> None:
    temporary = folder / f".{HISTORY}.{os.getpid()}"
    write_durably(temporary, (json.dumps(history, indent=2) + "\n").encode())
    temporary.replace(folder / HISTORY)
    sync_folder(folder)
