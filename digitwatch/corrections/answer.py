"""Values that people may enter for a page: numbers as they are written, with their signs."""

import re

LONGEST = 400  # characters

FRACTIONS = "¼½¾⅐⅑⅒⅓⅔⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞"
_SIGNS = r".,:/+'%()°€$£\-"  # none begins a formula that could do harm: there are no letters, no =, @ and |

PATTERN = rf"(?=.*[0-9{FRACTIONS}])[0-9{FRACTIONS}{_SIGNS} ]{{1,{LONGEST}}}"
"""The whole value as a regular expression, for Python and for JavaScript (flag u)."""

EXPECTED = "a number as it is written, such as 1250, 12,50, -3, 12/05/1998 or 2½, with a space between two numbers"

_ANSWER = re.compile(PATTERN, re.ASCII)
_DASHES = str.maketrans({"\u2212": "-", "\u2013": "-", "\u2010": "-", "\u2011": "-"})


def normalised(text: str) -> str | None:
    """Return a number as it is kept: one space between two numbers, the hyphen for every dash; None for other text."""
    plain = " ".join(text.translate(_DASHES).split())
    return plain if _ANSWER.fullmatch(plain) else None


def digits(text: str) -> str:
    """Return a value without its signs, as the column `prediction` has it; fractions stay as they are."""
    return " ".join("".join(c for c in number if c.isalnum()) for number in text.split())
