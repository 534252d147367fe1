"""The words of the log that programs read: statuses and reason codes. Every package may import this module."""

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """Column `status`."""

    OK = "ok"
    REVIEW = "review"
    EMPTY = "empty"
    FAILED = "failed"


class ReasonCode(StrEnum):
    """Column `codes`; a detail may follow behind a colon, as in `ambiguous:1|7`. Codes are only ever added."""

    AMBIGUOUS = "ambiguous"
    NOT_A_DIGIT = "not_a_digit"
    TOUCHING = "touching"
    BORDER_CONTACT = "border_contact"
    LINE_REMOVED = "line_removed"
    DISAGREEMENT = "disagreement"
    SIGN = "sign"
    BLURRED = "blurred"
    DOWNSCALED = "downscaled"
    SOFT_STROKES = "soft_strokes"
    FAINT = "faint"
    ROTATED = "rotated"
    CLUTTER = "clutter"
    NO_INK = "no_ink"
    INK_LEFT_OUT = "ink_left_out"
    DAMAGED_FILE = "damaged_file"
    TEXT_LAYER = "text_layer"
    FORM_NOT_FOUND = "form_not_found"
    PATTERN = "pattern"
    RANGE = "range"
    LIST = "list"
    SUM = "sum"
    CHECKSUM = "checksum"
    DUPLICATE = "duplicate"
    SERIES = "series"


@dataclass(frozen=True)
class Reason:
    """Why a reading has its status: a code for programs, with a detail or without, and a text for people."""

    code: ReasonCode
    text: str
    detail: str = ""

    @property
    def coded(self) -> str:
        """The code as it stands in the log."""
        return f"{self.code}:{self.detail.replace(' ', '_')}" if self.detail else str(self.code)
