"""The editor of form templates, by its requests."""

import json
from pathlib import Path
from typing import Any

import pytest
from form_example import FOLDER, SCANS, TEMPLATE, truth
from visitor import Visitor, row, site, visiting, write

from digitwatch.forms.schema import load_one
from digitwatch.web.views import forms

EXAMPLE = (FOLDER / "meter-card.png").read_bytes()


def sent(name: str = "card", **changes: Any) -> bytes:
    """Return what the browser sends for a template with one field."""
    field = {"name": "total", "box": [0.1, 0.2, 0.3, 0.05]}
    return json.dumps({"name": name, "template": {"example": "a.png", "fields": [field]} | changes}).encode()


def post(page: Visitor, path: str, body: bytes) -> Any:
    """Send a request of our own HTML."""
    return page.post(path, content=body, headers=page.ours)


def test_an_example_is_shown_with_the_boxes_on_it(tmp_path: Path) -> None:
    """As shares of the page; a file that is no picture is refused, and so is one that is too large."""
    with visiting(site(tmp_path)) as page:
        found = post(page, "/forms/process/boxes", EXAMPLE).json()
        damaged = post(page, "/forms/process/boxes", EXAMPLE[:500]).json()
        large = post(page, "/forms/process/boxes", b"x" * 1_100_000)

    assert found["page"].startswith("data:image/jpeg") and len(found["boxes"]) >= 4
    assert all(0 <= share <= 1 for box in found["boxes"] for share in box)
    assert "cannot be decoded" in damaged["problem"] and large.status_code == 413


def test_a_template_is_tried_on_the_newest_scans(tmp_path: Path) -> None:
    """In a process of its own: the fields with what was read, or why the template does not fit."""
    settings = site(tmp_path, model=lambda: "cnn", forms=FOLDER)
    write(tmp_path, row(1), row(2, filed="archive/card.jpg"), files=True)
    (tmp_path / "archive/card.jpg").write_bytes((SCANS / "card-05.jpg").read_bytes())
    with visiting(settings) as page:
        template = page.get("/forms/template/meter-card").content
        body = template + b"\n" + EXAMPLE
        card, other = post(page, "/forms/process/try", body).json()["pages"]

    fields = {field["name"]: field for field in card["fields"]}
    right = [name for name, text in truth()["card-05.jpg"].items() if fields[name]["text"] == text]
    assert (card["key"], card["file"]) == (f"{row(2).id}/1", "scan-0002.png")
    assert len(right) >= 3 and card["sheet"].startswith("data:image/jpeg")
    assert "does not fit" in other["problem"] and "fields" not in other


def test_a_template_is_edited_and_downloaded_again(tmp_path: Path) -> None:
    """Nothing is lost: checks, limits, the size of the page; the example comes along."""
    with visiting(site(tmp_path, forms=FOLDER)) as page:
        template = page.get("/forms/template/meter-card").json()
        example = page.get("/forms/example/meter-card").content
        text = post(page, "/forms/text", json.dumps(template).encode()).text
    (tmp_path / "meter-card.yaml").write_text(text)
    (tmp_path / "meter-card.png").write_bytes(example)
    before, after = load_one(TEMPLATE), load_one(tmp_path / "meter-card.yaml")

    assert [field.name for field in after.fields] == [field.name for field in before.fields]
    assert (after.checks, after.blank, after.long_mm) == (before.checks, before.blank, before.long_mm)
    for one, other in zip(before.fields, after.fields, strict=True):
        assert one.box == pytest.approx(other.box, abs=1e-4)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "expected JSON"),
        (b"[]", "expected an object"),
        (b"[" * 5000, "expected JSON"),
        (sent(fields=[{"name": "a", "box": [0, 0, float("nan"), 1]}]), "expected JSON"),
        (sent(name="../x"), "name: expected"),
        (sent(example="/etc/passwd"), "example: expected"),
        (sent(example="card.yaml"), "example: expected"),
        (sent(example="a\0.png"), "example: expected"),
        (sent(example="\ud800"), "expected JSON"),
        (sent(fields=[{"name": "a b", "box": [0, 0, 2, 1]}]), "name: expected"),
    ],
)
def test_what_is_no_template_is_refused(tmp_path: Path, body: bytes, problem: str) -> None:
    """With all problems, before a process is started, and without a path of this machine."""
    with visiting(site(tmp_path)) as page:
        answers = [post(page, path, body) for path in ("/forms/text", "/forms/process/try")]

    assert [answer.status_code for answer in answers] == [400, 400]
    assert all(problem in answer.json()["problem"] and "/tmp" not in answer.json()["problem"] for answer in answers)


def test_only_our_own_pages_may_ask(tmp_path: Path) -> None:
    """Each request needs the secret of our HTML, and another method or template is unknown."""
    with visiting(site(tmp_path, forms=FOLDER)) as page:
        codes = [
            page.post(f"/forms/{path}", content=b"").status_code for path in ("text", "process/boxes", "process/try")
        ]
        unknown = [
            page.get(f"/forms/{path}").status_code for path in ("template/none", "example/..%2Fmeter-card", "text")
        ]

    assert codes == [403] * 3
    assert unknown == [404, 404, 405]


def test_a_process_that_takes_too_long_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer says so, and the server goes on."""
    monkeypatch.setattr(forms, "SECONDS", 0.01)
    with visiting(site(tmp_path)) as page:
        assert "took more than" in post(page, "/forms/process/boxes", EXAMPLE).json()["problem"]
        assert page.get("/forms").status_code == 200
