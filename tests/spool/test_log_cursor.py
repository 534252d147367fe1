"""A position in the log survives restarts of the reader, and whatever rotation does to the log."""

import gzip
import os
import shutil
from pathlib import Path

import pytest

from digitwatch.spool.csv_rows import FIRST, Row
from digitwatch.spool.log_cursor import LogCursor, Position, PositionLostError, end_of, log_files
from digitwatch.spool.prediction_log import PredictionLog


def row(scan: str) -> Row:
    """Return a row with an id."""
    return Row(
        "2026-11-22T10:00:00.000Z", f"{scan}.png", *["1", "7", "0.5", "ok", "", "", scan, "00", "", "", "m", "9"]
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the path of a log."""
    return tmp_path / "predictions.csv"


def add(path: Path, scans: str) -> None:
    """Append a row for each letter."""
    log = PredictionLog(path)
    for scan in scans:
        log.append([row(scan)])
    log.reopen()


def drain(cursor: LogCursor) -> str:
    """Return the ids of all new rows."""
    ids = ""
    while found := cursor.read(2):
        ids += "".join(each.id for each, _ in found)
    return ids


def resumed(path: Path, cursor: LogCursor) -> LogCursor:
    """Return a new cursor at the position of another one, as after a restart."""
    cursor.close()
    return LogCursor(path, position=cursor.position)


def test_new_rows_are_read_once(path: Path) -> None:
    """By the same cursor and by one that resumes at its position; a log that does not exist yet has none."""
    cursor = LogCursor(path)
    assert drain(cursor) == ""
    add(path, "abc")
    assert drain(cursor) == "abc"
    add(path, "de")
    assert drain(cursor) == "de"
    add(path, "f")
    cursor = resumed(path, cursor)
    assert drain(cursor) + drain(cursor) == "f"
    cursor.close()


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("how", ["rename", "copytruncate", "gzip", "rename twice"])
def test_rotation_loses_and_repeats_nothing(path: Path, how: str, restarts: bool) -> None:
    """Rows written before and after a rotation are read once each, whether the cursor lived through it or not."""
    cursor = LogCursor(path)
    add(path, "ab")
    assert drain(cursor) == "ab"
    add(path, "c")
    rotate(path, how.removesuffix(" twice"), 1)
    add(path, "d")
    if how == "rename twice":
        rotate(path, "rename", 2)
        add(path, "e")
    cursor = resumed(path, cursor) if restarts else cursor

    assert drain(cursor) == ("cde" if how == "rename twice" else "cd")
    cursor.close()


def rotate(path: Path, how: str, number: int) -> None:
    """Rotate the log as logrotate does."""
    aside = path.with_name(f"{path.name}-{number}")
    if how == "copytruncate":
        shutil.copy2(path, aside)
        os.truncate(path, 0)
        return
    path.rename(aside)
    if how == "gzip":
        aside.with_name(aside.name + ".gz").write_bytes(gzip.compress(aside.read_bytes()))
        shutil.copystat(aside, aside.with_name(aside.name + ".gz"))
        aside.unlink()


def test_an_incomplete_line_is_left_until_it_is_complete(path: Path) -> None:
    """Also where it is cut off and another row is written in its place."""
    add(path, "a")
    cursor = LogCursor(path)
    drain(cursor)
    with path.open("ab") as file:
        file.write(b"2026-11-22T10:00:00.000Z,torn")
    assert drain(cursor) == ""
    PredictionLog(path).repair()
    add(path, "b")

    assert drain(cursor) == "b"
    cursor.close()


def test_a_position_that_is_gone_is_reported(path: Path) -> None:
    """After the log was replaced by another one, the caller decides what to read."""
    add(path, "ab")
    cursor = LogCursor(path)
    drain(cursor)
    path.unlink()
    add(path, "c")

    with pytest.raises(PositionLostError):
        drain(resumed(path, cursor))


def test_a_log_of_an_earlier_version_is_read_by_its_header(path: Path) -> None:
    """Also by a cursor that resumes in the middle of it: the columns that the file does not have are empty."""
    lines = [",".join(FIRST)] + [",".join(row(scan)[: len(FIRST)]) for scan in "abc"]
    path.write_text("\n".join(lines) + "\n")
    cursor = LogCursor(path)
    cursor.read(2)
    cursor = resumed(path, cursor)

    assert [(each.id, each.codes) for each, _ in cursor.read(9)] == [("b", ""), ("c", "")]
    cursor.close()


def test_the_end_of_a_log_is_behind_its_last_complete_line(path: Path) -> None:
    """From there only rows that come later are read; an empty log ends where its rotated file ends."""
    assert end_of(log_files(path)) is None
    add(path, "ab")
    end = end_of(log_files(path))
    path.rename(path.with_name(path.name + ".1"))
    path.touch()

    assert end == Position(path.with_name(path.name + ".1").stat().st_size, end.proof if end else b"")
    assert end_of(log_files(path)) == end
    add(path, "c")
    cursor = LogCursor(path, position=end)
    assert drain(cursor) == "c"
    cursor.close()
