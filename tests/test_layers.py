"""The layers of the architecture, read from the imports: dependencies point downwards only."""

import ast
import functools
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "digitwatch"
MODULES = sorted(PACKAGE.rglob("*.py"))

LAYERS = (
    {"recognition", "config", "system", "spool"},
    {"forms", "models", "workers", "corrections", "series", "sinks", "training"},
    {"service", "web"},
    {"diagnostics"},
    {"cli"},
)
"""Packages from the bottom to the top; each imports only from its own layer and from those below."""


@functools.cache
def tree(path: Path) -> ast.Module:
    """Return the syntax tree of a module."""
    return ast.parse(path.read_text())


@functools.cache
def imports(path: Path) -> list[str]:
    """Return the full names of all modules that a file imports, also inside functions."""
    names: list[str] = []
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def package(path: Path) -> str:
    """Return the top-level package that a module belongs to, "" for digitwatch itself."""
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else ""


@functools.cache
def dependencies() -> dict[str, set[str]]:
    """Return for each top-level package the others that it imports from."""
    found: dict[str, set[str]] = {}
    for path in MODULES:
        own = package(path)
        used = {name.split(".")[1] for name in imports(path) if name.startswith("digitwatch.")}
        found.setdefault(own, set()).update(used & PACKAGES - {own})
    return found


PACKAGES = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}


def test_every_package_has_a_layer() -> None:
    """A new package is put into LAYERS first."""
    assert set().union(*LAYERS) >= PACKAGES


@pytest.mark.parametrize("upper", range(1, len(LAYERS)))
def test_dependencies_point_downwards(upper: int) -> None:
    """No package imports from a layer above its own."""
    above = set().union(*LAYERS[upper:])
    below = set().union(*LAYERS[:upper])

    assert {(own, other) for own in below & PACKAGES for other in dependencies()[own] & above} == set()


@pytest.mark.parametrize("own", sorted(LAYERS[0]))
def test_the_lowest_packages_stand_alone(own: str) -> None:
    """recognition, spool, config and system know neither each other nor anything else."""
    assert dependencies()[own] == set()


def test_the_exceptions_stand_alone() -> None:
    """Every package may import digitwatch.errors, since it imports nothing of digitwatch."""
    assert [name for name in imports(PACKAGE / "errors.py") if name.startswith("digitwatch")] == []


def test_no_cycle() -> None:
    """Between packages there is no cycle of imports."""
    left = {own: used - {own} for own, used in dependencies().items() if own}
    while free := [own for own, used in left.items() if not used & left.keys()]:
        for own in free:
            del left[own]

    assert left == {}


def test_spool_knows_nothing_of_images() -> None:
    """Files are bytes to it."""
    found = [(p.name, name) for p in MODULES if package(p) == "spool" for name in imports(p)]

    assert [pair for pair in found if pair[1].startswith(("cv2", "numpy", "PIL"))] == []


def test_only_training_imports_tensorflow() -> None:
    """Whether TensorFlow is installed is asked elsewhere without loading it."""
    heavy = ("tensorflow", "keras")
    found = {p.name for p in MODULES if package(p) != "training" for name in imports(p) if name.startswith(heavy)}

    assert found == set()


def test_optional_packages_are_imported_in_one_module() -> None:
    """Without the extras `mqtt`, `parquet` and `ray` all other things work: each is imported where it is used."""
    extras = ("paho", "pyarrow", "ray")
    found = {p.name for p in MODULES for name in imports(p) if name.split(".")[0] in extras}

    assert found <= {"mqtt.py", "export_files.py", "ray_pool.py"}


def test_only_web_imports_its_extra() -> None:
    """Without the extra `web` everything else works."""
    extra = ("starlette", "uvicorn", "jinja2", "markupsafe")
    found = {p.name for p in MODULES if package(p) != "web" for name in imports(p) if name.startswith(extra)}

    assert found == set()


def test_only_the_command_line_reads_the_settings() -> None:
    """Everything below `cli` is handed the values that it needs; provisioning takes the section `training`."""
    found = {package(p) for p in MODULES for name in imports(p) if name.startswith("digitwatch.config.settings")}

    assert found <= {"cli", "config", "models"}


def test_argparse_stays_in_the_command_line() -> None:
    """No other package knows how arguments are given; one view runs as a process of its own and reads sys.argv."""
    assert {package(p) for p in MODULES if "argparse" in imports(p)} <= {"cli"}


def test_pyplot_is_never_imported() -> None:
    """Its figures leak in a program that runs for a year."""
    assert not [p for p in MODULES for name in imports(p) if name.startswith("matplotlib.pyplot")]


def test_every_module_says_what_it_is() -> None:
    """Each module has a docstring of one sentence or more."""
    assert [p for p in MODULES if not ast.get_docstring(tree(p))] == []
