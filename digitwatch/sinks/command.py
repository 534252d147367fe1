"""Sink `command`: a program is run for each event, with the event as JSON on its standard input."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

from digitwatch.sinks.event import Event
from digitwatch.sinks.sink import DeliveryError, RefusedError
from digitwatch.spool.csv_rows import printable
from digitwatch.system.child_env import environment

REFUSED = os.EX_DATAERR  # 65
SHOWN = 300  # bytes of what the program wrote to its standard error


@dataclass(frozen=True)
class CommandSink:
    """Runs `command` for each event, at most `seconds` long.

    Exit code 0: delivered. 65 (EX_DATAERR): never try this event again. Any other: try again later.
    """

    name: str
    command: tuple[str, ...]
    seconds: float
    batch: int = 1

    def deliver(self, events: Sequence[Event]) -> None:
        """Run the program for each event.

        Raises:
            DeliveryError: it cannot be run, failed, or took too long.
            RefusedError: it ended with the code 65.
        """
        for event in events:
            with tempfile.TemporaryFile() as errors:
                code = self._run(event, errors)
                if code:
                    sentence = f"{self.command[0]} ended with {_named(code)}{_tail(errors)}"
                    raise RefusedError(sentence) if code == REFUSED else DeliveryError(sentence)

    def close(self) -> None:
        """Nothing is open between two events."""

    def _run(self, event: Event, errors: BinaryIO) -> int:
        try:
            process = subprocess.Popen(
                self.command,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                env=environment() | {"DIGITWATCH_EVENT": event.kind, "DIGITWATCH_KEY": event.key},
                start_new_session=True,
            )
        except (OSError, ValueError) as error:  # ValueError: a NUL in the environment
            raise DeliveryError(f"{self.command[0]} cannot be run: {error}") from error
        with process:
            try:
                process.communicate(event.body, self.seconds)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                raise DeliveryError(f"{self.command[0]} took longer than {self.seconds:g} s and was killed") from None
        return process.returncode


def _named(code: int) -> str:
    return f"code {code}" if code >= 0 else f"signal {-code}"


def _tail(errors: BinaryIO) -> str:
    size = errors.seek(0, os.SEEK_END)
    errors.seek(max(0, size - SHOWN))
    text = printable(errors.read().decode("utf-8", "replace").strip())
    return f": {text}" if text else ""
