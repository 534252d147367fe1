"""Failed scans back into the inbox, once what was wrong is mended."""

import errno
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from digitwatch.spool.archive import free_place, is_reason, remove_reason
from digitwatch.spool.csv_rows import printable
from digitwatch.spool.durable_io import copy_durably, make_folder, rename_new, scratch_for, sync_folder


def retry(failed: Path, inbox: Path, names: Sequence[str], *, everything: bool) -> bool:
    """Put the named scans, or all, back and say where each went; without a name, list what there is.

    Gives False when a name is not there.

    Raises:
        OSError: a folder is full, gone or closed to us; what was put back stays there.
    """
    there = list(failed_scans(failed))
    found, missing = (there, []) if everything else chosen(failed, names)
    for name in found:
        print(f"{printable(name)} -> {printable(str(put_back(failed, inbox, name)))}")
    for name in missing:
        print(f"digitwatch: no failed scan has the name {printable(name)}", file=sys.stderr)
    if not everything and not names:
        print("\n".join([*map(printable, there), f"{len(there)} failed scans; retry NAME… or --all puts them back"]))
    return not missing


def failed_scans(failed: Path) -> Iterator[str]:
    """Yield the names of the scans below `failed`, in order; notes and hidden files are no scans.

    Raises:
        OSError: the folder is gone or closed to us.
    """
    os.listdir(failed)
    for path in sorted(failed.rglob("*")):
        if path.is_file() and not path.is_symlink() and not path.name.startswith(".") and not is_reason(path):
            yield str(path.relative_to(failed))


def chosen(failed: Path, names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Give which of the named scans are there, by NAME or by a path that leads to them, and which are not."""
    there = list(failed_scans(failed))
    found: list[str] = []
    missing: list[str] = []
    for name in names:
        absolute = Path(os.path.abspath(name))
        plain = str(absolute.relative_to(failed)) if absolute.is_relative_to(failed) else name
        (found if plain in there else missing).append(plain)
    return found, missing


def put_back(failed: Path, inbox: Path, name: str) -> Path:
    """Move a failed scan into the inbox, never onto another file, and take its note away; give where it lies.

    Raises:
        OSError: a folder is full, gone or closed to us; the scan is where it was.
    """
    source = failed / name
    while True:
        target = free_place(inbox, name, os.path.lexists)
        make_folder(inbox, target.parent)
        try:
            _move(source, target)
            break
        except FileExistsError:  # somebody was quicker
            continue
    sync_folder(target.parent)
    remove_reason(source)
    return target


def _move(source: Path, target: Path) -> None:
    try:
        rename_new(source, target)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        scratch = target.with_name(scratch_for(source.name))  # hidden, so that nobody takes it half written
        copy_durably(source, scratch)
        rename_new(scratch, target)
        sync_folder(target.parent)
        source.unlink()
