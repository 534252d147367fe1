"""The parts that are built from the settings."""

from pathlib import Path

import pytest

from digitwatch.cli.factories import make_folders
from digitwatch.config.settings import FILES, FOLDERS, Settings


def test_folders_below_the_settings_are_made_and_others_are_not(tmp_path: Path) -> None:
    """A missing folder elsewhere may be a disk that is not mounted yet."""
    folders = {name: tmp_path / name for name in FOLDERS}
    files = {name: tmp_path / f"{name}.csv" for name in FILES}
    settings = Settings().model_copy(update={**folders, **files, "base": tmp_path})
    make_folders(settings)
    assert all(folder.is_dir() for folder in folders.values())

    with pytest.raises(FileNotFoundError) as refused:
        make_folders(settings.model_copy(update={"archive": Path("/nonexistent/archive")}))
    assert "archive: create it (mkdir -p /nonexistent/archive)" in refused.value.__notes__[0]
