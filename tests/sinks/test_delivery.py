"""What the log has reaches a sink at least once, in order, whatever is down or killed in between."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from receiver import Receiver
from service import Service, scan, until

from digitwatch.sinks import delivery
from digitwatch.sinks.command import CommandSink
from digitwatch.sinks.delivery import Order, deliver
from digitwatch.sinks.lag import lag
from digitwatch.sinks.source import Files
from digitwatch.sinks.sqlite import SqliteSink
from digitwatch.sinks.state import NAME
from digitwatch.sinks.webhook import Target, WebhookSink
from digitwatch.spool import correction_log
from digitwatch.spool.correction_log import Correction
from digitwatch.spool.csv_rows import Row
from digitwatch.spool.prediction_log import PredictionLog

TIME = "2026-11-22T10:00:00.000Z"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Return a web server."""
    found = Receiver()
    yield found
    found.down()


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Files:
    """Return a log; tries follow each other quickly."""
    monkeypatch.setattr(delivery, "BACK_OFF", (0.01, 0.05))
    monkeypatch.setattr(delivery, "POLL", 0.02)
    return Files(tmp_path / "predictions.csv", tmp_path / "corrections.csv")


def row(number: int, status: str = "ok") -> Row:
    """Return the row of a scan."""
    scan = f"20261122T100000.{number:03}Z-0000000{number % 10}"
    return Row(TIME, f"{number}.png", "1", "7", "0.5", status, "", "7:0.5", scan, "00", "", "", "cnn", "9", text="7")


def key(number: int) -> str:
    """Return the key of the event of a row."""
    return f"{row(number).id}/1"


def add(files: Files, *numbers: int) -> None:
    """Append rows to the log."""
    log = PredictionLog(files.predictions)
    log.append([row(number) for number in numbers])
    log.reopen()


def webhook(receiver: Receiver, *, from_beginning: bool = True) -> Order:
    """Return a webhook to the receiver."""
    return Order(WebhookSink("web", Target(receiver.url, seconds=2)), from_beginning)


class Running:
    """Deliveries in a thread, as long as a `with` block lasts."""

    def __init__(self, files: Files, *orders: Order) -> None:
        """Keep what to deliver."""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=deliver, args=(orders, files, self._stop))

    def __enter__(self) -> None:
        """Start."""
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self._stop.set()
        self._thread.join()


def once(files: Files, *orders: Order) -> None:
    """Deliver everything that there is."""
    deliver(orders, files, threading.Event(), once=True)


def test_nothing_is_lost_while_a_receiver_is_down(files: Files, receiver: Receiver) -> None:
    """It gets what came meanwhile, in order; the lag says why it has not."""
    add(files, 1)
    with Running(files, webhook(receiver)):
        until(lambda: receiver.keys == [key(1)], "the first row")
        receiver.down()
        for number in range(2, 30):
            add(files, number)
        until(lambda: lag("web", files).tries > 2, "tries")
        state = lag("web", files)
        assert (state.waiting, state.delivered) == (28, 1)
        assert "refused" in state.error
        receiver.up()
        until(lambda: len(receiver.events) >= 29, "all rows")
        until(lambda: not lag("web", files).waiting, "no lag")

    assert receiver.keys == [key(number) for number in range(1, 30)]
    assert not lag("web", files).error


def test_it_goes_on_where_it_stopped(files: Files, receiver: Receiver) -> None:
    """Also after the log was rotated and packed meanwhile, and after it was rotated away."""
    add(files, 1, 2)
    once(files, webhook(receiver))
    add(files, 3)
    files.predictions.rename(files.predictions.with_name("predictions.csv-1"))
    add(files, 4)
    once(files, webhook(receiver))
    assert receiver.keys == [key(number) for number in (1, 2, 3, 4)]

    for path in files.predictions.parent.glob("predictions*"):
        path.unlink()
    add(files, 5)
    once(files, webhook(receiver))
    assert receiver.keys[4:] == [key(5)]


def test_a_new_sink_begins_with_what_comes_next(files: Files, receiver: Receiver) -> None:
    """With `start: now`; what came while it was not running is delivered later."""
    add(files, 1, 2)
    once(files, webhook(receiver, from_beginning=False))
    add(files, 3)
    once(files, webhook(receiver, from_beginning=False))

    assert receiver.keys == [key(3)]


def test_corrections_and_failures_are_delivered(files: Files, receiver: Receiver, tmp_path: Path) -> None:
    """A correction comes after its row; a failed scan is a reading with the status `failed`."""
    correction_log.append(files.corrections, Correction(TIME, row(1).id, "1.png", "1", "00", "7", "8", "Ada"))
    log = PredictionLog(files.predictions)
    log.append([row(1), row(2, "failed")])
    log.reopen()
    once(files, webhook(receiver), Order(SqliteSink("table", tmp_path / "t.sqlite"), True))

    assert [(event["event"], event.get("status"), event.get("now")) for event in receiver.events] == [
        ("reading", "ok", None),
        ("reading", "failed", None),
        ("correction", None, "8"),
    ]
    with sqlite3.connect(tmp_path / "t.sqlite") as table:
        assert table.execute("SELECT page, prediction, corrected FROM readings").fetchall() == [
            (1, "7", "8"),
            (1, "7", None),
        ]
    table.close()


def test_a_correction_of_a_field_is_about_that_field(files: Files, receiver: Receiver, tmp_path: Path) -> None:
    """Its event names the field, has a key of its own, and changes only the row of the field in the table."""
    rows = [row(1)._replace(field=name) for name in ("day", "night")]
    PredictionLog(files.predictions).append(rows)
    correction_log.append(files.corrections, Correction(TIME, row(1).id, "1.png", "1", "00", "7", "8", "Ada", "night"))
    once(files, webhook(receiver), Order(SqliteSink("table", tmp_path / "t.sqlite"), True))

    assert (receiver.events[-1]["field"], receiver.keys[-1]) == ("night", f"{key(1)}/night/{TIME}")
    with sqlite3.connect(tmp_path / "t.sqlite") as table:
        assert table.execute("SELECT field, corrected FROM readings").fetchall() == [("day", None), ("night", "8")]
    table.close()


def test_a_slow_sink_keeps_no_other_waiting(files: Files, receiver: Receiver) -> None:
    """A program that hangs is killed after its time; the webhook has everything long before."""
    add(files, *range(1, 20))
    slow = Order(CommandSink("slow", ("sleep", "60"), 1.0), True)
    with Running(files, slow, webhook(receiver)):
        until(lambda: len(receiver.events) == 19, "all rows")
        until(lambda: "took longer than 1 s" in lag("slow", files).error, "the time limit")

    assert lag("slow", files).waiting == 19


def test_a_refused_event_is_kept_and_the_next_ones_come(files: Files, receiver: Receiver) -> None:
    """422 means that the receiver will never take it; 500 and 404 are tried again."""
    answers = {key(1): [500, 404, 200], key(2): [422], key(3): [200]}
    receiver.answer = lambda event: answers[event["key"]].pop(0)
    add(files, 1, 2, 3)
    once(files, webhook(receiver))

    assert receiver.keys == [key(1), key(3)]
    assert (lag("web", files).refused, lag("web", files).delivered) == (1, 2)
    with sqlite3.connect(files.predictions.parent / NAME) as state:
        assert [found[0] for found in state.execute("SELECT key FROM refused")] == [key(2)]
    state.close()


def test_a_log_is_delivered_by_one_process(files: Files, receiver: Receiver) -> None:
    """A second one would repeat everything."""
    add(files, 1)
    with Running(files, webhook(receiver)):
        until(lambda: receiver.events, "the first row")
        with pytest.raises(delivery.AlreadyRunningError):
            once(files, webhook(receiver))


def test_the_daemon_delivers(tmp_path: Path, receiver: Receiver) -> None:
    """Through a killed daemon and a receiver that is down; duplicates are at most those in flight at each kill."""
    settings = (
        f"sinks:\n- {{name: web, type: webhook, url: '{receiver.url}', start: beginning}}\n"
        "- {name: table, type: sqlite, path: t.sqlite}\n"
    )
    with Service(tmp_path, settings) as service:
        for number in range(3):
            (service.inbox / f"{number}.png").write_bytes(scan(str(number)))
        until(lambda: len(receiver.events) == 3, "three rows")
        receiver.down()
        for number in range(3, 6):
            (service.inbox / f"{number}.png").write_bytes(scan(str(number)))
        service.await_rows(6)
        service.kill()
        service.start()
        receiver.up()
        until(lambda: len(set(receiver.keys)) == 6, "six rows")
        assert service.stop() == 0

    assert len(receiver.keys) <= 7
    assert {event["key"] for event in receiver.events} == {f"{row['id']}/1" for row in service.rows()}
    with sqlite3.connect(tmp_path / "t.sqlite") as table:
        assert table.execute("SELECT COUNT(*) FROM readings").fetchone() == (6,)
    table.close()


def test_a_killed_delivery_repeats_at_most_one_event(tmp_path: Path, receiver: Receiver) -> None:
    """Killed again and again, the command delivers every row, and counts what it delivered."""
    files = Files(tmp_path / "predictions.csv", tmp_path / "corrections.csv")
    log = PredictionLog(files.predictions)
    log.append([row(number) for number in range(300)])
    log.reopen()
    config = tmp_path / "config.yaml"
    config.write_text(
        "predictions: predictions.csv\ncorrections: corrections.csv\n"
        f"sinks: [{{name: web, type: webhook, url: '{receiver.url}', start: beginning}}]\n"
    )
    command = [sys.executable, "-m", "digitwatch", "-c", str(config), "sinks", "--once"]
    for kill in range(1, 4):
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
            until(lambda least=kill * 50: len(receiver.events) >= least, "some rows")  # type: ignore[misc]
            process.send_signal(signal.SIGKILL)
    assert subprocess.run(command, check=False).returncode == 0

    assert set(receiver.keys) == {key(number) for number in range(300)}
    assert len(receiver.keys) <= 303


def test_check_and_metrics_show_the_lag(tmp_path: Path) -> None:
    """`digitwatch check` fails for a sink that fails, and names the reason."""
    config = tmp_path / "config.yaml"
    config.write_text(
        "inbox: inbox\noutbox: outbox\narchive: archive\nfailed: failed\npredictions: predictions.csv\n"
        "corrections: corrections.csv\nmodel: dense\nmin_free: 0\n"
        "sinks: [{name: broken, type: command, command: ['false'], start: beginning}]\n"
    )
    for name in ("inbox", "outbox", "archive", "failed"):
        (tmp_path / name).mkdir()
    command = [sys.executable, "-m", "digitwatch", "-c", str(config)]
    log = PredictionLog(tmp_path / "predictions.csv")
    log.append([row(1)])
    log.reopen()
    with subprocess.Popen([*command, "sinks"], stderr=subprocess.DEVNULL) as process:
        files = Files(tmp_path / "predictions.csv", tmp_path / "corrections.csv")
        until(lambda: lag("broken", files).tries, "a failed try")
        process.terminate()
    done = subprocess.run([*command, "check"], capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "FAIL  sink broken: 1 events wait" in done.stdout
    assert "false ended with code 1" in done.stdout


def test_an_unwritable_state_is_an_environment_error(files: Files, receiver: Receiver) -> None:
    """Deliveries wait until the state can be written again, and none is lost."""
    add(files, 1)
    state = files.predictions.parent / NAME
    state.mkdir()
    with Running(files, webhook(receiver)):
        until(lambda: threading.active_count() > 2, "a thread")
        os.rmdir(state)
        until(lambda: receiver.keys == [key(1)], "the row")
