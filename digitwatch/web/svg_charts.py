"""Small inline SVG charts: stacked columns for each day, and a line of shares."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 600, 150
TOP, BOTTOM = 14, 18  # for the numbers above and the days below


@dataclass(frozen=True)
class Day:
    """The values of one day: for columns one for each series, for a line one, or None where it has none."""

    name: str
    values: tuple[float | None, ...]


def columns(title: str, series: Sequence[str], days: Sequence[Day]) -> str:
    """Draw a stacked column for each day; `series` names the CSS class of each value."""
    most = max((sum(value or 0 for value in day.values) for day in days), default=0) or 1
    marks = ""
    for place, day in enumerate(days):
        height = 0.0
        for name, value in zip(series, day.values, strict=True):
            if value:
                height += value
                what = f"{day.name}: {value:g} {name}"
                marks += _column(name, _x(place, len(days)), (height / most, value / most), _width(len(days)), what)
    return _frame(title, marks, days, f"{most:g}")


def line(title: str, days: Sequence[Day]) -> str:
    """Draw shares from 0 to 1 as a line with a point for each day that has one."""
    points = [
        (_x(place, len(days)) + _width(len(days)) / 2, _y(day.values[0]), day)
        for place, day in enumerate(days)
        if day.values[0] is not None
    ]
    marks = '<polyline class="share" points="' + " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in points) + '"/>'
    for x, y, day in points:
        what = escape(f"{day.name}: {100 * (day.values[0] or 0):.1f} %")
        marks += f'<circle class="share" cx="{x:.1f}" cy="{y:.1f}" r="3"><title>{what}</title></circle>'
    return _frame(title, marks, days, "100 %")


def _frame(title: str, marks: str, days: Sequence[Day], most: str) -> str:
    last = HEIGHT - BOTTOM
    ends = ""
    if days:
        ends = f'<text x="0" y="{HEIGHT - 4}">{escape(days[0].name)}</text>'
        ends += f'<text x="{WIDTH}" y="{HEIGHT - 4}" text-anchor="end">{escape(days[-1].name)}</text>'
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">'
        f'<line class="axis" x1="0" x2="{WIDTH}" y1="{TOP}" y2="{TOP}"/><text x="0" y="{TOP - 3}">{escape(most)}</text>'
        f'<line class="axis" x1="0" x2="{WIDTH}" y1="{last}" y2="{last}"/>{marks}{ends}</svg>'
    )


def _column(name: str, x: float, extent: tuple[float, float], width: float, what: str) -> str:
    top, share = extent
    tall = share * (HEIGHT - TOP - BOTTOM)
    return (
        f'<rect class="{escape(name)}" x="{x:.1f}" y="{_y(top):.1f}" width="{width:.1f}" height="{tall:.1f}">'
        f"<title>{escape(what)}</title></rect>"
    )


def _x(place: int, number: int) -> float:
    return place * WIDTH / max(1, number)


def _width(number: int) -> float:
    return 0.8 * WIDTH / max(1, number)


def _y(share: float | None) -> float:
    return TOP + (1 - (share or 0)) * (HEIGHT - TOP - BOTTOM)
