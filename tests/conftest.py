"""Fixtures that every test may ask for."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from disks import remove_made

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Give the folder of measuring data that lies beside a developer's checkout, or skip."""
    if not (SHARED / "mnist.npz").exists():
        pytest.skip("needs the measuring data in ../shared/data")
    return SHARED


@pytest.fixture(autouse=True)
def tidy() -> Iterator[None]:
    """Leave nothing on other filesystems."""
    yield
    remove_made()
