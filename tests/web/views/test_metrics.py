"""The metrics: what waits in the inbox, and how far each sink is behind."""

from pathlib import Path

from visitor import site, visiting

from digitwatch.sinks.lag import Lag
from digitwatch.spool.ignored_names import IgnoredNames


def test_only_scans_are_counted_as_waiting(tmp_path: Path) -> None:
    """Files of a NAS or a desktop, and those that `ignore` names, are none."""
    settings = site(tmp_path, ignored=IgnoredNames(["*.bak"]))
    for name in ("a.png", "Thumbs.db", "desktop.ini", "a.png:Zone.Identifier", "b.bak", ".b.png"):
        (tmp_path / "inbox" / name).touch()
    with visiting(settings) as page:
        lines = page.get("/metrics").text.splitlines()

    assert "digitwatch_waiting 1" in lines


def test_each_sink_has_its_lag(tmp_path: Path) -> None:
    """Waiting events and their age, what was delivered and refused, and whether tries fail."""
    lag = Lag("web", True, waiting=3, seconds=2.54, delivered=7, refused=1, tries=2, error="down")
    with visiting(site(tmp_path, sinks=lambda: [lag])) as page:
        lines = page.get("/metrics").text.splitlines()

    assert [line for line in lines if line.startswith("digitwatch_sink")] == [
        'digitwatch_sink_waiting{sink="web"} 3',
        'digitwatch_sink_oldest_waiting_seconds{sink="web"} 2.5',
        'digitwatch_sink_failing{sink="web"} 1',
        'digitwatch_sink_delivered_total{sink="web"} 7',
        'digitwatch_sink_refused_total{sink="web"} 1',
    ]


def test_metrics_carry_the_profile(tmp_path: Path) -> None:
    """Each value has the label, and the page the name; without profiles there is none."""
    with visiting(site(tmp_path, profile="meters", sinks=lambda: [Lag("web", True, waiting=3)])) as page:
        lines, html = page.get("/metrics").text.splitlines(), page.get("/").text

    assert 'digitwatch_waiting{profile="meters"} 0' in lines
    assert 'digitwatch_sink_waiting{profile="meters",sink="web"} 3' in lines
    assert [line for line in lines if not line.startswith("#") and 'profile="meters"' not in line] == []
    assert "digitwatch: meters" in html
