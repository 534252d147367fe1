"""A long scan that is interrupted goes on behind the last page that was published."""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np

from digitwatch.workers.messages import PageResult
from digitwatch.workers.page_journal import FROM_PAGE, PageJournal

CODE = """
import os, sys
from pathlib import Path
from digitwatch.workers import task
from digitwatch.workers.messages import Job, WorkerConfig

base, stop = Path(sys.argv[1]), int(sys.argv[2])
config = WorkerConfig(sys.argv[3], None, 10**8, 4 * 10**9)
task.prepare(config)
done = []

def progress(page):
    done.append(page)
    if len(done) == stop:
        os._exit(9)

outcome = task.perform(Job("id", "long.tif", base / "long.tif", base / "out", claimed=False), config, progress)
print(len(done), *(page.page for page in outcome.pages))
"""


def perform(base: Path, stop: int, model: str = "dense") -> list[int]:
    """Read the scan in a process that ends after `stop` pages; return how many it read, and those of the outcome."""
    command = [sys.executable, "-c", CODE, str(base), str(stop), model]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return [int(number) for number in done.stdout.split()]


def long_scan(base: Path) -> None:
    """Write a scan of 30 pages."""
    (base / "out").mkdir()
    cv2.imwritemulti(str(base / "long.tif"), [np.full((60, 60), 250, np.uint8)] * 30)


def test_reading_goes_on_behind_the_last_page(tmp_path: Path) -> None:
    """Of 30 pages 25 are not read again, and each has one result and one picture."""
    long_scan(tmp_path)
    assert perform(tmp_path, 24) == []  # it ended after page 25
    read, *pages = perform(tmp_path, 0)

    assert (read, pages) == (5, list(range(1, 31)))
    assert len(list((tmp_path / "out").glob("*.png"))) == 30


def test_another_model_reads_all_again(tmp_path: Path) -> None:
    """So does another file, other settings or other templates."""
    long_scan(tmp_path)
    perform(tmp_path, 24)

    assert perform(tmp_path, 0, "cnn")[0] == 29


def test_a_torn_line_costs_its_own_page(tmp_path: Path) -> None:
    """What a power cut left incomplete is read again."""
    picture = tmp_path / "p.png"
    picture.touch()
    journal = PageJournal(tmp_path / "j", "key")
    for number in range(1, FROM_PAGE + 3):
        journal.add([PageResult(number, "7", 0.9, "ok", "", "7:0.900", picture)])
    text = (tmp_path / "j").read_text()
    (tmp_path / "j").write_text(text[:-9])

    assert [page.page for page in PageJournal(tmp_path / "j", "key").known()] == list(range(1, FROM_PAGE + 2))
    assert PageJournal(tmp_path / "j", "other").known() == []
