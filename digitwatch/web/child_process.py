"""Processes for one request that decode scans, which are untrusted: with limits of time and memory."""

import contextlib
import json
import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from io import FileIO

MEMORY = 4 << 30  # bytes of address space


def run(module: str, arguments: Sequence[str], stdin: FileIO, *, seconds: float, fds: Sequence[int] = ()) -> bytes:
    """Return the JSON that a module prints, or a JSON object with the `problem` where it fails."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", module, *arguments],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=seconds,
            env=environment,
            pass_fds=fds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return json.dumps({"problem": f"reading it again took more than {seconds:g} seconds"}).encode()
    if done.returncode:
        return json.dumps({"problem": "it could not be read again"}).encode()
    return done.stdout


def limit(processor_seconds: int) -> None:
    """Limit this process, which is one that `run` started."""
    with contextlib.suppress(OSError):  # systemd's filter of calls may forbid it
        os.nice(10)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = "1"
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (processor_seconds, processor_seconds))
