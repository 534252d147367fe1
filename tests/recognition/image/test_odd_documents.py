"""The table of damaged and odd documents in docs/forms.md is what becomes of them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SUPPORT = ROOT / "tests" / "support"


def test_each_odd_document_has_its_row() -> None:
    """No file crashes or hangs the process that decodes them, and each has the result that the docs name."""
    pytest.importorskip("pypdfium2")
    pytest.importorskip("pillow_heif")
    command = [sys.executable, SUPPORT / "odd_documents.py"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env=os.environ)
    assert done.returncode == 0, done.stderr
    found = {name: result for name, result, _ in map(json.loads, done.stdout.splitlines())}
    rows = [line.split(" | ") for line in (ROOT / "docs" / "forms.md").read_text("utf-8").splitlines()]
    documented = {row[0].removeprefix("| "): row[1].removesuffix(" |") for row in rows if len(row) == 2}

    assert len(found) >= 30
    differing = {name: result for name, result in found.items() if not result.startswith(documented.get(name, "none"))}
    assert {name for name in differing if "random" not in name} == set()
