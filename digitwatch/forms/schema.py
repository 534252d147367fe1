"""Templates as people write them: FOLDER/NAME.yaml, checked with all problems at once."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from digitwatch.errors import ConfigurationError

A4_MM = 297.0  # longer side of a page whose size is not given
KEYS = ("example", "blank", "page_mm", "fields", "checks")
FIELD_KEYS = ("name", "box", "digits", "pattern", "list", "min", "max", "optional")
CHECK_KINDS = ("sum", "luhn", "mod11", "mod97")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")

Box = tuple[float, float, float, float]


class FormError(ConfigurationError):
    """Templates cannot be used; `problems` holds one sentence for each problem."""

    def __init__(self, problems: list[str]) -> None:
        """Keep all problems, so that they can be fixed in one go."""
        self.problems = problems
        super().__init__("\n".join(["the form templates cannot be used", *problems]))


@dataclass(frozen=True)
class Field:
    """A field of a form.

    Attributes:
        name: as in the column `field` of the log.
        box: left, top, width and height as shares of the page.
        digits: fewest and most digits; None where any number will do.
        pattern: what the whole text must match; None where anything does.
        known: the texts that are possible; None where all are.
        minimum, maximum: limits of the number.
        optional: whether it may be left empty.
    """

    name: str
    box: Box
    digits: tuple[int, int] | None = None
    pattern: re.Pattern[str] | None = None
    known: frozenset[str] | None = None
    minimum: float | None = None
    maximum: float | None = None
    optional: bool = False


@dataclass(frozen=True)
class Check:
    """A condition on several fields, or on the check digit of one.

    Attributes:
        kind: one of CHECK_KINDS.
        fields: the names of the fields.
        equals: the field with the sum of the others; empty for other kinds.
    """

    kind: str
    fields: tuple[str, ...]
    equals: str = ""


@dataclass(frozen=True)
class Form:
    """A template.

    Attributes:
        name: of its file, without the ending.
        example: picture of a blank or filled page.
        fields: in the order of the file.
        checks: conditions.
        long_mm: millimetres of the page's longer side.
        blank: whether nothing is written on the example: then all its ink is print.
    """

    name: str
    example: Path
    fields: tuple[Field, ...]
    checks: tuple[Check, ...] = ()
    long_mm: float = A4_MM
    blank: bool = False


def load(folder: Path) -> tuple[Form, ...]:
    """Return the templates of a folder, in the order of their names.

    Raises:
        FormError: the folder or a template cannot be used; it lists all problems of all templates.
    """
    problems: list[str] = []
    forms = [_read(path, problems) for path in template_paths(folder)]
    if problems:
        raise FormError(problems)
    return tuple(form for form in forms if form is not None)


def template_paths(folder: Path) -> list[Path]:
    """Return the files of the templates of a folder, in the order of their names.

    Raises:
        FormError: the folder cannot be read, or has none.
    """
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix in (".yaml", ".yml"))
    except OSError as error:
        raise FormError([f"forms: expected a folder with templates, found {folder}: {error.strerror}"]) from error
    if not paths:
        raise FormError([f"forms: expected at least one NAME.yaml in {folder}, found none"])
    return paths


def digest(folder: Path | None) -> str:
    """Return the digest of all files of a folder of templates; empty where there is no folder.

    Raises:
        OSError: a file cannot be read.
    """
    if folder is None:
        return ""
    found = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.is_file():
            found.update(path.name.encode("utf-8", "surrogateescape") + b"\0" + path.read_bytes())
    return found.hexdigest()


def load_one(path: Path) -> Form:
    """Return one template.

    Raises:
        FormError: it cannot be used.
    """
    problems: list[str] = []
    form = _read(path, problems)
    if form is None or problems:
        raise FormError(problems)
    return form


def _read(path: Path, problems: list[str]) -> Form | None:
    """Return the template of a file, or None; what is wrong is added to the problems."""
    try:
        raw = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        problems.append(f"{path}: cannot be read: {' '.join(str(error).split())}")
        return None
    if not isinstance(raw, dict):
        problems.append(f"{path}: expected the keys {', '.join(KEYS)}, found {type(raw).__name__}")
        return None
    before = len(problems)
    parser = _Parser(path, raw)
    form = parser.form()
    problems += [f"{path}: {problem}" for problem in parser.problems]
    return form if len(problems) == before else None


class _Parser:
    """Turns the content of one file into a template, and collects what is wrong."""

    def __init__(self, path: Path, raw: dict[str, Any]) -> None:
        self.problems: list[str] = []
        self._path, self._raw = path, raw

    def form(self) -> Form:
        self._known_keys(self._raw, KEYS, "")
        size = self._page_mm()
        example = self._path.parent / str(self._raw.get("example", ""))
        if not self._raw.get("example"):
            self._say("example: expected the name of a picture beside this file, found nothing")
        elif not example.is_file():
            self._say(f"example: expected a picture beside this file, found no file {example}")
        blank = self._bool(self._raw, "blank", "")
        fields = tuple(self._fields(size))
        checks = tuple(self._checks({field.name for field in fields}))
        return Form(self._path.stem, example, fields, checks, max(size) if size else A4_MM, blank)

    def _say(self, problem: str) -> None:
        self.problems.append(problem)

    def _known_keys(self, raw: dict[Any, Any], known: tuple[str, ...], where: str) -> None:
        for key in raw:
            if key not in known:
                self._say(f"{where}{key}: unknown key; known keys are {', '.join(known)}")

    def _bool(self, raw: dict[str, Any], key: str, where: str) -> bool:
        value = raw.get(key, False)
        if not isinstance(value, bool):
            self._say(f"{where}{key}: expected true or false, found {value!r}")
        return bool(value)

    def _page_mm(self) -> tuple[float, float] | None:
        value = self._raw.get("page_mm")
        if value is None:
            return None
        if not _are_numbers(value, 2) or min(value) <= 0:
            self._say(f"page_mm: expected width and height such as [210, 297], found {value!r}")
            return None
        return float(value[0]), float(value[1])

    def _fields(self, size: tuple[float, float] | None) -> Iterator[Field]:
        raw = self._raw.get("fields")
        if not isinstance(raw, list) or not raw:
            self._say(f"fields: expected a list with at least one field, found {raw!r}")
            return
        seen: set[str] = set()
        for number, each in enumerate(raw, 1):
            if not isinstance(each, dict):
                self._say(f"fields: expected `name` and `box` in field {number}, found {each!r}")
                continue
            name = str(each.get("name", ""))
            where = f"fields.{name or number}."
            if not NAME.fullmatch(name):
                self._say(f"{where}name: expected letters, digits and _ . - , found {each.get('name')!r}")
            if name in seen:
                self._say(f"{where}name: expected a name of its own, found {name!r} twice")
            seen.add(name)
            yield self._field(name, each, where, size)

    def _field(self, name: str, raw: dict[str, Any], where: str, size: tuple[float, float] | None) -> Field:
        self._known_keys(raw, FIELD_KEYS, where)
        for key in ("min", "max"):
            if raw.get(key) is not None and not _are_numbers([raw[key]], 1):
                self._say(f"{where}{key}: expected a number, found {raw[key]!r}")
        return Field(
            name,
            self._box(raw.get("box"), where, size),
            self._digits(raw.get("digits"), where),
            self._pattern(raw.get("pattern"), where),
            self._list(raw.get("list"), where),
            raw.get("min"),
            raw.get("max"),
            self._bool(raw, "optional", where),
        )

    def _box(self, value: Any, where: str, size: tuple[float, float] | None) -> Box:
        if not _are_numbers(value, 4) or min(value[2:]) <= 0:
            self._say(f"{where}box: expected left, top, width and height, found {value!r}")
            return 0.0, 0.0, 1.0, 1.0
        left, top, width, height = map(float, value)
        if size is not None and max(left + width, top + height) > 1:  # in millimetres
            left, top, width, height = left / size[0], top / size[1], width / size[0], height / size[1]
        if min(left, top) < 0 or max(left + width, top + height) > 1 + 1e-9:
            unit = f"the page of {size[0]:g} × {size[1]:g} mm" if size else "the page, whose sides are 1"
            self._say(f"{where}box: expected a box on {unit}, found {value!r}")
        return left, top, width, height

    def _digits(self, value: Any, where: str) -> tuple[int, int] | None:
        if value is None:
            return None
        found = re.fullmatch(r"(\d+)(?:\.\.(\d+))?", str(value))
        low, high = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
        if not 1 <= low <= high:
            self._say(f"{where}digits: expected a number such as 4 or a range such as 2..4, found {value!r}")
            return None
        return low, high

    def _pattern(self, value: Any, where: str) -> re.Pattern[str] | None:
        try:
            return None if value is None else re.compile(str(value))
        except re.error as error:
            self._say(f"{where}pattern: expected a regular expression, found {value!r}: {error}")
            return None

    def _list(self, value: Any, where: str) -> frozenset[str] | None:
        if value is None:
            return None
        try:
            lines = (self._path.parent / str(value)).read_text("utf-8").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            self._say(f"{where}list: expected a text file with one number a line, found {value!r}: {error}")
            return None
        return frozenset(line.strip() for line in lines if line.strip())

    def _checks(self, names: set[str]) -> Iterator[Check]:
        raw = self._raw.get("checks") or []
        if not isinstance(raw, list):
            self._say(f"checks: expected a list, found {raw!r}")
            return
        for number, each in enumerate(raw, 1):
            where = f"checks, number {number}: "
            kinds = [key for key in each if key in CHECK_KINDS] if isinstance(each, dict) else []
            if len(kinds) != 1:
                self._say(f"{where}expected one of {', '.join(CHECK_KINDS)}, found {each!r}")
                continue
            kind = kinds[0]
            self._known_keys(each, (kind, "equals") if kind == "sum" else (kind,), where)
            fields = tuple(map(str, each[kind] if isinstance(each[kind], list) else [each[kind]]))
            equals = str(each.get("equals", ""))
            for name in (*fields, *([equals] if kind == "sum" else [])):
                if name not in names:
                    self._say(f"{where}expected the name of a field, found {name!r}")
            yield Check(kind, fields, equals)


def _are_numbers(value: Any, count: int) -> bool:
    return (
        isinstance(value, list)
        and len(value) == count
        and all(isinstance(each, int | float) and not isinstance(each, bool) for each in value)
    )
