"""Log lines for people and for the journal."""

import logging
import os
from collections.abc import Iterator

import pytest

from digitwatch.cli import log_setup


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    """Restore the root logger."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


def _journal() -> str:
    """Return what systemd would say of the present standard error."""
    status = os.fstat(2)
    return f"{status.st_dev}:{status.st_ino}"


def test_the_journal_gets_priorities(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    """Under systemd each line of a warning is marked as one, without a time of its own."""
    monkeypatch.setenv("JOURNAL_STREAM", _journal())
    log_setup.set_up("info")
    logging.getLogger("x").warning("disk %s", "full\nor gone")

    assert capfd.readouterr().err == "<4>disk full\\x0aor gone\n"


def test_a_terminal_is_not_the_journal(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    """A shell that inherits JOURNAL_STREAM from a desktop gets lines for people."""
    monkeypatch.setenv("JOURNAL_STREAM", "8:1")
    log_setup.set_up("info")
    logging.getLogger("x").info("reading")

    assert capfd.readouterr().err.endswith(" INFO    reading\n")


def test_a_terminal_gets_time_and_level(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """In a shell a line says when and how serious."""
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    log_setup.set_up("info")
    logging.getLogger("x").info("reading")
    logging.getLogger("x").debug("not this")

    line = capsys.readouterr().err
    assert line[8:] == " INFO    reading\n"
