"""Forms and documents through the real program: rows a field, one picture a page, one commit a scan."""

import csv
import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from documents import rasters
from form_example import FOLDER, SCANS, truth
from PIL import Image
from service import Service, scan, until

FIELDS = ["meter", "day", "night", "total"]


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a command of the program."""
    command = [sys.executable, "-m", "digitwatch", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


def two_cards() -> bytes:
    """Return a PDF of two filled cards."""
    return rasters(*(Image.open(SCANS / name) for name in ("card-01.jpg", "card-03.jpg")), resolution=152)


def test_a_batch_has_a_row_for_each_field(tmp_path: Path) -> None:
    """Cards in a PDF have one row a field and one picture a page; another page is for review; all is exported wide."""
    pytest.importorskip("pypdfium2", reason="needs the extra pdf")
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    (source / "cards.pdf").write_bytes(two_cards())
    (source / "other.png").write_bytes(scan("12"))
    done = run("--batch", source, "--out", out, "--forms", FOLDER)
    with (out / "predictions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))

    assert done.returncode == 0, done.stderr
    assert [(row["page"], row["field"]) for row in rows] == [(page, name) for page in "12" for name in FIELDS] + [
        ("1", "")
    ]
    assert rows[-1]["status"] == "review" and rows[-1]["codes"].endswith("form_not_found")
    assert len({row["annotated"] for row in rows}) == 3 == len(list((out / "annotated").iterdir()))
    ok = [row for row in rows if row["status"] == "ok"]
    assert ok and all(row["prediction"] == truth()[f"card-0{2 * int(row['page']) - 1}.jpg"][row["field"]] for row in ok)


def test_the_daemon_reads_forms(tmp_path: Path) -> None:
    """`forms` in config.yaml is a path beside that file; a scan is filed once, with all its fields."""
    shutil.copytree(FOLDER, tmp_path / "forms")
    with Service(tmp_path, "forms: forms\n") as service:
        (service.inbox / "card-05.jpg").write_bytes((SCANS / "card-05.jpg").read_bytes())
        rows = service.await_rows(4)
        assert service.stop() == 0
    export = run("export", "--wide", "-c", service.config)

    assert [row["field"] for row in rows] == FIELDS
    assert Counter(row["filed"] for row in rows) == {rows[0]["filed"]: 4}
    assert len(service.files("outbox")) == len(service.files("archive")) == 1
    header, line = export.stdout.splitlines()
    assert header == "time,file,page,id," + ",".join(f"{name},{name}_status" for name in FIELDS)
    assert line.split(",")[4:] == [value for row in rows for value in (row["prediction"], row["status"])]


def test_sighup_reads_the_templates_again(tmp_path: Path) -> None:
    """A changed field name is in the rows of the next scan; a template with a problem changes nothing."""
    shutil.copytree(FOLDER, tmp_path / "forms")
    template = tmp_path / "forms" / "meter-card.yaml"
    with Service(tmp_path, "forms: forms\n") as service:

        def reload(old: str, new: str, words: str) -> None:
            template.write_text(template.read_text().replace(old, new))
            service.signal(signal.SIGHUP)
            until(lambda: words in service.lines(), words)

        reload("name: meter", "name: number", "the form templates have changed")
        reload("name: number", "nam: number", "the form templates stay as they were")
        template.write_text(template.read_text().replace("nam: number", "name: number"))
        (service.inbox / "card-05.jpg").write_bytes((SCANS / "card-05.jpg").read_bytes())
        rows = service.await_rows(4)
        assert service.stop() == 0

    assert [row["field"] for row in rows] == ["number", *FIELDS[1:]]


def test_wrong_templates_end_the_program_with_78(tmp_path: Path) -> None:
    """Before anything is read; every problem is named."""
    (tmp_path / "form.yaml").write_text("example: none.png\nfields: []\n")
    (tmp_path / "config.yaml").write_text(f"forms: {tmp_path}\n")
    done = run("-c", tmp_path / "config.yaml")

    assert done.returncode == 78
    assert "example: expected" in done.stderr and "fields: expected" in done.stderr


def test_a_template_is_made_drawn_and_tested(tmp_path: Path) -> None:
    """`fields new` keeps an existing file; `fields test` has a line and a contact sheet for each page."""
    shutil.copy(FOLDER / "meter-card.png", tmp_path)
    template = tmp_path / "meter-card.yaml"
    (tmp_path / "scans").mkdir()
    shutil.copy(SCANS / "card-01.jpg", tmp_path / "scans")
    new = [run("fields", "new", tmp_path / "meter-card.png").returncode for _ in range(2)]
    drawn = run("fields", "draw", template)
    tested = run("fields", "test", template, tmp_path / "scans")

    assert new == [0, 2]
    assert drawn.stdout.strip() == str(tmp_path / "meter-card.fields.png") and Path(drawn.stdout.strip()).exists()
    assert tested.returncode == 0 and "card-01.jpg page 1: " in tested.stdout
    assert (tmp_path / "scans-fields" / "card-01.jpg.1.png").exists()
