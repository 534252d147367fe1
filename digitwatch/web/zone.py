"""The time zone in which a visitor sees times and days; the log has UTC."""

import contextlib
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from starlette.requests import Request

COOKIE = "zone"
"""Cookie with the name of the zone, such as Europe/Berlin; a parameter of the same name counts first."""

DEFAULT = "UTC"


def zone_of(request: Request) -> str:
    """Return the name of the zone that a visitor chose, DEFAULT for none or one that the system does not know."""
    name = request.query_params.get(COOKIE) or unquote(request.cookies.get(COOKIE, ""))
    return name if name and len(name) < 64 and _zone(name) is not None else DEFAULT


def today(zone: str) -> str:
    """Return the present day in a zone, as 2026-11-22."""
    return datetime.now(_zone(zone) or UTC).date().isoformat()


def start(day: str, zone: str, *, days_later: int = 0) -> str:
    """Return the begin of a day in a zone, or of a later day, as the log writes times."""
    with contextlib.suppress(OverflowError):
        begin = datetime.combine(date.fromisoformat(day) + timedelta(days_later), time(), _zone(zone) or UTC)
        return begin.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return f"{day}~"  # the first or last day of the calendar


@lru_cache(256)
def _zone(name: str) -> ZoneInfo | None:
    with contextlib.suppress(KeyError, ValueError, OSError):
        return ZoneInfo(name)
    return None
