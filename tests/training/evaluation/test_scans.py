"""Facts about labelled readings: what is right, and how they are counted and listed."""

from pathlib import Path

import numpy as np
import pytest

from digitwatch.log_codes import Status
from digitwatch.recognition.result import Box, Digit, Reading
from digitwatch.training.evaluation.scan_labels import Label
from digitwatch.training.evaluation.scans import (
    LabelledReading,
    failed,
    joined,
    measures,
    mistakes,
    risk_coverage,
    table,
)


def label(text: str, name: str = "a.png", group: str = "") -> Label:
    """Return the label of a scan."""
    return Label(name, Path(name), text, group)


def page(text: str, confidence: float = 0.9, status: Status = Status.OK, signs: str = "") -> Reading:
    """Return the reading of a page of one row."""
    nothing = np.zeros(0, np.uint8), np.zeros(0, np.float32)
    row = tuple(Digit(digit, 1.0, Box(0, 0, 1, 1), *nothing) for digit in text)
    return Reading((row,) if row else (), confidence, status, "" if status == Status.OK else "why", 0, signs=signs)


def read(expected: str, text: str, confidence: float = 0.9, status: Status = Status.OK) -> LabelledReading:
    """Return the reading of a scan of one page."""
    return joined(label(expected, f"{text}-{confidence}.png"), [page(text, confidence, status)])


@pytest.mark.parametrize(
    ("expected", "text", "status", "is_right"),
    [
        ("12", "12", Status.OK, True),
        ("12", "12", Status.REVIEW, True),
        ("12", "13", Status.OK, False),
        ("12", "", Status.EMPTY, False),
        ("", "", Status.EMPTY, True),
        ("", "1", Status.REVIEW, True),
        ("", "1", Status.OK, False),
    ],
)
def test_what_is_right(expected: str, text: str, status: Status, is_right: bool) -> None:
    """Digits must be those of the label whatever the status; on a scan without digits nothing may be `ok`."""
    assert read(expected, text, status=status).is_right == is_right


@pytest.mark.parametrize("expected", ["1250", "12,50"])
def test_a_label_is_with_or_without_signs(expected: str) -> None:
    """It may be taken from either column of the log."""
    assert joined(label(expected), [page("1250", signs="12,50")]).is_right


def test_a_scan_that_cannot_be_read_is_not_right() -> None:
    """Not even where there is no digit: nobody knows."""
    assert not failed(label(""), "the file is empty").is_right


def test_pages_are_joined() -> None:
    """Texts by one space, without empty pages; for review if one page is; as sure as all pages together."""
    pages = [page("12", 0.9), page("", 0.0, Status.EMPTY), page("3", 0.5, Status.REVIEW)]
    found = joined(label("12 3"), pages)

    assert (found.text, found.status, found.reason, found.is_right) == ("12 3", Status.REVIEW, "why", True)
    assert found.confidence == pytest.approx(0.45)
    assert joined(label(""), pages[1:2]).status == Status.EMPTY


def test_a_line_for_each_group_and_the_total() -> None:
    """Shares of `right` and `ok` are of all, that of wrong ones is of the `ok` ones; no groups have no lines."""
    readings = [joined(label(text, group=group), [page("7")]) for text, group in (("7", "b"), ("1", "b"), ("7", "a"))]
    rows = [line.split() for line in table(readings)]

    assert [row[0] for row in rows] == ["group", "a", "b", "total"]
    assert rows[2][1:] == ["2", "1", "(50.00", "%)", "2", "(100.00", "%)", "1", "(50.00", "%)"]
    assert [row.split()[:2] for row in table([read("7", "7")])][1:] == [["total", "1"]]


def test_only_readings_with_digits_are_ranked() -> None:
    """One on a scan without digits is wrong when it is accepted, though it is right to put it to review."""
    readings = [read("7", "7", 0.9), read("", "1", 0.4, Status.REVIEW), read("", "", 0, Status.EMPTY)]
    lines = list(measures(readings))

    assert risk_coverage(readings[:2]).risk.tolist() == [0, 0, 0.5]
    assert lines[0].startswith("wrong among ok: 0 of 1; of scans like these at most 95.00 %")
    assert "confident of 2 readings with digits: 0.00 % of 50%" in lines[1] and "50.00 % of 100%" in lines[1]
    assert lines[2].startswith("AUGRC 0.12500 (in the best order 0.12500, in a random order 0.25000)")


def test_nothing_is_measured_of_nothing() -> None:
    """Without `ok` readings there is no bound, without digits no ranking."""
    assert list(measures([read("7", "", 0, Status.EMPTY)])) == []


def test_wrong_ok_readings_are_listed_first() -> None:
    """Then the others, the most confident first; what failed last."""
    readings = [
        failed(label("5", "bad.png"), "it is damaged"),
        read("7", "3", 0.6, Status.REVIEW),
        read("7", "7"),
        read("7", "2", 0.95),
        read("", "1", 0.99),
    ]

    assert [each.label.file for each in mistakes(readings)] == ["1-0.99.png", "2-0.95.png", "3-0.6.png", "bad.png"]
