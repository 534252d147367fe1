"""corrections.csv: appended, never rewritten, and the last word counts."""

from pathlib import Path

import pytest

from digitwatch.spool.correction_log import HEADER, NOT_A_NUMBER, UNDONE, Correction, append, read


def correction(now: str, scan: str = "a", page: str = "1") -> Correction:
    """Return a line that says `now`."""
    return Correction("2026-11-22T10:00:00.000Z", scan, "n.png", page, "00", "7", now, "Ada")


def test_the_last_line_of_a_page_counts(tmp_path: Path) -> None:
    """Two corrections of one page: the later one applies, and both stay in the file."""
    path = tmp_path / "corrections.csv"
    append(path, correction("1"))
    append(path, correction(NOT_A_NUMBER))
    append(path, correction("5", page="2"))

    assert {key: value.now for key, value in read(path).items()} == {("a", "1"): NOT_A_NUMBER, ("a", "2"): "5"}
    assert path.read_text().startswith(HEADER)
    assert path.read_text().count("\n") == 4


def test_what_is_undone_does_not_count(tmp_path: Path) -> None:
    """A correction taken back leaves the page as it was read."""
    path = tmp_path / "corrections.csv"
    append(path, correction("1"))
    append(path, correction(UNDONE))

    assert read(path) == {}


def test_without_a_file_nothing_is_corrected(tmp_path: Path) -> None:
    """Before the first correction there is no file, and that is no error."""
    assert read(tmp_path / "corrections.csv") == {}


@pytest.mark.parametrize("rest", ["2026-11-22T10:00:00.000Z,a,n.p", "x" * 100_000, "\0\0"])
def test_a_torn_line_does_not_damage_others(tmp_path: Path, rest: str) -> None:
    """The remainder of a line after a power cut is skipped, and the next line is separate."""
    path = tmp_path / "corrections.csv"
    append(path, correction("1"))
    path.write_text(path.read_text() + rest)

    assert read(path)["a", "1"].now == "1"
    append(path, correction("2", scan="b"))
    assert [value.now for value in read(path).values()] == ["1", "2"]


def test_a_line_whose_end_an_editor_dropped_stays(tmp_path: Path) -> None:
    """A last line that lacks only its line end is kept when the next one is added."""
    path = tmp_path / "corrections.csv"
    append(path, correction("1"))
    path.write_text(path.read_text().rstrip("\n"))
    append(path, correction("2", scan="b"))

    assert [value.now for value in read(path).values()] == ["1", "2"]


def test_a_full_disk_leaves_the_file_as_it_was() -> None:
    """A line that cannot be written is refused with the reason, not half there."""
    with pytest.raises(OSError, match="No space left"):
        append(Path("/dev/full"), correction("1"))
