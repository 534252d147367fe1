"""Days and times in the zone of a visitor."""

import pytest
from starlette.requests import Request

from digitwatch.web.zone import start, today, zone_of


@pytest.mark.parametrize(
    ("day", "zone", "later", "expected"),
    [
        ("2026-11-22", "UTC", 0, "2026-11-22T00:00:00.000Z"),
        ("2026-11-22", "Europe/Berlin", 0, "2026-11-21T23:00:00.000Z"),
        ("2026-07-22", "Europe/Berlin", 1, "2026-07-22T22:00:00.000Z"),
        ("2026-11-22", "Asia/Kathmandu", 0, "2026-11-21T18:15:00.000Z"),
        ("9999-12-31", "UTC", 1, "9999-12-31~"),
        ("0001-01-01", "Europe/Berlin", 0, "0001-01-01~"),
    ],
)
def test_a_day_begins_where_the_visitor_is(day: str, zone: str, later: int, expected: str) -> None:
    """As the log writes times, in UTC, with summer time and odd offsets; the ends of the calendar raise nothing."""
    assert start(day, zone, days_later=later) == expected


@pytest.mark.parametrize(
    ("query", "cookie", "expected"),
    [
        ("", "", "UTC"),
        ("", "zone=Europe%2FBerlin", "Europe/Berlin"),
        ("zone=Asia/Tokyo", "zone=Europe%2FBerlin", "Asia/Tokyo"),
        ("", "zone=../../etc/passwd", "UTC"),
        ("", "zone=Europe", "UTC"),
        ("zone=Moon", "", "UTC"),
        ("zone=" + "a" * 500, "", "UTC"),
    ],
)
def test_the_zone_is_that_of_the_parameter_or_the_cookie(query: str, cookie: str, expected: str) -> None:
    """What the system does not know, or what is a path, is UTC."""
    headers = [(b"cookie", cookie.encode())]
    request = Request({"type": "http", "query_string": query.encode(), "headers": headers})

    assert zone_of(request) == expected
    assert len(today(expected)) == 10
