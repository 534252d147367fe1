"""Supervision of a child process, the web interface or the deliveries; scans are read whether it runs or not.

One thread starts the process, waits for its end and restarts it, after longer and longer pauses while it ends early.
The process reads the state of the daemon from its standard input and ends when that is closed, so that it never
outlives the daemon. It writes to its standard output every second; a process that stops doing so is killed.
"""

import contextlib
import json
import logging
import os
import select
import subprocess
import threading
import time
from collections.abc import Callable, Sequence

from digitwatch.system.child_env import environment

log = logging.getLogger(__name__)

SHORTEST_PAUSE, LONGEST_PAUSE = 1.0, 60.0  # seconds between an end and the next start
STABLE_SECONDS = 60.0  # of running, after which the next end counts as the first
STOP_SECONDS = 3.0
SILENCE = 30.0  # seconds without output; two in a row mean that it hangs, since the machine may have been suspended
PERMANENT = (2, 78)  # exit codes that another start would not change


class WebSupervisor:
    """Starts a command and keeps it alive until `stop`."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        sockets: Sequence[int] = (),
        clock: Callable[[], float] = time.monotonic,
        what: str = "the web interface",
    ) -> None:
        """Store the command, the open sockets passed to it and its name in messages; nothing is started yet."""
        self._what = what
        self._command = list(command)
        self._sockets = tuple(sockets)
        self._clock = clock
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._last_line = b""
        self._thread = threading.Thread(target=self._keep, name="web-supervisor", daemon=True)

    def start(self) -> None:
        """Start the process, and the thread that keeps it alive."""
        self._thread.start()

    def send(self, **state: str) -> None:
        """Send the state of the daemon to the process; never blocks, and does nothing while there is no process."""
        line = json.dumps(state).encode() + b"\n"
        with self._lock:
            if line != self._last_line:
                self._last_line = line
                self._write(line)

    def stop(self) -> None:
        """End the process; kill it when it does not end by itself."""
        self._stopping.set()
        with self._lock:
            if self._process is not None:
                self._close(self._process)
                self._process.terminate()
        if self._thread.is_alive():  # not where the system refused the thread
            self._thread.join(STOP_SECONDS)
        with self._lock:
            if self._process is not None and self._process.poll() is None:
                self._process.kill()

    def _keep(self) -> None:
        pause = SHORTEST_PAUSE
        while not self._stopping.is_set():
            begun = self._clock()
            code = self._run()
            if self._stopping.is_set():
                return
            if code in PERMANENT:
                log.error("%s ended with code %d and is not restarted; scans are read without it", self._what, code)
                return
            pause = SHORTEST_PAUSE if self._clock() - begun > STABLE_SECONDS else min(2 * pause, LONGEST_PAUSE)
            log.warning("%s ended with code %s; restarting it in %.0f s", self._what, code, pause)
            self._stopping.wait(pause)

    def _run(self) -> int | None:
        """Run the process to its end; return its exit code, or None when it could not be started."""
        try:
            process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                pass_fds=self._sockets,
                env=environment(),
                bufsize=0,
            )
        except OSError as error:
            log.warning("%s could not be started: %s", self._what, error)
            return None
        with self._lock:
            self._process = process
            assert process.stdin is not None
            os.set_blocking(process.stdin.fileno(), False)
            self._write(self._last_line)
        if self._stopping.is_set():
            process.terminate()
        listen(process, self._what)
        code = process.wait()
        with self._lock:
            self._close(process)
        return code

    def _close(self, process: subprocess.Popen[bytes]) -> None:
        """Close the standard input of the process, which makes it end."""
        if process.stdin is not None:
            process.stdin.close()

    def _write(self, line: bytes) -> None:
        if self._process is not None and self._process.stdin is not None and not self._process.stdin.closed:
            with contextlib.suppress(OSError):  # full or ended: the next line comes with the next change
                self._process.stdin.write(line)


def listen(process: subprocess.Popen[bytes], what: str = "the web interface") -> None:
    """Wait until the process closes its standard output, as it does when it ends; kill it when its output stops."""
    assert process.stdout is not None
    with process.stdout as output:
        news = select.poll()
        news.register(output, select.POLLIN)
        silent = 0
        while silent < 2:
            if not news.poll(1000 * SILENCE):
                silent += 1
            elif output.read(4096):
                silent = 0
            else:
                return
    log.warning("%s has not answered for %.0f s; restarting it", what, 2 * SILENCE)
    process.kill()
