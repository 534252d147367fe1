"""The newest readings in memory: what the log and corrections.csv say, through growth, rotation and cuts."""

import time
from pathlib import Path

import pytest
from visitor import row, write

from digitwatch.spool import correction_log
from digitwatch.spool.correction_log import UNDONE, Correction
from digitwatch.web.readings_index import ORDERS, Filter, Index


def index(base: Path, bound: int = 1000) -> Index:
    """Return an index of the log below `base`."""
    return Index(base / "predictions.csv", base / "corrections.csv", bound)


def files(found: list[object]) -> list[str]:
    """Return the names of readings without `scan-` and `.png`."""
    return [one["file"][5:-4] for one in found]  # type: ignore[index]


def add(base: Path, *numbers: int, **changes: str) -> None:
    """Add rows to the log."""
    write(base, *(row(number, **changes) for number in numbers), files=False)


def correct(base: Path, number: int, now: str, field: str = "") -> None:
    """Correct the reading of a scan."""
    scan = row(number)
    line = Correction("t", scan.id, scan.file, "1", scan.sha256, "7", now, "Ada", field)
    correction_log.append(base / "corrections.csv", line)


def test_the_newest_reading_comes_first(tmp_path: Path) -> None:
    """What is appended later is seen by the next refresh, in front."""
    found = index(tmp_path)
    found.refresh()
    add(tmp_path, 1, 2)
    assert found.refresh() == 2
    add(tmp_path, 3)
    found.refresh()

    assert files(found.readings(Filter())) == ["0003", "0002", "0001"]
    assert files(found.readings(Filter(), after=2)) == ["0003"]
    assert files(found.readings(Filter(), before=3, limit=1)) == ["0002"]


def test_half_a_line_is_waited_for(tmp_path: Path) -> None:
    """A row that is just being written is taken when its line end is there."""
    add(tmp_path, 1, 2)
    text = (tmp_path / "predictions.csv").read_text()
    (tmp_path / "predictions.csv").write_text(text[:-20])
    found = index(tmp_path)
    assert found.refresh() == 1
    with (tmp_path / "predictions.csv").open("a") as file:
        file.write(text[-20:])

    assert found.refresh() == 2


def test_rotation_is_followed(tmp_path: Path) -> None:
    """Rows on both sides of a rotation are known, each once, and old numbers are void."""
    found = index(tmp_path)
    add(tmp_path, 1)
    found.refresh()
    add(tmp_path, 2)
    (tmp_path / "predictions.csv").rename(tmp_path / "predictions.csv.1")
    add(tmp_path, 3)
    found.refresh()

    assert files(found.readings(Filter())) == ["0003", "0002", "0001"]
    assert (found.since, found.newest) == (2, 4)
    assert sum(found.counts.values()) == 3


def test_a_row_that_was_cut_off_is_forgotten(tmp_path: Path) -> None:
    """A row that could not be synced and was written again with the same length, is not shown twice."""
    found = index(tmp_path)
    add(tmp_path, 1, 2)
    found.refresh()
    lines = (tmp_path / "predictions.csv").read_text().splitlines(keepends=True)
    with (tmp_path / "predictions.csv").open("r+") as file:
        file.truncate(len("".join(lines[:-1])))
    add(tmp_path, 3)
    found.refresh()

    assert files(found.readings(Filter())) == ["0003", "0001"]


def test_memory_is_bounded(tmp_path: Path) -> None:
    """Only the newest readings are kept; the counts go on."""
    add(tmp_path, *range(1, 31))
    found = index(tmp_path, bound=10)
    found.refresh()

    assert len(found.readings(Filter(), limit=50)) == 10
    assert found.counts["2026-11-22", "review"] == 30


def test_filters_narrow_the_list(tmp_path: Path) -> None:
    """Status, part of a name (taken literally) and day."""
    add(tmp_path, 1)
    add(tmp_path, 2, status="ok", file="scan-100%.png")
    add(tmp_path, 3, time="2026-11-23T00:00:00.000Z")
    found = index(tmp_path)
    found.refresh()

    assert files(found.readings(Filter(status="ok"))) == ["100%"]
    assert files(found.readings(Filter(name="0%"))) == ["100%"]
    assert files(found.readings(Filter(name="SCAN-0001"))) == ["0001"]
    assert files(found.readings(Filter(since="2026-11-23"))) == ["0003"]
    assert found.count(Filter(since="2026-11-22", until="2026-11-22")) == 2


def test_a_number_is_found_among_others_and_among_corrections(tmp_path: Path) -> None:
    """As it was read, as it is written, and as it was corrected."""
    add(tmp_path, 1, prediction="12345 67890")
    add(tmp_path, 2, prediction="1250", text="12,50")
    add(tmp_path, 3)
    correct(tmp_path, 3, "12345")
    found = index(tmp_path)
    found.refresh()

    assert files(found.readings(Filter(number="12345"))) == ["0003", "0001"]
    assert files(found.readings(Filter(number="12,50"))) == ["0002"]
    assert found.count(Filter(number="7")) == 2


def test_readings_are_found_by_code_and_by_what_people_did(tmp_path: Path) -> None:
    """A code matches whole, without its detail; corrected and open exclude each other."""
    add(tmp_path, 1, codes="ambiguous:1|7 touching")
    add(tmp_path, 2, codes="not_a_digit", status="ok")
    add(tmp_path, 3)
    correct(tmp_path, 3, "7")
    found = index(tmp_path)
    found.refresh()

    assert files(found.readings(Filter(code="ambiguous"))) == ["0001"]
    assert files(found.readings(Filter(code="touching"))) == ["0001"]
    assert files(found.readings(Filter(code="digit"))) == []
    assert files(found.readings(Filter(status="corrected"))) == ["0003"]
    assert files(found.readings(Filter(status="open"))) == ["0001"]


def test_the_order_may_be_chosen(tmp_path: Path) -> None:
    """`before` passes over the readings of earlier parts."""
    add(tmp_path, 5, 3, 9)
    found = index(tmp_path)
    found.refresh()

    assert files(found.readings(Filter(sort="oldest"))) == ["0005", "0003", "0009"]
    assert files(found.readings(Filter(sort="least certain"), limit=2)) == ["0003", "0005"]
    assert files(found.readings(Filter(sort="most certain"), before=1)) == ["0005", "0003"]


@pytest.mark.parametrize("sort", ORDERS)
def test_each_reading_knows_its_neighbours_in_the_list(tmp_path: Path, sort: str) -> None:
    """Stepping on from the first one visits the list in its order, and back again, also from one that left it."""
    for number, confidence in ((1, "0.5"), (2, "0.9"), (3, "0.5"), (4, "0.1"), (5, "0.5")):
        add(tmp_path, number, confidence=confidence, status="ok" if number == 2 else "review")
    found = index(tmp_path)
    found.refresh()
    wanted = Filter(status="review", sort=sort)
    listed = found.readings(wanted)
    pairs = [found.beside(wanted, one) for one in listed]

    assert files([behind for _, behind in pairs[:-1]]) == files(listed[1:])
    assert files([before for before, _ in pairs[1:]]) == files(listed[:-1])
    assert (pairs[0][0], pairs[-1][1]) == (None, None)
    assert any(found.beside(wanted, found.reading(row(2).id, "1")))


def test_the_whole_selection_is_read_in_parts(tmp_path: Path) -> None:
    """In the order of the log, each once."""
    add(tmp_path, *range(1, 8))
    found = index(tmp_path)
    found.refresh()

    assert len(list(found.oldest_first(Filter(), size=3))) == 7
    assert files(found.oldest_first(Filter(number="7", name="000"), size=2)) == [f"000{n}" for n in range(1, 8)]


def test_the_least_certain_is_reviewed_first_and_once(tmp_path: Path) -> None:
    """A corrected reading leaves the queue, and comes back when the correction is taken back."""
    add(tmp_path, 5, 3, 9)
    found = index(tmp_path)
    found.refresh()
    assert files(found.queue(9)) == ["0003", "0005", "0009"]
    correct(tmp_path, 3, "1")
    correct(tmp_path, 5, "7")
    found.refresh()
    assert (files(found.queue(9)), found.waiting()) == (["0009"], 1)
    assert found.judged() == {"2026-11-22": (2, 1)}
    correct(tmp_path, 3, UNDONE)
    found.refresh()

    assert files(found.queue(9)) == ["0003", "0009"]


def test_the_log_may_be_missing(tmp_path: Path) -> None:
    """Before the first scan there is no log, and when it is deleted nothing is shown."""
    found = index(tmp_path)
    assert found.refresh() == 0
    add(tmp_path, 1)
    found.refresh()
    (tmp_path / "predictions.csv").unlink()
    found.refresh()

    assert found.readings(Filter()) == []


@pytest.mark.proof
def test_fifty_thousand_readings_are_searched_in_50_ms(tmp_path: Path) -> None:
    """Each list with its count takes less than 50 ms of processor time, whatever is asked for."""
    add(tmp_path, *range(50_000))
    found = index(tmp_path, bound=50_000)
    found.refresh()
    asked = [
        {"number": "12345"},
        {"name": "nothing"},
        {"code": "touching"},
        {"status": "open"},
        {"status": "corrected"},
    ]
    asked += [{"sort": "least certain"}, {"since": "2026-11-22", "number": "7"}, {}]
    for fields in asked:
        begun = time.process_time()
        found.readings(Filter(**fields))
        found.count(Filter(**fields))
        took = time.process_time() - begun
        print(f"{fields}: {1000 * took:.0f} ms")

        assert took < 0.05


def test_the_fields_of_a_page_are_reviewed_together(tmp_path: Path) -> None:
    """They follow each other from the least certain page on; a correction of one takes only that one away."""
    found = index(tmp_path)
    add(tmp_path, 1, confidence="0.5")
    for name, confidence in (("day", "0.9"), ("night", "0.1"), ("total", "0.8")):
        add(tmp_path, 2, field=name, confidence=confidence)
    correct(tmp_path, 2, "9", "night")
    found.refresh()

    assert [one["field"] for one in found.queue(9)] == ["", "day", "total"]
    assert [one["field"] for one in found.queue(9, (row(2).id, "1"))] == ["day", "total", ""]
    assert [one["corrected"] for one in found.page(row(2).id, "1")] == [None, "9", None]
    assert found.reading(row(2).id, "1", "night")["corrected"] == "9"
    assert found.waiting() == 3
