"""Which files are ready: quiet, complete, plain, and the oldest first."""

import logging
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from digitwatch.recognition.image.sniff import is_complete
from digitwatch.spool.claims import CLAIMED
from digitwatch.spool.ignored_names import IgnoredNames
from digitwatch.spool.inbox import EMPTY_SETTLES, Inbox

PNG = b"\x89PNG\r\n\x1a\n" + bytes(60) + b"\0\0\0\0IEND\xaeB`\x82"


class Clock:
    """A clock that the test sets."""

    now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Return a clock that stands still."""
    return Clock()


@pytest.fixture
def make(tmp_path: Path, clock: Clock) -> Callable[..., Inbox]:
    """Return a maker of inboxes on the temporary folder."""

    def make(recursive: bool = False) -> Inbox:
        return Inbox(tmp_path, settle=2.0, recursive=recursive, is_complete=is_complete, clock=clock)

    return make


def test_a_file_waits_out_its_quiet_time(tmp_path: Path, clock: Clock, make: Callable[..., Inbox]) -> None:
    """A TIFF is not ready at once, but after two quiet seconds."""
    (tmp_path / "a.tif").write_bytes(b"II*\0....")
    inbox = make()
    inbox.sweep()

    assert inbox.take() is None
    clock.now = 2.0
    assert inbox.take() == "a.tif"


def test_a_full_inbox_is_listed_without_opening_a_file(tmp_path: Path, clock: Clock) -> None:
    """Whether a scan is complete is looked up when its turn comes; its quiet time counts from the listing."""
    looked = []
    for number in range(50):
        (tmp_path / f"{number:02}.tif").write_bytes(b"II*\0....")
        os.utime(tmp_path / f"{number:02}.tif", (number, number))
    inbox = Inbox(tmp_path, settle=2.0, recursive=False, is_complete=lambda *_: bool(looked.append(1)), clock=clock)
    inbox.sweep()
    assert not looked

    clock.now = 2.0
    assert [inbox.take(), inbox.take()] == ["00.tif", "01.tif"]
    assert len(looked) <= 50


def test_a_complete_png_is_ready_at_once(tmp_path: Path, make: Callable[..., Inbox]) -> None:
    """A PNG that ends in IEND need not wait."""
    (tmp_path / "a.png").write_bytes(PNG)
    inbox = make()
    inbox.note("a.png")

    assert inbox.take() == "a.png"


def test_a_growing_file_is_not_ready(tmp_path: Path, clock: Clock, make: Callable[..., Inbox]) -> None:
    """Each change restarts the settle time, even without an event."""
    path = tmp_path / "slow.tif"
    path.write_bytes(b"II*\0")
    inbox = make()
    inbox.sweep()
    path.write_bytes(b"II*\0 more")
    clock.now = 2.0

    assert inbox.take() is None
    clock.now = 4.0
    assert inbox.take() == "slow.tif"


def test_a_ready_file_that_changes_waits_again(tmp_path: Path, clock: Clock, make: Callable[..., Inbox]) -> None:
    """A file that is written to while it waits its turn is looked at once more."""
    for number, name in enumerate(("first.tif", "second.tif")):
        (tmp_path / name).write_bytes(b"II*\0")
        os.utime(tmp_path / name, (number, number))
    inbox = make()
    inbox.sweep()
    clock.now = 2.0
    assert inbox.take() == "first.tif"
    (tmp_path / "second.tif").write_bytes(b"II*\0 more")

    assert inbox.take() is None
    clock.now = 4.0
    assert inbox.take() == "second.tif"


def test_the_oldest_is_taken_first(tmp_path: Path, make: Callable[..., Inbox]) -> None:
    """The order is that of the files' times, whatever their names."""
    for age, name in enumerate(("z.png", "a.png", "m.png")):
        (tmp_path / name).write_bytes(PNG)
        os.utime(tmp_path / name, (1000 + age, 1000 + age))
    inbox = make()
    inbox.sweep()

    assert [inbox.take() for _ in range(3)] == ["z.png", "a.png", "m.png"]


def test_an_empty_file_gets_more_time(tmp_path: Path, clock: Clock, make: Callable[..., Inbox]) -> None:
    """Many writers create a file first and fill it later."""
    (tmp_path / "a.png").touch()
    inbox = make()
    inbox.sweep()
    clock.now = EMPTY_SETTLES - 0.1

    assert inbox.take() is None
    clock.now = EMPTY_SETTLES
    assert inbox.take() == "a.png"


@pytest.mark.parametrize(
    "name",
    [
        ".hidden.png",
        "~x.png",
        "a.png~",
        "a.png.part",
        "a.PNG.CRDOWNLOAD",
        "a.filepart",
        "x.tmp",
        ".a.png.Qx1",
        "~syncthing~a.png.tmp",
    ],
)
def test_unfinished_names_are_left_alone(tmp_path: Path, make: Callable[..., Inbox], name: str) -> None:
    """Names that programs use while they write are no scans."""
    (tmp_path / name).write_bytes(PNG)
    inbox = make()
    inbox.sweep()
    inbox.note(name)

    assert inbox.take() is None


def test_only_plain_files_are_taken(
    tmp_path: Path, make: Callable[..., Inbox], caplog: pytest.LogCaptureFixture
) -> None:
    """Links, pipes and folders are left alone and each is mentioned once."""
    (tmp_path / "link.png").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "folder").mkdir()
    inbox = make()
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            inbox.sweep()

    assert len(inbox) == 0
    assert len(caplog.records) == 3


def test_sub_folders_are_searched_if_configured(tmp_path: Path, make: Callable[..., Inbox]) -> None:
    """`recursive: true` takes scans below folders by their relative name, never the claimed ones."""
    for folder in ("batch-1", CLAIMED):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.png").write_bytes(PNG)
    inbox = make(recursive=True)
    inbox.sweep()

    assert [inbox.take(), inbox.take()] == ["batch-1/a.png", None]


def test_an_event_of_a_folder_needs_no_look_at_those_above_it(
    tmp_path: Path, make: Callable[..., Inbox], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new tree of thousands of nested folders raises as many events; scans wait until all of them are handled."""
    name = "/".join("d" * 60)
    (tmp_path / name).mkdir(parents=True)
    looked: list[object] = []
    monkeypatch.setattr(os.path, "islink", lambda path: bool(looked.append(path)))
    inbox = make(recursive=True)
    inbox.note(name)

    assert (len(inbox), looked) == (0, [])


def test_names_that_are_not_utf8_are_taken(tmp_path: Path, make: Callable[..., Inbox]) -> None:
    """A name of any bytes is a name."""
    name = os.fsdecode(b"caf\xe9\n.png")
    (tmp_path / name).write_bytes(PNG)
    inbox = make()
    inbox.sweep()

    assert inbox.take() == name


def test_a_file_that_goes_away_is_forgotten(tmp_path: Path, make: Callable[..., Inbox]) -> None:
    """A scan taken back by its owner is neither offered nor counted."""
    (tmp_path / "a.png").write_bytes(PNG)
    inbox = make()
    inbox.sweep()
    (tmp_path / "a.png").unlink()
    inbox.sweep()

    assert len(inbox) == 0
    assert inbox.take() is None


def test_a_missing_inbox_is_an_environment_error(tmp_path: Path, make: Callable[..., Inbox]) -> None:
    """A missing folder raises, so that it does not count as empty."""
    inbox = make()
    tmp_path.rmdir()

    with pytest.raises(FileNotFoundError):
        inbox.sweep()


def test_an_unreadable_file_waits_and_is_logged_once(
    tmp_path: Path, make: Callable[..., Inbox], caplog: pytest.LogCaptureFixture
) -> None:
    """Wrong permissions are logged as such, and the scan stays until they are corrected."""
    path = tmp_path / "a.png"
    path.write_bytes(PNG)
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    inbox = make()
    for _ in range(3):
        inbox.sweep()

    assert inbox.take() is None
    assert len(caplog.records) == 1
    path.chmod(0o600)
    inbox.sweep()
    assert inbox.take() == "a.png"


def test_a_closed_file_is_asked_for(
    tmp_path: Path, make: Callable[..., Inbox], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that may not be read leaves a request for the service that may open it to the group."""
    (tmp_path / CLAIMED).mkdir()
    (tmp_path / "a.png").write_bytes(PNG)
    (tmp_path / "a.png").chmod(0o600)
    monkeypatch.setattr(os, "access", lambda *_: False)
    make().sweep()

    assert (tmp_path / CLAIMED / "closed").exists()


def test_ignored_entries_are_reported_while_they_exist(tmp_path: Path, make: Callable[..., Inbox]) -> None:
    """The oldest by its name, the others by their number, and nothing once they are gone."""
    inbox = make()
    (tmp_path / "b.png").symlink_to("/etc/passwd")
    inbox.sweep()
    (tmp_path / "a.png").symlink_to("/etc/passwd")
    inbox.sweep()
    assert inbox.left_alone.startswith(f"{tmp_path}/b.png is not a plain file")
    assert inbox.left_alone.endswith("(and 1 more)")
    for name in ("a.png", "b.png"):
        (tmp_path / name).unlink()
    inbox.sweep()

    assert inbox.left_alone == ""


def test_folders_of_a_nas_are_left_alone(
    tmp_path: Path, make: Callable[..., Inbox], caplog: pytest.LogCaptureFixture
) -> None:
    """Thumbnails and deleted files that it keeps are no scans, and nothing is said about them."""
    for folder in ("@eaDir/a.png", "#recycle", "$RECYCLE.BIN", "lost+found", "sub"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "x.png").write_bytes(PNG)
    (tmp_path / "Thumbs.db").touch()
    inbox = make(recursive=True)

    assert inbox.sweep() == ["sub/x.png"]
    inbox.note("@eaDir/a.png/x.png")
    assert len(inbox) == 1 and not make().sweep()
    assert [record.getMessage() for record in caplog.records] == [
        f"{tmp_path}/sub is a folder and is left alone; `recursive: true` takes its scans"
    ]


def test_names_of_the_configuration_are_left_alone_too(tmp_path: Path, clock: Clock) -> None:
    """The list can be extended."""
    for name in ("a.bak", "a.png"):
        (tmp_path / name).write_bytes(PNG)
    rules = {"settle": 2.0, "recursive": False, "is_complete": is_complete, "clock": clock}

    assert Inbox(tmp_path, ignored=IgnoredNames(["*.bak"]), **rules).sweep() == ["a.png"]


def test_a_writer_that_continues_complete_files_is_waited_for(
    tmp_path: Path, clock: Clock, make: Callable[..., Inbox]
) -> None:
    """A file grew although it had looked complete: from then on its kind waits for `settle` from the last change."""
    inbox = make()
    (tmp_path / "first.png").write_bytes(PNG)
    inbox.note("first.png")
    (tmp_path / "first.png").write_bytes(PNG + PNG)
    inbox.note("first.png")

    assert inbox.take() is None
    clock.now = 1.9
    (tmp_path / "first.png").write_bytes(PNG + PNG + PNG)
    inbox.note("first.png")
    clock.now = 3.8
    assert inbox.take() is None
    clock.now = 3.9
    assert inbox.take() == "first.png"


def test_a_writer_that_continues_taken_files_is_waited_for_twice_as_long(
    tmp_path: Path, clock: Clock, make: Callable[..., Inbox]
) -> None:
    """Each time; files of another ending or another user are taken as before."""
    inbox = make()
    for name in ("a.PNG", "b.png.jpg"):
        (tmp_path / name).write_bytes(PNG)
    inbox.continued("taken.png", os.lstat(tmp_path / "a.PNG"))
    inbox.sweep()

    assert inbox.take() == "b.png.jpg"
    clock.now = 3.9
    assert inbox.take() is None
    clock.now = 4.0
    assert inbox.take() == "a.PNG"


def test_a_file_that_changes_without_growing_shows_no_habit(tmp_path: Path, make: Callable[..., Inbox]) -> None:
    """`cp -p` sets the time of a file that it has finished; a writer of a growing file has not finished it."""
    inbox = make()
    for content in (PNG[:20], PNG[:60], PNG):
        (tmp_path / "a.png").write_bytes(content)
        inbox.note("a.png")
    os.utime(tmp_path / "a.png", (1, 1))
    inbox.note("a.png")

    assert inbox.take() == "a.png"


def test_a_tiff_that_is_closed_and_opened_again_is_waited_for(
    tmp_path: Path, clock: Clock, make: Callable[..., Inbox]
) -> None:
    """A format that can grow has no end: each page starts the quiet time anew."""
    inbox = make()
    for page in range(1, 5):
        (tmp_path / "a.tif").write_bytes(b"II*\0...." * page)
        inbox.note("a.tif")
        assert inbox.take() is None
        clock.now += 1.9
        assert inbox.take() is None
    clock.now += 0.2
    assert inbox.take() == "a.tif"


def test_an_event_from_behind_a_link_is_no_scan(tmp_path: Path, make: Callable[..., Inbox]) -> None:
    """A sub-folder exchanged for a link: the watch may follow it, what lies there is not looked at."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.png").write_bytes(PNG)
    (tmp_path / "sub").symlink_to("elsewhere")
    inbox = make(recursive=True)
    inbox.note("sub/a.png")

    assert inbox.take() is None and len(inbox) == 0
