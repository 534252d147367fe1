"""Facts about the report page."""

import re
from pathlib import Path

import numpy as np
import pytest

import digitwatch.models
from digitwatch.reading.normalise import normalise
from digitwatch.training import pens, report

BUNDLED = Path(digitwatch.models.__file__).parent


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Give an .npz of 40 digits drawn by program."""
    rng = np.random.default_rng(0)
    labels = np.tile(np.arange(10), 4)
    pictures = np.stack([normalise(pens.digit(int(label), rng)) for label in labels])
    np.savez(tmp_path / "drawn.npz", x_train=pictures, y_train=labels, x_test=pictures, y_test=labels)
    return tmp_path / "drawn.npz"


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make fewer non-digits than the page normally does."""
    monkeypatch.setattr(report, "NON_DIGITS", 20)


def test_page_is_one_file_with_its_pictures_inside(tmp_path: Path, data: Path) -> None:
    """The page has six pictures, each embedded and named, and refers to nothing outside itself."""
    page = report.report(BUNDLED / "cnn", tmp_path / "report", data=data)
    text = page.read_text(encoding="utf-8")

    assert len(re.findall(r'<img alt="[^"]+" src="data:image/png;base64,', text)) == 6
    assert "http" not in text
    assert [page] == list((tmp_path / "report").iterdir())


def test_page_states_every_figure(tmp_path: Path, data: Path) -> None:
    """Accuracy, loss, calibration, corruption, non-digits, size and speed are there as text."""
    text = report.report(BUNDLED / "dense", tmp_path, data=data).read_text(encoding="utf-8")

    for words in ("right on the test digits", "expected calibration error", "at worst", "of 20", "MB,", "ms for one"):
        assert words in text


def test_other_sources_of_any_size_are_measured(tmp_path: Path, data: Path) -> None:
    """A source with images of 16x16 gets its own bar."""
    images = np.zeros((3, 16, 16), np.uint8)
    images[:, 2:14, 7:9] = 255
    np.savez(tmp_path / "small.npz", images=images, labels=np.array([1, 1, 1]))

    found = report.find(BUNDLED / "cnn", data=data, sources=[tmp_path / "small.npz"])

    assert found.source["small"] > 0.6
    assert len(found.corruption) >= 12
