"""From a scan to its reading, with the bundled model."""

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

from digitwatch.recognition.image.decode import ImageError
from digitwatch.recognition.reader import Reader

NUMBER = "2473850169"


@pytest.fixture(scope="module")
def reader() -> Reader:
    """One reader for the whole module."""
    return Reader()


@pytest.fixture(scope="module")
def digits(shared: Path) -> list[np.ndarray]:
    """A well written MNIST test digit of each kind, (28, 28), 255 = ink."""
    data = np.load(shared / "mnist.npz")
    return [data["x_test"][data["y_test"] == kind][5] for kind in range(10)]


def sheet(digits: list[np.ndarray], text: str, *, gap: int = 20) -> np.ndarray:
    """A page with the digits of the text side by side; spaces begin new rows."""
    rows = []
    for row in text.split():
        pictures = [cv2.resize(digits[int(k)], (84, 84), interpolation=cv2.INTER_CUBIC) for k in row]
        rows.append(np.hstack([np.pad(picture, ((20, 20), (gap, gap))) for picture in pictures]))
    width = max(row.shape[1] for row in rows)
    ink = np.vstack([np.pad(row, ((0, 0), (0, width - row.shape[1]))) for row in rows])
    return np.clip(225 - np.pad(ink, 40) * 0.75, 0, 255).astype(np.uint8)


def png(image: np.ndarray) -> bytes:
    """The image as a file."""
    return cv2.imencode(".png", image)[1].tobytes()


@pytest.mark.parametrize("kind", range(10))
def test_a_plain_mnist_picture_is_read(reader: Reader, digits: list[np.ndarray], kind: int) -> None:
    """28 x 28, white on black or black on white."""
    assert reader.read(digits[kind]).text == str(kind)
    assert reader.read(255 - digits[kind]).text == str(kind)


def test_a_number_is_read_from_the_left(reader: Reader, digits: list[np.ndarray]) -> None:
    """Each digit has its place, from left to right, and a probability."""
    reading = reader.read(sheet(digits, NUMBER))

    assert reading.text == NUMBER
    assert [digit.box.left for digit in reading.digits] == sorted(digit.box.left for digit in reading.digits)
    assert all(0 <= digit.probability <= 1 and digit.glyph.shape == (28, 28) for digit in reading.digits)


def test_doubts_of_a_number_are_not_independent(
    reader: Reader, digits: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A number is trusted a little more than if each of its digits had doubts of its own."""
    page = sheet(digits, "44")
    confidence = reader.read(page).confidence
    monkeypatch.setattr("digitwatch.recognition.page_reader.CALIBRATION_EXPONENT", 1.0)

    assert reader.read(page).confidence < confidence < 1


@pytest.mark.parametrize("text", ["48205", "1997", "45", "838", "17"])
@pytest.mark.parametrize("side", range(5))
def test_digits_that_touch_the_edge_of_the_page_are_not_lost(reader: Reader, text: str, side: int) -> None:
    """In a crop as tight as can be, or one that takes a pixel of them at a side; at worst they are for review."""
    page = np.full((200, 400), 240, np.uint8)
    cv2.putText(page, text, (100, 120), cv2.FONT_HERSHEY_SIMPLEX, 1.5, 40, 4, cv2.LINE_AA)
    left, top, wide, high = cv2.boundingRect((page < 200).astype(np.uint8))
    crops = page[top + 1 :], page[: top + high - 1], page[:, left + 1 :], page[:, : left + wide - 1]
    crop = (*crops, page[top : top + high, left : left + wide])[side]

    reading = reader.read(np.ascontiguousarray(crop))

    assert reading.text == text or (reading.status == "review" and text in reading.reason)


@pytest.mark.parametrize("shape", [(1, 300), (16, 5000), (33, 1), (1, 1), (64, 2)])
def test_pages_as_thin_as_a_thread_are_empty(reader: Reader, shape: tuple[int, int]) -> None:
    """Nothing is too narrow to be looked at."""
    assert reader.read(np.full(shape, 240, np.uint8)).status == "empty"


def test_blank_squared_paper_is_empty(reader: Reader) -> None:
    """When its lines are gone, nothing is left to look at."""
    page = np.full((200, 300), 240, np.uint8)
    page[::20] = page[:, ::20] = 120

    assert reader.read(page).status == "empty"


def test_a_row_of_bars_is_no_number(reader: Reader) -> None:
    """More strokes than the line model has frames for: read somehow, never surely."""
    page = np.full((120, 500), 240, np.uint8)
    for left in range(60, 440, 5):
        page[30:90, left : left + 2] = 30

    assert reader.read(page).status == "review"


@pytest.mark.parametrize("dark", [1.0, 0.15])
def test_strokes_with_soft_edges_are_no_stains(reader: Reader, dark: float) -> None:
    """A 0 of a few pixels, enlarged, has no sharp edge; it is read, dark or pale."""
    y, x = np.mgrid[:10, :10] - 4.5
    ring = np.exp(-(((np.hypot(y / 3.2, x / 2.2) - 1) / 0.35) ** 2))
    small = ring * np.random.default_rng(0).uniform(70, 255, ring.shape)
    page = 255 - dark * cv2.resize(small, (100, 100), interpolation=cv2.INTER_CUBIC)
    reading = reader.read(np.clip(page, 0, 255).astype(np.uint8))

    assert reading.text == "0"


def test_rows_are_separated_by_one_space(reader: Reader, digits: list[np.ndarray]) -> None:
    """Leading zeros stay."""
    reading = reader.read(sheet(digits, "0247 385 96"))

    assert reading.text == "0247 385 96"
    assert [len(row) for row in reading.rows] == [4, 3, 2]


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_turned_page_is_read_and_given_upright(reader: Reader, digits: list[np.ndarray], quarters: int) -> None:
    """The page that comes back is turned, its boxes fit it, and the reason says so."""
    upright = sheet(digits, "24738 50169")
    ((page, reading),) = reader.read_pages(png(np.rot90(upright, quarters)))

    assert reading.text == "24738 50169"
    assert reading.turn == 90 * quarters
    assert f"turned by {90 * quarters} degrees" in reading.reason
    assert np.array_equal(page.image, upright)


def test_a_short_page_that_reads_better_upside_down_is_for_review(reader: Reader) -> None:
    """The word "the" is much like 247 then; only many digits prove that a page lies so."""
    page = np.full((200, 360), 235, np.uint8)
    cv2.putText(page, "the", (90, 130), cv2.FONT_HERSHEY_SIMPLEX | cv2.FONT_ITALIC, 3, 40, 6, cv2.LINE_AA)

    assert reader.read(page).status == "review"


def test_boxes_are_in_pixels_of_the_page(reader: Reader, digits: list[np.ndarray]) -> None:
    """Also when the page was looked at reduced."""
    page = np.full((2400, 3000), 230, np.uint8)
    page[1000:1840, 500:1340] = 230 - cv2.resize(digits[3], (840, 840)) * 0.8
    (digit,) = reader.read(page).digits
    ys, xs = np.nonzero(page < 150)

    assert digit.text == "3"
    assert abs(digit.box.left - xs.min()) <= 30
    assert abs(digit.box.top + digit.box.height - ys.max()) <= 30


def test_a_page_without_ink_is_empty(reader: Reader) -> None:
    """Grain, shade and the dark edge of a scan are no digits."""
    page = np.random.default_rng(0).normal(200, 3, (300, 400)) * np.linspace(1, 0.7, 400)
    page[-10:] = 20
    reading = reader.read(page.astype(np.uint8))

    assert (reading.status, reading.text, reading.digits) == ("empty", "", ())
    assert reading.reason


def test_what_is_not_sure_enough_is_for_review(digits: list[np.ndarray]) -> None:
    """The threshold can be set, and the reason says what is doubtful."""
    page = sheet(digits, "7")

    assert Reader(review_below=0.0).read(page).status == "ok"
    doubtful = Reader(review_below=1.01).read(page)
    assert doubtful.status == "review"
    assert "may be 7 or" in doubtful.reason


def test_a_path_bytes_and_an_array_read_alike(reader: Reader, digits: list[np.ndarray], tmp_path: Path) -> None:
    """The three ways to hand in a scan."""
    page = sheet(digits, "38")
    (tmp_path / "scan.png").write_bytes(png(page))
    path = tmp_path / "scan.png"
    texts = [reader.read(source).text for source in (path, str(path), png(page), page)]

    assert texts == ["38"] * 4


def test_a_scan_of_several_pages_is_read_page_by_page(reader: Reader, digits: list[np.ndarray]) -> None:
    """read refuses it and names read_pages, which gives a reading for each page."""
    pages = [sheet(digits, text) for text in ("12", "345")]
    data = cv2.imencodemulti(".tiff", pages)[1].tobytes()

    assert [reading.text for _, reading in reader.read_pages(data)] == ["12", "345"]
    with pytest.raises(ImageError, match="read_pages"):
        reader.read(data)


def test_what_is_no_image_is_refused(reader: Reader) -> None:
    """It is an input error with a message."""
    with pytest.raises(ImageError):
        reader.read(b"%PDF-1.7 not an image")


def test_the_model_is_named(reader: Reader) -> None:
    """Rows in the log name the model."""
    assert reader.model.startswith("cnn-")


FLOORS = {"photos": 0.95, "cells": 0.96, "drawn": 0.95, "cheque-digits": 0.90}


def test_the_rest_of_a_neighbour_that_touches_the_digit_is_left_out(reader: Reader) -> None:
    """Half a ring, cut off by the side of the page and joined to a 7, is no second digit."""
    page = np.full((90, 90), 235, np.uint8)
    cv2.polylines(page, [np.array([[28, 14], [72, 12], [58, 80]])], False, 40, 5, cv2.LINE_AA)
    cv2.ellipse(page, (0, 60), (18, 18), 0, -90, 90, 40, 5, cv2.LINE_AA)
    cv2.line(page, (14, 48), (64, 44), 40, 4, cv2.LINE_AA)

    assert reader.read(page).text == "7"


def test_a_lone_digit_that_broke_in_two_is_one(reader: Reader) -> None:
    """The two halves of a 3 with a little paper between are one digit; far apart they are for review."""
    page = np.full((160, 120), 235, np.uint8)
    cv2.putText(page, "3", (25, 120), cv2.FONT_HERSHEY_SIMPLEX, 4, 40, 8, cv2.LINE_AA)
    halves = page[:80].copy(), page[80:].copy()
    close = np.vstack([halves[0], np.full((8, 120), 235, np.uint8), halves[1]])
    far = np.vstack([halves[0], np.full((60, 120), 235, np.uint8), halves[1]])

    assert reader.read(close).text == "3"
    assert reader.read(far).status == "review"


@pytest.mark.parametrize("kept", [0.3, 0.7])
def test_a_page_with_a_missing_part_is_never_ok(reader: Reader, digits: list[np.ndarray], kept: float) -> None:
    """Digits may be lost with the missing part, be it most of the page or the paper below the number."""
    page = sheet(digits, NUMBER)
    page = np.vstack([page, np.full_like(page, 225)])
    whole = cv2.imencode(".jpg", page - np.random.default_rng(1).integers(0, 9, page.shape, np.uint8))[1].tobytes()

    reading = reader.read(whole[: int(kept * len(whole))] + b"\xff\xd9")

    assert "damaged_file" not in reader.read(whole).codes
    assert (reading.status, reading.confidence < 0.95) == ("review", True)
    assert "damaged_file" in reading.codes


def test_faint_writing_is_not_an_empty_page(reader: Reader, digits: list[np.ndarray]) -> None:
    """Pencil of 18 grey levels on grainy paper is found by the second reader; then the first one sees it too."""
    page = sheet(digits, "35")
    grain = np.random.default_rng(0).normal(0, 1, page.shape)
    reading = reader.read((255 - (255 - page) * (24 / 255) - 8 + grain).astype(np.uint8))

    assert (reading.status, reading.text) == ("ok", "35")


def test_tiny_writing_is_not_an_empty_page(reader: Reader, digits: list[np.ndarray]) -> None:
    """Digits of six pixels are too small to be certain, but the page is not empty."""
    page = np.full((300, 300), 255, np.uint8)
    for place, text in enumerate("4242"):
        small = cv2.resize(digits[int(text)][4:24, 4:24], (6, 6), interpolation=cv2.INTER_AREA)
        page[150:156, 100 + 14 * place : 106 + 14 * place] = 255 - small
    reading = reader.read(page)

    assert reading.status == "review"
    assert "small" in reading.reason


@pytest.mark.parametrize("group", FLOORS)
def test_real_scans_are_read(reader: Reader, shared: Path, group: str) -> None:
    """A sample of each group of real scans is read no worse than its floor allows."""
    with open(shared / "scans.csv", newline="", encoding="utf-8") as file:
        labels = [row for row in csv.DictReader(file) if row["group"] == group][::2]
    right = [reader.read(shared / "scans" / row["file"]).text == row["text"] for row in labels]

    assert np.mean(right) >= FLOORS[group]
