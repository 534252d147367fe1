"""`digitwatch merge`: shards that are run on their own, killed and resumed, give the same as one run."""

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from batches import batch, command, rows
from service import scan

from digitwatch.cli.main import main
from digitwatch.service.batch import FINISHED_NOTE
from digitwatch.spool.annotated_images import tag_of

TIMES = ("time", "elapsed_ms")


def shown(out: Path) -> list[tuple[str, ...]]:
    """Return the rows of an output without their times, sorted."""
    return sorted(tuple(value for name, value in row.items() if name not in TIMES) for row in rows(out))


def pictures(out: Path) -> dict[str, bytes]:
    """Return all pictures of an output by their names."""
    found = [path for path in (out / "annotated").rglob("*") if path.is_file()]
    return {os.fspath(path.relative_to(out)): path.read_bytes() for path in found}


def shards(scans: Path, total: int, run: Callable[[list[str]], object]) -> list[Path]:
    """Run all shards; give their outputs."""
    outs = [scans.with_name(f"{scans.name}-digitwatch-{number}-of-{total}") for number in range(1, total + 1)]
    for number in range(1, total + 1):
        run(command(scans, "--shard", f"{number}/{total}"))
    return outs


def complete(arguments: list[str]) -> None:
    """Run a shard to its end."""
    assert main(arguments[3:]) == 0


def merge(outs: list[Path], into: Path) -> int:
    """Merge outputs; give the exit code."""
    return int(main(["merge", *map(str, outs), "--out", str(into)]))


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """Return a folder of scans, in several folders, with names that are hard to show."""
    scans = tmp_path / "scans"
    (scans / "sub").mkdir(parents=True)
    for name in ("a.png", "b.png", "=c.png", "sub/d.png", "sub/e\x1b.png", "f.png", "f.png.2", "g.png"):
        (scans / name).write_bytes(scan("7"))
    return scans


def test_merged_shards_equal_a_plain_run(scans: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Rows but for their times, and pictures; and a batch resumes the merged output."""
    assert batch(scans) == 0
    plain = scans.with_name("scans-digitwatch")
    merged = scans.with_name("merged")
    assert merge(shards(scans, 3, complete), merged) == 0

    assert shown(merged) == shown(plain)
    assert pictures(merged) == pictures(plain)
    assert [row["file"] for row in rows(merged)] == [row["file"] for row in rows(plain)]
    capsys.readouterr()
    assert batch(scans, "--out", str(merged)) == 0
    assert "(all were read before)" in capsys.readouterr().out


def test_overlaps_and_gaps_are_refused(scans: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A shard that is missing, given twice, not finished, of another split, or no shard at all."""
    outs = shards(scans, 2, complete)
    [other, *_] = shards(scans, 1, complete)
    into = scans.with_name("merged")
    for wrong, sentence in (
        (outs[:1], "shards are missing: 2 of 2"),
        ([*outs, outs[0]], "the shard 1/2 is given twice"),
        ([*outs, other], "is the shard 1/2, but"),
        ([scans], "expected the output folder of a run with --shard"),
    ):
        assert merge(wrong, into) == 2
        assert sentence in capsys.readouterr().err
    (outs[1] / FINISHED_NOTE).unlink()
    assert merge(outs, into) == 2
    assert "the shard 2/2 is not finished" in capsys.readouterr().err
    assert not into.exists()


def test_a_shard_with_rows_missing_or_foreign_is_refused(scans: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A log that was cut or exchanged after the shard had finished makes no merged log."""
    outs = shards(scans, 2, complete)
    logs = [out / "predictions.csv" for out in outs]
    contents = [log.read_bytes() for log in logs]
    logs[0].write_bytes(b"".join(contents[0].splitlines(keepends=True)[:-1]))
    assert merge(outs, scans.with_name("merged")) == 2
    assert "expected the rows of" in capsys.readouterr().err
    logs[0].write_bytes(contents[1])
    assert merge(outs, scans.with_name("merged")) == 2
    assert "does not belong to the shard 1/2" in capsys.readouterr().err

    logs[0].write_bytes(contents[0])
    assert merge(outs, scans.with_name("merged")) == 0
    assert len(rows(scans.with_name("merged"))) == 8


def test_an_output_folder_holds_one_shard(scans: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Another shard, or a whole run, into the same folder is refused."""
    out = str(scans.with_name("out"))
    assert batch(scans, "--shard", "1/2", "--out", out) == 0

    assert batch(scans, "--shard", "2/2", "--out", out) == 2
    assert "holds the shard 1/2" in capsys.readouterr().err
    assert batch(scans, "--out", out) == 2


@pytest.mark.proof
def test_eight_shards_killed_and_run_again_equal_a_plain_run(tmp_path: Path) -> None:
    """Each of eight shards is killed three times at a random moment, run to its end, and merged."""
    scans = tmp_path / "scans"
    scans.mkdir()
    for number in range(400):
        (scans / f"{number:03}.png").write_bytes(scan(str(number)))
    assert batch(scans) == 0
    chance = random.Random(8)
    kills = 0

    def killed(arguments: list[str]) -> None:
        nonlocal kills
        for _ in range(3):
            with subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
                time.sleep(chance.uniform(0.5, 4))
                kills += process.poll() is None
                process.send_signal(signal.SIGKILL)
        assert subprocess.run(arguments, check=False, stdout=subprocess.DEVNULL).returncode == 0

    merged = tmp_path / "merged"
    outs = shards(scans, 8, killed)
    assert merge(outs, merged) == 0
    print(f"{kills} kills, {len(rows(merged))} rows, {len(pictures(merged))} pictures")
    assert shown(merged) == shown(scans.with_name("scans-digitwatch"))
    owners = [tag_of(path) for path in (merged / "annotated").rglob("*.png")]
    assert len(owners) == len(set(owners)) == 400
