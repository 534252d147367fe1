"""`digitwatch merge`: the outputs of all shards of a batch as the output of one run."""

import heapq
import itertools
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from digitwatch.errors import UsageError
from digitwatch.service.batch import FINISHED_NOTE, SOURCE_NOTE, shard_of
from digitwatch.service.shard import Shard
from digitwatch.service.transaction import shown
from digitwatch.spool.annotated_images import adopt
from digitwatch.spool.csv_rows import HEADER, Row, encode, printable
from digitwatch.spool.durable_io import sync_folder, write_durably
from digitwatch.spool.log_search import all_rows

BLOCK = 1000  # rows written at a time
MERGING_NOTE = ".digitwatch-merging"
"""File in the target while a merge runs: what an interrupted one left may be replaced."""


class MergeError(UsageError):
    """The outputs are not all shards of one batch, each finished and given once."""


@dataclass(frozen=True)
class Part:
    """The output folder of one shard; `scans` is the number that it has read."""

    out: Path
    shard: Shard
    source: bytes
    scans: int


@dataclass(frozen=True)
class Merged:
    """What was merged: the numbers of rows and pictures, and the models that read them."""

    rows: int
    pictures: int
    models: frozenset[str]


def merge(outs: Sequence[Path], target: Path) -> Merged:
    """Write the log and the pictures of all shards into `target`, which `--batch --out` then resumes.

    Pictures are linked where they lie on the same disk. The shards stay as they are. An interrupted merge is begun
    again by the same call.

    Raises:
        MergeError: a shard is missing, unfinished or given twice, or the folders belong to different batches.
        OSError: a folder cannot be read or written.
    """
    parts = check([_part(out) for out in outs])
    _claim_target(target)
    renamed: dict[tuple[Path, str], str] = {}
    pictures = sum(_link_pictures(part, target, renamed) for part in parts)
    rows, models = _write_log(parts, target, renamed)
    write_durably(target / SOURCE_NOTE, parts[0].source + b"\n")
    (target / MERGING_NOTE).unlink()
    sync_folder(target)
    return Merged(rows, pictures, frozenset(models))


def check(parts: Sequence[Part]) -> list[Part]:
    """Return the parts in order.

    Raises:
        MergeError: they are not all shards of one batch, each given once.
    """
    first = parts[0]
    seen: dict[Shard, Part] = {}
    for part in parts:
        if part.source != first.source:
            names = [printable(os.fsdecode(each.source)) for each in (first, part)]
            raise MergeError(f"{first.out} holds scans of {names[0]}, but {part.out} those of {names[1]}")
        if part.shard.total != first.shard.total:
            raise MergeError(f"{first.out} is the shard {first.shard}, but {part.out} is {part.shard}")
        if part.shard in seen:
            raise MergeError(f"the shard {part.shard} is given twice: {seen[part.shard].out} and {part.out}")
        seen[part.shard] = part
    numbers = range(1, first.shard.total + 1)
    if missing := [str(number) for number in numbers if Shard(number, first.shard.total) not in seen]:
        raise MergeError(f"shards are missing: {', '.join(missing)} of {first.shard.total}")
    return [seen[Shard(number, first.shard.total)] for number in numbers]


def _part(out: Path) -> Part:
    shard = shard_of(out)
    if shard is None:
        raise MergeError(f"{out}: expected the output folder of a run with --shard, found none")
    try:
        scans = int((out / FINISHED_NOTE).read_text())
    except (FileNotFoundError, ValueError):
        raise MergeError(f"{out}: the shard {shard} is not finished; run it again to resume") from None
    return Part(out.resolve(), shard, (out / SOURCE_NOTE).read_bytes().rstrip(b"\n"), scans)


def _claim_target(target: Path) -> None:
    """Make the target, or take the one that an interrupted merge left."""
    target.mkdir(parents=True, exist_ok=True)
    if any(target.iterdir()) and not (target / MERGING_NOTE).exists():
        raise MergeError(f"--out: expected a new or empty folder, found files in {target}")
    write_durably(target / MERGING_NOTE, b"")
    sync_folder(target)


def _link_pictures(part: Part, target: Path, renamed: dict[tuple[Path, str], str]) -> int:
    """Link the pictures of a shard; note those whose name another shard has taken."""
    top = part.out / "annotated"
    number = 0
    for folder, _, files in os.walk(top):
        into = target / "annotated" / os.path.relpath(folder, top)
        into.mkdir(parents=True, exist_ok=True)
        for file in files:
            if file.endswith(".tmp") or (placed := adopt(Path(folder, file), into)) is None:
                continue
            number += 1
            if placed.name != file:
                renamed[part.out, shown(Path(folder, file), part.out)] = shown(placed, target)
        sync_folder(into)
    return number


def _write_log(parts: Sequence[Part], target: Path, renamed: dict[tuple[Path, str], str]) -> tuple[int, set[str]]:
    """Write the rows of all shards in the order of names; return their number and the models that read them."""
    scratch = target / ".predictions.csv.tmp"
    rows = heapq.merge(*(_rows(part, renamed) for part in parts), key=lambda row: row.file)
    written = 0
    models: set[str] = set()
    with scratch.open("wb") as file:
        file.write(HEADER.encode())
        while block := list(itertools.islice(rows, BLOCK)):
            file.write(encode(block))
            written += len(block)
            models.update(row.model for row in block)
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(target / "predictions.csv")
    return written, models


def _rows(part: Part, renamed: dict[tuple[Path, str], str]) -> Iterator[Row]:
    scans, last = 0, ""
    for row, _ in all_rows(part.out / "predictions.csv"):
        if not part.shard.holds(row.id):
            raise MergeError(f"{part.out}: the row of {row.file} does not belong to the shard {part.shard}")
        scans += row.id != last
        last = row.id
        yield row._replace(annotated=renamed.get((part.out, row.annotated), row.annotated))
    if scans < part.scans:
        raise MergeError(f"{part.out}: expected the rows of {part.scans} scans, found {scans}; run the shard again")
