"""Corrections over the page: checked, appended, shown beside what was read, taken back."""

import csv
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from visitor import Visitor, row, site, visiting, write

from digitwatch.web.views.labels import labels


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Visitor]:
    """Serve a page with three doubtful readings."""
    settings = site(tmp_path)
    write(tmp_path, *(row(number) for number in (5, 3, 9)), files=False)
    with visiting(settings) as visitor:
        yield visitor


def answer(number: int, now: str, **changes: object) -> bytes:
    """Return what the browser sends."""
    plain = {"id": row(number).id, "page": "1", "field": "", "was": "7", "now": now, "who": "Ada", "based_on": ""}
    return json.dumps(plain | changes).encode()


def lines(base: Path) -> list[list[str]]:
    """Return the lines of corrections.csv without its header."""
    path = base / "corrections.csv"
    return list(csv.reader(path.read_text().splitlines()))[1:] if path.exists() else []


def test_an_answer_becomes_a_line(page: Visitor, tmp_path: Path) -> None:
    """The line says which page, what was read, what it is, who says so; the log stays as it was."""
    before = (tmp_path / "predictions.csv").read_bytes()
    said = page.post("/corrections", content=answer(3, " 12  34 "), headers=page.ours)

    assert (said.status_code, said.json()["waiting"]) == (200, 2)
    assert [line[1:] for line in lines(tmp_path)] == [
        [row(3).id, "scan-0003.png", "1", "0" * 64, "7", "12 34", "Ada", ""],
    ]
    assert (tmp_path / "predictions.csv").read_bytes() == before
    assert "12 34 <s>7</s>" in page.get("/").text


def test_the_queue_begins_with_the_least_certain(page: Visitor, tmp_path: Path) -> None:
    """What is answered leaves it; what is taken back comes again."""
    names = [reading["file"] for reading in page.get("/queue").json()["readings"]]
    page.post("/corrections", content=answer(3, "x"), headers=page.ours)
    shorter = [reading["file"] for reading in page.get("/queue").json()["readings"]]
    page.post("/corrections", content=answer(3, "undo", based_on=lines(tmp_path)[0][0]), headers=page.ours)

    assert names == ["scan-0003.png", "scan-0005.png", "scan-0009.png"]
    assert shorter == names[1:]
    assert [reading["file"] for reading in page.get("/queue").json()["readings"]] == names


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"[]", 400),
        (b"{}", 400),
        (b"\xff\xfe", 400),
        (b"[" * 1900, 400),
        (b"x" * 5000, 413),
        (answer(3, "seven"), 400),
        (answer(3, "1\n2=cmd"), 400),
        (answer(3, "7", who="A" * 41), 400),
        (answer(3, "7", page=1), 400),
        (answer(3, "7", page="2"), 404),
        (answer(3, "7", id="../../etc/passwd"), 404),
        (answer(4, "7"), 404),
        (answer(3, "7", was="8"), 409),
        (answer(3, "7", field="total"), 404),
        (answer(3, "7", field=7), 400),
        (answer(3, "٣"), 400),
        (answer(3, "1", based_on=None), 400),
        (answer(3, "1", who=" "), 400),
        (answer(3, "n/a"), 400),
        (answer(3, "1" * 401), 400),
        (answer(3, "7", who="\ud800"), 400),
        (answer(3, "7", id="\udfff"), 400),
    ],
)
def test_nonsense_is_refused_and_leaves_no_line(page: Visitor, tmp_path: Path, body: bytes, status: int) -> None:
    """Only a known page, read as the browser believes, gets digits, x, nothing, or undo."""
    assert page.post("/corrections", content=body, headers=page.ours).status_code == status
    assert lines(tmp_path) == []


def test_a_save_names_the_correction_that_it_replaces(page: Visitor, tmp_path: Path) -> None:
    """One based on an older state gets 409 with the correction that counts, and leaves no line."""
    first = page.post("/corrections", content=answer(3, "1"), headers=page.ours).json()["based_on"]
    stale = page.post("/corrections", content=answer(3, "2", who="Ben"), headers=page.ours)
    page.post("/corrections", content=answer(3, "2", who="Ben", based_on=first), headers=page.ours)
    undone = page.post("/corrections", content=answer(3, "undo", based_on=first), headers=page.ours)

    assert (stale.status_code, stale.json()["correction"]) == (409, {"now": "1", "who": "Ada", "time": first})
    assert (undone.status_code, undone.json()["correction"]["now"]) == (409, "2")
    assert [line[6] for line in lines(tmp_path)] == ["1", "2"]


def test_numbers_are_kept_as_they_are_written(page: Visitor, tmp_path: Path) -> None:
    """With their signs; a dash of any length becomes the hyphen that a keyboard has."""
    for number, now in ((3, "12,50"), (5, "\u22123"), (9, "2½  12/05/1998")):
        assert page.post("/corrections", content=answer(number, now), headers=page.ours).status_code == 200

    assert [line[6] for line in lines(tmp_path)] == ["12,50", "-3", "2½ 12/05/1998"]


def test_the_expected_value_of_a_series_is_shown_beside(tmp_path: Path) -> None:
    """In the review and on the card; the value that was read stays."""
    settings = site(tmp_path)
    write(tmp_path, row(4, codes="series:decreases", expected="004821"), files=False)
    with visiting(settings) as page:
        [reading] = page.get("/queue").json()["readings"]
        html = page.get(f"/reading/{row(4).id}/1").text

    assert (reading["value"], reading["expected"]) == ("7", "004821")
    assert "<dt>Expected</dt><dd>after 004821" in html


def test_one_key_confirms_only_what_is_likely_and_digits(tmp_path: Path) -> None:
    """The queue says so for each reading."""
    settings = site(tmp_path)
    unlikely = row(4, confidence="0.9", codes="not_a_digit border_contact")
    write(tmp_path, row(1, confidence="0.04"), row(2, confidence="0.06"), row(3, prediction=""), unlikely, files=False)
    with visiting(settings) as page:
        queue = page.get("/queue").json()["readings"]

    assert [one["file"] for one in queue if one["can_confirm"]] == ["scan-0002.png"]


def test_of_simultaneous_corrections_one_counts(page: Visitor, tmp_path: Path) -> None:
    """Twenty people answer at once for a page that nobody has corrected: one is saved, the others get 409."""
    with ThreadPoolExecutor(20) as people:
        bodies = [answer(3, str(number)) for number in range(20)]
        sent = [people.submit(page.post, "/corrections", content=body, headers=page.ours) for body in bodies]
        codes = sorted(one.result().status_code for one in sent)

    assert codes == [200] + [409] * 19
    assert len(lines(tmp_path)) == 1


def test_fields_of_a_form_are_corrected_one_by_one(tmp_path: Path) -> None:
    """A save of one field, its conflict and its undo leave the others; the field stands in the line."""
    settings = site(tmp_path)
    write(tmp_path, *(row(1, field=name) for name in ("day", "night")), files=False)
    with visiting(settings) as page:

        def save(now: str, field: str, based_on: str = "") -> int:
            body = answer(1, now, field=field, based_on=based_on)
            return page.post("/corrections", content=body, headers=page.ours).status_code

        codes = [save("1", "day"), save("2", "night"), save("3", "day")]
        codes += [save("undo", "day", lines(tmp_path)[0][0]), save("4", "")]
        queue = page.get("/queue").json()

    assert codes == [200, 200, 409, 200, 404]
    assert [line[6:] for line in lines(tmp_path)] == [
        ["1", "Ada", "day"],
        ["2", "Ada", "night"],
        ["undo", "Ada", "day"],
    ]
    assert ([one["key"] for one in queue["readings"]], queue["waiting"]) == ([f"{row(1).id}/1/day"], 1)


def sorting(base: Path) -> Path:
    """Write the card of a model that sorts pictures; return what names the model."""
    (base / "shapes.json").write_text(json.dumps({"reads": "objects", "labels": ["angular", "<b>round"]}))
    return base / "shapes"


def test_labels_of_the_model_are_answers_too(tmp_path: Path) -> None:
    """Where it sorts whole pictures; what it does not know is refused, what was read is confirmed."""
    settings = site(tmp_path, model=lambda: sorting(tmp_path))
    write(tmp_path, row(1, prediction="angular"), row(2, prediction="of old"), files=False)
    with visiting(settings) as page:
        codes = [
            page.post("/corrections", content=answer(number, now, was=was), headers=page.ours).status_code
            for number, now, was in ((1, "<b>round", "angular"), (1, "oval", "angular"), (2, "of old", "of old"))
        ]
        shown = page.get(f"/reading/{row(1).id}/1").text

    assert codes == [200, 400, 200]
    assert [line[6] for line in lines(tmp_path)] == ["<b>round", "of old"]
    assert "<option selected>&lt;b&gt;round</option>" in shown


@pytest.mark.parametrize("card", ["", "[]", "{}", '{"reads": "objects"}', '{"reads": "objects", "labels": 7}'])
def test_a_card_that_is_none_has_no_labels(tmp_path: Path, card: str) -> None:
    """The page answers all the same, as for digits."""
    (tmp_path / "mine.json").write_text(card)

    assert labels(site(tmp_path, model=lambda: tmp_path / "mine.tflite")) == ()


def test_a_name_is_no_formula_and_breaks_no_line(page: Visitor, tmp_path: Path) -> None:
    """Who corrects can put neither a formula into a spreadsheet nor a line end into the file."""
    page.post("/corrections", content=answer(3, "1", who="=HYPERLINK(1)\n2"), headers=page.ours)

    assert [line[7] for line in lines(tmp_path)] == ["./=HYPERLINK(1)\\x0a2"]


def test_a_full_disk_is_reported(tmp_path: Path) -> None:
    """The message says that nothing was saved, without a path."""
    settings = site(tmp_path, corrections=tmp_path / "inbox")
    write(tmp_path, row(3), files=False)
    with visiting(settings) as page:
        said = page.post("/corrections", content=answer(3, "1"), headers=page.ours)

    assert said.status_code in (503, 507)
    assert str(tmp_path) not in said.text
