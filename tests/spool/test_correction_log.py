"""corrections.csv: appended, never rewritten, and the last word counts."""

from pathlib import Path

import pytest

from digitwatch.spool.correction_log import FIRST, HEADER, NOT_A_NUMBER, UNDONE, Correction, append, read


def correction(now: str, scan: str = "a", page: str = "1", field: str = "") -> Correction:
    """Return a line that says `now`."""
    return Correction("2026-11-22T10:00:00.000Z", scan, "n.png", page, "00", "7", now, "Ada", field)


def test_the_last_line_of_a_page_counts(tmp_path: Path) -> None:
    """Two corrections of one page: the later one applies, and both stay in the file."""
    path = tmp_path / "corrections.csv"
    append(path, correction("1"))
    append(path, correction(NOT_A_NUMBER))
    append(path, correction("5", page="2"))

    assert {key: value.now for key, value in read(path).items()} == {("a", "1", ""): NOT_A_NUMBER, ("a", "2", ""): "5"}
    assert path.read_text().startswith(HEADER)
    assert path.read_text().count("\n") == 4


def test_what_is_undone_does_not_count(tmp_path: Path) -> None:
    """A correction taken back leaves the page as it was read."""
    path = tmp_path / "corrections.csv"
    append(path, correction("1"))
    append(path, correction(UNDONE))

    assert read(path) == {}


def test_each_field_of_a_page_has_its_own_correction(tmp_path: Path) -> None:
    """Correcting or undoing one field changes no other one, and not the page."""
    path = tmp_path / "corrections.csv"
    for now, field in (("1", "day"), ("2", "night"), ("3", ""), (UNDONE, "day"), ("4", 'a "b"')):
        append(path, correction(now, field=field))

    assert {key[2]: value.now for key, value in read(path).items()} == {"night": "2", "": "3", 'a "b"': "4"}


def test_a_file_of_an_earlier_version_is_continued(tmp_path: Path) -> None:
    """Its lines count, and lines of whole pages keep the columns of its header; only those of fields have one more."""
    path = tmp_path / "corrections.csv"
    path.write_text(",".join(FIRST) + "\n2026-11-22T10:00:00.000Z,a,n.png,1,00,7,1,Ada\n")
    append(path, correction("2", scan="b"))
    append(path, correction("3", scan="c", field="day"))

    assert [value.now for value in read(path).values()] == ["1", "2", "3"]
    assert [line.count(",") for line in path.read_text().splitlines()] == [7, 7, 7, 8]


def test_a_line_that_is_cut_off_in_the_field_is_about_no_other_field(tmp_path: Path) -> None:
    """Half of the name of a field is never taken as the name of another one."""
    path = tmp_path / "corrections.csv"
    append(path, correction("1", field="total_of_day"))
    path.write_text(path.read_text().replace("_of_day", "").rstrip('"\n') + "\n")

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

    assert read(path)["a", "1", ""].now == "1"
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
