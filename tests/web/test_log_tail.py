"""A file as it grows: whole lines, each once, however they fall upon the blocks that are read."""

from pathlib import Path

import pytest

from digitwatch.web import log_tail
from digitwatch.web.log_tail import Tail


@pytest.mark.parametrize("block", [1, 2, 7, 1000])
def test_lines_come_whole_and_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    """At the start and as they are added; a line without its end waits for it."""
    monkeypatch.setattr(log_tail, "BLOCK", block)
    path = tmp_path / "log"
    path.write_text("one\ntwö\n\nthr")
    following = Tail(path)

    assert list(following.begin()) == ["one\n", "twö\n", "\n"]
    with path.open("a") as file:
        file.write("ee\nfour\nfi")
    assert following.new_lines() == ["three\n", "four\n"]
    assert following.new_lines() == []
    following.close()


def test_a_replaced_file_is_detected(tmp_path: Path) -> None:
    """The earlier lines no longer count; the new file is read from its beginning."""
    path = tmp_path / "log"
    following = Tail(path)
    assert following.new_lines() == []
    path.write_text("one\n")
    assert following.new_lines() is None
    assert list(following.begin()) == ["one\n"]
    path.rename(tmp_path / "log.1")
    path.write_text("two\n")
    assert following.new_lines() is None
    assert list(following.begin()) == ["two\n"]
    following.close()


def test_a_large_log_is_not_held_in_memory(tmp_path: Path) -> None:
    """Its lines are read as they are taken, block by block."""
    path = tmp_path / "log"
    path.write_bytes(b"x" * 99 + b"\n" + b"y" * (3 * log_tail.BLOCK) + b"\n")
    following = Tail(path)
    lines = following.begin()

    assert next(lines) == "x" * 99 + "\n"
    assert following._position == 100
    assert len(next(lines)) == 3 * log_tail.BLOCK + 1
    following.close()
