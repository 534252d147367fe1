"""The tree of exceptions: each kind has one exit code, and the drawing in its module is complete."""

import ast
import importlib
import re
from pathlib import Path

import pytest

from digitwatch import errors
from digitwatch.errors import (
    ConfigurationError,
    DigitwatchError,
    ExitCode,
    InputError,
    TransientError,
    UsageError,
    advice,
    exit_code,
)

PACKAGE = Path(errors.__file__).parent
TREE = re.findall(r"── (\w+) +(?:(\d+) |([\w.]+)$)", errors.__doc__ or "", re.MULTILINE)
"""The lines of the drawing: class, then its exit code or its module."""


def defined() -> set[str]:
    """Return the names of all exception classes below digitwatch."""
    trees = (ast.parse(path.read_text()) for path in PACKAGE.rglob("*.py"))
    classes = (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.bases)
    return {node.name for node in classes if ast.unparse(node.bases[-1]).endswith(("Error", "Exception"))}


def test_the_drawing_is_complete() -> None:
    """Every exception class stands in the docstring of digitwatch.errors, and nothing else does."""
    assert {name for name, _, _ in TREE} == defined() | {"OSError"}


@pytest.mark.parametrize(("name", "code"), [(name, int(code)) for name, code, _ in TREE if code])
def test_each_kind_ends_with_its_code(name: str, code: int) -> None:
    """The code in the drawing is the one of the class."""
    kind = getattr(errors, name, OSError)

    assert exit_code(kind("x")) == code


def test_each_class_has_the_code_of_the_branch_that_it_is_drawn_in() -> None:
    """A class below InputError ends a command with 1, and so on; no class of digitwatch lies outside the tree."""
    branch = DigitwatchError
    for name, code, module in TREE:
        if code:
            branch = getattr(errors, name, OSError)
            continue
        pytest.importorskip("starlette") if module.startswith("web") else None
        kind = getattr(importlib.import_module(f"digitwatch.{module}"), name)
        assert issubclass(kind, branch) and getattr(kind, "exit_code", 75) == getattr(branch, "exit_code", 75)


def test_the_codes_are_those_of_the_documentation() -> None:
    """Scripts and the service manager depend on them."""
    kinds = (InputError, UsageError, DigitwatchError, TransientError, ConfigurationError)

    assert [int(code) for code in ExitCode] == [0, 1, 2, 70, 75, 78]
    assert [int(kind.exit_code) for kind in kinds] == [1, 2, 70, 75, 78]


def test_advice_is_added_to_transient_errors_only() -> None:
    """A bad configuration does not become good when the command is run again."""
    for kind, notes in ((OSError, ["again"]), (TransientError, ["again"]), (ConfigurationError, [])):
        with pytest.raises(kind) as caught, advice("again"):
            raise kind("x")
        assert getattr(caught.value, "__notes__", []) == notes
