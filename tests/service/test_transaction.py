"""From finished to filed, and what a crash in between leaves to do."""

from dataclasses import fields, replace
from pathlib import Path

import pytest

from digitwatch.log_codes import Status
from digitwatch.series.rules import Rule
from digitwatch.series.tracker import Tracker
from digitwatch.service import transaction
from digitwatch.spool import claims
from digitwatch.spool.claims import CLAIMED, Claim
from digitwatch.spool.csv_rows import Row
from digitwatch.spool.folders import Folders
from digitwatch.spool.prediction_log import PredictionLog
from digitwatch.workers.messages import Job, PageResult, Read, Rejected

SHA = "0123456789abcdef" * 4


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    """Return empty folders."""
    for name in ("inbox", "outbox", "archive", "failed"):
        (tmp_path / name).mkdir()
    (tmp_path / "inbox" / CLAIMED).mkdir()
    return Folders(*(tmp_path / name for name in ("inbox", "outbox", "archive", "failed")), tmp_path)


@pytest.fixture
def log(tmp_path: Path) -> PredictionLog:
    """Return an empty log."""
    return PredictionLog(tmp_path / "predictions.csv")


def finish(
    folders: Folders, name: str, *, failure: str = "", pages: int = 1, data: str = "scan"
) -> transaction.Finished:
    """Claim a scan of this name and return it as read."""
    (folders.inbox / name).write_text(data)
    claim = claims.claim(folders.inbox, name)
    job = transaction.job(folders, claim)
    read = tuple(
        PageResult(n + 1, "7", 0.99, Status.OK, "", "7:0.990", job.outbox / f"{name}.png") for n in range(pages)
    )
    return transaction.Finished(claim, Rejected(job, failure, SHA) if failure else Read(job, SHA, read), 0.012)


def filed(recorded: transaction.Recorded) -> Path:
    """File one scan; give where it went."""
    moved = transaction.move(recorded)
    transaction.file([moved])
    return moved.target


def test_record_then_file(folders: Folders, log: PredictionLog) -> None:
    """The row names the place where the original then lies."""
    [recorded] = transaction.record(folders, [finish(folders, "a.png")], log, "cnn-1")
    where = filed(recorded)

    [row] = log.find([recorded.claim.id])[recorded.claim.id]
    assert folders.base / row.filed == where
    assert where.read_bytes() == b"scan"
    assert list((folders.inbox / CLAIMED).iterdir()) == []


def test_the_same_bytes_again_are_noted(folders: Folders, log: PredictionLog) -> None:
    """A second copy, in the same write or later, gets a row of its own that names the first; a failed scan is none."""
    first, second = finish(folders, "a.png"), finish(folders, "b.png")
    failed = finish(folders, "c.png", failure="broken")
    transaction.record(folders, [failed, first, second], log, "cnn-1")
    later = finish(folders, "d.png", pages=2)
    transaction.record(folders, [later], PredictionLog(log.path), "cnn-1")
    rows = log.find(done.claim.id for done in (first, second, failed, later))

    assert [(row.reason, row.codes) for row in rows[first.claim.id]] == [("", "")]
    note = (f"duplicate of {first.claim.id}", "duplicate")
    for done, pages in ((second, 1), (later, 2)):
        assert [(row.reason, row.codes) for row in rows[done.claim.id]] == [note] * pages
        assert {row.status for row in rows[done.claim.id]} == {"ok"}


def test_what_contradicts_its_series_is_for_review(folders: Folders, log: PredictionLog) -> None:
    """In one write and over a restart: the value stays, the expected one beside it, and copies confirm nothing."""
    rules = [Rule("{meter}-*.png", never_decreases=True, at_most_per_day=10)]
    texts = ["0100", "0101", "0102", "0902", "0902", "0103"]
    done = []
    for number, text in enumerate(texts):
        finished = finish(folders, f"a-{number}.png")
        job = replace(finished.outcome.job, id=f"2026112{number}T100000.000Z-00000000")
        page = PageResult(1, text, 0.99, Status.OK, "", "7:0.990", job.outbox / f"{number}.png", text=text)
        sha256 = f"{number if text != '0902' else 9}" * 64
        done.append(replace(finished, outcome=Read(job, sha256, (page,))))
    for group in (done[:4], done[4:]):
        tracker = Tracker(rules, log.path, folders.base / "corrections.csv")
        tracker.load()
        transaction.record(folders, group, log, "cnn-1", series=tracker)
    rows = log.find(each.outcome.job.id for each in done)
    found = [(row.text, row.status, row.codes, row.expected) for [row] in (rows[each.outcome.job.id] for each in done)]

    assert found == [
        ("0100", "review", "series:unconfirmed", ""),
        ("0101", "review", "series:unconfirmed", ""),
        ("0102", "ok", "", ""),
        ("0902", "review", "series:too_fast", "0102"),
        ("0902", "review", "series:too_fast duplicate", "0102"),
        ("0103", "ok", "", ""),
    ]


def test_scans_of_one_name_in_one_write_get_places_of_their_own(folders: Folders, log: PredictionLog) -> None:
    """Two scans of the same name, committed together, do not meet in the archive."""
    recorded = transaction.record(folders, [finish(folders, "a.png"), finish(folders, "a.png")], log, "cnn-1")

    assert [filed(r).name for r in recorded] == ["a.png", "a~2.png"]


def test_every_page_has_a_row(folders: Folders, log: PredictionLog) -> None:
    """A scan of three pages writes three rows in one go."""
    [recorded] = transaction.record(folders, [finish(folders, "a.tif", pages=3)], log, "cnn-1")

    assert [row.page for row in log.find([recorded.claim.id])[recorded.claim.id]] == ["1", "2", "3"]


@pytest.mark.parametrize(
    "failure", ["The file is empty (0 bytes). Copy or scan it again.", "it took longer than 3 seconds"]
)
def test_the_note_reads_well(folders: Folders, log: PredictionLog, failure: str) -> None:
    """One full stop behind the reason, whether it is a sentence or not."""
    [recorded] = transaction.record(folders, [finish(folders, "a.png", failure=failure)], log, "cnn-1")
    filed(recorded)
    note = (folders.failed / "a.png.reason.txt").read_text()

    assert note.startswith(f"a.png could not be read: {failure.rstrip('.')}.\n")


def test_a_failed_scan_lies_beside_its_reason(folders: Folders, log: PredictionLog) -> None:
    """The original goes to failed/ with a note, and the row says failed."""
    [recorded] = transaction.record(folders, [finish(folders, "a.png", failure="is empty")], log, "cnn-1")
    where = filed(recorded)

    assert where == folders.failed / "a.png"
    assert "is empty" in (folders.failed / "a.png.reason.txt").read_text()
    assert log.find([recorded.claim.id])[recorded.claim.id][0].status == "failed"


@pytest.mark.parametrize("name", ["a.png", "=1.png", "line\nbreak.png", "\udce9.png", "x" * 251 + ".png"])
@pytest.mark.parametrize("failure", ["", "is empty"])
def test_recorded_scans_are_only_filed_after_a_crash(
    folders: Folders, log: PredictionLog, name: str, failure: str
) -> None:
    """A crash between record and file leaves the filing, to the very place that the row names."""
    [recorded] = transaction.record(folders, [finish(folders, name, failure=failure)], log, "cnn-1")
    to_file, to_read = transaction.recover(folders, log)

    assert to_read == []
    assert [entry.target for entry in to_file] == [recorded.target]


def test_unrecorded_scans_are_read_after_a_crash(folders: Folders, log: PredictionLog) -> None:
    """A crash before record leaves the reading."""
    done = finish(folders, "a.png")
    to_file, to_read = transaction.recover(folders, log)

    assert (to_file, to_read) == ([], [done.claim])


def test_recovery_needs_no_claims_to_skip_the_log(folders: Folders, log: PredictionLog) -> None:
    """A clean start looks for nothing, however long the log is."""
    log.path.mkdir()  # reading it would raise

    assert transaction.recover(folders, log) == ([], [])


def test_the_order_survives_a_crash_between_reason_and_original(folders: Folders, log: PredictionLog) -> None:
    """Repeated filing of a failed scan gives one note and one original."""
    [recorded] = transaction.record(folders, [finish(folders, "a.png", failure="is empty")], log, "cnn-1")
    where = filed(recorded)
    recorded.claim.path.parent.mkdir()
    where.rename(recorded.claim.path)  # as before the move of the original

    assert filed(recorded) == where
    assert sorted(p.name for p in folders.failed.iterdir()) == ["a.png", "a.png.reason.txt"]


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("names", [("a.png.reason.txt", "a.png"), ("a.png", "a.png.reason.txt")], ids="-".join)
def test_a_scan_and_a_note_never_get_one_place(
    folders: Folders, log: PredictionLog, names: tuple[str, str], together: bool
) -> None:
    """The note on `a.png` and the failed scan `a.png.reason.txt` are both kept, and the rows name the originals."""
    done = [finish(folders, name, failure="is empty", data=name) for name in names]
    groups = [done] if together else [done[:1], done[1:]]
    recorded: list[transaction.Recorded] = []
    for group in groups:
        recorded += transaction.record(folders, group, log, "cnn-1", promised=recorded)
    for entry in recorded:
        filed(entry)

    rows = log.find([entry.claim.id for entry in recorded])
    assert {row.file: (folders.base / row.filed).read_text() for [row] in rows.values()} == {n: n for n in names}
    assert len(list(folders.failed.iterdir())) == 4


def test_places_promised_before_a_crash_are_kept(folders: Folders, log: PredictionLog) -> None:
    """Both scans recorded and none filed: recovery files each where its row says."""
    names = ("a.png", "a.png.reason.txt")
    transaction.record(folders, [finish(folders, n, failure="is empty", data=n) for n in names], log, "cnn-1")
    to_file, _ = transaction.recover(folders, log)

    assert {filed(entry).read_text() for entry in reversed(to_file)} == set(names)
    assert len(list(folders.failed.iterdir())) == 4


def test_job_pictures_go_into_the_day_of_the_claim(folders: Folders) -> None:
    """The day is that of the claim, so that work repeated after midnight meets its own pictures."""
    claim = Claim("20261122T235959.999Z-00000000", "a.png", Path("a.png"))

    assert transaction.job(folders, claim) == Job(claim.id, "a.png", Path("a.png"), folders.outbox / "2026-11-22")


def test_a_place_promised_to_one_scan_is_not_given_to_another(folders: Folders, log: PredictionLog) -> None:
    """While filing is held up, a second scan of the same name and bytes gets a place of its own in its row."""
    first = transaction.record(folders, [finish(folders, "a.png")], log, "cnn-1")
    second = transaction.record(folders, [finish(folders, "a.png")], log, "cnn-1", promised=first)

    assert [filed(r).name for r in (*first, *second)] == ["a.png", "a~2.png"]
    assert [log.find([r.claim.id])[r.claim.id][0].filed[-7:] for r in second] == ["a~2.png"]


def test_a_scan_written_to_after_its_reading_is_not_recorded(folders: Folders) -> None:
    """Size and time of what was read are compared with what lies there at the commit."""
    done = finish(folders, "a.png")
    status = done.claim.path.stat()
    done = replace(done, outcome=replace(done.outcome, version=(status.st_size, status.st_mtime_ns)))
    assert done.is_still_as_read
    done.claim.path.write_bytes(b"more of it")

    assert not done.is_still_as_read


def test_each_field_of_a_page_is_a_column() -> None:
    """A value that a worker adds to its result needs only a column of its name."""
    assert {field.name for field in fields(PageResult)} <= set(Row._fields)
