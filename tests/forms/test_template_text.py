"""Templates from an editor: as text, and checked as the file would be."""

from pathlib import Path
from typing import Any

import pytest

from digitwatch.forms.schema import Form, FormError
from digitwatch.forms.template_text import checked, text_of

FIELD = {"name": "total", "box": [0.1, 0.2, 0.123456, 0.05], "digits": "2..4", "min": 0, "max": None, "optional": False}


def template(**changes: Any) -> dict[str, Any]:
    """Return a template with one field."""
    return {"example": "a.png", "blank": False, "fields": [FIELD]} | changes


def check(folder: Path, name: str = "card", **changes: Any) -> Form:
    """Check a template beside its example."""
    (folder / "a.png").touch()
    return checked(template(**changes), name, folder)


def test_the_text_is_what_a_person_would_write() -> None:
    """A line for each value, a box on one line, and nothing that says nothing."""
    assert text_of(template()) == (
        "example: a.png\nfields:\n- name: total\n  box: [0.1, 0.2, 0.1235, 0.05]\n  digits: 2..4\n  min: 0\n"
    )


def test_the_text_is_read_as_the_template(tmp_path: Path) -> None:
    """Also what an editor does not know: checks, the size of the page, lists of numbers."""
    further = {"page_mm": [210, 297], "checks": [{"luhn": "total"}]}
    form = check(tmp_path, **further)
    (tmp_path / "numbers.txt").write_text("12\n")

    assert (form.fields[0].digits, form.fields[0].minimum, form.checks[0].kind) == ((2, 4), 0, "luhn")
    assert "list: numbers.txt" in text_of(template(fields=[FIELD | {"list": "numbers.txt"}], **further))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"name": "../card"}, "name: expected"),
        ({"example": "../a.png"}, "example: expected"),
        ({"example": ""}, "example: expected"),
        ({"fields": []}, "fields: expected"),
        ({"fields": "x"}, "fields: expected"),
        ({"fields": [7]}, "in field 1"),
        ({"fields": [FIELD, FIELD]}, "found 'total' twice"),
        ({"fields": [FIELD | {"box": [0.9, 0, 0.2, 0.1]}]}, "on the page"),
        ({"fields": [FIELD | {"pattern": "["}]}, "a regular expression"),
        ({"fields": [FIELD | {"list": "/etc/passwd", "digits": "x"}]}, "digits: expected"),
    ],
)
def test_all_problems_are_named_without_paths(tmp_path: Path, changes: dict[str, Any], problem: str) -> None:
    """As for a file; nothing outside of the folder is opened."""
    with pytest.raises(FormError) as raised:
        check(tmp_path, **changes)

    assert any(problem in each for each in raised.value.problems)
    assert not any(str(tmp_path / "card.yaml") in each or "passwd" in each for each in raised.value.problems)
