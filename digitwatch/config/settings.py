"""config.yaml as checked, frozen settings; no other module reads that file."""

import difflib
import logging
import os
from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from digitwatch.config import profile_settings
from digitwatch.config.field_types import Address, FilePath, NamePattern, Size, address, existing_user, is_loopback
from digitwatch.config.series_settings import SeriesSection
from digitwatch.config.sink_settings import PATHS, SECTIONS, SinkSection
from digitwatch.errors import ConfigurationError, UsageError

log = logging.getLogger(__name__)

# A checkout has config.yaml, an example; a copy of it under the first name is not overwritten by an upgrade.
SEARCH_PATH = (Path("config.local.yaml"), Path("config.yaml"), Path("/etc/digitwatch/config.yaml"))
"""Paths of the configuration if -c/--config is not given; the first that exists is used."""

BUNDLED = ("cnn", "dense")
"""The models that may be named without a path."""

FOLDERS = ("inbox", "outbox", "archive", "failed")
FILES = ("predictions", "corrections")
INTERNAL = ("base", "profile")
"""Fields of the settings that are no keys of the file."""


class ConfigError(ConfigurationError):
    """The configuration cannot be used; `problems` holds one sentence for each problem of the file `source`."""

    def __init__(self, source: str, problems: list[str]) -> None:
        """Keep the file's name and all its problems, so that they can be fixed in one go."""
        self.source = source
        self.problems = problems
        lines = [f"{source}: {problem}" for problem in problems]
        super().__init__("\n".join(["the configuration cannot be used", *lines]))


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Limits(_Section):
    """Limits of the cost of one scan, beyond which it fails (section `limits`)."""

    seconds: float = Field(120, ge=1, le=86_400)
    pixels: int = Field(200_000_000, ge=10_000, le=2_000_000_000)
    memory: Size = Field(4_000_000_000, ge=1_000_000_000)


class Training(_Section):
    """How a missing model is trained (section `training`)."""

    architecture: Literal["cnn", "dense"] = "cnn"
    data: FilePath | None = None
    epochs: int | None = Field(None, ge=1, le=1000)
    seed: int = Field(1, ge=0, le=2**31)


class Web(_Section):
    """The web interface (section `web`); off without `listen`."""

    listen: Address | None = None
    token_file: FilePath | None = None
    hosts: list[str] = []
    upload: Size = Field(50_000_000, ge=1)


class Settings(_Section):
    """All keys of config.yaml; paths are absolute once loaded."""

    inbox: FilePath = Path("digitwatch-data/inbox")
    outbox: FilePath = Path("digitwatch-data/outbox")
    archive: FilePath = Path("digitwatch-data/archive")
    failed: FilePath = Path("digitwatch-data/failed")
    predictions: FilePath = Path("digitwatch-data/predictions.csv")
    rotated_logs: FilePath | None = None
    corrections: FilePath = Path("digitwatch-data/corrections.csv")
    taught: FilePath = Path("digitwatch-data/taught")
    watch: Literal["auto", "events", "polling"] = "auto"
    recursive: bool = False
    ignore: list[NamePattern] = []
    settle: float = Field(2.0, ge=0, le=3600)
    rescan: float = Field(30.0, ge=1, le=86_400)
    poll: float = Field(1.0, ge=0.1, le=3600)
    min_free: Size = 200_000_000
    model: Annotated[str, AfterValidator(existing_user)] = Field("cnn", min_length=1)
    forms: FilePath | None = None
    series: list[SeriesSection] = []
    review_below: float | None = Field(None, ge=0, le=1)
    workers: int | None = Field(None, ge=1, le=256)
    limits: Limits = Limits()
    training: Training = Training()
    web: Web = Web()
    sinks: list[SinkSection] = []
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    profile: Annotated[str, Field(exclude=True)] = ""
    """The name of the profile that these settings are of; "" for a configuration without profiles."""

    base: Annotated[Path, Field(exclude=True)] = Path()
    """The folder of config.yaml; relative paths start here, and the paths in the log are relative to it."""


class _UniqueKeyLoader(yaml.SafeLoader):
    """YAML that refuses duplicate keys, of which the plain loader silently keeps the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            line = key_node.start_mark.line + 1
            if not isinstance(key, Hashable):
                raise yaml.MarkedYAMLError(problem=f"expected a key in line {line}, found a list or a section")
            if key in seen:
                raise yaml.MarkedYAMLError(problem=f"duplicate key '{key}' in line {line}")
            seen.add(key)
        return super().construct_mapping(node, deep)


def find(given: Path | None) -> Path | None:
    """Return the configuration file to use: the given one, else the first of SEARCH_PATH that exists, else None."""
    if given is not None:
        return given
    return next((place for place in SEARCH_PATH if place.is_file()), None)


def load(path: Path | None, profile: str = "") -> Settings:
    """Read, check and freeze the settings of one profile.

    Args:
        path: the YAML file, or None for the built-in defaults below the current folder.
        profile: its name, "" for the only one.

    Raises:
        ConfigError: the file is missing or wrong; the error lists all problems.
        UsageError: there is no such profile, or there are several and none is named.
    """
    found = load_profiles(path)
    if len(found) == 1 and not profile:
        return found[0]
    names = [settings.profile for settings in found if settings.profile]
    if profile in names:
        return found[names.index(profile)]
    if not names:
        raise UsageError(f"--profile {profile}: {path or 'the built-in default'} has no profiles")
    what = f"has no profile {profile!r}" if profile else "has several profiles"
    raise UsageError(f"{path} {what}: choose one with --profile, of {', '.join(names)}")


def load_profiles(path: Path | None) -> tuple[Settings, ...]:
    """Read, check and freeze the settings of all profiles; a file without `profiles` is one.

    Args:
        path: the YAML file, or None for the built-in defaults below the current folder.

    Raises:
        ConfigError: the file is missing or wrong; the error lists all problems.
    """
    if path is None:
        return (_absolute(Settings(), Path.cwd()),)
    source = str(path)
    raw = _parse(path, source)
    base = Path(os.path.abspath(path)).parent  # without any `..`
    if "profiles" not in raw:
        settings, sentences = _checked(raw, base)
        found = [settings]
    else:
        found, sentences = _checked_profiles(raw, base)
    if sentences:
        raise ConfigError(source, sentences)
    return tuple(found)


def _checked_profiles(raw: dict[str, Any], base: Path) -> tuple[list[Settings], list[str]]:
    """Return the settings of each profile, and a sentence for each problem; one of the top of the file is said once."""
    sections, sentences = profile_settings.split(raw)
    top = {key: value for key, value in raw.items() if key not in (*profile_settings.OWN, "profiles")}
    problems = _problems(top)
    sentences += [sentence for found in problems.values() for sentence in found]
    profiles = []
    for name, section in sections.items():
        own = {key: value for key, value in section.items() if key not in problems or value is not raw.get(key)}
        settings, found = _checked(own, base, name)
        profiles.append(settings)
        sentences += [f"profiles.{name}.{sentence}" for sentence in found]
    return profiles, [*sentences, *profile_settings.shared_places(profiles)]


def _checked(raw: dict[str, Any], base: Path, profile: str = "") -> tuple[Settings, list[str]]:
    """Return the settings that the keys without a problem give, and a sentence for each problem."""
    problems = _problems(raw)
    valid = {key: value for key, value in raw.items() if key not in problems}
    settings = Settings(**valid)
    if profile:
        places = {
            key: profile_settings.default(profile, getattr(settings, key))
            for key in profile_settings.PLACES
            if key not in raw
        }
        settings = settings.model_copy(update=places | {"profile": profile})
    settings = _absolute(settings, base)
    sentences = [sentence for found in problems.values() for sentence in found]
    return settings, [*sentences, *_unknown_model(settings), *dangers(settings)]


def _parse(path: Path, source: str) -> dict[str, Any]:
    try:
        raw = yaml.load(path.read_text("utf-8"), Loader=_UniqueKeyLoader)
    except OSError as error:
        raise ConfigError(source, [f"cannot be read: {error.strerror}"]) from error
    except UnicodeDecodeError as error:
        raise ConfigError(source, [f"is not UTF-8 text: {error}; save it as UTF-8"]) from error
    except yaml.YAMLError as error:
        raise ConfigError(source, [f"is not valid YAML: {' '.join(str(error).split())}"]) from error
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        raise ConfigError(source, [f"expected lines like 'inbox: folder', found {type(raw).__name__}"])
    return {str(key): value for key, value in raw.items()}


def _problems(raw: dict[str, Any]) -> dict[str, list[str]]:
    """Return a sentence for each problem, by the top-level key that it belongs to."""
    problems: dict[str, list[str]] = {}
    problems |= {key: [_unknown((key,))] for key in INTERNAL if key in raw}
    try:
        Settings(**{key: value for key, value in raw.items() if key not in INTERNAL})
    except ValidationError as error:
        for problem in error.errors():
            problems.setdefault(str(problem["loc"][0]), []).append(_sentence(problem))
    return problems


def _sentence(problem: Any) -> str:
    """Return one pydantic error as: dotted path, what was expected, what was found."""
    location = tuple(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return _unknown(location)
    if problem["type"].startswith("union_tag"):
        kinds = ", ".join(SECTIONS)
        return f"{_shown(location)}.type: expected one of {kinds}, found {problem['ctx'].get('tag', 'none')}"
    expected = problem["msg"].removeprefix("Value error, ").replace("Input should be", "expected")
    if problem["type"] == "model_type":
        expected = "expected a section with keys"
    if problem["type"] == "missing":
        return f"{_shown(location)}: expected a value, found none"
    return f"{_shown(location)}: {expected}, found {problem['input']!r}"


def _shown(location: tuple[str, ...]) -> str:
    """Return the path of a key: the kind of a sink, which pydantic puts behind its number, is none."""
    return ".".join(part for number, part in enumerate(location) if not (number == 2 and location[0] == "sinks"))


def _unknown(location: tuple[str, ...]) -> str:
    *parents, key = location
    section: Any = Settings
    if parents[:1] == ["sinks"]:
        section = SECTIONS[parents[2]]
    elif parents[:1] == ["series"]:
        section = SeriesSection
    else:
        for parent in parents:
            section = section.model_fields[parent].annotation
    known = [name for name in section.model_fields if name not in INTERNAL]
    known += ["profiles"] if section is Settings else []
    near = difflib.get_close_matches(key, known, n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"known keys are {', '.join(known)}"
    return f"{_shown(location)}: unknown key; {hint}"


def _unknown_model(settings: Settings) -> Iterator[str]:
    """Yield a sentence where `model` is a bare word that names nothing: a typing error is no order to train."""
    word = settings.model
    if word in BUNDLED or "/" in word or word == "~" or Path(word).suffix in (".tflite", ".keras"):
        return
    if any((settings.base / f"{word}{ending}").exists() for ending in (".tflite", ".json")):
        return
    near = difflib.get_close_matches(word, BUNDLED, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    yield (
        f"model: expected {' or '.join(BUNDLED)} or a path, found {word!r}{hint} (a model that is to be trained at the "
        f"start is named by a path: ./{word})"
    )


def _absolute(settings: Settings, base: Path) -> Settings:
    """Make every path absolute; relative ones start at the folder of config.yaml."""
    paths = {name: Path(os.path.abspath(base / getattr(settings, name))) for name in (*FOLDERS, *FILES, "taught")}
    if settings.rotated_logs is not None:
        paths["rotated_logs"] = Path(os.path.abspath(base / settings.rotated_logs))
    if settings.forms is not None:
        paths["forms"] = Path(os.path.abspath(base / settings.forms))
    training, web = settings.training, settings.web
    if training.data is not None:
        training = training.model_copy(update={"data": base / training.data})
    if web.token_file is not None:
        web = web.model_copy(update={"token_file": base / web.token_file})
    sinks = [
        sink.model_copy(update={key: base / path for key in PATHS if (path := getattr(sink, key, None)) is not None})
        for sink in settings.sinks
    ]
    update = {**paths, "training": training, "web": web, "sinks": sinks, "base": base}
    return settings.model_copy(update=update)


def dangers(settings: Settings) -> Iterator[str]:
    """Yield a sentence for each conflict: overlapping folders, and an open web interface without a token."""
    real = {name: Path(os.path.realpath(getattr(settings, name))) for name in (*FOLDERS, *FILES, "taught")}
    for name in ("outbox", "archive", "failed", "taught", *FILES):
        if real[name].is_relative_to(real["inbox"]):
            yield (
                f"{name}: expected a place outside the inbox ({real['inbox']}), found {real[name]}; "
                "files written there would be read as new scans"
            )
    written = ("outbox", "archive", "failed")
    for first, second in ((a, b) for i, a in enumerate(written) for b in written[i + 1 :]):
        if real[first] == real[second]:
            yield f"{second}: expected a folder of its own, found the same as {first} ({real[first]})"
    for name in FOLDERS:
        for file in FILES:
            if real[file] == real[name]:
                yield f"{file}: expected a file, found the same path as the folder {name}"
    if real["predictions"] == real["corrections"]:
        yield f"corrections: expected a file of its own, found the same as predictions ({real['corrections']})"
    yield from _equal_names([sink.name for sink in settings.sinks])
    if settings.web.listen and not settings.web.token_file and not is_loopback(address(settings.web.listen)[0]):
        yield (
            f"web.listen: expected an address that only this machine reaches, such as 127.0.0.1:8080, or a "
            f"`web.token_file`, found {settings.web.listen}"
        )


def _equal_names(names: list[str]) -> Iterator[str]:
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"sinks: expected different names, found {name!r} twice"


def model_path(settings: Settings) -> Path | str:
    """Return the configured model: a bundled name unchanged, else its path, relative to the folder of config.yaml."""
    if settings.model in BUNDLED:
        return settings.model
    return settings.base / Path(settings.model).expanduser()
