"""The wheel: built from this checkout, unpacked into an empty environment, with all that a user needs."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from digitwatch.cli import install_service

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of a copy of this checkout, built without the network; building into the checkout would leave traces."""
    pytest.importorskip("setuptools", minversion="77")
    copy, target = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("wheel")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("needs a git checkout")
    for name in listed.stdout.decode().split("\0")[:-1]:
        if (ROOT / name).is_file() and not name.startswith(("tests/", "benchmarks/", "examples/")):
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_bytes((ROOT / name).read_bytes())
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--wheel-dir", target]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, copy], check=True, capture_output=True)
    return next(target.iterdir())


def test_it_carries_units_settings_docs_and_manual(wheel: Path) -> None:
    """They lie where pip puts them into share/ of the environment."""
    names = zipfile.ZipFile(wheel).namelist()
    shared = {name.partition(".data/data/share/")[2] for name in names} - {""}

    wanted = {f"digitwatch/systemd/{name}" for name in install_service.PLACES}
    wanted |= {
        "digitwatch/config.yaml",
        "digitwatch/README.md",
        "digitwatch/docs/log.md",
        "man/man1/digitwatch.1",
    }
    assert wanted <= shared


def test_it_has_all_data_of_the_packages(wheel: Path) -> None:
    """Models, templates, scripts and style sheets: every file of git below digitwatch/."""
    listed = subprocess.run(["git", "ls-files", "digitwatch"], cwd=ROOT, capture_output=True, text=True, check=True)

    assert set(listed.stdout.splitlines()) <= set(zipfile.ZipFile(wheel).namelist())
