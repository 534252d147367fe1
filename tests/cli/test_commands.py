"""What each command hands to the parts, and what it refuses before it touches anything."""

import argparse
from pathlib import Path

import pytest

from digitwatch.cli import commands
from digitwatch.cli.commands import CommandError, ExitCode
from digitwatch.config.settings import FILES, FOLDERS, Settings


def options(batch: Path, out: Path | None = None) -> argparse.Namespace:
    """Give the options of --batch."""
    return argparse.Namespace(batch=batch, out=out)


def test_results_of_a_batch_lie_beside_its_folder(tmp_path: Path) -> None:
    """DIR-digitwatch, unless --out says otherwise."""
    assert commands._batch_places(options(tmp_path)) == (tmp_path, tmp_path.with_name(f"{tmp_path.name}-digitwatch"))


@pytest.mark.parametrize("out", ["", "inside", "inside/deeper"])
def test_results_of_a_batch_never_lie_in_its_folder(tmp_path: Path, out: str) -> None:
    """They would be read as scans the next time."""
    with pytest.raises(CommandError, match="expected a place outside") as refused:
        commands._batch_places(options(tmp_path, tmp_path / out))

    assert refused.value.code == ExitCode.USAGE


def test_folders_below_the_settings_are_made_and_others_are_not(tmp_path: Path) -> None:
    """A missing folder elsewhere may be a disk that is not mounted yet."""
    places = {name: tmp_path / name for name in FOLDERS}
    files = {name: tmp_path / f"{name}.csv" for name in FILES}
    settings = Settings().model_copy(update={**places, **files, "base": tmp_path})
    commands._make_folders(settings)
    assert all(place.is_dir() for place in places.values())

    with pytest.raises(CommandError, match=r"archive: .*mkdir -p /nonexistent/archive") as refused:
        commands._make_folders(settings.model_copy(update={"archive": Path("/nonexistent/archive")}))
    assert refused.value.code == ExitCode.TRY_LATER
