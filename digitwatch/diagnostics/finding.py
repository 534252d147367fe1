"""The result of one check, and the line that `digitwatch check` prints for it."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """One thing checked: `ok`, `note` (digitwatch works, but a person should know) or `FAIL`, with what to do."""

    level: Literal["ok", "note", "FAIL"]
    what: str

    @property
    def has_failed(self) -> bool:
        """Return whether something must be fixed."""
        return self.level == "FAIL"

    def __str__(self) -> str:
        """Return the line that `digitwatch check` prints."""
        return f"{self.level:<5} {self.what}"


def ok(what: str) -> Finding:
    """Return a finding that needs no action."""
    return Finding("ok", what)


def note(what: str) -> Finding:
    """Return a finding that digitwatch handles itself, and that a person should know."""
    return Finding("note", what)


def fail(what: str) -> Finding:
    """Return a finding of what is wrong and what to do."""
    return Finding("FAIL", what)
