"""The CSV log: one write or nothing, whole lines, and rows that are found again."""

import csv
import gzip
import os
import resource
import signal
from pathlib import Path

import pytest

from digitwatch.spool.csv_rows import HEADER, Row, printable, shown_name
from digitwatch.spool.prediction_log import PredictionLog


def row(scan: str = "id-1", page: int = 1, file: str = "a.png") -> Row:
    """Return a row with plausible values."""
    tail = ("sha", "out/a.png.png", "archive/a.png", "cnn-1", "12")
    return Row("2026-11-22T10:00:00.000Z", file, str(page), "7", "0.9990", "ok", "", "7:0.999", scan, *tail)


def rows_in(log: PredictionLog) -> list[dict[str, str]]:
    """Read the log as a spreadsheet would."""
    with log.path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def log(tmp_path: Path) -> PredictionLog:
    """Return a log that does not exist yet."""
    return PredictionLog(tmp_path / "predictions.csv")


def test_header_stands_once(log: PredictionLog) -> None:
    """The first append writes the header, later ones do not."""
    log.append([row("a")])
    log.append([row("b")])

    assert log.path.read_text().splitlines()[0] + "\n" == HEADER
    assert [r["id"] for r in rows_in(log)] == ["a", "b"]


def test_rotated_log_is_left_and_a_new_one_begun(log: PredictionLog) -> None:
    """After a rename by logrotate the next row stands in a new file with a header of its own."""
    log.append([row("a")])
    log.path.rename(log.path.with_suffix(".csv.1"))
    log.append([row("b")])

    assert log.path.read_text().startswith(HEADER)
    assert "b" in log.find(["b"])


def test_truncated_log_begins_with_a_header_again(log: PredictionLog) -> None:
    """After logrotate's copytruncate the file is not left without its header."""
    log.append([row("a")])
    os.truncate(log.path, 0)
    log.append([row("b")])

    assert log.path.read_text().startswith(HEADER)


def test_log_truncated_just_before_a_row_is_written_has_a_header(
    log: PredictionLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """logrotate's `copytruncate` may cut between the look at the file's end and the write; the row keeps its header."""
    log.append([row("a")])
    write, cuts = os.write, [0]

    def cut_and_write(file: int, data: bytes) -> int:
        if cuts:
            os.truncate(log.path, cuts.pop())
        return write(file, data)

    monkeypatch.setattr(os, "write", cut_and_write)
    log.append([row("b")])

    assert log.path.read_text().startswith(HEADER)
    assert set(log.find(["a", "b"])) == {"b"}


def test_torn_last_line_is_cut_off(log: PredictionLog) -> None:
    """Half a line at the end is removed, whole lines stay."""
    log.append([row("a")])
    whole = log.path.read_bytes()
    log.path.write_bytes(whole + b"2026-11-22T10:00,half a li")

    assert log.repair() == 26
    assert log.path.read_bytes() == whole


def test_zeros_of_a_power_cut_are_cut_off(log: PredictionLog) -> None:
    """A block of zeros, as some filesystems leave it, is no line."""
    log.append([row("a")])
    whole = log.path.read_bytes()
    log.path.write_bytes(whole + bytes(4096) + b"\n")

    log.repair()

    assert log.path.read_bytes() == whole


def test_full_disk_leaves_no_half_row(log: PredictionLog) -> None:
    """When only a part of a row fits, nothing of it stays, and the next try succeeds."""
    log.append([row("a")])
    whole = log.path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) + 20, limits[1]))
    try:
        with pytest.raises(OSError):
            log.append([row("b")])
        assert log.path.read_bytes() == whole
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    log.append([row("b")])

    assert set(log.find(["a", "b"])) == {"a", "b"}


def test_pages_cut_short_at_a_line_end_are_undone(log: PredictionLog) -> None:
    """Two whole rows of a three-page scan, killed in the middle of the write, are cut off together."""
    log.append([row("a")])
    before = log.path.stat().st_size
    log._intend(os.open(log.path, os.O_RDONLY), before, before + 500)
    with log.path.open("a") as file:
        csv.writer(file, lineterminator="\n").writerows([row("b", 1), row("b", 2)])

    log.repair()

    assert log.path.stat().st_size == before
    assert log.find(["b"]) == {}


def test_rows_behind_pages_that_failed_are_never_undone(log: PredictionLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scan of eight pages that met a full disk leaves no note by which later rows would be taken for its own."""
    log.append([row("a")])
    with monkeypatch.context() as full:
        full.setattr(os, "write", lambda *_: 0)
        with pytest.raises(OSError):
            log.append([row("b", str(page)) for page in range(1, 9)])
    log.append([row("c")])
    log.append([row("d")])

    assert PredictionLog(log.path).repair() == 0
    assert set(log.find("abcd")) == {"a", "c", "d"}


def test_rows_behind_pages_of_a_killed_process_are_never_undone(log: PredictionLog) -> None:
    """Another digitwatch that continues the log first undoes the write of the killed one."""
    log.append([row("a")])
    size = log.path.stat().st_size
    log._intent.write_text(f"{log.path.stat().st_ino} {size} {size + 1000}")
    with log.path.open("ab") as file:
        file.write(b"half a row of the killed one\n")
    PredictionLog(log.path).append([row("c")])

    assert PredictionLog(log.path).repair() == 0
    assert "half" not in log.path.read_text() and set(log.find("ac")) == {"a", "c"}


def test_pages_that_arrived_whole_stay(log: PredictionLog) -> None:
    """A crash between the write and the removal of the note takes nothing away."""
    log.append([row("b", 1), row("b", 2)])
    size = log.path.stat().st_size
    log._intend(os.open(log.path, os.O_RDONLY), 0, size)

    assert log.repair() == 0
    assert len(log.find(["b"])["b"]) == 2


def test_log_of_another_version_is_kept_aside(log: PredictionLog) -> None:
    """A file with an older header is renamed, so that no file holds two layouts."""
    log.path.write_text("time,file,prediction\nx,y,7\n")
    log.append([row("a")])

    assert log.path.with_name("predictions.csv.old-1").read_text() == "time,file,prediction\nx,y,7\n"
    assert log.path.read_text().startswith(HEADER)


def test_rows_are_found_in_rotated_and_packed_siblings(log: PredictionLog) -> None:
    """A scan recorded before the rotation is still known."""
    log.append([row("a")])
    with gzip.open(log.path.with_name("predictions.csv.2.gz"), "wb") as packed:
        packed.write(log.path.read_bytes())
    log.path.unlink()

    assert log.find(["a"])["a"][0].filed == "archive/a.png"


def test_rows_of_others_are_not_found(log: PredictionLog) -> None:
    """An id is met as a whole field, never as a part of another."""
    log.append([row("20261122-abc")])

    assert log.find(["20261122", "abc"]) == {}


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("=1+1.png", "./=1+1.png"),
        ("-rf.png", "./-rf.png"),
        ("a\nb.png", r"a\x0ab.png"),
        ("\tx.png", r"./\x09x.png"),
        (os.fsdecode(b"caf\xe9.png"), r"caf\xe9.png"),
        ("a\u202egnp.exe", r"a\xe2\x80\xaegnp.exe"),
        ("\U0001f600 é.png", "\U0001f600 é.png"),
    ],
)
def test_names_are_shown_safely(name: str, shown: str) -> None:
    """No name breaks a line, runs in a spreadsheet or turns the text around."""
    assert shown_name(name) == shown


def test_quotes_and_commas_survive(log: PredictionLog) -> None:
    """A name with commas and quotes is read back as it was."""
    log.append([row(file='a,"b".png')])

    assert rows_in(log)[0]["file"] == 'a,"b".png'


def test_no_character_breaks_a_line() -> None:
    """Whatever stands in a name, a row stays one line for every reader of lines."""
    everything = "".join(map(chr, range(0x300))) + "\u2028\u2029\x85"

    assert len(printable(everything).splitlines()) == 1


def test_a_last_row_that_lacks_only_its_line_end_is_kept(log: PredictionLog) -> None:
    """An editor that drops the last line end costs no row, neither at the start nor while the daemon runs."""
    log.append([row("a")])
    log.path.write_bytes(log.path.read_bytes().rstrip(b"\n"))
    assert log.repair() == 0
    log.path.write_bytes(log.path.read_bytes().rstrip(b"\n"))
    log.append([row("b")])

    assert [r["id"] for r in rows_in(log)] == ["a", "b"]


def test_a_foreign_file_is_not_truncated(log: PredictionLog) -> None:
    """A file without our header is never shortened."""
    log.path.write_bytes(b"family photographs" * 100_000)

    assert log.repair() == 0


def test_a_torn_header_is_replaced(log: PredictionLog) -> None:
    """A crash in the very first write leaves no file of half a header behind."""
    log.path.write_bytes(HEADER.encode()[:20])
    log.repair()
    log.append([row("a")])

    assert [p.name for p in log.path.parent.iterdir()] == ["predictions.csv"]
    assert [r["id"] for r in rows_in(log)] == ["a"]


def test_rows_on_disk_are_never_reported_as_failed(log: PredictionLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """When only the note of the write cannot be removed, the rows count: written again they would be double."""

    def refuse(path: Path, missing_ok: bool = False) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "unlink", refuse)
    log.append([row("b", 1), row("b", 2)])

    assert len(rows_in(log)) == 2


def test_pages_with_zeros_in_their_place_are_undone(log: PredictionLog) -> None:
    """A power cut that kept the length of a write but not its bytes leaves no page of that scan."""
    log.append([row("a")])
    before = log.path.stat().st_size
    log._intend(os.open(log.path, os.O_RDONLY), before, before + 300)
    with log.path.open("ab") as file:
        file.write(b"x,y\n" + bytes(296))
    log.repair()

    assert log.path.stat().st_size == before


@pytest.mark.parametrize("name", ["predictions.csv.1", "predictions-20261122.csv", "old/predictions.csv-20261122"])
def test_rows_are_found_wherever_rotation_puts_them(log: PredictionLog, name: str) -> None:
    """Numbered, dated, before the ending or in the folder of rotated logs: a recorded scan is not read again."""
    log.append([row("a")])
    (log.path.parent / name).parent.mkdir(exist_ok=True)
    log.path.rename(log.path.parent / name)

    assert "a" in PredictionLog(log.path, rotated=log.path.parent / "old").find(["a"])


def test_a_log_saved_by_a_spreadsheet_is_kept_aside(log: PredictionLog) -> None:
    """Saved in place with other line ends while we have it open, it is not mixed with our rows."""
    log.append([row("a")])
    log.path.write_bytes(log.path.read_bytes().replace(b"\n", b"\r\n"))
    log.append([row("b")])

    assert [r["id"] for r in rows_in(log)] == ["b"]
    assert b"\r\n" in log.path.with_name("predictions.csv.old-1").read_bytes()


def test_scans_named_like_the_log_do_not_hide_it(log: PredictionLog) -> None:
    """Failed scans called predictions-1.jpg are not taken for rotated logs."""
    log.append([row("a")])
    log.path.rename(log.path.with_name("predictions.csv.1"))
    (log.path.parent / "failed").mkdir()
    for number in range(5):
        (log.path.parent / "failed" / f"predictions-{number}.jpg").write_bytes(b"scan")

    assert "a" in log.find(["a"])
