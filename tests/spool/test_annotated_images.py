"""Published pictures: their own replaced, others' kept."""

from pathlib import Path

import cv2
import numpy as np

from digitwatch.spool import annotated_images


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
