"""config.yaml: what is accepted, what is refused, and the messages."""

import re
from pathlib import Path

import pytest

from digitwatch.config.settings import (
    INTERNAL,
    ConfigError,
    Limits,
    Settings,
    Training,
    Web,
    _absolute,
    find,
    load,
    load_profiles,
)
from digitwatch.errors import UsageError

SHIPPED = Path(__file__).parents[2] / "config.yaml"


def problems_of(tmp_path: Path, text: str) -> list[str]:
    """Load a configuration that must be refused; return its problems."""
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(path)
    return caught.value.problems


def test_shipped_file_states_the_defaults() -> None:
    """config.yaml says exactly what applies without it."""
    shipped = load(SHIPPED).model_dump(exclude=set(INTERNAL))

    assert _absolute(Settings(), SHIPPED.parent).model_dump(exclude=set(INTERNAL)) == shipped


def test_shipped_file_explains_every_key() -> None:
    """Each key stands in config.yaml with a comment above or behind it."""
    lines = SHIPPED.read_text().splitlines()
    sections = (Settings, Limits, Training, Web)
    for key in [key for section in sections for key in section.model_fields]:
        if key in INTERNAL:
            continue
        number = next(i for i, line in enumerate(lines) if re.match(rf" *{key}:", line))

        assert "#" in lines[number] or lines[number - 1].startswith("#"), key


def test_all_problems_are_reported_together(tmp_path: Path) -> None:
    """Three mistakes give three sentences, each with its dotted path."""
    problems = problems_of(tmp_path, "setle: 3\nlimits: {seconds: soon}\nwatch: often\n")

    assert sorted(p.split(":")[0] for p in problems) == ["limits.seconds", "setle", "watch"]


def test_unknown_key_names_the_nearest_known_one(tmp_path: Path) -> None:
    """A typing mistake is answered with the key that was meant."""
    assert problems_of(tmp_path, "limits: {second: 3}\n") == ["limits.second: unknown key; did you mean 'seconds'?"]


@pytest.mark.parametrize("name", ["outbox", "archive", "failed", "predictions"])
def test_nothing_is_written_inside_the_inbox(tmp_path: Path, name: str) -> None:
    """A folder inside the inbox would be read again for ever, so it is refused."""
    assert problems_of(tmp_path, f"inbox: in\n{name}: in/sub\n")[0].startswith(f"{name}: expected a place outside")


def test_a_symlink_does_not_hide_a_dangerous_folder(tmp_path: Path) -> None:
    """Folders are compared by where they really lie."""
    (tmp_path / "in").mkdir()
    (tmp_path / "elsewhere").symlink_to(tmp_path / "in")

    assert "archive" in problems_of(tmp_path, "inbox: in\narchive: elsewhere\n")[0]


def test_dangerous_folders_are_reported_with_other_mistakes(tmp_path: Path) -> None:
    """A wrong value elsewhere does not hide a dangerous folder."""
    problems = problems_of(tmp_path, "inbox: in\narchive: in\nsettle: fast\n")

    assert len(problems) == 2


def test_two_written_folders_must_differ(tmp_path: Path) -> None:
    """Outbox and archive in one folder would meet each other's names."""
    assert "the same as outbox" in problems_of(tmp_path, "outbox: a\narchive: a\n")[0]


def test_a_key_written_twice_is_refused(tmp_path: Path) -> None:
    """YAML would silently keep the last of two values."""
    assert "duplicate key 'settle' in line 2" in problems_of(tmp_path, "settle: 1\nsettle: 2\n")[0]


@pytest.mark.parametrize("text", ["- a list", "just text", "inbox: [", "\x00"])
def test_what_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    """A file that is not keys and values gives one sentence, not a traceback."""
    assert len(problems_of(tmp_path, text)) == 1


def test_true_is_not_a_number(tmp_path: Path) -> None:
    """YAML's `yes` does not pass for 1 worker."""
    assert problems_of(tmp_path, "workers: yes\n")[0].startswith("workers: expected a valid integer")


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    """A configuration that was asked for must be there."""
    with pytest.raises(ConfigError, match="No such file"):
        load(tmp_path / "absent.yaml")


def test_relative_paths_start_at_the_file(tmp_path: Path) -> None:
    """Folders are counted from config.yaml, wherever the program was started."""
    (tmp_path / "config.yaml").write_text("inbox: scans\narchive: /srv/archive\n")
    settings = load(tmp_path / "config.yaml")

    assert settings.inbox == tmp_path / "scans"
    assert settings.archive == Path("/srv/archive")


def test_a_file_reached_by_a_detour_has_its_folders_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`-c ../b/config.yaml` is the same file as the one with the straight path, and so are its folders."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    (tmp_path / "b" / "config.yaml").write_text("inbox: scans\n")
    monkeypatch.chdir(tmp_path / "a")
    settings = load(Path("../b/config.yaml"))

    assert settings.inbox == tmp_path / "b" / "scans" and settings.inbox.is_relative_to(settings.base)


def test_sizes_may_have_units(tmp_path: Path) -> None:
    """200 MB is understood as people write it."""
    (tmp_path / "config.yaml").write_text("min_free: 1.5 GB\n")

    assert load(tmp_path / "config.yaml").min_free == 1_500_000_000


def test_empty_file_means_the_defaults(tmp_path: Path) -> None:
    """Every key may be left out."""
    (tmp_path / "config.yaml").write_text("# nothing\n")

    assert load(tmp_path / "config.yaml").settle == 2.0


@pytest.mark.parametrize("line", ["inbox: ~nosuchuser/x", "model: ~nosuchuser/x", "[1, 2]: x", "inbox: 3", "inbox: ''"])
def test_unusable_values_are_messages_not_tracebacks(tmp_path: Path, line: str) -> None:
    """An unusable value is a message about the configuration, never a traceback."""
    assert "expected" in problems_of(tmp_path, line + "\n")[0]


def test_a_size_is_explained(tmp_path: Path) -> None:
    """A unit that does not exist is answered with an example."""
    assert "a text such as \"200 MB\", found '5 XB'" in problems_of(tmp_path, "min_free: 5 XB\n")[0]


@pytest.mark.parametrize("pattern", ["'*'", "''", "sub/*.png", "'*.*/'", "7"])
def test_a_pattern_that_is_no_name_or_any_is_refused(tmp_path: Path, pattern: str) -> None:
    """Names are compared one by one, and a pattern that every name matches would stop all reading."""
    [problem] = problems_of(tmp_path, f"ignore: ['*.bak', {pattern}]\n")

    assert problem.startswith("ignore.1: expected")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{name: a, type: fax}", "sinks.0.type: expected one of command, webhook, sqlite, mqtt, found fax"),
        ("{name: a, type: webhook, url: 'ftp://x'}", "sinks.0.url: expected a URL such as https://example.org"),
        ("{name: a, type: webhook, url: 'http://x', secret: s}", "sinks.0.secret: unknown key; did you mean"),
        ("{name: a, type: sqlite}", "sinks.0.path: expected a value, found none"),
        ("{name: a, type: mqtt, host: h, topic: 'a/#'}", "sinks.0.topic: expected an MQTT topic"),
        ("{name: A B, type: command, command: [x]}", "sinks.0.name: "),
    ],
)
def test_a_wrong_sink_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    """The sentence names the number of the sink and its key."""
    [problem] = problems_of(tmp_path, f"sinks: [{text}]\n")

    assert problem.startswith(sentence)


def test_sinks_have_different_names(tmp_path: Path) -> None:
    """The name stands for the place up to which a sink has what the log holds."""
    sink = "{name: a, type: command, command: [x]}"

    assert problems_of(tmp_path, f"sinks: [{sink}, {sink}]\n") == ["sinks: expected different names, found 'a' twice"]


PROFILES = """
settle: 1.5
model: dense
workers: 3
profiles:
  meters:
    review_below: 0.5
    series: [{file: "{meter}.png", never_decreases: true}]
  bills:
    inbox: scans
    model: cnn
"""


def test_profiles_have_their_own_folders_and_the_keys_of_the_top(tmp_path: Path) -> None:
    """Each is complete settings; a plain file is one profile without a name."""
    (tmp_path / "config.yaml").write_text(PROFILES)
    meters, bills = load_profiles(tmp_path / "config.yaml")

    assert [(each.profile, each.settle, each.workers, each.model) for each in (meters, bills)] == [
        ("meters", 1.5, 3, "dense"),
        ("bills", 1.5, 3, "cnn"),
    ]
    assert (meters.inbox, bills.inbox) == (tmp_path / "digitwatch-data/meters/inbox", tmp_path / "scans")
    assert meters.predictions == tmp_path / "digitwatch-data/meters/predictions.csv"
    assert [each.profile for each in load_profiles(None)] == [""]


def test_one_of_several_profiles_is_named(tmp_path: Path) -> None:
    """A command that works on one profile says which there are."""
    path = tmp_path / "config.yaml"
    path.write_text(PROFILES)

    assert load(path, "bills").inbox == tmp_path / "scans"
    with pytest.raises(UsageError, match="has several profiles: choose one with --profile, of meters, bills"):
        load(path)
    with pytest.raises(UsageError, match="has no profile 'x': choose one with --profile, of meters, bills"):
        load(path, "x")
    with pytest.raises(UsageError, match="has no profiles"):
        load(None, "x")


def test_all_problems_of_profiles_are_reported_together(tmp_path: Path) -> None:
    """With their dotted paths, those of the top once."""
    text = "setle: 1\ninbox: in\nprofiles:\n  a: {workers: 2, rescan: soon}\n  B: {}\n  c: 3\n  d: {model: cn}\n"

    assert sorted(problem.partition(": ")[0] for problem in problems_of(tmp_path, text)) == [
        "inbox",
        "profiles",
        "profiles.a.rescan",
        "profiles.a.workers",
        "profiles.c",
        "profiles.d.model",
        "setle",
    ]


@pytest.mark.parametrize("text", ["profiles: 3", "profiles: {}", "profiles: [a]", "profiles:"])
def test_profiles_are_sections_by_name(tmp_path: Path, text: str) -> None:
    """Any other form is one sentence."""
    [problem] = problems_of(tmp_path, text)

    assert problem.startswith("profiles: expected sections by their names")


@pytest.mark.parametrize(
    ("one", "other", "keys"),
    [
        ("inbox: in", "inbox: in", ["inbox"]),
        ("inbox: in", "inbox: in/deeper", ["inbox"]),
        ("archive: x", "inbox: x/y", ["inbox"]),
        ("inbox: in", "predictions: in/p.csv", ["predictions"]),
        ("predictions: logs/a.csv", "predictions: logs/b.csv", ["predictions"]),
        ("outbox: o", "outbox: link", ["outbox"]),
        ("archive: x, failed: y", "archive: y, failed: x", ["archive", "failed"]),
        ("web: {listen: '127.0.0.1:1'}", "web: {listen: '127.0.0.1:1'}", ["web.listen"]),
        ("sinks: [], archive: x", "archive: xy", []),
    ],
)
def test_no_two_profiles_share_a_place(tmp_path: Path, one: str, other: str, keys: list[str]) -> None:
    """Neither the same folder nor one in the other, by where they really lie."""
    (tmp_path / "o").mkdir()
    (tmp_path / "link").symlink_to("o")
    text = f"profiles:\n  a: {{{one}}}\n  b: {{{other}}}\n"
    if not keys:
        (tmp_path / "config.yaml").write_text(text)
        assert len(load_profiles(tmp_path / "config.yaml")) == 2
        return

    found = sorted(problem.partition(": ")[0] for problem in problems_of(tmp_path, text))
    assert found == [f"profiles.b.{key}" for key in keys]


def test_a_local_copy_is_found_before_the_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a checkout both exist: config.yaml is the example that an upgrade replaces."""
    monkeypatch.chdir(tmp_path)
    for name in ("config.yaml", "config.local.yaml"):
        Path(name).write_text("{}\n")

    assert find(None) == Path("config.local.yaml")
    assert find(Path("config.yaml")) == Path("config.yaml")
