"""Readiness, status line and watchdog over the notify socket of systemd (sd_notify(3))."""

import os
import socket
import time


def notify(**fields: str | int) -> None:
    """Send fields such as READY=1 or STATUS=… to the service manager if there is one."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):  # an abstract socket
        address = "\0" + address[1:]
    # A line feed inside a value, such as in the name of a scan, would start another field.
    message = "\n".join(f"{key}={str(value).replace(chr(10), ' ')}" for key, value in fields.items())
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
        try:
            sock.sendto(message.encode("utf-8", "backslashreplace"), address)
        except OSError:
            return  # the manager is restarting; the next message will reach it


def reloading() -> None:
    """Report that the configuration is being reloaded; `notify(READY=1)` ends it."""
    notify(RELOADING=1, MONOTONIC_USEC=time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000)


def watchdog_seconds() -> float | None:
    """Return the interval in seconds for WATCHDOG=1 (half of WatchdogSec), None without a watchdog."""
    if os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    microseconds = os.environ.get("WATCHDOG_USEC", "")
    return int(microseconds) / 2e6 if microseconds.isdigit() and int(microseconds) else None


def inherited_sockets() -> list[int]:
    """Return the sockets passed by the service manager (sd_listen_fds(3)); child processes do not inherit them."""
    number = os.environ.get("LISTEN_FDS", "")
    if os.environ.get("LISTEN_PID") != str(os.getpid()) or not number.isdigit():
        return []
    handles = list(range(3, 3 + int(number)))
    for handle in handles:
        os.set_inheritable(handle, False)
    return handles
