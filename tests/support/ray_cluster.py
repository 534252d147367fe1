"""A Ray cluster on this machine: a head, and nodes in network namespaces of their own. Needs root and `ip`.

A node can be killed, stopped (SIGSTOP) and cut off from the network as a machine can.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from service import until

PREFIX = "10.77.0."
BRIDGE = "dw-ray"
PORT = 6379
ADDRESS = f"{PREFIX}1:{PORT}"
START = 300.0  # seconds until all have joined, on a machine that does other work as well
ENVIRONMENT = {
    "RAY_AUTH_MODE": "disabled",  # nobody but these nodes reaches the addresses
    "RAY_worker_niceness": "0",  # else all other programs come first
}


def is_possible() -> bool:
    """Return whether this user may make network namespaces."""
    return os.geteuid() == 0 and shutil.which("ip") is not None


def _ip(*arguments: str, check: bool = True) -> str:
    done = subprocess.run(["ip", *arguments], check=check, capture_output=True, text=True)
    return done.stdout


def _ray_start(*arguments: str) -> list[str]:
    start = [sys.executable, "-W", "ignore", "-m", "ray.scripts.scripts", "start", "--block", "--disable-usage-stats"]
    return [*start, *arguments]


def _run(command: list[str]) -> "subprocess.Popen[bytes]":
    nothing = subprocess.DEVNULL
    return subprocess.Popen(command, stdout=nothing, stderr=nothing, env=os.environ | ENVIRONMENT)


def joined() -> int:
    """Return how many nodes have joined, the head included."""
    from ray._raylet import GcsClient
    from ray.exceptions import RpcError

    with suppress(OSError, RpcError):
        socket.create_connection((f"{PREFIX}1", PORT), 1).close()  # GcsClient waits for 40 s where nobody listens
        return len(GcsClient(ADDRESS).get_all_node_info())
    return 0


class Node:
    """A node with `processors`, in a network namespace of its own."""

    def __init__(self, number: int, processors: int) -> None:
        """Make the namespace and start the node."""
        self.name = f"{BRIDGE}{number}"
        self.ip = f"{PREFIX}{number + 1}"
        self.processors = processors
        _ip("link", "del", self.name, check=False)  # of a run that was killed
        _ip("netns", "del", self.name, check=False)
        _ip("netns", "add", self.name)
        _ip("link", "add", self.name, "type", "veth", "peer", "name", "eth0", "netns", self.name)
        _ip("link", "set", self.name, "master", BRIDGE, "up")
        for arguments in (("addr", "add", f"{self.ip}/24", "dev", "eth0"), ("link", "set", "eth0", "up")):
            _ip("-n", self.name, *arguments)
        _ip("-n", self.name, "link", "set", "lo", "up")
        self.start()

    def start(self) -> None:
        """Start the node; it joins the cluster on its own."""
        options = (f"--address={ADDRESS}", f"--node-ip-address={self.ip}", f"--num-cpus={self.processors}")
        command = ["ip", "netns", "exec", self.name, *_ray_start(*options, "--object-store-memory=80000000")]
        self.process = _run(command)

    def signal(self, number: int) -> None:
        """Send a signal to all processes of the node."""
        for pid in _ip("netns", "pids", self.name).split():
            with suppress(ProcessLookupError):
                os.kill(int(pid), number)

    def connect(self, *, up: bool) -> None:
        """Connect the network of the node, or cut it off."""
        _ip("link", "set", self.name, "up" if up else "down")

    def kill(self) -> None:
        """Kill all its processes at once."""
        while _ip("netns", "pids", self.name).split():
            self.signal(signal.SIGKILL)
            time.sleep(0.05)
        self.process.wait()

    def remove(self) -> None:
        """Kill it and remove its namespace."""
        self.kill()
        _ip("netns", "del", self.name)


class Cluster:
    """A head without processors, and nodes; used in a `with` block."""

    def __init__(self, nodes: int = 3, processors: int = 1) -> None:
        """Remember how many nodes, and how many processors each."""
        self._nodes, self._processors = nodes, processors
        self.head: subprocess.Popen[bytes] | None = None
        self.nodes: list[Node] = []

    def __enter__(self) -> "Cluster":
        """Start it, and wait until all nodes have joined."""
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _start(self) -> None:
        _ip("link", "del", BRIDGE, check=False)
        _ip("link", "add", BRIDGE, "type", "bridge")
        _ip("addr", "add", f"{PREFIX}1/24", "dev", BRIDGE)
        _ip("link", "set", BRIDGE, "up")
        options = (f"--node-ip-address={PREFIX}1", f"--port={PORT}", "--num-cpus=0", "--include-dashboard=false")
        self._head = _ray_start("--head", *options, "--object-store-memory=80000000")
        until(self._has_started, "the head of the cluster", START)
        self.nodes = [Node(number + 1, self._processors) for number in range(self._nodes)]
        until(self._has_started, "all nodes", START)

    def _has_started(self) -> bool:
        """Return whether all have joined; start those again that Ray has given up, since they took 20 s to start."""
        if self.head is None or self.head.poll() is not None:
            self.head = _run(self._head)
        for node in self.nodes:
            if node.process.poll() is not None:
                node.start()
        return joined() > len(self.nodes)

    def __exit__(self, *_: object) -> None:
        """Kill all of it."""
        for node in self.nodes:
            node.remove()
        if self.head is not None:
            self.head.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.head.wait(20)
            self.head.kill()
        _ip("link", "del", BRIDGE)

    def readers(self) -> list[int]:
        """Return the processes of actors."""
        found = []
        for pid in " ".join(_ip("netns", "pids", node.name) for node in self.nodes).split():
            with suppress(OSError):  # it has ended
                if b"ray::RayReader" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    found.append(int(pid))
        return found
