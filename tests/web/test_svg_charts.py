"""Charts: shapes that add up, and no name that becomes markup."""

import re
from xml.etree import ElementTree

from digitwatch.web.svg_charts import BOTTOM, HEIGHT, TOP, Day, columns, line


def test_columns_stack_to_the_value() -> None:
    """The highest column fills the chart; its parts have heights in proportion."""
    drawn = columns("Pages", ("ok", "review"), [Day("1", (30.0, 10.0)), Day("2", (0.0, 20.0))])
    heights = [float(found) for found in re.findall(r'<rect [^>]*height="([\d.]+)"', drawn)]
    full = HEIGHT - TOP - BOTTOM

    assert heights == [full * 0.75, full * 0.25, full * 0.5]


def test_days_without_a_share_have_no_point() -> None:
    """A gap stays a gap."""
    assert line("Share", [Day("1", (0.5,)), Day("2", (None,)), Day("3", (1.0,))]).count("<circle") == 2


def test_nothing_to_show_is_a_chart_too() -> None:
    """An empty log draws an empty frame that is sound XML."""
    for drawn in (columns("Pages", ("ok",), []), line("Share", []), line('<"&', [Day('<"&', (0.3,))])):
        ElementTree.fromstring(drawn)
