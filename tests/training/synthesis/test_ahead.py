"""Training examples that another process composes."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from service import until

PROGRAM = """
import multiprocessing, signal
import numpy as np
from digitwatch.training.data.digits import Digits
from digitwatch.training.synthesis.ahead import examples
from digitwatch.training.synthesis.crops import crop

if __name__ == "__main__":
    digits = Digits(np.full((20, 28, 28), 200, np.uint8), np.tile(np.arange(10, dtype=np.uint8), 2))
    stream = examples(crop, digits, seed=0, chunk=2, ahead=3, nice=0)
    next(stream)
    print(multiprocessing.active_children()[0].pid, flush=True)
    signal.pause()
"""


def test_the_composing_process_ends_with_a_killed_training(tmp_path: Path) -> None:
    """A training that is killed cannot stop its helper: that one notices, and uses no processor any more."""
    script = tmp_path / "train.py"
    script.write_text(PROGRAM, encoding="utf-8")
    training = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True)
    assert training.stdout is not None
    helper = int(training.stdout.readline())

    training.kill()
    training.wait()
    training.stdout.close()

    try:
        until(lambda: not _runs(helper), "the end of the composing process")
    finally:
        if _runs(helper):
            os.kill(helper, signal.SIGKILL)


def _runs(process: int) -> bool:
    """Return whether a process runs; an orphan that nobody waits for has ended, too."""
    try:
        return Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
