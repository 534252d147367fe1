"""Writes the manual page anew, from the parser of the command line: python docs/write_man_page.py [FILE].

Needs argparse-manpage, of the extra `test`.
"""

import os
import sys
from pathlib import Path

from argparse_manpage.manpage import Manpage

from digitwatch.cli.arguments import make_parser

HERE = Path(__file__).parent


def page() -> str:
    """Return the manual page; the same on each day and in each terminal."""
    os.environ.update(SOURCE_DATE_EPOCH="0", COLUMNS="100", NO_COLOR="1")
    parser = make_parser()
    parser.man_short_description = "read handwritten digits and numbers from scans"  # type: ignore[attr-defined]
    text = str(Manpage(parser)).replace(".SH COMMENTS", ".SH EXIT STATUS")
    lines = [line for line in text.splitlines() if not line.startswith(".TH ")]
    return "\n".join(['.TH DIGITWATCH "1" "" "digitwatch" "User Commands"', *lines]) + "\n"


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "digitwatch.1"
    target.write_text(page(), "utf-8")
