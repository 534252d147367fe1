"""Other filesystems for the tests that need one."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def other_filesystem(here: Path) -> Path:
    """Return an empty folder on another filesystem than `here`, or skip."""
    memory = Path("/dev/shm")
    if not memory.is_dir() or not os.access(memory, os.W_OK) or memory.stat().st_dev == here.stat().st_dev:
        pytest.skip("needs /dev/shm as a second filesystem")
    folder = Path(tempfile.mkdtemp(prefix="digitwatch-test-", dir=memory))
    _made.append(folder)
    return folder


_made: list[Path] = []


def remove_made() -> None:
    """Remove what `other_filesystem` made."""
    while _made:
        shutil.rmtree(_made.pop(), ignore_errors=True)


@contextmanager
def mounted(folder: Path, size: str, kind: str = "tmpfs") -> Iterator[Path]:
    """Mount a small filesystem in memory on `folder`, or skip without the right to do so."""
    folder.mkdir(exist_ok=True)
    done = subprocess.run(["mount", "-t", kind, "-o", f"size={size}", kind, folder], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("needs the right to mount (root)")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=False)


@contextmanager
def as_nobody(folder: Path) -> Iterator[None]:
    """Be a user without rights in this process for a while, who can reach `folder`; skip without root."""
    if os.getuid() != 0:
        pytest.skip("needs root, to be somebody else for a while")
    for path in (folder, *folder.parents):
        if path.name.startswith(("test_", "pytest-")):
            path.chmod(0o755)
    os.setresuid(65534, 65534, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)
