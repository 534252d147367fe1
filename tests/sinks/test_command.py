"""The sink `command`: the event on standard input, and what each exit code means."""

import json
import time
from pathlib import Path

import pytest

from digitwatch.sinks.command import CommandSink
from digitwatch.sinks.event import Event
from digitwatch.sinks.sink import DeliveryError, RefusedError

EVENT = Event("reading", "s/1", "s", "", {"prediction": "007", "file": "é\udcff.png"})


def sink(script: str, seconds: float = 20.0) -> CommandSink:
    """Return a sink that runs a shell script."""
    return CommandSink("c", ("sh", "-c", script), seconds)


def test_the_program_gets_the_event(tmp_path: Path) -> None:
    """As one line of JSON, with kind and key in its environment."""
    sink(f'cat > {tmp_path}/in; echo "$DIGITWATCH_EVENT $DIGITWATCH_KEY" > {tmp_path}/env').deliver([EVENT])

    assert json.loads((tmp_path / "in").read_text())["prediction"] == "007"
    assert (tmp_path / "env").read_text() == "reading s/1\n"


@pytest.mark.parametrize(("script", "error"), [("exit 65", RefusedError), ("exit 1", DeliveryError)])
def test_exit_codes(script: str, error: type[Exception]) -> None:
    """65 refuses the event for good, another one asks for another try; the message has what the program said."""
    with pytest.raises(error, match=r"ended with code \d+: why"):
        sink(f"echo why >&2; {script}").deliver([EVENT])


def test_a_program_that_reads_nothing_is_fine() -> None:
    """Its exit code counts."""
    sink("exit 0").deliver([EVENT])


def test_a_program_that_takes_too_long_is_killed_with_its_children() -> None:
    """What it started is not waited for."""
    begun = time.monotonic()
    with pytest.raises(DeliveryError, match=r"took longer than 0\.2 s"):
        sink("sleep 50 & sleep 50", 0.2).deliver([EVENT])

    assert time.monotonic() - begun < 20


def test_a_missing_program_is_an_environment_error() -> None:
    """It may be installed later."""
    with pytest.raises(DeliveryError, match="cannot be run"):
        CommandSink("c", ("/no/such/program",), 1.0).deliver([EVENT])
