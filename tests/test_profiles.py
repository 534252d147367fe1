"""Two profiles in one real daemon: their own folders, models and errors, one pool of workers, and kills."""

import contextlib
import csv
import hashlib
import os
import random
import signal
import socket
import sqlite3
import time
import urllib.request
from collections import Counter
from pathlib import Path

import pytest
from accounts import broken, family, tiny
from service import scan, until
from two_profiles import NAMES, TwoProfiles

from digitwatch.cli.main import main

KILLS = 60


def await_rows(service: TwoProfiles, name: str, number: int) -> list[dict[str, str]]:
    """Wait until a profile has so many rows and an empty inbox; return them."""
    profile = service.profile(name)
    until(lambda: len(profile.rows()) >= number and not profile.files("inbox"), f"{number} rows of {name}", 120)
    return profile.rows()


def test_each_profile_has_its_own_folders_model_and_series(tmp_path: Path) -> None:
    """The same picture in both inboxes is read by two models, and only one has a series."""
    series = "model: cnn\nseries: [{file: '{meter}-*.png', never_decreases: true}]"
    with TwoProfiles(tmp_path, calm=series) as service:
        for name in NAMES:
            (tmp_path / name / "inbox" / "a-1.png").write_bytes(scan("7"))
        rows = {name: await_rows(service, name, 1)[0] for name in NAMES}
        assert service.stop() == 0

    assert rows["flood"]["model"].startswith("dense-") and rows["calm"]["model"].startswith("cnn-")
    assert "series" in rows["calm"]["codes"] and "series" not in rows["flood"]["codes"]
    for name, row in rows.items():
        assert row["filed"].startswith(f"{name}/archive/") and (tmp_path / row["filed"]).read_bytes() == scan("7")
        assert (tmp_path / row["annotated"]).is_file()


def test_an_error_of_one_profile_pauses_that_one_only(tmp_path: Path) -> None:
    """Its outbox is gone: its scans wait, also over a kill, and the other profile's are read."""
    with TwoProfiles(tmp_path) as service:
        (tmp_path / "flood" / "outbox").rename(tmp_path / "kept")
        (tmp_path / "flood" / "outbox").write_text("in the way")
        (tmp_path / "flood" / "inbox" / "a.png").write_bytes(tiny(1))
        until(lambda: "paused: " in service.lines(), "the pause")
        (tmp_path / "calm" / "inbox" / "b.png").write_bytes(tiny(2))
        await_rows(service, "calm", 1)
        service.kill()  # the claim of the other profile is left: it is to be read alone
        service.start()
        (tmp_path / "calm" / "inbox" / "c.png").write_bytes(tiny(3))
        await_rows(service, "calm", 2)
        assert "profile flood waits: File exists: " in service.lines()
        assert not service.profile("flood").rows()
        (tmp_path / "flood" / "outbox").unlink()
        (tmp_path / "kept").rename(tmp_path / "flood" / "outbox")
        await_rows(service, "flood", 1)


def test_commands_take_the_profile_that_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where one is needed and none named, the error says which there are; `check` takes all."""
    service = TwoProfiles(tmp_path)
    (tmp_path / "flood" / "failed").mkdir()
    (tmp_path / "flood" / "failed" / "a.png").write_bytes(tiny(1))
    given = ["-c", str(service.config)]
    codes = [main([*given, "retry"]), main([*given, "--profile", "flood", "retry", "--all"])]
    errors = capsys.readouterr().err
    main([*given, "check"])

    assert codes == [2, 0] and "choose one with --profile, of flood, calm" in errors
    assert (tmp_path / "flood" / "inbox" / "a.png").read_bytes() == tiny(1)
    assert [line for line in capsys.readouterr().out.splitlines() if line.startswith("profile ")] == [
        "profile flood:",
        "profile calm:",
    ]


def test_a_profile_without_its_inbox_joins_the_others_later(tmp_path: Path) -> None:
    """Its disk is not mounted at the start: the others are read, and it is tried again; a second daemon has none."""
    service, inbox = TwoProfiles(tmp_path), tmp_path / "flood" / "inbox"
    inbox.rmdir()
    inbox.write_text("in the way")
    with service:
        (tmp_path / "calm" / "inbox" / "a.png").write_bytes(tiny(1))
        await_rows(service, "calm", 1)
        assert "profile flood waits: " in service.lines() and service.lines().count("watching ") == 1
        inbox.unlink()
        inbox.mkdir()
        (inbox / "b.png").write_bytes(tiny(2))
        await_rows(service, "flood", 1)
        second = TwoProfiles(tmp_path)
        second.output = tmp_path / "second.txt"
        second.start(ready=False)
        assert second.process is not None and second.process.wait(30) == 75
        assert "another digitwatch" in second.lines()


@pytest.mark.proof
def test_a_storm_of_kills_over_two_profiles(tmp_path: Path) -> None:
    """60 kills of daemon, worker, fork server or all, while scans come into both inboxes: none lost, none doubled."""
    chance = random.Random(17)
    sent: dict[str, dict[str, str]] = {name: {} for name in NAMES}  # SHA-256 -> the status it must have
    service = TwoProfiles(tmp_path)
    with service:
        for kill in range(KILLS):
            for name, number in zip(NAMES, (12, 2), strict=True):
                for index in range(number):
                    code = kill * 100 + index + (50 if name == "calm" else 0)
                    data = broken(code) if chance.random() < 0.05 else tiny(code)
                    sent[name][hashlib.sha256(data).hexdigest()] = "failed" if data == broken(code) else "read"
                    partial = tmp_path / name / "inbox" / f".{code}"
                    partial.write_bytes(data)
                    partial.rename(tmp_path / name / "inbox" / f"{code}.png")
            time.sleep(chance.uniform(0.2, 1.5))  # the moment of the kill
            _kill(service, chance)
        if service.ended():
            service.start(ready=False)
        for name in NAMES:
            await_rows(service, name, len(sent[name]))
        assert service.stop() == 0
    for name in NAMES:
        _check(tmp_path, name, sent[name])


def _kill(service: TwoProfiles, chance: random.Random) -> None:
    assert service.process is not None
    below = family(service.process.pid)
    what = chance.choices(("daemon", "worker", "fork server", "all"), (5, 4, 1, 2))[0]
    victims = {"worker": below["workers"][:1], "fork server": below["children"], "daemon": []}
    for pid in victims.get(what, below["workers"] + below["children"]):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    if what in ("daemon", "all"):
        service.kill()
        service.start(ready=False)


def _check(base: Path, name: str, sent: dict[str, str]) -> None:
    """Compare what was sent to a profile with its log and its folders."""
    with (base / name / "predictions.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    counted = Counter(row["sha256"] for row in rows)
    lost = [sha256 for sha256 in sent if not counted[sha256]]
    doubled = [sha256 for sha256, number in counted.items() if number > 1]
    filed = [base / row["filed"] for row in rows]
    pictures = {base / row["annotated"] for row in rows if row["annotated"]}
    figures = f"{len(sent)} scans, {len(rows)} rows, {len(pictures)} pictures, {len(lost)} lost, {len(doubled)} doubled"
    print(f"\n{name}: {figures}")

    assert (lost, doubled, set(counted) - set(sent)) == ([], [], set())
    assert {row["sha256"]: "failed" if row["status"] == "failed" else "read" for row in rows} == sent
    assert [hashlib.sha256(path.read_bytes()).hexdigest() for path in filed] == [row["sha256"] for row in rows]
    assert pictures == {path for path in (base / name / "outbox").rglob("*") if path.is_file()}
    assert not list((base / name / "inbox" / ".digitwatch").iterdir())


def test_each_profile_has_its_own_page_sinks_and_reload(tmp_path: Path) -> None:
    """The page of one carries its name; the sink of the other gets its rows only; SIGHUP reopens both logs."""
    pytest.importorskip("uvicorn")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    sink = "sinks: [{name: table, type: sqlite, path: flood/table.sqlite}]"
    with TwoProfiles(tmp_path, flood=sink, calm=f"web: {{listen: '127.0.0.1:{port}'}}") as service:
        for name in NAMES:
            (tmp_path / name / "inbox" / f"{name}.png").write_bytes(scan("7"))
            await_rows(service, name, 1)
        until(lambda: 'digitwatch_readings_total{profile="calm",status="ok"} 1' in _metrics(port), "the metrics")
        for name in NAMES:
            (tmp_path / name / "predictions.csv").rename(tmp_path / name / "predictions.csv.1")
        service.signal(signal.SIGHUP)
        (tmp_path / "flood" / "inbox" / "later.png").write_bytes(scan("8"))
        await_rows(service, "flood", 1)
        until(lambda: _delivered(tmp_path / "flood" / "table.sqlite") == ["flood.png", "later.png"], "the deliveries")
        assert service.stop() == 0


def _metrics(port: int) -> str:
    with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        return str(answer.read().decode())
    return ""


def _delivered(table: Path) -> list[str]:
    with (
        contextlib.suppress(sqlite3.Error),
        contextlib.closing(sqlite3.connect(f"file:{table}?mode=ro", uri=True)) as db,
    ):
        return [name for (name,) in db.execute("SELECT file FROM readings ORDER BY file")]
    return []
