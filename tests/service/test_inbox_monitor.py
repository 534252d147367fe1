"""The eye on the inbox: a dead watch is noticed, a deaf one is given up, and listing finds what events missed."""

import logging
import queue
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from service import until

from digitwatch.service import inbox_monitor
from digitwatch.service.inbox_monitor import MISSED_SWEEPS, InboxMonitor
from digitwatch.spool import fs_events
from digitwatch.spool.claims import AlreadyRunningError
from digitwatch.spool.inbox import Inbox
from digitwatch.spool.watch_policy import WatchPolicy


class Clock:
    """A clock that the test sets."""

    now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


class Owner:
    """The thread that owns a monitor."""

    def __init__(self, folder: Path) -> None:
        """Lock the inbox and start watching."""
        self.calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self.clock = Clock()
        self.inbox = Inbox(folder, settle=0, recursive=False, is_complete=lambda *_: True, clock=self.clock)
        habits = WatchPolicy("auto", False, 30.0, 1.0, 0)
        self.monitor = InboxMonitor(self.inbox, habits, post=self.calls.put, clock=self.clock)
        self.monitor.open()
        self.monitor.start()

    def turn(self) -> None:
        """Run the queued calls."""
        while not self.calls.empty():
            self.calls.get()()

    def knows(self, number: int) -> bool:
        """Return whether so many scans are known."""
        self.turn()
        return len(self.inbox) == number


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[Owner]:
    """Return a running monitor."""
    (tmp_path / "inbox").mkdir()
    owner = Owner(tmp_path / "inbox")
    owner.monitor.sweep()
    yield owner
    owner.monitor.close()


def put(owner: Owner, name: str) -> None:
    """Put a scan into the inbox."""
    (owner.inbox.folder / name).write_bytes(b"scan")


def test_events_find_scans(owner: Owner) -> None:
    """What is put in is known without a listing."""
    put(owner, "a.png")

    until(lambda: owner.knows(1), "the event", 10)
    assert owner.monitor.watching == "events"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_watch_that_ended_by_an_exception_is_restarted(
    owner: Owner, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A handler that raises ends the observer's thread in a living process; the next listing restarts it."""

    def fail(*_: object) -> None:
        raise SystemExit  # ends the thread without a word

    events = owner.monitor._events
    assert events is not None
    with monkeypatch.context() as patch:
        patch.setattr(events, "_note", fail)
        patch.setattr(fs_events._Waker, "on_any_event", fail)
        put(owner, "a.png")
        until(lambda: not events.alive(), "the death of the watch", 10)
    with caplog.at_level(logging.WARNING):
        owner.monitor.sweep()
    assert "has ended; restarting it" in caplog.text
    put(owner, "b.png")
    until(lambda: owner.knows(2), "the new watch", 10)


def test_a_watch_without_events_is_replaced_by_polling(
    owner: Owner, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When listing after listing finds scans without an event, the folder is polled, and the log says so."""
    monkeypatch.setattr(inbox_monitor, "LATE_SECONDS", 0.2)
    events = owner.monitor._events
    assert events is not None
    assert events._observer is not None
    inotify = next(iter(events._observer.emitters))
    inotify.queue_event = lambda event: None  # type: ignore[method-assign]  # as on a filesystem that raises none
    with caplog.at_level(logging.WARNING):
        for number in range(MISSED_SWEEPS):
            put(owner, f"{number}.png")
            time_of = owner.inbox.folder / f"{number}.png"
            until(lambda path=time_of: time.time() - path.lstat().st_ctime > inbox_monitor.LATE_SECONDS, "its age", 10)
            owner.monitor.sweep()

    assert owner.monitor.watching == "polling"
    assert "raises no events" in caplog.text
    assert len(owner.inbox) == MISSED_SWEEPS


def test_an_overflow_asks_for_a_listing(owner: Owner) -> None:
    """When the system drops events, the folder is listed soon, not at the next slow turn."""
    assert owner.monitor.next_sweep == 30.0
    logging.getLogger("watchdog.observers.inotify_c").warning("Inotify queue overflowed; events were lost")
    owner.turn()

    assert owner.monitor.next_sweep == 1.0


def test_long_listings_are_rare(owner: Owner, monkeypatch: pytest.MonkeyPatch) -> None:
    """A listing of a very full inbox, which takes a while, leaves ten times as long for the reading."""
    sweep = owner.inbox.sweep

    def slow_sweep() -> list[str]:
        owner.clock.now += 6.0
        return sweep()

    monkeypatch.setattr(owner.inbox, "sweep", slow_sweep)
    owner.monitor.sweep()

    assert owner.monitor.next_sweep == owner.clock.now + 60.0


def test_a_replaced_inbox_is_locked_and_watched(owner: Owner) -> None:
    """Another folder under the same name is locked and watched, and the old one may still have claims."""
    owner.inbox.folder.rename(owner.inbox.folder.with_name("old"))
    owner.inbox.folder.mkdir()
    owner.monitor.sweep()
    put(owner, "a.png")
    until(lambda: owner.knows(1), "an event from the new folder", 10)

    with pytest.raises(AlreadyRunningError):
        Owner(owner.inbox.folder)
    with pytest.raises(AlreadyRunningError):
        Owner(owner.inbox.folder.with_name("old"))


def test_without_inotify_it_polls_and_says_what_would_help(tmp_path: Path) -> None:
    """With the limit of watches used up, the line names the sysctl that raises it."""
    code = (
        "import logging, sys; from pathlib import Path; from digitwatch.spool import fs_events; logging.basicConfig()\n"
        "print(fs_events.start(Path(sys.argv[1]), 'auto', False, print, print))"
    )
    lower = 'echo 0 > /proc/sys/user/max_inotify_instances && exec "$@"'  # in a namespace of its own
    command = ["unshare", "--user", "--map-root-user", "sh", "-c", lower, "sh"]
    if (
        shutil.which("unshare") is None
        or subprocess.run([*command, "true"], capture_output=True, check=False).returncode
    ):
        pytest.skip("needs user namespaces")
    command += [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)

    assert done.stdout.strip() == "None"
    assert "sysctl fs.inotify.max_user_instances" in done.stderr
