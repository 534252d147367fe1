"""The environment of child processes."""

import os
from pathlib import Path


def environment() -> dict[str, str]:
    """Return the environment for a child process that imports this digitwatch and sends nothing to systemd."""
    root = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    ours = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES")
    return {name: value for name, value in os.environ.items() if name not in ours} | {"PYTHONPATH": path}
