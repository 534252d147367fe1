"""`digitwatch evaluate --scans`: labelled scans are read and counted."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from service import scan

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """Return a folder with three scans and a broken one, and write their labels, of which one is wrong, beside it."""
    folder = tmp_path / "scans"
    folder.mkdir()
    for name, text in (("a.png", "7"), ("b.png", "3")):
        (folder / name).write_bytes(scan(text))
    (folder / "blank.png").write_bytes(cv2.imencode(".png", np.full((50, 50), 255, np.uint8))[1].tobytes())
    (folder / "bad.png").write_bytes(scan("7")[:200])
    (tmp_path / "labels.csv").write_text("file,text,group\na.png,7,digits\nb.png,8,digits\nblank.png,,paper\n")
    (tmp_path / "config.yaml").write_text("model: dense\n")
    return folder


def test_groups_bound_and_ranking_are_printed(run: Run, scans: Path) -> None:
    """Both drawn digits are `ok`, one of them unlike its label; the blank page is right."""
    done = run("evaluate", "--scans", "labels.csv", "--folder", "scans")
    lines = done.stdout.splitlines()

    assert (done.returncode, done.stderr) == (0, "")
    assert lines[0].startswith("model dense-")
    assert lines[2].split() == ["digits", "2", "1", "(50.00", "%)", "2", "(100.00", "%)", "1", "(50.00", "%)"]
    assert lines[3].split() == ["paper", "1", "1", "(100.00", "%)", "0", "(0.00", "%)", "0"]
    assert lines[4].startswith("total") and lines[4].split()[1:3] == ["3", "2"]
    assert lines[5].startswith("wrong among ok: 1 of 2; of scans like these at most 97.47 %")
    assert lines[6].startswith("wrong among the most confident of 2 readings") and lines[7].startswith("AUGRC ")
    assert len(lines) == 8


def test_the_threshold_of_the_configuration_holds(run: Run, scans: Path, tmp_path: Path) -> None:
    """With review_below: 1 no reading is `ok`, and none of them is bounded."""
    (tmp_path / "config.yaml").write_text("model: dense\nreview_below: 1\n")
    done = run("evaluate", "--scans", "labels.csv", "--folder", "scans")

    assert done.stdout.splitlines()[4].split()[5:] == ["0", "(0.00", "%)", "0"]
    assert "wrong among ok" not in done.stdout


def test_wrong_readings_are_listed(run: Run, scans: Path) -> None:
    """Each with what was expected and what was read, its status and its confidence."""
    done = run("evaluate", "--scans", "labels.csv", "--folder", "scans", "--wrong", "--model", "dense")

    assert done.stdout.splitlines()[8].startswith("b.png: expected 8, read 3  ok 99.9 %")


def test_what_cannot_be_decoded_is_listed_and_counted(run: Run, scans: Path) -> None:
    """It is neither right nor `ok`, and the exit code is 1; the labels may lie beside the scans."""
    (scans / "labels.csv").write_text("file,text\nbad.png,\na.png,7\n")
    done = run("evaluate", "--scans", "scans/labels.csv")
    lines = done.stdout.splitlines()

    assert done.returncode == 1
    assert lines[2].split() == ["total", "2", "1", "(50.00", "%)", "1", "(50.00", "%)", "0", "(0.00", "%)"]
    assert lines[-1].startswith("bad.png: expected -, read -  failed  ")


def test_pages_are_read_together(run: Run, scans: Path) -> None:
    """The texts of a TIFF's pages are joined by one space."""
    pages = [cv2.imdecode(np.frombuffer(scan(text), np.uint8), 0) for text in ("12", "3")]
    cv2.imwritemulti(str(scans / "b.tiff"), pages)
    (scans / "labels.csv").write_text("file,text\nb.tiff,12 3\n")

    assert run("evaluate", "--scans", "scans/labels.csv").stdout.splitlines()[2].split()[:3] == ["total", "1", "1"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--scans", "labels.csv"), "found 0; missing is a.png and 2 more; name their folder with --folder"),
        (("--scans", "gone.csv"), "expected a CSV file"),
        (("--scans", "labels.csv", "--data", "x.npz"), "--data cannot be combined with --scans"),
        (("--folder", "scans"), "--folder needs --scans"),
        (("--wrong",), "--wrong needs --scans"),
        (("--scans", "labels.csv", "--folder", "scans", "--model", "cnm"), "did you mean cnn?"),
    ],
)
def test_bad_usage_ends_with_2(run: Run, scans: Path, arguments: tuple[str, ...], message: str) -> None:
    """The message says what was expected, what was found and what to do."""
    done = run("evaluate", *arguments)

    assert done.returncode == 2
    assert message in done.stderr


def test_neither_tensorflow_nor_matplotlib_is_loaded(scans: Path) -> None:
    """It works without the extra `train`."""
    code = "import sys\nfrom digitwatch.cli.main import main\nassert main(sys.argv[1:]) == 0\nprint(*sys.modules)"
    command = [sys.executable, "-c", code, "evaluate", "--scans", "labels.csv", "--folder", "scans"]
    done = subprocess.run(command, cwd=scans.parent, capture_output=True, text=True, check=True)

    assert not {"tensorflow", "keras", "matplotlib", "scipy"} & set(done.stdout.splitlines()[-1].split())
