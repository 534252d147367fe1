"""The labels of scans: what a file may hold, and what is said of others."""

from pathlib import Path

import pytest

from digitwatch.training.data.digits import DataError
from digitwatch.training.evaluation.scan_labels import Label, load


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    """Return the path of the labels of two scans, not yet written."""
    for name in ("a.png", "sub/b.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path / "labels.csv"


def test_names_are_relative_to_the_folder_of_the_file(labels: Path) -> None:
    """A mark at the beginning, further columns and spaces are no problem; a group is optional."""
    labels.write_text("\ufefffile,text,note\r\na.png, 12  3 ,x\r\nsub/b.png,,\r\n", "utf-8")

    assert load(labels) == [
        Label("a.png", labels.parent / "a.png", "12 3"),
        Label("sub/b.png", labels.parent / "sub" / "b.png", ""),
    ]


def test_names_are_relative_to_the_folder_that_is_named(labels: Path) -> None:
    """The group is kept."""
    labels.write_text("file,text,group\nb.png,7,boxes\n")

    assert load(labels, labels.parent / "sub") == [Label("b.png", labels.parent / "sub" / "b.png", "7", "boxes")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "found no header"),
        (b"file;text\na.png;7\n", "columns file,text .*found file;text in the first line of"),
        (b"file,text\n", "found only the header"),
        (b"file,text\na.png\n", "expected 2 values.* in line 2 of"),
        (b"file,text\na.png,12,50\n", "quote a text that holds a comma"),
        (b"file,text\n,7\n", "expected 2 values, the first of them a name"),
        (
            b"file,text\na.png,7\nc.png,1\nd.png,2\n",
            r"expected 3 scans .*found 1; missing is c.png and 1 more; .*--folder",
        ),
        (b"file,text\nsub,7\n", "missing is sub;"),
        (b"file,text\n\xff.png,7\n", "in UTF-8"),
    ],
)
def test_what_cannot_be_used_is_refused(labels: Path, content: bytes, message: str) -> None:
    """The message says what was expected and what was found."""
    labels.write_bytes(content)

    with pytest.raises(DataError, match=message):
        load(labels)


def test_a_file_that_is_missing_is_named(labels: Path) -> None:
    """With the words of the system."""
    with pytest.raises(DataError, match=r"found No such file or directory: .*labels\.csv"):
        load(labels)
