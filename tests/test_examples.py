"""The scans that the first command reads."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from digitwatch.recognition.image.decode import decode
from digitwatch.recognition.reader import Reader

ROOT = Path(__file__).resolve().parents[1]
NAMES = sorted(path.name for path in (ROOT / "examples" / "scans").iterdir())


@pytest.fixture(scope="module")
def program() -> ModuleType:
    """The program that draws the examples."""
    spec = importlib.util.spec_from_file_location("draw_examples", ROOT / "docs" / "draw_examples.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def reader() -> Reader:
    """The bundled model."""
    return Reader()


def test_folder_holds_what_the_program_draws(program: ModuleType) -> None:
    """Every example has its recipe, and together they are small."""
    assert sorted(program.EXAMPLES) == NAMES
    assert sum(path.stat().st_size for path in (ROOT / "examples" / "scans").iterdir()) < 1_500_000


@pytest.mark.parametrize("name", ["digit-3.png", "pages-86-93.tif", "postcode-90210.jpg"])
def test_the_examples_are_reproducible(program: ModuleType, name: str) -> None:
    """The examples can be made anew from the program; only what JPEG loses differs."""
    pages = [page.image for page in decode((ROOT / "examples" / "scans" / name).read_bytes())]

    again = program.draw(name)

    assert len(again) == len(pages)
    for page, drawn in zip(pages, again, strict=True):
        assert np.abs(page.astype(int) - drawn).mean() < (2 if name.endswith(".jpg") else 0.1)


TOUCHING = "postcode-90210.jpg"
NUMBERED = [name for name in NAMES if re.search(r"\d", name)]


@pytest.mark.parametrize("name", NUMBERED)
def test_the_file_name_has_the_numbers_of_the_page(reader: Reader, name: str) -> None:
    """The numbers in a file's name are on its pages, and are read without a doubt; touching digits may leave one."""
    readings = [reading for _, reading in reader.read_pages((ROOT / "examples" / "scans" / name).read_bytes())]

    assert " ".join(re.findall(r"\d+", name)) == " ".join(reading.text for reading in readings)
    assert {reading.status for reading in readings} == {"ok"} or name == TOUCHING


def test_the_blank_page_is_empty(reader: Reader) -> None:
    """Grain and uneven light are not taken for writing."""
    assert reader.read(ROOT / "examples" / "scans" / "blank.png").status == "empty"


def test_a_word_is_for_review(reader: Reader) -> None:
    """Letters are left to a person."""
    assert reader.read(ROOT / "examples" / "scans" / "word-hello.png").status == "review"
