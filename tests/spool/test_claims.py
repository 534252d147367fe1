"""Claims: taken whole, given back, found again, each with an id of its own."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from digitwatch.spool import claims
from digitwatch.spool.claims import CLAIMED, ID, Claim


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    """Return an inbox with one scan in it."""
    inbox = tmp_path / "inbox"
    (inbox / CLAIMED).mkdir(parents=True)
    (inbox / "a.png").write_bytes(b"a")
    return inbox


def test_claim_moves_the_scan_under_its_id(inbox: Path) -> None:
    """A claimed scan lies in inbox/.digitwatch/ID/NAME and no longer in the inbox."""
    claim = claims.claim(inbox, "a.png")

    assert claim.path == inbox / CLAIMED / claim.id / "a.png"
    assert claim.path.read_bytes() == b"a"
    assert not (inbox / "a.png").exists()


def test_claim_of_a_vanished_scan_leaves_nothing(inbox: Path) -> None:
    """A scan that its owner took back raises, and no empty folder stays."""
    with pytest.raises(FileNotFoundError):
        claims.claim(inbox, "gone.png")

    assert list((inbox / CLAIMED).iterdir()) == []


def test_the_day_of_a_claim_never_changes() -> None:
    """Work repeated after midnight writes into the folder of the first attempt."""
    scan = claims.new_id(datetime(2026, 11, 22, 23, 59, 59, 999_000, UTC))

    assert Claim(scan, "a.png", Path("a.png")).day == "2026-11-22"


def test_a_second_daemon_is_refused(inbox: Path) -> None:
    """The lock of an inbox is given once."""
    handle = claims.lock_inbox(inbox)

    with pytest.raises(claims.AlreadyRunningError, match="another digitwatch"):
        claims.lock_inbox(inbox)
    os.close(handle)


def test_give_back_returns_the_scan_to_the_inbox(inbox: Path) -> None:
    """An unread scan is back under its name, and its claim is gone."""
    claim = claims.claim(inbox, "a.png")

    assert claims.give_back(inbox, claim)
    assert (inbox / "a.png").read_bytes() == b"a"
    assert list((inbox / CLAIMED).iterdir()) == []


def test_give_back_never_replaces_a_newer_scan(inbox: Path) -> None:
    """When the name is used again, the claimed scan stays claimed."""
    claim = claims.claim(inbox, "a.png")
    (inbox / "a.png").write_bytes(b"newer")

    assert not claims.give_back(inbox, claim)
    assert (inbox / "a.png").read_bytes() == b"newer"
    assert claim.path.read_bytes() == b"a"


def test_left_claims_are_found_in_order(inbox: Path) -> None:
    """What an earlier run claimed is found again, oldest first; empty folders are tidied away."""
    for scan in ("20261122T000002.000Z-00000000", "20261122T000001.000Z-00000000"):
        (inbox / CLAIMED / scan / "sub").mkdir(parents=True)
        (inbox / CLAIMED / scan / "sub" / "x.png").touch()
    (inbox / CLAIMED / "20261122T0").mkdir()

    (inbox / CLAIMED / "20261122T000000.000Z-00000000").mkdir()

    left = list(claims.left_claimed(inbox))

    assert [(claim.id[8:15], claim.name) for claim in left] == [("T000001", "sub/x.png"), ("T000002", "sub/x.png")]
    assert not (inbox / CLAIMED / "20261122T000000.000Z-00000000").exists()


def test_every_left_file_has_an_id_of_its_own(inbox: Path) -> None:
    """Foreign files among the claims are claimed again: two scans never share an id."""
    for folder in ("20261122T000001.000Z-00000000", "by-hand"):
        (inbox / CLAIMED / folder).mkdir()
        for name in ("a.png", "b.png"):
            (inbox / CLAIMED / folder / name).write_bytes(b"x")

    left = list(claims.left_claimed(inbox))

    assert len({claim.id for claim in left}) == 4
    assert all(ID.fullmatch(claim.id) and claim.path.exists() for claim in left)


def test_a_link_that_took_the_name_is_not_followed(inbox: Path) -> None:
    """A name that became a link between the check and the claim is returned unchanged."""
    (inbox / "a.png").unlink()
    (inbox / "a.png").symlink_to("/etc/passwd")

    with pytest.raises(FileNotFoundError):
        claims.claim(inbox, "a.png")
    assert (inbox / "a.png").is_symlink()


@pytest.mark.parametrize("depth", [1, 2])
def test_a_sub_folder_exchanged_for_a_link_is_not_entered(inbox: Path, depth: int) -> None:
    """A scan is taken from a real folder of the inbox only; where the link leads nothing is taken."""
    elsewhere = inbox.parent / "elsewhere"
    (elsewhere / "sub").mkdir(parents=True)
    for folder in (elsewhere, elsewhere / "sub"):
        (folder / "log.csv").write_text("keep")
    (inbox / "sub").symlink_to(elsewhere)

    with pytest.raises(FileNotFoundError):
        claims.claim(inbox, "/".join(["sub"] * depth + ["log.csv"]))
    assert len(list(elsewhere.rglob("log.csv"))) == 2
    assert list((inbox / CLAIMED).iterdir()) == []


def test_give_back_follows_no_link(inbox: Path) -> None:
    """When a link took the place of its sub-folder, the scan stays claimed."""
    (inbox / "sub").mkdir()
    (inbox / "a.png").rename(inbox / "sub" / "a.png")
    claim = claims.claim(inbox, "sub/a.png")
    (inbox / "sub").rmdir()
    (inbox.parent / "elsewhere").mkdir()
    (inbox / "sub").symlink_to(inbox.parent / "elsewhere")

    assert not claims.give_back(inbox, claim)
    assert claim.path.exists()
    assert list((inbox.parent / "elsewhere").iterdir()) == []


def test_tries_are_counted_over_crashes(inbox: Path) -> None:
    """Each try that was not reset counts; notes without a claim are removed."""
    claim = claims.claim(inbox, "a.png")
    assert [claims.count_try(claim), claims.count_try(claim)] == [1, 2]
    claims.forget_tries(claim)
    assert claims.count_try(claim) == 1

    claims.give_back(inbox, claim)
    claim.note("tries").write_bytes(b".")
    list(claims.left_claimed(inbox))
    assert not claim.note("tries").exists()


def test_a_link_in_place_of_the_claims_is_refused(inbox: Path) -> None:
    """Claimed scans never leave the inbox through a link."""
    (inbox / CLAIMED).rmdir()
    (inbox / CLAIMED).symlink_to(inbox.parent)

    with pytest.raises(OSError, match="link"):
        claims.lock_inbox(inbox)
