"""What every kind of sink is: a name, how many events it takes at a time, and `deliver`."""

from collections.abc import Sequence
from typing import Protocol

from digitwatch.errors import InputError, TransientError
from digitwatch.sinks.event import Event


class DeliveryError(TransientError):
    """The receiver did not take an event; it is tried again, after `retry_after` seconds at the earliest."""

    def __init__(self, message: str, retry_after: float = 0.0) -> None:
        """Keep the message and the time."""
        super().__init__(message)
        self.retry_after = retry_after


class RefusedError(InputError):
    """The receiver will never take this event; the next ones are delivered."""


class Sink(Protocol):
    """A receiver of events."""

    @property
    def name(self) -> str:
        """The name in config.yaml."""

    @property
    def batch(self) -> int:
        """How many events `deliver` takes at most."""

    def deliver(self, events: Sequence[Event]) -> None:
        """Deliver all events, or raise; events may come again.

        Raises:
            DeliveryError: not now.
            RefusedError: never (only where `batch` is 1).
        """
        ...

    def close(self) -> None:
        """Close connections; `deliver` opens them again."""
        ...
