"""Templates as people write them."""

from pathlib import Path

import pytest
from form_example import FOLDER

from digitwatch.errors import ExitCode, exit_code
from digitwatch.forms.schema import Check, FormError, load

WRONG = """
exampel: page.png
page_mm: [210]
fields:
  - name: a
    box: [0.5, 0.5, 0.6, 0.1]
    digits: 4..2
    pattern: "["
    list: none.txt
    colour: red
  - name: a
    box: [0, 0, 0]
    min: much
    optional: perhaps
checks:
  - {sum: [a], equals: b}
  - {product: [a]}
"""


def test_the_example_is_a_template() -> None:
    """Millimetres become shares of the page, and ranges of digits are understood."""
    [form] = load(FOLDER)

    assert form.fields[0].box == pytest.approx((50 / 148, 28 / 105, 54 / 148, 11 / 105))
    assert [field.digits for field in form.fields] == [(6, 6), (1, 3), (1, 3), (1, 4)]
    assert form.checks == (Check("sum", ("day", "night"), "total"),)


def test_all_problems_are_reported_at_once(tmp_path: Path) -> None:
    """One error has a sentence for each problem, and ends a command with 78."""
    (tmp_path / "form.yaml").write_text(WRONG)
    with pytest.raises(FormError) as caught:
        load(tmp_path)

    words = ("exampel", "example:", "page_mm", "a.box", "digits", "pattern", "list", "colour", "twice", "a.min")
    further = ("optional", "name of a field, found 'b'", "expected one of sum")
    assert [word for word in (*words, *further) if word not in str(caught.value)] == []
    assert exit_code(caught.value) == ExitCode.CONFIG


def test_a_folder_without_templates_is_refused(tmp_path: Path) -> None:
    """So is one that does not exist."""
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(FormError, match="forms: expected"):
            load(folder)
