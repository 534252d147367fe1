"""Texts that several views show, each worded in one place."""

import math
from sqlite3 import Row
from urllib.parse import quote

NOT_A_NUMBER_TEXT, NONE_OF_THEM_TEXT, EMPTY_TEXT = "not a number", "none of them", "empty"


def key_of(reading: Row) -> str:
    """Return the part of an address that names a reading: ID/PAGE, or ID/PAGE/FIELD for a field of a form."""
    return page_key_of(reading) + (f"/{quote(reading['field'], safe='')}" if reading["field"] else "")


def page_key_of(reading: Row) -> str:
    """Return the part of an address that names the page of a reading: ID/PAGE."""
    return "/".join(quote(reading[name], safe="") for name in ("id", "page"))


def percent(confidence: float) -> str:
    """Return a confidence, 0 to 1, as a percentage; rounded down, so that only a certain reading has 100 %."""
    return f"{math.floor(1000 * confidence + 1e-6) / 10:.1f} %"


def correction_text(now: str, *, sorts_pictures: bool = False) -> str:
    """Return the value of a correction as people read it."""
    none = NONE_OF_THEM_TEXT if sorts_pictures else NOT_A_NUMBER_TEXT
    return {"x": none, "": EMPTY_TEXT}.get(now, now)
