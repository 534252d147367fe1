"""Workers are shared by time, and what was idle neither waits nor takes over."""

from collections import defaultdict

from digitwatch.service.fair_share import FairShare


def run(seconds: dict[str, float], rounds: int, places: int = 2) -> dict[str, float]:
    """Read scans that take so long for each profile, all with a full inbox; return the seconds of each."""
    spent: dict[str, float] = defaultdict(float)
    share = FairShare(spent)
    reading: list[str] = []
    for _ in range(rounds):
        while len(reading) < places:
            reading.append(share.next(seconds))
            share.began(reading[-1])
        done = reading.pop(0)
        spent[done] += seconds[done]
        share.ended(done)
    return spent


def turns(share: FairShare, spent: dict[str, float], names: list[str], number: int) -> list[str]:
    """Read scans of a second each, one after the other; return whose."""
    had = []
    for _ in range(number):
        had.append(share.next(names))
        share.began(had[-1])
        spent[had[-1]] += 1
        share.ended(had[-1])
    return had


def test_full_inboxes_have_the_same_time() -> None:
    """Scans of many pages do not push out small ones: each profile has half of the workers."""
    spent = run({"books": 10.0, "notes": 0.1}, 5000)

    assert 0.9 < spent["books"] / spent["notes"] < 1.1


def test_one_scan_of_an_idle_profile_is_next() -> None:
    """However much the other one has waiting."""
    spent: dict[str, float] = defaultdict(float)
    share = FairShare(spent)
    turns(share, spent, ["flood"], 100)
    share.began("flood")

    assert share.next(["flood", "calm"]) == "calm"


def test_an_idle_profile_saves_up_nothing() -> None:
    """After an hour without a scan its inbox may be full: the others still have their share."""
    spent: dict[str, float] = defaultdict(float)
    share = FairShare(spent)
    turns(share, spent, ["busy"], 3600)
    share.began("busy")
    share.has_none("late")

    assert 4 <= turns(share, spent, ["busy", "late"], 10).count("busy") <= 6
