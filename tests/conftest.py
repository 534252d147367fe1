"""Fixtures that every test may ask for."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from disks import remove_made

from digitwatch.cli.main import main

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of measuring data that lies beside a developer's checkout, or skip."""
    if not (SHARED / "mnist.npz").exists():
        pytest.skip("needs the measuring data in ../shared/data")
    return SHARED


@pytest.fixture(autouse=True)
def tidy() -> Iterator[None]:
    """Remove what the tests left on other filesystems."""
    yield
    remove_made()


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return what runs digitwatch with some arguments in this process, in the folder of the test."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        try:
            code = int(main(list(arguments)))
        except SystemExit as error:  # argparse ends the process itself
            code = int(error.code or 0)
        return subprocess.CompletedProcess(arguments, code, *capsys.readouterr())

    return run
