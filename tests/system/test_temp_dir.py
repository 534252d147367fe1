"""The temporary folder of a process: gone with it, and swept by the next one when it was killed."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from service import Service, until

from digitwatch.system import temp_dir

HOLDS = (
    "import sys, tempfile\nfrom digitwatch.system.temp_dir import settle\nsettle()\nsettle()\n"
    "tempfile.mkdtemp()\nprint(tempfile.gettempdir(), flush=True)\nsys.stdin.read()\n"
)


@pytest.fixture
def above(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a folder that other processes use as the temporary one of the system; its path is short."""
    with tempfile.TemporaryDirectory(dir="/tmp") as above:
        monkeypatch.setenv("TMPDIR", above)
        yield Path(above)


def holder() -> subprocess.Popen[str]:
    """Start a process that has a folder and waits."""
    return subprocess.Popen([sys.executable, "-c", HOLDS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_a_killed_process_is_swept_up_after(above: Path) -> None:
    """The folder of one that lives is left alone, that of a dead one goes; each has one, and removes it at its end."""
    with holder() as killed, holder() as living:
        assert killed.stdout is not None and living.stdout is not None
        left, used = Path(killed.stdout.readline().strip()), Path(living.stdout.readline().strip())
        assert {left, used} == set(above.iterdir())
        killed.kill()
        killed.wait()
        temp_dir.sweep(above)
        assert [used] == list(above.iterdir())

    assert list(above.iterdir()) == []


def test_what_others_made_is_left_alone(above: Path) -> None:
    """A folder of nearly that name, a file, and a link to somewhere else."""
    (above / f"{temp_dir.PREFIX}data").mkdir()
    (above / f"{temp_dir.PREFIX}abcdefgh").write_text("a file")
    (above / "kept").mkdir()
    (above / f"{temp_dir.PREFIX}12345678").symlink_to(above / "kept")
    before = sorted(os.listdir(above))
    temp_dir.sweep(above)

    assert sorted(os.listdir(above)) == before


def test_a_killed_daemon_leaves_nothing_for_ever(above: Path, tmp_path: Path) -> None:
    """What the fork server had there goes with the next start; after an orderly end nothing is there."""
    with Service(tmp_path) as service:
        [left] = above.iterdir()
        service.kill()
        service.start()
        until(lambda: not left.exists(), "the old folder is gone")
        assert service.stop() == 0

    assert list(above.iterdir()) == []
