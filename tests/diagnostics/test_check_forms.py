"""`check` reads the form templates and reports each."""

import shutil
from pathlib import Path

from form_example import FOLDER

from digitwatch.diagnostics.check_forms import forms


def test_a_good_template_is_described(tmp_path: Path) -> None:
    """Its fields and its example; a folder that is not set has no finding."""
    [finding] = forms(FOLDER)

    assert str(finding).startswith("ok    form meter-card: 4 fields (meter, day, night, total); example meter-card.png")
    assert list(forms(None)) == []


def test_every_problem_is_reported(tmp_path: Path) -> None:
    """Of each template that cannot be used; the others are checked all the same."""
    shutil.copytree(FOLDER, tmp_path / "forms")
    (tmp_path / "forms" / "bad.yaml").write_text("example: none.png\nfields: []\n")
    findings = list(forms(tmp_path / "forms"))

    assert [finding.level for finding in findings] == ["FAIL", "FAIL", "ok"]
    assert "bad.yaml: example: expected" in findings[0].what
    assert [finding.level for finding in forms(tmp_path / "none")] == ["FAIL"]


def test_two_templates_of_one_form_are_noted(tmp_path: Path) -> None:
    """A page of the one passes as the other, too."""
    shutil.copytree(FOLDER, tmp_path / "forms")
    shutil.copy(tmp_path / "forms" / "meter-card.yaml", tmp_path / "forms" / "same.yaml")

    assert ["it also passes as" in finding.what for finding in forms(tmp_path / "forms")] == [True, True]
