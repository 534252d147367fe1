"""Log lines for people and for the journal."""

import logging
from collections.abc import Iterator

import pytest

from digitwatch import logs


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    """Put the root logger back as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


def test_the_journal_gets_priorities(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Under systemd a warning is marked as one, without a time of its own."""
    monkeypatch.setenv("JOURNAL_STREAM", "8:1")
    logs.set_up("info")
    logging.getLogger("x").warning("disk %s", "full")

    assert capsys.readouterr().err == "<4>disk full\n"


def test_a_terminal_gets_time_and_level(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """In a shell a line says when and how serious."""
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    logs.set_up("info")
    logging.getLogger("x").info("reading")
    logging.getLogger("x").debug("not this")

    line = capsys.readouterr().err
    assert line[8:] == " INFO    reading\n"
