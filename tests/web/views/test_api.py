"""The readings as JSON."""

from pathlib import Path

import pytest
from visitor import row, site, visiting, write

from digitwatch.spool import correction_log
from digitwatch.spool.correction_log import Correction
from digitwatch.spool.csv_rows import Row


def test_the_same_filters_as_the_list(tmp_path: Path) -> None:
    """Each reading with all columns of the log and its correction; folders of the machine are not named."""
    settings = site(tmp_path)
    write(tmp_path, row(1), row(2, prediction="12345 67890", reason=f"in {tmp_path}/inbox/a"), row(3), files=False)
    line = Correction("t", row(3).id, "scan-0003.png", "1", "00", "7", "12345", "Ada")
    correction_log.append(settings.corrections, line)
    with visiting(settings) as page:
        found = page.get("/api/readings", params={"number": "12345", "sort": "oldest"}).json()

    first, second = found["readings"]
    assert (found["total"], found["before"]) == (2, 0)
    assert (first["prediction"], first["corrected"], first["reason"]) == ("12345 67890", None, "in inbox/a")
    assert (second["corrected"], second["corrected_by"], second["corrected_at"]) == ("12345", "Ada", "t")
    assert tuple(first)[: len(Row._fields)] == Row._fields


@pytest.mark.parametrize("sort", ["newest", "oldest", "least certain"])
def test_parts_follow_each_other(sort: str, tmp_path: Path) -> None:
    """`before` of one answer leads to the next, without gap or repetition, until it is 0."""
    settings = site(tmp_path)
    write(tmp_path, *(row(number) for number in range(25)), files=False)
    names: list[str] = []
    before = 0
    with visiting(settings) as page:
        while True:
            found = page.get("/api/readings", params={"limit": 10, "before": before, "sort": sort}).json()
            names += [reading["file"] for reading in found["readings"]]
            if not (before := found["before"]):
                break

    assert len(names) == len(set(names)) == 25


def test_the_token_is_needed(tmp_path: Path) -> None:
    """As for every other address."""
    with visiting(site(tmp_path, token="a-long-enough-token")) as page:
        assert page.get("/api/readings").status_code == 401
        answer = page.get("/api/readings", headers={"authorization": "Bearer a-long-enough-token"})

    assert answer.json() == {"readings": [], "total": 0, "before": 0}
