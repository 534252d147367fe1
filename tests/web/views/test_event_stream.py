"""The event stream: each new reading once, in order, from the position of the listener."""

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


def test_a_new_reading_is_sent(tmp_path: Path) -> None:
    """With its HTML, escaped, and with the new counts."""
    with visiting(site(tmp_path)) as page, listening(page) as answer:
        listener = Listener(answer)
        listener.next("counts")
        write(tmp_path, row(1, file="<b>.png"), files=False)
        told = json.loads(listener.next("reading")["data"])

        assert told["status"] == "review"
        assert "&lt;b&gt;.png" in told["html"]
        assert json.loads(listener.next("counts")["data"])["review"] == 1


def test_the_first_listener_speeds_up_polling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without listeners the log is polled seldom, with one often."""
    monkeypatch.setattr(event_stream, "SELDOM", 1000.0)
    with visiting(site(tmp_path)) as page, listening(page) as answer:
        listener = Listener(answer)
        listener.next("counts")
        write(tmp_path, row(1), files=False)

        assert listener.next("reading")


def test_a_returning_listener_gets_missed_readings(tmp_path: Path) -> None:
    """A listener that was away continues after the last reading that it knows."""
    with visiting(site(tmp_path)) as page:
        write(tmp_path, row(1), row(2), files=False)
        run = page.app.state.live.run_id
        with listening(page, f"{run}-1") as answer:
            told = Listener(answer).next("reading")

    assert told["id"] == f"{run}-2"


def test_an_outdated_listener_reloads(tmp_path: Path) -> None:
    """Numbers of an earlier process are not valid."""
    with visiting(site(tmp_path)) as page, listening(page, "00000000-7") as answer:
        assert Listener(answer).next("reload")


def test_of_many_new_readings_only_the_number_is_sent(tmp_path: Path) -> None:
    """More new readings than can be followed come as one event."""
    with visiting(site(tmp_path)) as page, listening(page) as answer:
        listener = Listener(answer)
        listener.next("counts")
        write(tmp_path, *(row(number) for number in range(event_stream.SHOWN + 5)), files=False)

        assert listener.next("many")["data"] == str(event_stream.SHOWN + 5)


def test_errors_of_the_daemon_are_sent_without_paths(tmp_path: Path) -> None:
    """The daemon's error is shown, with the names that folders have in config.yaml."""
    with visiting(site(tmp_path)) as page, listening(page) as answer:
        listener = Listener(answer)
        listener.next("counts")
        page.app.state.context.daemon.update(problem=f"{tmp_path}/archive/x: No space left on device")

        assert json.loads(listener.next("counts")["data"])["problem"] == "archive/x: No space left on device"
        assert page.get("/healthz").status_code == 503


def test_a_hundred_listeners_are_accepted(tmp_path: Path) -> None:
    """One more gets 503, and other requests are answered."""
    with visiting(site(tmp_path)) as page:
        page.app.state.context.visitors = event_stream.MOST

        assert page.get("/live").status_code == 503
        assert page.get("/").status_code == 200
