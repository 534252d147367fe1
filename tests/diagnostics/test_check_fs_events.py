"""Checks of the watch: network folders, exhausted limits, and an event that does not arrive."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from digitwatch.diagnostics import check_fs_events
from digitwatch.spool import fs_events

CODE = (
    "import sys; from pathlib import Path; from digitwatch.diagnostics.check_fs_events import events\n"
    "print(*events(Path(sys.argv[1]), 'auto', False), sep='\\n')"
)


def test_events_that_arrive(tmp_path: Path) -> None:
    """A real watch on a local folder; nothing is left behind."""
    [line] = map(str, check_fs_events.events(tmp_path, "auto", True))

    assert line.startswith("ok    watch: events arrive")
    assert list(tmp_path.iterdir()) == []


def test_polling_is_what_was_asked_for(tmp_path: Path) -> None:
    """`watch: polling` is no fault."""
    assert [finding.level for finding in check_fs_events.events(tmp_path, "polling", False)] == ["ok"]


@pytest.mark.parametrize(
    ("limit", "sysctl"),
    [
        ("max_inotify_watches", "sysctl fs.inotify.max_user_watches=…"),
        ("max_inotify_instances", "sysctl fs.inotify.max_user_instances=…"),
    ],
)
def test_limits_of_the_system_are_named(tmp_path: Path, limit: str, sysctl: str) -> None:
    """A user without a watch or an instance left, in a namespace of its own: the line names the sysctl."""
    code = f'echo 0 > /proc/sys/user/{limit} && exec {sys.executable} -c "$0" {tmp_path}'
    done = subprocess.run(["unshare", "-Ur", "sh", "-c", code, CODE], capture_output=True, text=True, check=False)
    if "unshare" in done.stderr or "/proc/sys" in done.stderr:
        pytest.skip("needs user namespaces")

    assert sysctl in done.stdout, done
    assert done.stdout.startswith("FAIL")


@pytest.fixture
def fuse(tmp_path: Path) -> Path:
    """Return a folder on a real FUSE filesystem, or skip."""
    (tmp_path / "there").mkdir()
    (tmp_path / "here").mkdir()
    done = shutil.which("bindfs") and subprocess.run(["bindfs", tmp_path / "there", tmp_path / "here"], check=False)
    if not done or done.returncode:
        pytest.skip("needs bindfs and the right to mount")
    yield tmp_path / "here"
    subprocess.run(["umount", "-l", tmp_path / "here"], check=True)


def test_a_network_folder_is_polled(fuse: Path) -> None:
    """On FUSE, as on NFS, CIFS and 9p, `auto` polls, and `events` is a mistake."""
    [polled] = map(str, check_fs_events.events(fuse, "auto", False))
    [wrong] = map(str, check_fs_events.events(fuse, "events", False))

    assert polled.startswith("note") and "is on fuse" in polled and "polling" in polled
    assert wrong.startswith("FAIL") and "watch: polling" in wrong


def test_an_event_that_does_not_arrive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If no event comes for a created file, the line says so."""
    monkeypatch.setattr(fs_events, "PROBE_SECONDS", 0.0)  # no event is so quick
    monkeypatch.setattr(fs_events._Waker, "on_any_event", lambda self, event: None)
    [line] = map(str, check_fs_events.events(tmp_path, "auto", False))

    assert "no event came for a file made in" in line


def test_a_short_queue_is_reported(tmp_path: Path) -> None:
    """The limit of the queue cannot be tried without a flood, so it is read."""
    (tmp_path / "max_queued_events").write_text("128\n")
    [line] = map(str, check_fs_events._queue(tmp_path))

    assert "128 events" in line and "fs.inotify.max_queued_events" in line
