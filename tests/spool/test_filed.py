"""Files of readings: opened below their folders, and never through a link."""

import os
import threading
from pathlib import Path

import pytest

from digitwatch.spool.filed import NotThereError, open_filed

SHOWN = "archive/day/a.png"


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Return an archive with one original, beside a folder with a file of the same name."""
    for folder, text in (("archive", "original"), ("elsewhere", "secret")):
        (tmp_path / folder / "day").mkdir(parents=True)
        (tmp_path / folder / "day" / "a.png").write_text(text)
    return tmp_path / "archive"


def opened(base: Path, shown: str = SHOWN) -> str:
    """Return the text of a file that the log shows."""
    with open_filed(base, shown, (base / "archive",)) as file:
        return file.read().decode()


def test_an_original_is_opened_by_either_path(tmp_path: Path, archive: Path) -> None:
    """The log shows it relative to the base or, where the archive is a link, by its real path."""
    archive.rename(real := tmp_path / "disk")
    archive.symlink_to(real)

    assert opened(tmp_path) == opened(tmp_path, str(real / "day/a.png")) == "original"


@pytest.mark.parametrize("name", ["day", "day/a.png"])
def test_a_link_below_the_folder_is_not_followed(tmp_path: Path, archive: Path, name: str) -> None:
    """A link in place of a sub-folder or of the file is as if nothing were there."""
    (archive / name).rename(archive / "away")
    (archive / name).symlink_to(tmp_path / "elsewhere" / name)

    with pytest.raises(NotThereError):
        opened(tmp_path)


def test_a_folder_exchanged_while_it_is_opened_leads_nowhere(tmp_path: Path, archive: Path) -> None:
    """A sub-folder that is a link every other moment: no read in five hundred gets the file that it leads to."""
    (archive / "link").symlink_to(tmp_path / "elsewhere/day")
    stop = threading.Event()

    def exchange() -> None:
        while not stop.is_set():
            for one, other in (("day", "kept"), ("link", "day"), ("day", "link"), ("kept", "day")):
                os.rename(archive / one, archive / other)

    thread = threading.Thread(target=exchange)
    thread.start()
    found = set()
    for _ in range(500):
        try:
            found.add(opened(tmp_path))
        except NotThereError:
            found.add("")
    stop.set()
    thread.join()
    assert "secret" not in found
