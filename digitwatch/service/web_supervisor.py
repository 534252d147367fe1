"""The page's process, kept alive beside the daemon: whatever becomes of it, reading goes on.

One thread starts the process, waits for its end and starts it again, ever more slowly while it ends early. The
process reads what the daemon says of itself from its standard input, and ends when that does, so that it never
outlives the daemon. On its standard output it says every second that it turns; one that hangs is killed.
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

SOONEST, LATEST = 1.0, 60.0  # seconds between an end and the next start
LONG = 60.0  # seconds of life after which the next end counts as the first
STOP_SECONDS = 3.0
SILENCE = 30.0  # seconds without a word; the second in a row shows that it hangs, since all of us may have been frozen
HOPELESS = (2, 78)  # exit codes that another start would not change


class WebSupervisor:
    """Starts a command and keeps it alive until `stop`."""

    def __init__(
        self, command: Sequence[str], *, sockets: Sequence[int] = (), clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Remember the command and the open sockets that it is handed; nothing is started yet."""
        self._command = list(command)
        self._sockets = tuple(sockets)
        self._clock = clock
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._said = b""
        self._thread = threading.Thread(target=self._keep, name="page", daemon=True)

    def start(self) -> None:
        """Start the process, and the thread that keeps it alive."""
        self._thread.start()

    def tell(self, **said: str) -> None:
        """Tell the page what the daemon says of itself; never waits, and does nothing while there is no page."""
        line = json.dumps(said).encode() + b"\n"
        with self._lock:
            if line != self._said:
                self._said = line
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
        pause = SOONEST
        while not self._stopping.is_set():
            begun = self._clock()
            code = self._run()
            if self._stopping.is_set():
                return
            if code in HOPELESS:
                log.error("the page ended with code %d and is not started again; scans are read without it", code)
                return
            pause = SOONEST if self._clock() - begun > LONG else min(2 * pause, LATEST)
            log.warning("the page ended with code %s; it is started again in %.0f s", code, pause)
            self._stopping.wait(pause)

    def _run(self) -> int | None:
        """Run the process to its end; give its exit code, or None when it could not be started."""
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
            log.warning("the page could not be started: %s", error)
            return None
        with self._lock:
            self._process = process
            assert process.stdin is not None
            os.set_blocking(process.stdin.fileno(), False)
            self._write(self._said)
        if self._stopping.is_set():
            process.terminate()
        listen(process)
        code = process.wait()
        with self._lock:
            self._close(process)
        return code

    def _close(self, process: subprocess.Popen[bytes]) -> None:
        """Close the standard input of the process, which tells it to end."""
        if process.stdin is not None:
            process.stdin.close()

    def _write(self, line: bytes) -> None:
        if self._process is not None and self._process.stdin is not None and not self._process.stdin.closed:
            with contextlib.suppress(OSError):  # full or ended: the next line comes with the next change
                self._process.stdin.write(line)


def listen(process: subprocess.Popen[bytes]) -> None:
    """Wait until the process closes its standard output, as it does when it ends; kill it when it falls silent."""
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
    log.warning("the page has hung for %.0f s; it is killed and started again", 2 * SILENCE)
    process.kill()
