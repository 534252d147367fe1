"""Published pictures: their own replaced, others' kept."""

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from digitwatch.spool import annotated_images
from digitwatch.spool.archive import numbered


def png(grey: int) -> bytes:
    """Return a small PNG of one shade."""
    return cv2.imencode(".png", np.full((4, 4), grey, np.uint8))[1].tobytes()


def shade(path: Path) -> int:
    """Read the shade back through OpenCV."""
    return int(cv2.imread(str(path), cv2.IMREAD_UNCHANGED)[0, 0])


def test_the_tag_leaves_the_picture_readable(tmp_path: Path) -> None:
    """A picture with its owner inside is still a valid PNG, from which the owner can be read."""
    path = annotated_images.publish(png(7), tmp_path, "a.jpg", "id-1/1")

    assert path == tmp_path / "a.jpg.png"
    assert shade(path) == 7
    assert annotated_images.tag_of(path) == "id-1/1"


def test_repeated_work_replaces_its_own_picture(tmp_path: Path) -> None:
    """A scan read again after a crash leaves one picture, not two."""
    annotated_images.publish(png(1), tmp_path, "a.jpg", "id-1/1")
    path = annotated_images.publish(png(2), tmp_path, "a.jpg", "id-1/1")

    assert shade(path) == 2
    assert len(list(tmp_path.iterdir())) == 1


def test_another_scan_of_the_same_name_keeps_its_picture(tmp_path: Path) -> None:
    """SCN_0001.jpg of the morning is not replaced by that of the afternoon."""
    first = annotated_images.publish(png(1), tmp_path, "SCN_0001.jpg", "morning/1")
    second = annotated_images.publish(png(2), tmp_path, "SCN_0001.jpg", "afternoon/1")

    assert (shade(first), shade(second)) == (1, 2)
    assert second.name == "SCN_0001.jpg~2.png"


def test_pictures_of_a_failed_scan_are_withdrawn(tmp_path: Path) -> None:
    """When page 3 of a scan breaks, the pictures of pages 1 and 2 go; others stay."""
    for owner, name in (("bad/1", "a.tif"), ("bad/2", "a.tif.2"), ("good/1", "a.tif")):
        annotated_images.publish(png(1), tmp_path, name, owner)

    annotated_images.withdraw(tmp_path, "a.tif", "bad")

    assert [annotated_images.tag_of(p) for p in tmp_path.iterdir()] == ["good/1"]


def test_a_foreign_picture_has_no_owner(tmp_path: Path) -> None:
    """A file that digitwatch did not write has no owner and is never replaced."""
    (tmp_path / "a.jpg.png").write_bytes(png(9))
    path = annotated_images.publish(png(1), tmp_path, "a.jpg", "id/1")

    assert shade(tmp_path / "a.jpg.png") == 9
    assert path.name == "a.jpg~2.png"


def test_a_picture_of_a_name_with_many_is_found_again(tmp_path: Path) -> None:
    """Where a hundred scans of its name have pictures, repeated work replaces its own and withdrawing removes it."""
    for number in range(1, 121):
        (tmp_path / numbered("a.jpg.png", number)).write_bytes(annotated_images.tagged(png(1), f"other-{number}/1"))
    paths = [annotated_images.publish(png(1), tmp_path, "a.jpg", "id-1/1") for _ in range(2)]

    assert {path.name for path in paths} == {"a.jpg~id-1-1.png"}
    annotated_images.withdraw(tmp_path, "a.jpg", "id-1")
    assert len(list(tmp_path.iterdir())) == 120


def test_a_scan_without_a_picture_costs_no_listing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing was published, withdrawing looks at the names it may have, however full the folder is."""
    (tmp_path / "a.jpg.png").write_bytes(annotated_images.tagged(png(1), "other/1"))
    monkeypatch.setattr(os, "listdir", lambda _: pytest.fail("the folder was listed"))

    annotated_images.withdraw(tmp_path, "a.jpg", "id-1")
    assert [entry.name for entry in os.scandir(tmp_path)] == ["a.jpg.png"]


def test_attempts_that_are_killed_leave_nothing(tmp_path: Path) -> None:
    """However often the writing of a picture is killed, the attempt that succeeds leaves the picture alone."""
    die = f"""import os, stat
from pathlib import Path
from digitwatch.spool.annotated_images import publish
os.fsync = lambda file: stat.S_ISREG(os.fstat(file).st_mode) and os._exit(9)
publish({png(1)!r}, Path({os.fspath(tmp_path)!r}), "a.jpg", "id-1/1")"""
    for _ in range(3):
        assert subprocess.run([sys.executable, "-c", die], check=False).returncode == 9
    annotated_images.publish(png(1), tmp_path, "a.jpg", "id-1/1")

    assert [path.name for path in tmp_path.iterdir()] == ["a.jpg.png"]
