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
ENVIRONMENT = {
    "RAY_AUTH_MODE": "disabled",  # nobody but these nodes reaches the addresses
    "RAY_worker_niceness": "0",  # else all other programs come first
}
AGENT_PORTS = [  # each node has its own; where they are left open, a node gives up after 20 s on a busy machine
    "--dashboard-agent-listen-port=52465",
    "--dashboard-agent-grpc-port=52466",
    "--metrics-export-port=52467",
    "--runtime-env-agent-port=52468",
]


def is_possible() -> bool:
    """Return whether this user may make network namespaces."""
    return os.geteuid() == 0 and shutil.which("ip") is not None


def _ip(*arguments: str, check: bool = True) -> str:
    done = subprocess.run(["ip", *arguments], check=check, capture_output=True, text=True)
    return done.stdout


def _ray_start(*arguments: str) -> list[str]:
    start = [sys.executable, "-W", "ignore", "-m", "ray.scripts.scripts", "start", "--block", "--disable-usage-stats"]
    return [*start, *AGENT_PORTS, *arguments]


def _is_listening() -> bool:
    with suppress(OSError):
        socket.create_connection((f"{PREFIX}1", PORT), 1).close()
        return True
    return False


class Node:
    """A node with `processors`, in a network namespace of its own."""

    def __init__(self, number: int, processors: int) -> None:
        """Make the namespace and start the node."""
        self.name = f"{BRIDGE}{number}"
        self.ip = f"{PREFIX}{number + 1}"
        self.processors = processors
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
        environment = os.environ | ENVIRONMENT
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)

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
        self.nodes: list[Node] = []

    def __enter__(self) -> "Cluster":
        """Start it; the nodes join on their own."""
        _ip("link", "add", BRIDGE, "type", "bridge")
        _ip("addr", "add", f"{PREFIX}1/24", "dev", BRIDGE)
        _ip("link", "set", BRIDGE, "up")
        options = (f"--node-ip-address={PREFIX}1", f"--port={PORT}", "--num-cpus=0", "--include-dashboard=false")
        head = _ray_start("--head", *options, "--object-store-memory=80000000")
        self.head = subprocess.Popen(
            head, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ | ENVIRONMENT
        )
        until(_is_listening, "the head of the cluster")
        self.nodes = [Node(number + 1, self._processors) for number in range(self._nodes)]
        return self

    def __exit__(self, *_: object) -> None:
        """Kill all of it."""
        for node in self.nodes:
            node.remove()
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
