"""Training examples that another process composes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

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

    assert _ended(helper, within=60)


def _ended(process: int, within: float) -> bool:
    """Return whether a process ends in so many seconds; it is killed otherwise."""
    end = time.monotonic() + within
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":  # nobody waits for an orphan in a container without an init process
            return True
        time.sleep(0.05)
    os.kill(process, signal.SIGKILL)
    return False
