"""The web interface's views of the log: lists, days, numbers, and a scan read again."""

import csv
import os
import re
from datetime import UTC, datetime
from html import unescape
from pathlib import Path

import httpx
import pytest
from service import scan
from visitor import DAY, row, site, visiting, write

from digitwatch.corrections import export
from digitwatch.spool import correction_log
from digitwatch.spool.correction_log import Correction
from digitwatch.web.views import images
from digitwatch.web.views.metrics import inbox


def test_the_list_goes_on_behind_fifty(tmp_path: Path) -> None:
    """`Older` leads to the rest, without gap or repetition."""
    settings = site(tmp_path)
    write(tmp_path, *(row(number) for number in range(120)), files=False)
    with visiting(settings) as page:
        first = page.get("/").text
        second = page.get("/list", params={"before": 71}).text

    assert 'data-older="71"' in first
    assert "scan-0069.png" in second and "scan-0070.png" not in second and "scan-0070.png" in first


@pytest.mark.parametrize(
    "query", ["before=x", "before=-1", "before=9" * 30, "status=%00", "day=tomorrow", "name=" + "a" * 5000]
)
def test_unusable_parameters_are_ignored(tmp_path: Path, query: str) -> None:
    """A value that is no number, status or day is ignored."""
    with visiting(site(tmp_path)) as page:
        assert page.get(f"/?{query}").status_code == 200


def test_a_day_can_be_saved_as_csv(tmp_path: Path) -> None:
    """The rows of one day with the corrected value beside the one read."""
    settings = site(tmp_path)
    write(tmp_path, row(1), row(2, time="2026-11-23T00:00:00.000Z"), files=False)
    line = Correction("t", row(1).id, "scan-0001.png", "1", "00", "7", "1", "Ada")
    correction_log.append(settings.corrections, line)
    with visiting(settings) as page:
        answer = page.get(f"/day/{DAY}.csv")

    found = list(csv.DictReader(answer.text.splitlines()))
    assert [(r["file"], r["prediction"], r["corrected"]) for r in found] == [("scan-0001.png", "7", "1")]
    assert "attachment" in answer.headers["content-disposition"]


def test_the_numbers_show_charts_without_foreign_parts(tmp_path: Path) -> None:
    """Three charts as SVG in the page, and nothing is loaded from anywhere else."""
    settings = site(tmp_path)
    write(tmp_path, *(row(number) for number in range(5)), files=False)
    with visiting(settings) as page:
        texts = [page.get(path).text for path in ("/", "/numbers", "/review", f"/reading/{row(1).id}/1")]

    assert texts[1].count('<svg class="chart"') == 3
    assert all("http://" not in text and "https://" not in text and "style=" not in text for text in texts)


def test_metrics_are_what_prometheus_reads(tmp_path: Path) -> None:
    """Each line is a comment or a name with labels and a number."""
    settings = site(tmp_path)
    write(tmp_path, row(1), row(2, status="ok"), files=False)
    with visiting(settings) as page:
        answer = page.get("/metrics")

    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    values = dict(line.rsplit(" ", 1) for line in answer.text.splitlines() if not line.startswith("#"))
    assert values['digitwatch_readings_total{status="review"}'] == "1"
    assert all(float(value) >= 0 for value in values.values())


def test_what_waits_is_counted_with_its_age(tmp_path: Path) -> None:
    """Scans in the inbox and claimed ones count; hidden and unfinished files do not."""
    settings = site(tmp_path)
    (tmp_path / "inbox/.digitwatch/20261122T100000.000Z-00000000").mkdir(parents=True)
    for name in ("a.png", ".hidden", "b.part"):
        (tmp_path / "inbox" / name).write_bytes(b"")
    os.utime(tmp_path / "inbox/a.png", (1, 1))
    with visiting(settings) as page:
        number, oldest = inbox(page.app.state.context)

    assert number == 2
    assert oldest > 1e9


def test_a_scan_is_looked_at_again(tmp_path: Path) -> None:
    """All probabilities of each digit and the picture that the model saw come from the archived original."""
    settings = site(tmp_path)
    write(tmp_path, row(1))
    (tmp_path / row(1).filed).write_bytes(scan("25"))
    with visiting(settings) as page:
        found = page.get(f"/look/{row(1).id}/1").json()

    assert len(found["digits"]) == 2
    assert all(len(digit["probabilities"]) == len(found["labels"]) for digit in found["digits"])
    assert found["digits"][0]["glyph"].startswith("data:image/png;base64,")


def test_the_reloaded_model_is_used_to_read_again(tmp_path: Path) -> None:
    """The model that the daemon has reloaded meanwhile is used."""
    models = iter(["dense", "cnn"])
    settings = site(tmp_path, model=lambda: next(models))
    write(tmp_path, row(1))
    with visiting(settings) as page:
        names = [page.get(f"/look/{row(1).id}/1").json()["model"].partition("-")[0] for _ in range(2)]

    assert names == ["dense", "cnn"]


def test_a_scan_that_cannot_be_read_again_is_reported(tmp_path: Path) -> None:
    """Damaged, too large, or too slow: the response says so, and the server continues."""
    settings = site(tmp_path)
    write(tmp_path, row(1))
    (tmp_path / row(1).filed).write_bytes(scan("2")[:100])
    with visiting(settings) as page:
        assert page.get(f"/look/{row(1).id}/1").json() == {"problem": "the scan cannot be decoded"}


def test_reading_again_has_a_time_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the process of a scan that takes too long to decode is killed."""
    monkeypatch.setattr(images, "SECONDS", 0.01)
    settings = site(tmp_path)
    write(tmp_path, row(1))
    with visiting(settings) as page:
        assert "took more than" in page.get(f"/look/{row(1).id}/1").json()["problem"]


def test_a_bug_gives_no_traceback(tmp_path: Path) -> None:
    """The response is one sentence with the usual headers, and the server continues."""
    with visiting(site(tmp_path)) as page:
        page.app.state.context.index.judged = None
        answer = page.get("/numbers")
        assert httpx.get(f"{page.base_url}/").status_code == 200  # uvicorn closes the connection of a bug

    assert answer.status_code == 500
    assert "Traceback" not in answer.text and "default-src 'none'" in answer.headers["content-security-policy"]


def test_a_log_that_cannot_be_read_gives_no_traceback(tmp_path: Path) -> None:
    """The answer says that something is wrong and no more."""
    settings = site(tmp_path)
    (tmp_path / "predictions.csv").mkdir()
    with visiting(settings) as page:
        answer = page.get("/")

    assert answer.status_code == 503
    assert str(tmp_path) not in answer.text and "Traceback" not in answer.text


def test_the_counters_lead_to_lists_of_as_many(tmp_path: Path) -> None:
    """Each number on the list and among the numbers equals the total of the list that it links to."""
    settings = site(tmp_path)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    statuses = ("ok", "ok", "review", "review", "review", "empty", "failed")
    write(tmp_path, *(row(n, status=status, time=now) for n, status in enumerate(statuses)), row(8), files=False)
    for number, value in ((2, "1"), (3, "7")):
        line = Correction("t", row(number).id, "a", "1", "00", "7", value, "Ada")
        correction_log.append(settings.corrections, line)
    with visiting(settings) as page:
        texts = [page.get(path).text for path in ("/", "/numbers")]
        links = [found for text in texts for found in re.findall(r'href="(/\?[^"]+)">(?:<b[^>]*>)?(\d+)<', text)]
        totals = [re.search(r"(\d+) readings", page.get(unescape(link)).text)[1] for link, _ in links]

    assert len(links) == 5 + 1 + 7
    assert [number for _, number in links] == totals


def test_a_selection_can_be_saved_as_csv(tmp_path: Path) -> None:
    """With the columns of the whole log, in its order; without a filter it is the whole log."""
    settings = site(tmp_path)
    rows = [row(n, prediction=f"1{n % 10}", reason=f"in {tmp_path}/inbox") for n in range(12)]
    write(tmp_path, *rows, files=False)
    with visiting(settings) as page:
        some, whole = (page.get(f"/readings.csv{query}") for query in ("?number=11&sort=newest", "?sort=oldest"))
    found, everything = (list(csv.DictReader(answer.text.splitlines())) for answer in (some, whole))

    assert [one["file"] for one in found] == ["scan-0001.png", "scan-0011.png"]
    assert tuple(found[0]) == export.COLUMNS == tuple(everything[0])
    assert (len(everything), everything[0]["reason"]) == (12, "in inbox")


def test_days_are_those_of_the_visitor(tmp_path: Path) -> None:
    """An evening in UTC is the next day in Tokyo, in the list, its counter and the JSON."""
    settings = site(tmp_path)
    write(tmp_path, row(1, time="2026-11-22T20:00:00.000Z"), files=False)
    with visiting(settings) as page:
        totals = [
            page.get("/api/readings", params={"from": day, "to": day, "zone": zone}).json()["total"]
            for day, zone in (("2026-11-22", "UTC"), ("2026-11-22", "Asia/Tokyo"), ("2026-11-23", "Asia/Tokyo"))
        ]
        page.cookies.set("zone", "Asia/Tokyo")
        text = page.get("/?from=2026-11-23").text

    assert totals == [1, 0, 1]
    assert "From (Asia/Tokyo)" in text and "1 readings" in text


def test_a_reading_leads_to_its_neighbours_in_the_list(tmp_path: Path) -> None:
    """Previous, next and back keep the filter."""
    settings = site(tmp_path)
    write(tmp_path, *(row(number, status="ok" if number == 2 else "review") for number in (1, 2, 3)), files=False)
    with visiting(settings) as page:
        listed = page.get("/?status=review").text
        text = page.get(f"/reading/{row(3).id}/1?status=review").text

    assert f'href="/reading/{row(3).id}/1?status=review"' in listed
    assert 'id="to-list" href="/?status=review"' in text
    assert f'id="to-next" href="/reading/{row(1).id}/1?status=review"' in text and 'id="to-previous"' not in text


def test_what_cannot_work_is_not_offered(tmp_path: Path) -> None:
    """Reading again needs the original, and a scan that could be read."""
    settings = site(tmp_path)
    write(tmp_path, row(1), row(2), row(3, status="failed", filed="failed/c.png"))
    (tmp_path / row(1).filed).unlink()
    with visiting(settings) as page:
        texts = [page.get(f"/reading/{row(number).id}/1").text for number in (1, 2, 3)]

    assert ["Read it again" in text for text in texts] == [False, True, False]
    assert "no longer where it was filed" in texts[0]


@pytest.mark.parametrize(
    ("path", "status", "headers"),
    [
        ("/nothing", 404, {}),
        ("/upload", 405, {}),
        ("/static/none.js", 404, {}),
        ("/", 421, {"host": "example.org"}),
        ("/", 403, {"origin": "http://evil.example"}),
        ("/numbers", 500, {}),
    ],
)
def test_errors_are_pages_for_people(tmp_path: Path, path: str, status: int, headers: dict[str, str]) -> None:
    """With a way back and without the secret of our own pages; programs get one line."""
    with visiting(site(tmp_path)) as page:
        page.app.state.context.index.judged = None
        for accept in ("text/html", "*/*"):
            answer = httpx.get(f"{page.base_url}{path}", headers={"accept": accept, **headers})
            assert answer.status_code == status
            assert ("Back to the readings" in answer.text) == (accept == "text/html")
            assert page.app.state.context.proof not in answer.text
            assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_an_empty_list_says_what_to_do(tmp_path: Path) -> None:
    """Before the first scan where to put it, behind a filter how to see all."""
    with visiting(site(tmp_path)) as page:
        assert f"Copy scans into {tmp_path / 'inbox'}" in page.get("/").text
        assert "No matching readings. <a" in page.get("/?number=5").text


def test_an_unknown_address_is_a_page_for_people(tmp_path: Path) -> None:
    """And one line for programs."""
    with visiting(site(tmp_path)) as page:
        found = page.get("/nothing", headers={"accept": "text/html"})
        assert found.status_code == 404 and "Back to the readings" in found.text
        assert page.get("/nothing").text == "There is nothing at this address.\n"
