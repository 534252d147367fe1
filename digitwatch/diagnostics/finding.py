"""What a look at one thing comes to, and the line that says so."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """One thing looked at: `ok`, `note` (digitwatch manages, but one should know) or `MEND`, with what to do."""

    level: Literal["ok", "note", "MEND"]
    what: str

    @property
    def well(self) -> bool:
        """Tell whether nothing is to be mended."""
        return self.level != "MEND"

    def __str__(self) -> str:
        """Give the line that `digitwatch check` prints."""
        return f"{self.level:<5} {self.what}"


def ok(what: str) -> Finding:
    """Say that all is well."""
    return Finding("ok", what)


def note(what: str) -> Finding:
    """Say what digitwatch manages by itself, and somebody should know."""
    return Finding("note", what)


def mend(what: str) -> Finding:
    """Say what is wrong and what to do."""
    return Finding("MEND", what)
