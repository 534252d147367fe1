"""The series of a log: judged before a row is written, the same after a restart."""

import random
from pathlib import Path

from digitwatch.log_codes import Status
from digitwatch.series.rules import Rule
from digitwatch.series.tracker import Entry, Tracker, Verdict, entry_of
from digitwatch.spool import correction_log
from digitwatch.spool.correction_log import Correction
from digitwatch.spool.csv_rows import Row, row_of
from digitwatch.spool.prediction_log import PredictionLog

RULES = (Rule("{meter}-*.png", never_decreases=True, at_most_per_day=10), Rule("*", "reading", True))


def row(day: int, text: str, meter: str = "a", **changes: str) -> Row:
    """Return the row of a meter on a day in November."""
    scan, file = f"202611{day:02}T100000.000Z-{day:08x}", f"{meter}-{day}.png"
    columns = {"time": f"2026-11-{day:02}T10:00:01.000Z", "file": file, "page": "1", "id": scan, "text": text}
    return row_of(columns | {"status": "ok", "prediction": text, "elapsed_ms": "1"}, **changes)


def correction(day: int, now: str, at: int, meter: str = "a") -> Correction:
    """Return a correction of the reading of a day, made on another day."""
    of = row(day, "", meter)
    return Correction(f"2026-11-{at:02}T12:00:00.000Z", of.id, of.file, "1", "", "", now, "Ada")


class Meters:
    """A log of meters below a folder, written as the daemon does."""

    def __init__(self, folder: Path) -> None:
        """Begin with an empty log."""
        self.log, self.corrections = PredictionLog(folder / "predictions.csv"), folder / "corrections.csv"
        self.tracker = self.restarted()

    def restarted(self) -> Tracker:
        """Return the series as a new process reads them."""
        tracker = Tracker(RULES, self.log.path, self.corrections)
        tracker.load()
        return tracker

    def write(self, row: Row) -> Verdict | None:
        """Judge and write a row."""
        entry = entry_of(row)
        assert entry is not None
        draft = self.tracker.draft()
        verdict = draft.judge(entry)
        if verdict and verdict.reason:
            row = row._replace(status=Status.REVIEW, codes=f"{row.codes} {verdict.reason.coded}".strip())
        self.log.append([row])
        self.tracker.keep(draft)
        return verdict

    def code(self, row: Row) -> str:
        """Write a row; return its code of the series."""
        verdict = self.write(row)
        return verdict.reason.coded if verdict and verdict.reason else ""


def test_a_contradiction_has_code_and_expected_value(tmp_path: Path) -> None:
    """The value that was read stays; the one before it stands beside it."""
    meters = Meters(tmp_path)
    for day in (1, 2, 3):
        meters.write(row(day, f"00010{day}"))
    verdict = meters.write(row(4, "000904"))

    assert verdict and verdict.reason and (verdict.reason.coded, verdict.expected) == ("series:too_fast", "000103")
    assert "at most 10 a day" in verdict.reason.text


def test_a_doubtful_reading_neither_counts_nor_confirms(tmp_path: Path) -> None:
    """Its code has no detail, so that a restart knows that it was for review without its series."""
    meters = Meters(tmp_path)
    codes = [meters.code(row(day, "000100", status="review", codes="touching")) for day in (1, 2, 3, 4)]
    codes += [meters.code(row(day, "000100")) for day in (5, 6, 7)]

    assert codes == [""] * 4 + ["series:unconfirmed"] * 2 + [""]
    assert meters.code(row(8, "000001", status="review", codes="touching")) == "series"


def test_copies_of_one_scan_do_not_confirm_it(tmp_path: Path) -> None:
    """The same picture three times is one reading."""
    meters = Meters(tmp_path)
    codes = [meters.code(row(day, "000100", codes="duplicate")) for day in (1, 2, 3, 4)]

    assert codes == ["series:unconfirmed"] * 4


def test_text_that_is_no_number_does_not_follow(tmp_path: Path) -> None:
    """Two numbers on a page are no reading of a meter."""
    assert Meters(tmp_path).code(row(1, "12 34")) == "series:not_a_number"


def test_what_belongs_to_no_series_is_not_judged(tmp_path: Path) -> None:
    """Other names, and fields without a rule."""
    meters = Meters(tmp_path)

    assert meters.write(row(1, "12 34", file="letter.png")) is None
    assert meters.write(row(1, "12", field="total")) is None


def test_a_correction_counts_at_once(tmp_path: Path) -> None:
    """One confirmed value makes a series known."""
    meters = Meters(tmp_path)
    meters.write(row(1, "000100"))
    correction_log.append(meters.corrections, correction(1, "100", 1))

    assert [meters.code(row(2, "000101")), meters.code(row(3, "000400"))] == ["", "series:too_fast"]


def test_pages_and_meters_are_series_of_their_own(tmp_path: Path) -> None:
    """What follows on one meter says nothing about another one."""
    meters = Meters(tmp_path)
    for day in (1, 2, 3):
        meters.write(row(day, f"00010{day}"))

    assert meters.code(row(4, "000104", "b")) == meters.code(row(4, "000104", page="2")) == "series:unconfirmed"


def test_a_draft_that_is_not_written_changes_nothing(tmp_path: Path) -> None:
    """A full disk keeps the row from the log: the same reading is judged again, as if for the first time."""
    meters = Meters(tmp_path)
    entry = entry_of(row(1, "000100"))
    assert entry is not None
    for _ in range(5):
        verdict = meters.tracker.draft().judge(entry)

    assert verdict and verdict.reason and verdict.reason.coded == "series:unconfirmed"


def test_a_restart_knows_what_the_log_says(tmp_path: Path) -> None:
    """Three hundred random readings and corrections, rotations and restarts: never a difference to one long run."""
    chance, meters = random.Random(5), Meters(tmp_path)
    value = {"a": 100, "b": 500}
    for number in range(300):
        day, meter = 1 + number * 29 // 300, chance.choice("ab")
        value[meter] += chance.random() < 0.1
        text = f"{value[meter] if chance.random() < 0.9 else chance.randrange(300):06}"
        scan = f"202611{day:02}T10{number // 60 % 60:02}{number % 60:02}.000Z-{number:08x}"
        time = f"2026-11-{day:02}T10:{number // 60 % 60:02}:{number % 60:02}.500Z"
        codes = chance.choice(["", "", "", "touching", "duplicate"])
        status = "review" if codes == "touching" else "ok"
        meters.write(row(day, text, meter, id=scan, time=time, codes=codes, status=status))
        if number % 20 == 7:
            said = Correction(f"{time[:-4]}600Z", scan, f"{meter}-{day}.png", "1", "", text, f"{value[meter]}", "Ada")
            correction_log.append(meters.corrections, said._replace(now=chance.choice([said.now, "x", "undo", "7"])))
        if number % 120 == 119:
            meters.log.path.rename(tmp_path / f"predictions.csv.{number}")
        if number % 37 == 0 or number == 299:
            meters.tracker.draft()  # takes the correction that came last
            assert meters.restarted()._histories == meters.tracker._histories


def test_a_field_of_a_form_is_a_series(tmp_path: Path) -> None:
    """A rule names the field; the file may have any name."""
    meters = Meters(tmp_path)
    for day in (1, 2, 3):
        meters.write(row(day, f"{day}00", file=f"{day}.png", field="reading"))
    entry = Entry("x", "2026-11-04T10:00:00.000Z", "4.png", "1", "reading", "50", True)
    verdict = meters.tracker.draft().judge(entry)
    correction_log.append(meters.corrections, correction(3, "20", 4)._replace(file="3.png", field="reading"))
    corrected = meters.tracker.draft().judge(entry)

    assert verdict and verdict.expected == "300"
    assert corrected and corrected.reason is None
