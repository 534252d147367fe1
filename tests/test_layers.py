"""The house rules: which room may know which, read from the imports themselves."""

import ast
import functools
from collections import Counter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "digitwatch"
MODULES = sorted(PACKAGE.rglob("*.py"))


@functools.cache
def tree(path: Path) -> ast.Module:
    """Give what a file says."""
    return ast.parse(path.read_text())


@functools.cache
def imports(path: Path) -> list[str]:
    """Give the full names of all modules that a file imports, also inside functions."""
    names: list[str] = []
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def room(path: Path) -> str:
    """Give the room that a module lies in, "" for the hall."""
    return path.relative_to(PACKAGE).parent.as_posix().strip(".")


ROOMS = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
HALL = {f"digitwatch.{path.stem}" for path in PACKAGE.glob("*.py") if path.stem != "__init__"}
MAY_KNOW = {
    "reading": {"reading", "models"},
    "spool": {"spool"},
    "training": {"training", "reading", "models"},
    "models": set(),
}
"""The rooms that each room may import from; from the hall none of these imports anything."""


@pytest.mark.parametrize("inside", MAY_KNOW)
def test_rooms_do_not_know_each_other(inside: str) -> None:
    """reading and spool are strangers, and neither knows training, settings or any module of the hall."""
    strange = HALL | {f"digitwatch.{room}" for room in ROOMS - MAY_KNOW[inside]}
    inner = [(p.name, name) for p in MODULES if room(p) == inside for name in imports(p)]

    assert [pair for pair in inner if any(pair[1] == name or pair[1].startswith(f"{name}.") for name in strange)] == []


def test_every_room_has_its_rule() -> None:
    """checks and web join the rooms as the hall does; every other one is listed above."""
    assert {"checks", "web"} == ROOMS - MAY_KNOW.keys()


def test_spool_knows_nothing_of_images() -> None:
    """Files are bytes to it."""
    found = [(p.name, name) for p in MODULES if room(p) == "spool" for name in imports(p)]

    assert [pair for pair in found if pair[1].startswith(("cv2", "numpy", "PIL"))] == []


def test_no_two_modules_share_a_name() -> None:
    """A name said aloud means one file."""
    names = Counter(path.stem for path in MODULES if path.stem != "__init__")

    assert [name for name, number in names.items() if number > 1] == []


def test_tensorflow_stays_in_its_room() -> None:
    """Only training imports TensorFlow; whether it is there is asked without loading it."""
    heavy = ("tensorflow", "keras")
    found = {p.name for p in MODULES if room(p) != "training" for name in imports(p) if name.startswith(heavy)}

    assert found == set()


def test_the_page_stays_in_its_room() -> None:
    """Only web imports the parts of the extra `web`: without it, everything else works."""
    parts = ("starlette", "uvicorn", "jinja2", "markupsafe")
    found = {p.name for p in MODULES if room(p) != "web" for name in imports(p) if name.startswith(parts)}

    assert found == set()


def test_only_commands_sees_the_settings() -> None:
    """Everyone else is handed the few values that it needs."""
    found = {p.name for p in MODULES for name in imports(p) if name.startswith("digitwatch.config")}

    assert found == {"cli.py", "commands.py", "provision.py", "schooling.py", "serving.py"}


def test_pyplot_is_never_imported() -> None:
    """Its figures leak in a program that runs for a year."""
    assert not [p for p in MODULES for name in imports(p) if name.startswith("matplotlib.pyplot")]


def test_every_module_says_what_it_is() -> None:
    """The tree is the map: each module has a docstring of one sentence or more."""
    assert [p for p in MODULES if not ast.get_docstring(tree(p))] == []
