"""A batch on a Ray cluster of three nodes on this machine, while workers, nodes and the driver are killed.

    python ray_storm.py CONFIG DIR OUT KILLS SECONDS

Prints a line of JSON: the kills of each kind, the exit code of the last driver, and the longest time without a new row
while a driver had begun to record and a node was alive. All nodes listen on loopback only. It needs a Python with Ray.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

os.environ["RAY_AUTH_MODE"] = "disabled"  # the nodes listen on loopback only
os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112 (so it is called); else all other programs come first

from ray.cluster_utils import Cluster

LOOPBACK = "127.0.0.2"  # Ray replaces 127.0.0.1 by the address of the first network card


class Storm:
    """The cluster, the driver, and what was done to them."""

    def __init__(self, command: list[str], log: Path, seconds: float) -> None:
        """Start three nodes, the first of which is the head and has no workers."""
        head = {"num_cpus": 0, "include_dashboard": False, "node_ip_address": LOOPBACK}
        self.cluster = Cluster(initialize_head=True, head_node_args=head)
        self.nodes = [self.add_node() for _ in range(2)]
        self.command = [*command, "--ray", self.cluster.address]
        self.log = log
        self.seconds = seconds
        self.kills: Counter[str] = Counter()
        self.longest = 0.0
        self.start_driver()

    def add_node(self) -> Any:
        """Start a node with one processor."""
        return self.cluster.add_node(num_cpus=1, node_ip_address=LOOPBACK)

    def start_driver(self) -> None:
        """Run the batch, or resume it."""
        self.driver = subprocess.Popen(self.command, stdout=subprocess.DEVNULL)
        self.rows_at_start = self.rows()
        self.changed = time.monotonic()

    def rows(self) -> int:
        """Return the number of rows so far."""
        return self.log.read_bytes().count(b"\n") if self.log.exists() else 0

    def watch(self, seconds: float) -> bool:
        """Measure how long no row comes; return whether the driver still runs."""
        end, rows = time.monotonic() + seconds, self.rows()
        while time.monotonic() < end and self.driver.poll() is None:
            time.sleep(0.1)
            if (now := self.rows()) != rows:
                if rows > self.rows_at_start:
                    self.longest = max(self.longest, time.monotonic() - self.changed)
                rows, self.changed = now, time.monotonic()
        return self.driver.poll() is None

    def kill(self, kind: str) -> None:
        """Kill a worker, a node, or the driver; what is lost comes back."""
        self.kills[kind] += 1
        if kind == "driver":
            self.driver.kill()
            self.driver.wait()
            self.start_driver()
        elif kind == "node":
            node = self.nodes.pop(0)
            self.cluster.remove_node(node, allow_graceful=False)
            self.watch(2)
            self.nodes.append(self.add_node())
        elif pids := readers():
            os.kill(random.choice(pids), signal.SIGKILL)


def readers() -> list[int]:
    """Return the processes of actors."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if b"ray::RayReader" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except OSError:  # it has ended
            continue
    return found


def main(config: str, directory: str, out: str, kills: str, seconds: str) -> None:
    """Run the storm to the end of the batch."""
    command = [sys.executable, "-m", "digitwatch", "-c", config, "--batch", directory, "--out", out]
    storm = Storm(command, Path(out) / "predictions.csv", float(seconds))
    chance = random.Random(3)
    kinds = ["worker", "worker", "node", "worker", "driver"]
    while not storm.rows() and storm.watch(0.5):
        pass
    for number in range(int(kills)):
        if not storm.watch(storm.seconds * chance.uniform(0.5, 1.5)):
            break
        storm.kill(kinds[number % len(kinds)])
    while storm.watch(1):
        pass
    print(json.dumps({**storm.kills, "code": storm.driver.returncode, "longest_wait": round(storm.longest, 1)}))
    storm.cluster.shutdown()


if __name__ == "__main__":
    main(*sys.argv[1:])
