"""--batch: everything once, in order, nothing touched, and on again after an interruption."""

import hashlib
import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest
from accounts import tiny_tiff
from batches import batch, command, rows
from service import scan, until

from digitwatch.cli.main import main
from digitwatch.log_codes import Status
from digitwatch.service.batch import Batch
from digitwatch.spool.csv_rows import Row
from digitwatch.spool.ignored_names import IgnoredNames
from digitwatch.spool.prediction_log import PredictionLog
from digitwatch.workers.messages import Job, PageResult, Read, Rejected


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """Return a folder of scans, one below another folder, with things that are no scans."""
    scans = tmp_path / "scans"
    (scans / "sub").mkdir(parents=True)
    for name in ("b.png", "a.png", "sub/c.jpg"):
        (scans / name).write_bytes(scan("7", os.path.splitext(name)[1]))
    (scans / "labels.csv").write_text("file,text\n")
    (scans / ".hidden.png").write_bytes(scan())
    return scans


def fingerprint(folder: Path) -> list[tuple[str, bytes, int]]:
    """Return names, contents and times of all files below a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [(str(path), path.read_bytes(), path.stat().st_mtime_ns) for path in files]


def test_what_a_nas_and_the_configuration_leave_out_is_not_read(scans: Path) -> None:
    """Thumbnails of a NAS have the names and the content of scans; `ignore` adds names of one's own."""
    for name in ("@eaDir/a.png/SYNOPHOTO_THUMB_M.jpg", "#recycle/d.png", "old/e.png", "Thumbs.db"):
        (scans / name).parent.mkdir(parents=True, exist_ok=True)
        (scans / name).write_bytes(scan("7", ".png"))
    work = Batch(scans, scans.with_name("out"), IgnoredNames(["old"]))

    assert list(work.plan()) == ["a.png", "b.png", "sub/c.jpg"]
    work.close()


def test_reads_everything_in_name_order_and_touches_nothing(scans: Path) -> None:
    """Rows stand in the order of names, each with its picture, and DIR is as it was."""
    before = fingerprint(scans)
    out = scans.with_name("scans-digitwatch")

    assert batch(scans) == 0
    assert [row["file"] for row in rows(out)] == ["a.png", "b.png", "sub/c.jpg"]
    assert all((out / row["annotated"]).is_file() for row in rows(out))
    assert fingerprint(scans) == before


def test_run_again_it_reads_only_what_is_new(scans: Path) -> None:
    """A second run adds the new scan and the changed one, and repeats nothing."""
    batch(scans)
    (scans / "d.png").write_bytes(scan("1"))
    (scans / "a.png").write_bytes(scan("3"))
    batch(scans)

    assert [row["file"] for row in rows(scans.with_name("scans-digitwatch"))[3:]] == ["a.png", "d.png"]


def test_a_failed_scan_makes_the_exit_code_1(scans: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One bad file does not stop the others; the exit code is 1, now and when run again."""
    (scans / "bad.png").write_bytes(b"no image at all")

    assert batch(scans) == 1
    assert "failed: bad.png: " in capsys.readouterr().out
    assert batch(scans) == 1
    again = capsys.readouterr().out
    assert "failed: bad.png: " in again
    assert "read before" in again
    assert [r["status"] for r in rows(scans.with_name("scans-digitwatch")) if r["file"] == "bad.png"] == ["failed"]


def test_an_interrupted_batch_resumes(scans: Path) -> None:
    """Killed in the middle and run again: every scan has one row and one picture."""
    for number in range(60):
        (scans / f"{number:03}.png").write_bytes(scan(str(number)))
    out = scans.with_name("scans-digitwatch")
    log = out / "predictions.csv"
    with subprocess.Popen(command(scans), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        until(lambda: log.exists() and log.read_bytes().count(b"\n") > 10, "some rows")
        process.send_signal(signal.SIGKILL)
    assert batch(scans) == 0

    names = [row["file"] for row in rows(out)]
    assert sorted(names) == sorted(set(names))
    assert len(names) == 63
    assert len(list((out / "annotated").rglob("*.*"))) == 63


def test_one_file_is_read_alone(scans: Path) -> None:
    """--batch FILE reads it and nothing beside it; the results lie beside it."""
    assert main(command(scans / "a.png")[3:]) == 0
    assert [row["file"] for row in rows(scans / "a.png-digitwatch")] == ["a.png"]


def test_what_other_settings_read_is_read_again_when_asked(scans: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without --again the batch says how many and what differs; with it each scan gets a new row, once."""
    batch(scans)
    arguments = command(scans)[3:]
    config = scans.parent / "config.yaml"
    config.write_text("model: dense\nworkers: 1\nreview_below: 1.0\n")
    assert main(arguments) == 0
    first = capsys.readouterr().out
    assert main([*arguments, "--again"]) == 0
    assert main([*arguments, "--again"]) == 0
    last = capsys.readouterr().out

    assert "3 scans were read with other settings (review_below the default; now review_below 1.0): --again" in first
    assert "read before" not in first
    assert "3 pages: 0 ok, 3 review" in last and "(all were read before)" in last
    assert [row["status"] for row in rows(scans.with_name("scans-digitwatch"))] == ["ok"] * 3 + ["review"] * 3


def test_what_another_model_read_is_read_again_when_asked(scans: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The models are named as in the rows."""
    batch(scans)
    arguments = command(scans)[3:]
    (scans.parent / "config.yaml").write_text("model: cnn\nworkers: 1\n")
    assert main(arguments) == 0
    said = capsys.readouterr().out
    assert main([*arguments, "--again", "-q"]) == 0

    models = [row["model"] for row in rows(scans.with_name("scans-digitwatch"))]
    assert f"3 scans were read with another model ({models[0]}; now {models[-1]})" in said
    assert len(models) == 6
    assert capsys.readouterr().out == ""


def test_a_folder_without_scans_says_what_was_passed_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By kind, with examples."""
    folder = tmp_path / "empty"
    folder.mkdir()
    assert batch(folder) == 0
    assert "nothing to read: the folder is empty" in capsys.readouterr().out
    for name in ("a.txt", "b.csv", ".c.png"):
        (folder / name).write_text("text")
    assert batch(folder) == 0
    said = capsys.readouterr().out

    assert "1 hidden or unfinished (.c.png)" in said
    assert "2 no image by name or content (" in said


def test_the_digest_is_that_of_the_original(scans: Path) -> None:
    """A row can be matched with its file by sha256."""
    batch(scans)

    row = rows(scans.with_name("scans-digitwatch"))[0]
    assert row["sha256"] == hashlib.sha256((scans / "a.png").read_bytes()).hexdigest()


@pytest.mark.parametrize("out", ["", "sub/out"])
def test_output_inside_the_scans_is_refused(scans: Path, out: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Results below DIR would be read as scans the next time."""
    assert batch(scans, "--out", str(scans / out)) == 2
    assert "expected a place outside" in capsys.readouterr().err


def test_an_empty_folder_is_done_at_once(tmp_path: Path) -> None:
    """Nothing to read is no failure."""
    (tmp_path / "none").mkdir()

    assert batch(tmp_path / "none") == 0


def test_a_scan_that_lost_pages_leaves_no_old_picture(scans: Path, tmp_path: Path) -> None:
    """Read again after it has changed, its pictures are those of its present pages."""
    (scans / "pages.tif").write_bytes(tiny_tiff(1, 3, tmp_path))
    out = scans.with_name("scans-digitwatch")
    batch(scans)
    assert len(list((out / "annotated").glob("pages.tif*.png"))) == 3
    (scans / "pages.tif").write_bytes(tiny_tiff(2, 1, tmp_path))
    batch(scans)

    assert [path.name for path in (out / "annotated").glob("pages.tif*.png")] == ["pages.tif.png"]


def test_files_without_permission_do_not_end_a_batch(scans: Path) -> None:
    """A folder and a file without the right to read count as failed, and everything else is read."""
    (scans / "closed").mkdir(mode=0)
    (scans / "b.png").chmod(0)
    without = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.getuid() == 0 else []
    if without and not shutil.which("setpriv"):
        pytest.skip("root may read everything")
    for _ in range(2):  # also when it is run again
        done = subprocess.run([*without, *command(scans)], capture_output=True, text=True, check=False, timeout=120)

        assert done.returncode == 1, done.stderr
        assert "failed: closed: the folder cannot be listed" in done.stdout
        assert "failed: b.png: it may not be read" in done.stdout
    (scans / "closed").chmod(0o755)
    assert [row["file"] for row in rows(scans.with_name("scans-digitwatch"))] == ["a.png", "b.png", "sub/c.jpg"]


def test_an_output_folder_belongs_to_one_directory(scans: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Scans of equal names in two directories would share ids and pictures: the second directory is refused."""
    out = scans.with_name("out")
    other = scans.with_name("other")
    shutil.copytree(scans, other)
    assert batch(scans, "--out", str(out)) == 0
    before = fingerprint(out)

    assert batch(other, "--out", str(out)) == 2
    assert f"{out} holds the results of {scans}; choose another --out for {other}" in capsys.readouterr().err
    assert fingerprint(out) == before
    assert batch(scans, "--out", str(out)) == 0


def test_pictures_are_never_written_into_the_input(scans: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither through a link nor by reading the pictures of an earlier run."""
    out = scans.with_name("out")
    out.mkdir()
    (out / "annotated").symlink_to(scans)
    before = fingerprint(scans)
    assert batch(scans, "--out", str(out)) == 2
    assert "is a link into" in capsys.readouterr().err and fingerprint(scans) == before

    (out / "annotated").unlink()
    (out / "annotated").mkdir()
    assert batch(out / "annotated", "--out", str(out)) == 2


def test_a_pipe_in_place_of_a_scan_is_failed(scans: Path) -> None:
    """It took the place of a scan after the listing: nobody waits for its writer."""
    work = Batch(scans, scans.with_name("out"))
    assert "a.png" in work.plan()
    (scans / "a.png").unlink()
    os.mkfifo(scans / "a.png")
    work.report(Rejected(work._job("a.png"), "it is no plain file"))
    work._started["a.png"] = 0.0
    work._record(["a.png"], "none")
    work.close()

    assert work.failures == [("a.png", "it is no plain file")]


def age(scans: Path) -> None:
    """Set the time of change of all scans back, so that their stamps can be trusted."""
    for path in scans.rglob("*.*"):
        os.utime(path, (1, 1))


def test_unchanged_files_are_not_read_again(scans: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A change that keeps size, time and inode is seen with --verify only."""
    age(scans)
    batch(scans)
    content = bytearray((scans / "a.png").read_bytes())
    content[-1] ^= 1
    with (scans / "a.png").open("rb+") as file:
        file.write(content)
    age(scans)

    assert batch(scans) == 0
    assert "all were read before" in capsys.readouterr().out
    assert batch(scans, "--verify") == 1  # it is damaged now
    assert [row["file"] for row in rows(scans.with_name("scans-digitwatch"))[3:]] == ["a.png"]


def test_without_its_index_a_batch_reads_nothing_twice(scans: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The index is made from the log again."""
    batch(scans)
    for path in scans.with_name("scans-digitwatch").glob(".digitwatch-index*"):
        path.unlink()
    capsys.readouterr()

    assert batch(scans) == 0
    assert "3 pages: 3 ok, 0 review, 0 empty, 0 failed (all were read before)" in capsys.readouterr().out


class FourAtOnce:
    """Workers that read nothing, and report four scans at once, the last one first."""

    ahead = 64
    busy = 0

    def __init__(self, work: Batch) -> None:
        """Report to a batch."""
        self._work = work
        self._jobs: list[Job] = []

    @property
    def free(self) -> int:
        """Return how many are missing."""
        return 4 - len(self._jobs)

    def submit(self, job: Job) -> None:
        """Take a scan."""
        self._jobs.append(job)

    def next_deadline(self) -> None:
        """Report all."""
        while self._jobs:
            job = self._jobs.pop()
            page = PageResult(1, "7", 1.0, Status.OK, "", "", job.outbox / job.name)
            self._work.calls.put(partial(self._work.report, Read(job, "00", (page,))))

    def expire(self) -> None:
        """Do nothing."""


def test_what_was_read_meanwhile_is_recorded_with_one_sync(scans: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows of several scans are one write, in the order of names; a scan that was read alone does not wait."""
    for number in range(6):
        (scans / f"x{number}.png").write_bytes(scan(str(number)))
    writes: list[list[str]] = []
    append = PredictionLog.append

    def noted(log: PredictionLog, new: Sequence[Row]) -> None:
        writes.append([row.file for row in new])
        append(log, new)

    monkeypatch.setattr(PredictionLog, "append", noted)
    work = Batch(scans, scans.with_name("out"))
    read: list[None] = []
    work.run(work.plan(), FourAtOnce(work), "m", lambda: read.append(None))
    work.close()

    assert [len(write) for write in writes] == [4, 4, 1]
    names = [row["file"] for row in rows(scans.with_name("out"))]
    assert names == sorted(names) == [name for write in writes for name in write]
    assert len(read) == 9
