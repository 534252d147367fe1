"""`digitwatch read`: results on standard output, nothing moved."""

import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from form_example import FOLDER, SCANS, truth
from PIL import Image
from service import scan

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def read(tmp_path: Path, run: Run) -> Run:
    """Return what reads with the small model in the folder of the test."""
    (tmp_path / "config.yaml").write_text("model: dense\n")
    (tmp_path / "a.png").write_bytes(scan("7"))
    return lambda *arguments: run("read", *arguments)


def give(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    """Put bytes on standard input."""
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data)))


def test_a_line_for_each_file(read: Run, tmp_path: Path) -> None:
    """Name, text, status and confidence, and the reason where there is one; the file stays as it was."""
    (tmp_path / "blank.png").write_bytes(cv2.imencode(".png", np.full((50, 50), 255, np.uint8))[1].tobytes())
    before = (tmp_path / "a.png").read_bytes()
    done = read("a.png", "blank.png")
    first, second = done.stdout.splitlines()

    assert done.returncode == 0
    assert first.startswith("a.png: 7  ok 9") and first.endswith(" %")
    assert second.startswith("blank.png: -  empty  ")
    assert (tmp_path / "a.png").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "blank.png", "config.yaml"]


def test_what_cannot_be_read_does_not_stop_the_others(read: Run, tmp_path: Path) -> None:
    """Each has a line with the reason, and the exit code is 1."""
    (tmp_path / "bad.png").write_bytes(scan("7")[:200])
    done = read("bad.png", "gone.png", ".", "a.png")

    assert done.returncode == 1
    assert [line.partition(": ")[0] for line in done.stdout.splitlines()] == ["bad.png", "gone.png", ".", "a.png"]
    assert done.stdout.count("  failed  ") == 3 and "--batch ." in done.stdout


def test_json_has_an_object_for_each_page(read: Run, tmp_path: Path) -> None:
    """One on a line, with boxes in pixels of the page; a scan that could not be read has one too."""
    pages = [cv2.imdecode(np.frombuffer(scan(text), np.uint8), 0) for text in ("12", "3")]
    cv2.imwritemulti(str(tmp_path / "b.tiff"), pages)
    done = read("--json", "b.tiff", "gone.png")
    found = [json.loads(line) for line in done.stdout.splitlines()]

    assert [(one["file"], one["page"], one["text"]) for one in found] == [
        ("b.tiff", 1, "12"),
        ("b.tiff", 2, "3"),
        ("gone.png", 1, ""),
    ]
    keys = "file page field text prediction confidence status reason codes corners turn digits"
    assert all(" ".join(one) == keys for one in found)
    boxes = [digit["box"] for digit in found[0]["digits"]]
    assert all(box["left"] >= 0 and box["left"] + box["width"] <= 180 for box in boxes) and len(boxes) == 2


@pytest.mark.parametrize("end", ["\n", "\0"])
def test_names_come_on_standard_input(end: str, read: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One a line, or as `find -print0` writes them."""
    (tmp_path / "b c.png").write_bytes(scan("3"))
    give(monkeypatch, f"a.png{end}b c.png{end}".encode())

    assert [line[:11] for line in read("-").stdout.splitlines()] == ["a.png: 7  o", "b c.png: 3 "]


def test_an_image_comes_on_standard_input(read: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its bytes are told from names by how they begin."""
    give(monkeypatch, scan("3"))

    assert read("-").stdout.startswith("stdin: 3  ok")


def test_nothing_on_standard_input_is_bad_usage(read: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what was expected."""
    give(monkeypatch, b"\n")
    done = read("-")

    assert done.returncode == 2
    assert "expected an image, or names of images" in done.stderr


def test_pictures_are_written_where_asked(read: Run, tmp_path: Path) -> None:
    """A repetition replaces its own picture; a file of the same name elsewhere gets another."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.png").write_bytes(scan("3"))
    for _ in range(2):
        assert read("--annotate", "pictures", "a.png", "sub/a.png").returncode == 0

    assert sorted(path.name for path in (tmp_path / "pictures").iterdir()) == ["a.png.png", "a.png~2.png"]


def test_forms_are_read_field_by_field(run: Run, tmp_path: Path) -> None:
    """One line or object for each field, with its name and its corners on the page; the picture shows the fields."""
    card = SCANS / "card-01.jpg"
    lines = run("read", "--forms", str(FOLDER), "--annotate", "pictures", str(card)).stdout.splitlines()
    found = [json.loads(line) for line in run("read", "--json", "--forms", str(FOLDER), str(card)).stdout.splitlines()]

    assert [line.partition(": ")[0] for line in lines] == [f"{card}, field {one['field']}" for one in found]
    assert {one["field"]: one["prediction"] for one in found} == truth()["card-01.jpg"]
    assert all(len(one["corners"]) == 4 for one in found)
    assert [path.name for path in (tmp_path / "pictures").iterdir()] == ["card-01.jpg.png"]


def test_a_page_without_its_form_is_for_review(run: Run, tmp_path: Path) -> None:
    """It is read as a whole, with the code form_not_found."""
    (tmp_path / "a.png").write_bytes(scan("7"))
    found = json.loads(run("read", "--json", "--forms", str(FOLDER), "a.png").stdout)

    assert (found["field"], found["status"]) == ("", "review")
    assert "form_not_found" in found["codes"]


def test_the_memory_limit_of_the_settings_holds(tmp_path: Path) -> None:
    """A page that does not fit fails, the next scan is read; in a process of its own, with 1 GB."""
    (tmp_path / "config.yaml").write_text("model: dense\nlimits: {memory: 1 GB, pixels: 2000000000}\n")
    (tmp_path / "a.png").write_bytes(scan("7"))
    Image.new("1", (40_000, 15_000)).save(tmp_path / "huge.png")
    command = [sys.executable, "-m", "digitwatch", "read", "huge.png", "a.png"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    first, second = done.stdout.splitlines()

    assert done.returncode == 1, done.stderr
    assert first.startswith("huge.png: -  failed")
    assert second.startswith("a.png: 7  ok")
