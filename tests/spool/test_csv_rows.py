"""Rows of every layout of the log: earlier, today's and later ones."""

import csv
from pathlib import Path

import pytest

from digitwatch.corrections.export import lines
from digitwatch.spool.csv_rows import (
    FIRST,
    HEADER,
    Row,
    RowParser,
    columns_of,
    encode,
    is_whole,
    printable,
    row_of,
    shown_name,
)
from digitwatch.spool.prediction_log import PredictionLog

ROW = Row(
    "2026-11-22T10:00:00.000Z", "a.png", "1", "7", "0.9", "review", "x", "7:0.9", "id-1", "00", "o", "a", "cnn", "12"
)
EARLIER = ",".join(FIRST) + "\n"
LATER = HEADER[:-1] + ",unit,room,checked\n"


def written(row: Row, header: str) -> bytes:
    """Return a row as a version with that header writes it."""
    columns = header.strip().split(",")
    known = row._asdict()
    fields = [known.get(name, f"<{name}>") for name in columns]
    return (
        (",".join(fields) + "\n").encode()
        if header == EARLIER
        else (",".join(fields[:-1]) + f',"{fields[-1]}"\n').encode()
    )


LAYOUTS = {"earlier": EARLIER, "ours": HEADER, "later": LATER}
full = ROW._replace(field="meter", text="7", codes="touching", expected="004821")


@pytest.mark.parametrize("header", LAYOUTS.values(), ids=LAYOUTS)
def test_rows_are_read_by_the_header_of_their_file(header: str) -> None:
    """Missing trailing columns are empty, and unknown further ones are kept beside the row."""
    [(row, further)] = RowParser().rows_and_further([header, written(full, header).decode()])

    assert row == (ROW if header == EARLIER else full)
    assert list(further) == (["unit", "room", "checked"] if header == LATER else [])


@pytest.mark.parametrize("header", LAYOUTS.values(), ids=LAYOUTS)
def test_a_row_is_found_and_exported_whatever_version_wrote_it(header: str, tmp_path: Path) -> None:
    """Recovery finds it by its id, and export prints all its columns."""
    (tmp_path / "p.csv").write_bytes(header.encode() + written(full, header))

    assert PredictionLog(tmp_path / "p.csv").find(["id-1"])["id-1"][0].prediction == "7"
    [found] = csv.DictReader(lines(tmp_path / "p.csv", tmp_path / "c.csv"))
    assert found.get("room", "") == ("<room>" if header == LATER else "")


@pytest.mark.parametrize("header", [EARLIER, LATER])
def test_a_log_of_another_layout_is_continued_in_a_new_file(header: str, tmp_path: Path) -> None:
    """The old file stays beside the new one, and the rows of both are found."""
    log = PredictionLog(tmp_path / "p.csv")
    log.path.write_bytes(header.encode() + written(full, header))
    log.append([ROW._replace(id="id-2")])

    assert log.path.read_text().startswith(HEADER)
    assert (tmp_path / "p.csv.old-1").read_text().startswith(header)
    assert log.find(["id-1", "id-2"]).keys() == {"id-1", "id-2"}


@pytest.mark.parametrize("header", LAYOUTS.values(), ids=LAYOUTS)
def test_a_line_cut_at_any_place_is_repaired(header: str, tmp_path: Path) -> None:
    """The complete row before it stays; of the cut one nothing is left, or all but the end of its last column."""
    whole, cut = header.encode() + written(full, header), written(full._replace(id="id-2"), header)
    log = PredictionLog(tmp_path / "p.csv")
    for length in range(1, len(cut)):
        log.path.write_bytes(whole + cut[:length])
        log.repair()
        rows = list(RowParser().rows(log.path.read_text().splitlines(keepends=True)))

        assert rows[0].id == "id-1"
        assert [row[:13] for row in rows[1:]] in ([], [ROW._replace(id="id-2")[:13]])
        assert log.path.read_bytes().endswith(b"\n")


def test_our_own_line_is_whole_only_with_its_closing_quote() -> None:
    """The last field is quoted, so that a value that was cut short is never taken for another one."""
    line = encode([full]).rstrip(b"\n")

    assert is_whole(line, Row._fields)
    assert [is_whole(line[:-cut], Row._fields) for cut in range(1, 8)] == [False] * 7


def test_a_damaged_line_costs_itself_only() -> None:
    """A stray quote, a bare carriage return or half a line does not reach the next row."""
    good = encode([full]).decode()

    assert list(RowParser().rows([good, 'a,"b\n', "a\rb,c\n", good[:30] + "\n", good])) == [full, full]


def test_only_a_header_names_columns() -> None:
    """A row, a spreadsheet's own first line and an empty line name none."""
    assert columns_of(HEADER) == Row._fields
    assert [columns_of(line) for line in (encode([full]).decode(), "time;file;page\n", "")] == [None] * 3


@pytest.mark.parametrize("name", ["x;=1+1.png", "\uff1d1+1.png", " =1.png", "'=1.png", "|calc.png", "a;'@b.png"])
def test_no_name_is_a_formula_to_any_spreadsheet(name: str) -> None:
    """Neither by full-width signs, nor behind quotes, nor in a cell that a semicolon would begin."""
    cells = encode([full._replace(file=shown_name(name))]).decode().split(";")

    assert [cell for cell in cells if cell.lstrip(" '\"")[:1] in "=+-@|\uff1d"] == []
    assert shown_name(name)[:1] not in " '=|\uff1d"


@pytest.mark.parametrize("mark", ["\u200e", "\u061c", "\u200b", "\u034f", "\U000e0041", "\x85", "\x1b", "\u2028"])
def test_invisible_marks_are_shown(mark: str) -> None:
    """Two names that look alike in the log are the same name."""
    assert printable(f"a{mark}b").startswith("a\\x")


def test_a_row_is_made_of_named_columns() -> None:
    """Columns that are not given are empty, and an unknown one is an error."""
    row = row_of({"id": "id-1"}, status="ok")

    assert (row.id, row.status, row.file) == ("id-1", "ok", "")
    with pytest.raises(TypeError, match="unknown"):
        row_of({"unknown": "x"})
