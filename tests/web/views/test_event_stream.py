"""New readings as they come: told once, in order, from where the listener was."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from visitor import Visitor, row, site, visiting, write

from digitwatch.web.views import event_stream


class Listener:
    """Reads the events of an open stream."""

    def __init__(self, answer: httpx.Response) -> None:
        """Begin at the first line."""
        self._lines = answer.iter_lines()

    def events(self) -> Iterator[dict[str, str]]:
        """Yield each event as its fields."""
        found: dict[str, str] = {}
        for line in self._lines:
            if line:
                name, _, value = line.partition(": ")
                found[name] = value
            elif "event" in found:
                yield found
                found = {}

    def next(self, kind: str) -> dict[str, str]:
        """Wait for an event of this kind."""
        return next(event for event in self.events() if event["event"] == kind)


def listening(page: Visitor, last: str = "") -> "httpx._client.contextlib.AbstractContextManager[httpx.Response]":
    """Open the stream, as a browser does that knows readings up to `last`."""
    return page.stream("GET", "/live", params={"from": last})


def test_a_new_reading_is_told(tmp_path: Path) -> None:
    """With its HTML, escaped, and with the new counts."""
    with visiting(site(tmp_path)) as page, listening(page) as answer:
        listener = Listener(answer)
        listener.next("counts")
        write(tmp_path, row(1, file="<b>.png"), files=False)
        told = json.loads(listener.next("reading")["data"])

        assert told["status"] == "review"
        assert "&lt;b&gt;.png" in told["html"]
        assert json.loads(listener.next("counts")["data"])["review"] == 1


def test_the_first_listener_wakes_the_watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listened, so the log was looked at seldom; from now on it is looked at often."""
    monkeypatch.setattr(event_stream, "SELDOM", 1000.0)
    with visiting(site(tmp_path)) as page, listening(page) as answer:
        listener = Listener(answer)
        listener.next("counts")
        write(tmp_path, row(1), files=False)

        assert listener.next("reading")


def test_who_comes_back_hears_what_was_missed(tmp_path: Path) -> None:
    """A listener that was away goes on behind the last reading that it knows."""
    with visiting(site(tmp_path)) as page:
        write(tmp_path, row(1), row(2), files=False)
        run = page.app.state.live.run_id
        with listening(page, f"{run}-1") as answer:
            told = Listener(answer).next("reading")

    assert told["id"] == f"{run}-2"


def test_who_was_away_too_long_loads_anew(tmp_path: Path) -> None:
    """Numbers of an earlier process say nothing now."""
    with visiting(site(tmp_path)) as page, listening(page, "00000000-7") as answer:
        assert Listener(answer).next("reload")


def test_of_a_flood_only_the_number_is_told(tmp_path: Path) -> None:
    """More new readings than one can look at come as one event."""
    with visiting(site(tmp_path)) as page, listening(page) as answer:
        listener = Listener(answer)
        listener.next("counts")
        write(tmp_path, *(row(number) for number in range(event_stream.SHOWN + 5)), files=False)

        assert listener.next("many")["data"] == str(event_stream.SHOWN + 5)


def test_trouble_of_the_daemon_is_told_without_paths(tmp_path: Path) -> None:
    """What the daemon says of itself appears, with the names that folders have in config.yaml."""
    with visiting(site(tmp_path)) as page, listening(page) as answer:
        listener = Listener(answer)
        listener.next("counts")
        page.app.state.context.daemon.update(trouble=f"{tmp_path}/archive/x: No space left on device")

        assert json.loads(listener.next("counts")["data"])["trouble"] == "archive/x: No space left on device"
        assert page.get("/healthz").status_code == 503


def test_there_is_room_for_a_hundred_listeners(tmp_path: Path) -> None:
    """One more is asked to come later, and pages are still answered."""
    with visiting(site(tmp_path)) as page:
        page.app.state.context.visitors = event_stream.MOST

        assert page.get("/live").status_code == 503
        assert page.get("/").status_code == 200
