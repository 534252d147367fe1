"""The task of a worker: start, reading, error messages, and a silent standard error."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from service import scan

from digitwatch.workers import task

CODE = """
import sys
from pathlib import Path
from digitwatch.workers import task
from digitwatch.workers.messages import Gone, Job, Rejected, WorkerConfig

base = Path(sys.argv[1])
config = WorkerConfig("dense", None, int(sys.argv[2]), 4 * 10**9)
task.prepare(config)
for name in sys.argv[3:]:
    outcome = task.perform(Job("id", name, base / name, base / "out", claimed=False), config)
    pages = [(page.prediction, page.annotated.exists()) for page in getattr(outcome, "pages", ())]
    rejected = isinstance(outcome, Rejected)
    reason, truncated = (outcome.reason, outcome.truncated) if rejected else ("", False)
    print(repr((pages, reason, isinstance(outcome, Gone), truncated)))
"""


def perform(base: Path, *names: str, pixels: int = 10**8) -> list[tuple[list[tuple[str, bool]], str, bool, bool]]:
    """Run a worker process that reads files below `base`; its standard error must stay empty."""
    command = [sys.executable, "-c", CODE, str(base), str(pixels), *names]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return [eval(line) for line in done.stdout.splitlines()]


def test_what_becomes_of_files(tmp_path: Path) -> None:
    """Read and drawn; damaged, and the decoder's talk of it swallowed; cut short; gone."""
    whole = scan("7", ".jpg")
    (tmp_path / "good.png").write_bytes(scan("7"))
    (tmp_path / "damaged.jpg").write_bytes(whole[:400] + b"\xff\xd0\xff\xd3" * 9 + whole[440:])
    (tmp_path / "short.jpg").write_bytes(whole[:-200])
    good, damaged, short, gone = perform(tmp_path, "good.png", "damaged.jpg", "short.jpg", "gone.png")

    assert good == ([("7", True)], "", False, False)
    assert damaged[2:] == (False, False)
    assert short[1].startswith("The JPEG file ends too early") and short[3]
    assert gone[2]


def test_limits_are_kept(tmp_path: Path) -> None:
    """More pixels than allowed are refused before they are unpacked, with both numbers."""
    (tmp_path / "large.png").write_bytes(scan("123456"))
    [(_, failure, _, _)] = perform(tmp_path, "large.png", pixels=10_000)

    assert "the limit is 10,000 in all" in failure


@pytest.mark.parametrize("strange", ["folder", "pipe"])
def test_no_plain_file_is_an_input_error(tmp_path: Path, strange: str) -> None:
    """A worker neither waits for a pipe nor fails at a folder."""
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")

    assert "it is no plain file" in perform(tmp_path, strange)[0][1]


CLAIM = "20261122T161629.123Z-4f2a9c1e"


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
@pytest.mark.parametrize("name", ["good.png", "damaged.png"])
def test_a_claim_is_durable_before_anything_is_made_of_it(tmp_path: Path, name: str) -> None:
    """However long the disk takes for the scan and its folders: the picture, or the word on a failure, comes after."""
    home = tmp_path / "inbox" / ".digitwatch" / CLAIM
    home.mkdir(parents=True)
    (home / "good.png").write_bytes(scan("7"))
    (home / "damaged.png").write_bytes(scan("7")[:200] + b"damaged" * 9)
    code = CODE.replace('"id", name, base /', f'"{CLAIM}", name, Path("{home}") /').replace("claimed=False", "")
    trace = tmp_path / "trace"
    slow = ["-e", "trace=fsync,renameat2,write", "-e", "inject=fsync:delay_enter=200000"]
    command = [sys.executable, "-c", code, str(tmp_path), "100000000", name]
    subprocess.run(["strace", "-f", "-qq", "-y", "-o", trace, *slow, *command], check=True, capture_output=True)

    calls = trace.read_text().splitlines()
    synced = [number for number, call in enumerate(calls) if re.search(r"fsync\(.*/inbox", call)]
    made = [number for number, call in enumerate(calls) if "renameat2(" in call or "write(1<" in call]
    assert len(synced) == 4  # the scan, its folder, that of all claims, and the inbox
    assert synced[-1] < made[0]


HOLES = """
from digitwatch.workers import task

def held():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 >> 20

blocks = [bytes(5000) for _ in range(20_000)]
kept = blocks[::100]
del blocks
before = held()
task.trim_memory()
print(before - held())
"""


@pytest.mark.skipif(task._trim is None, reason="only glibc can be asked to give memory back")
def test_trimming_returns_memory() -> None:
    """Unused memory between live objects is returned to the system."""
    done = subprocess.run([sys.executable, "-c", HOLES], capture_output=True, text=True, check=True)

    assert int(done.stdout) > 50  # MB of 100


MANY = """
import sys
from pathlib import Path
from digitwatch.workers import task
from digitwatch.workers.messages import Job, WorkerConfig

base = Path(sys.argv[1])
configs = [WorkerConfig(model, below, 10**8, 4 * 10**9) for model in ("dense", "cnn") for below in (0.0, 1.0, 0.5, 0.6)]
for config in configs:
    task.prepare(config)
for number, config in enumerate(configs):
    read = task.perform(Job(f"{number}", "a.png", base / "a.png", base / "out", claimed=False), config)
    print(task._load(config).reader.model, read.pages[0].status, len(task._loaded))
"""


def test_a_worker_reads_with_the_configuration_of_each_job(tmp_path: Path) -> None:
    """Eight of them, of which it holds six: what was dropped is loaded again."""
    (tmp_path / "a.png").write_bytes(scan("7"))
    done = subprocess.run([sys.executable, "-c", MANY, str(tmp_path)], capture_output=True, text=True, check=True)
    lines = [line.split() for line in done.stdout.splitlines()]

    assert [line[0].partition("-")[0] for line in lines] == ["dense"] * 4 + ["cnn"] * 4
    assert [line[1] for line in lines[:2]] == ["ok", "review"]
    assert {int(line[2]) for line in lines} == {task.HELD}
