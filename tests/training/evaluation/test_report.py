"""Facts about the report page."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import digitwatch.models
from digitwatch.recognition.networks.digit_image import normalise
from digitwatch.training.evaluation import report
from digitwatch.training.synthesis import strokes

BUNDLED = Path(digitwatch.models.__file__).parent


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, report.Findings]]:
    """Report on a model, with another source, once for all tests; return the page and what was found."""
    base = tmp_path_factory.mktemp("report")
    rng = np.random.default_rng(0)
    labels = np.tile(np.arange(10), 4)
    pictures = np.stack([normalise(strokes.digit(int(label), rng)) for label in labels])
    np.savez(base / "drawn.npz", x_train=pictures, y_train=labels, x_test=pictures, y_test=labels)
    images = np.zeros((3, 16, 16), np.uint8)
    images[:, 2:14, 7:9] = 255
    np.savez(base / "small.npz", images=images, labels=np.array([1, 1, 1]))
    kept: list[report.Findings] = []
    find = report.find
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report, "NON_DIGITS", 20)
        patch.setattr(report, "find", lambda *given, **more: kept.append(find(*given, **more)) or kept[0])
        page = report.report(BUNDLED / "cnn", base / "page", data=base / "drawn.npz", sources=[base / "small.npz"])
    yield page, kept[0]


def test_page_is_one_file_with_its_pictures_inside(measured: tuple[Path, report.Findings]) -> None:
    """The page has six pictures, each embedded and named, and refers to nothing outside itself."""
    page, _ = measured
    text = page.read_text(encoding="utf-8")

    assert len(re.findall(r'<img alt="[^"]+" src="data:image/png;base64,', text)) == 6
    assert "http" not in text
    assert [page] == list(page.parent.iterdir())


def test_page_states_every_figure(measured: tuple[Path, report.Findings]) -> None:
    """Accuracy, loss, calibration, corruption, non-digits, size and speed are there as text."""
    text = measured[0].read_text(encoding="utf-8")

    for words in (
        "accuracy on the test digits",
        "expected calibration error",
        "at worst",
        "of 20",
        "MB,",
        "ms for one",
    ):
        assert words in text


def test_other_sources_of_any_size_are_measured(measured: tuple[Path, report.Findings]) -> None:
    """A source with images of 16x16 gets its own bar."""
    _, found = measured

    assert found.source["small"] > 0.6
    assert len(found.corruption) >= 12
