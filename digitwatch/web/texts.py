"""Texts that several views show, each worded in one place."""

import math

NOT_A_NUMBER_TEXT, NONE_OF_THEM_TEXT, EMPTY_TEXT = "not a number", "none of them", "empty"


def percent(confidence: float) -> str:
    """Return a confidence, 0 to 1, as a percentage; rounded down, so that only a certain reading has 100 %."""
    return f"{math.floor(1000 * confidence + 1e-6) / 10:.1f} %"


def correction_text(now: str, *, sorts_pictures: bool = False) -> str:
    """Return the value of a correction as people read it."""
    none = NONE_OF_THEM_TEXT if sorts_pictures else NOT_A_NUMBER_TEXT
    return {"x": none, "": EMPTY_TEXT}.get(now, now)
