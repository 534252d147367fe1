"""Fixtures that every test may ask for."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Give the folder of measuring data that lies beside a developer's checkout, or skip."""
    if not (SHARED / "mnist.npz").exists():
        pytest.skip("needs the measuring data in ../shared/data")
    return SHARED
