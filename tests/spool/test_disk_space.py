"""The free-space floor."""

from pathlib import Path

from digitwatch.spool.disk_space import shortage


def test_enough_space_is_no_shortage(tmp_path: Path) -> None:
    """A disk with one byte more is enough, also for a folder that does not exist yet."""
    assert shortage([tmp_path, tmp_path / "not" / "yet"], 1) == ""


def test_a_shortage_names_the_folder(tmp_path: Path) -> None:
    """The operator learns which folder's disk is full, and of which limit."""
    assert shortage([tmp_path], 10**18).startswith(f"{tmp_path} has ")
