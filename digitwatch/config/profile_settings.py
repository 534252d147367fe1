"""Several profiles in one config.yaml: which keys are whose, and that no two share a place."""

import itertools
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")

OF_ALL = ("workers", "limits", "log_level")
"""Keys at the top of the file that count for all profiles."""

PLACES = ("inbox", "outbox", "archive", "failed", "taught", "predictions", "corrections")
"""Keys that each profile has for itself, with a default below a folder of its name."""

OWN = (*PLACES, "rotated_logs", "series", "sinks", "web")
"""Keys that each profile has for itself; all others at the top are defaults of the profiles."""

FILES = ("predictions", "corrections")
FOLDERS = ("inbox", "outbox", "archive", "failed", "taught", "rotated_logs")


class Section(Protocol):
    """The settings of one profile."""

    @property
    def profile(self) -> str:
        """Its name."""


def split(raw: Mapping[str, Any]) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Return the keys of each profile by its name, with those that it has from the top, and what is wrong with them."""
    sections = raw["profiles"]
    if not isinstance(sections, dict) or not sections:
        return {}, [f"profiles: expected sections by their names, such as meters: {{inbox: …}}, found {sections!r}"]
    problems = [f"{key}: expected in each of the profiles, found at the top of the file" for key in OWN if key in raw]
    top = {key: value for key, value in raw.items() if key not in (*OWN, "profiles")}
    found: dict[str, dict[str, Any]] = {}
    for name, section in sections.items():
        if not isinstance(name, str) or not NAME.fullmatch(name):
            problems.append(f"profiles: expected a name of a-z, 0-9, - and _, found {name!r}")
        elif not isinstance(section, dict | None):
            problems.append(f"profiles.{name}: expected a section with keys, found {section!r}")
        else:
            given = {str(key): value for key, value in (section or {}).items()}
            problems += [
                f"profiles.{name}.{key}: expected at the top of the file, since it counts for all profiles"
                for key in OF_ALL
                if key in given
            ]
            found[name] = top | {key: value for key, value in given.items() if key not in OF_ALL}
    return found, problems


def default(name: str, path: Path) -> Path:
    """Return the default of one of PLACES in a profile, from that of a file without profiles."""
    return path.parent / name / path.name


def shared_places(profiles: Sequence[Section]) -> Iterator[str]:
    """Yield a sentence for each place of a profile that is also one of another, or lies in one, or holds one."""
    for first, second in itertools.combinations(profiles, 2):
        folders = _paths(first, FOLDERS), _paths(second, FOLDERS)
        files = _paths(first, FILES), _paths(second, FILES)
        yield from _conflicts(first, second, folders[0], folders[1], _nested)
        yield from _conflicts(first, second, folders[0], files[1], lambda a, b: b.is_relative_to(a))
        yield from _conflicts(first, second, files[0], folders[1], lambda a, b: a.is_relative_to(b))
        yield from _conflicts(first, second, files[0], files[1], lambda a, b: a.parent == b.parent)
        listen = first.web.listen, second.web.listen  # type: ignore[attr-defined]
        if listen[0] is not None and listen[0] == listen[1]:
            yield f"profiles.{second.profile}.web.listen: expected an address of its own, found that of {first.profile}"


def _paths(profile: Section, keys: Sequence[str]) -> dict[str, Path]:
    found = {key: getattr(profile, key) for key in keys}
    return {key: Path(os.path.realpath(path)) for key, path in found.items() if path is not None}


def _nested(one: Path, other: Path) -> bool:
    return one.is_relative_to(other) or other.is_relative_to(one)


def _conflicts(
    first: Section, second: Section, ours: Mapping[str, Path], theirs: Mapping[str, Path], meet: Any
) -> Iterator[str]:
    for (one, here), (other, there) in itertools.product(ours.items(), theirs.items()):
        if meet(here, there):
            yield (
                f"profiles.{second.profile}.{other}: expected a place apart from those of other profiles, and a folder "
                f"of its own for each log, found {there}; profiles.{first.profile}.{one} is {here}"
            )
