"""The ends of a file, and whether it is being written."""

from pathlib import Path

from digitwatch.spool.file_probe import edges, is_being_written


def test_the_edges_are_the_first_and_last_bytes(tmp_path: Path) -> None:
    """64 bytes at either end, and nothing from a file that is gone."""
    (tmp_path / "a").write_bytes(b"a" * 64 + b"-" + b"z" * 64)

    assert edges(tmp_path / "a", 129) == (b"a" * 64, b"z" * 64)
    assert edges(tmp_path / "gone", 129) == (b"", b"")


def test_an_open_writer_is_noticed(tmp_path: Path) -> None:
    """A file is being written as long as a program has it open for that, however long it pauses."""
    path = tmp_path / "a.tif"
    with path.open("wb", buffering=0) as file:
        file.write(b"page 1")
        assert is_being_written(path)

    assert not is_being_written(path)
    with path.open("rb"):
        assert not is_being_written(path)
