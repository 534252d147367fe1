"""What the commands check before they touch anything."""

from pathlib import Path

import pytest

from digitwatch.cli.batch import batch_folders
from digitwatch.errors import ExitCode, UsageError


def test_results_of_a_batch_lie_beside_its_folder(tmp_path: Path) -> None:
    """The default of --out is DIR-digitwatch."""
    assert batch_folders(tmp_path, None) == (tmp_path, tmp_path.with_name(f"{tmp_path.name}-digitwatch"))


@pytest.mark.parametrize("out", ["", "inside", "inside/deeper"])
def test_results_of_a_batch_never_lie_in_its_folder(tmp_path: Path, out: str) -> None:
    """They would be read as scans the next time."""
    with pytest.raises(UsageError, match="expected a place outside") as refused:
        batch_folders(tmp_path, tmp_path / out)

    assert refused.value.exit_code == ExitCode.USAGE


def test_a_file_is_a_batch_too(tmp_path: Path) -> None:
    """Its results lie beside it; what does not exist is refused."""
    (tmp_path / "a.png").write_bytes(b"")

    assert batch_folders(tmp_path / "a.png", None) == (tmp_path / "a.png", tmp_path / "a.png-digitwatch")
    with pytest.raises(UsageError, match="expected a folder with scans, or a scan"):
        batch_folders(tmp_path / "b.png", None)
