"""The house rules: which room may know which, read from the imports themselves."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "digitwatch"
MODULES = sorted(PACKAGE.rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    """Yield the full names of all modules that a file imports, also inside functions."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room(path: Path) -> str:
    """Give the room that a module lies in, "" for the hall."""
    return path.relative_to(PACKAGE).parent.as_posix().strip(".")


@pytest.mark.parametrize(
    ("inside", "forbidden"),
    [
        ("reading", ("digitwatch.spool", "digitwatch.training", "digitwatch.config", "digitwatch.work", "yaml")),
        ("spool", ("digitwatch.reading", "digitwatch.training", "digitwatch.config", "cv2", "numpy")),
        ("training", ("digitwatch.spool", "digitwatch.config", "digitwatch.daemon", "digitwatch.work")),
    ],
)
def test_rooms_do_not_know_each_other(inside: str, forbidden: tuple[str, ...]) -> None:
    """reading and spool are strangers, and neither knows training, settings or the hall."""
    found = [(p.name, name) for p in MODULES if room(p) == inside for name in imports(p) if name.startswith(forbidden)]

    assert found == []


def test_tensorflow_stays_in_its_room() -> None:
    """Only training imports TensorFlow; provision may ask whether it is there."""
    heavy = ("tensorflow", "keras")
    found = {p.name for p in MODULES if room(p) != "training" for name in imports(p) if name.startswith(heavy)}

    assert found <= {"provision.py"}


def test_the_page_stays_in_its_room() -> None:
    """Only web imports the parts of the extra `web`: without it, everything else works."""
    parts = ("starlette", "uvicorn", "jinja2", "markupsafe")
    found = {p.name for p in MODULES if room(p) != "web" for name in imports(p) if name.startswith(parts)}

    assert found == set()


def test_only_commands_sees_the_settings() -> None:
    """Everyone else is handed the few values that it needs."""
    found = {p.name for p in MODULES for name in imports(p) if name.startswith("digitwatch.config")}

    assert found == {"cli.py", "commands.py", "provision.py", "serving.py"}


def test_pyplot_is_never_imported() -> None:
    """Its figures leak in a program that runs for a year."""
    assert not [p for p in MODULES for name in imports(p) if name.startswith("matplotlib.pyplot")]


def test_every_module_says_what_it_is() -> None:
    """The tree is the map: each module has a docstring of one sentence or more."""
    assert [p for p in MODULES if not ast.get_docstring(ast.parse(p.read_text()))] == []
