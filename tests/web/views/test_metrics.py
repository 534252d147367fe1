"""The metrics: what waits in the inbox."""

from pathlib import Path

from visitor import site, visiting

from digitwatch.spool.ignored_names import IgnoredNames


def test_only_scans_are_counted_as_waiting(tmp_path: Path) -> None:
    """Files of a NAS or a desktop, and those that `ignore` names, are none."""
    settings = site(tmp_path, ignored=IgnoredNames(["*.bak"]))
    for name in ("a.png", "Thumbs.db", "desktop.ini", "a.png:Zone.Identifier", "b.bak", ".b.png"):
        (tmp_path / "inbox" / name).touch()
    with visiting(settings) as page:
        lines = page.get("/metrics").text.splitlines()

    assert "digitwatch_waiting 1" in lines
