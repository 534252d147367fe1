"""A batch on a Ray cluster of a head and three nodes, while workers, nodes, the network and the driver fail.

    python ray_storm.py CONFIG DIR OUT KILLS SECONDS [KINDS]

Every SECONDS in the mean one fault, KILLS in all, in turn of the KINDS: worker, node, driver (SIGKILL), stop (SIGSTOP
of a node for OUTAGE seconds), network (a node cut off for as long). One node at a time fails, and is there again OUTAGE
seconds later. Prints a line of JSON: the faults of each kind, the longest time without a new row after one of each kind
(for driver: until the next one has written its first row), and the exit code of the last driver.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from ray_cluster import ADDRESS, ENVIRONMENT, Cluster

KINDS = "worker,node,driver,worker,stop,worker,network,driver"
OUTAGE = 20.0  # seconds: Ray would report such a node after 65


class Storm:
    """The driver on a cluster, and what was done to them."""

    def __init__(self, cluster: Cluster, command: list[str], log: Path) -> None:
        """Start the driver."""
        self.cluster = cluster
        self.command = [*command, "--ray", ADDRESS]
        self.log = log
        self.faults: Counter[str] = Counter()
        self.waits: dict[str, float] = {}
        self.done: list[tuple[float, str]] = []  # faults and their times
        self.repair: tuple[float, Callable[[], None]] | None = None  # when the node that failed comes back, and how
        self.start_driver()

    def start_driver(self) -> None:
        """Run the batch, or resume it."""
        self.driver = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, env=os.environ | ENVIRONMENT)
        self.changed = time.monotonic()
        self.size = self.size_at_start = self.log_size()

    def log_size(self) -> int:
        """Return the size of the log."""
        return self.log.stat().st_size if self.log.exists() else 0

    def watch(self, seconds: float) -> bool:
        """Measure how long no row comes; return whether the driver still runs."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.driver.poll() is None:
            time.sleep(0.05)
            now, size = time.monotonic(), self.log_size()
            if size != self.size:
                kind = self.cause()
                self.waits[kind] = max(self.waits.get(kind, 0.0), now - self.changed)
                self.size, self.changed = size, now
            if self.repair is not None and now > self.repair[0]:
                self.restore()
        return self.driver.poll() is None

    def cause(self) -> str:
        """Return the last fault before no more rows came, or within a second after; `driver` until its first row."""
        if self.size == self.size_at_start:
            return "driver"
        return next((kind for when, kind in reversed(self.done) if when < self.changed + 1), "none")

    def restore(self) -> None:
        """Bring the node that failed back."""
        if self.repair is not None:
            self.repair[1]()
        self.repair = None

    def fail(self, kind: str, chance: random.Random) -> None:
        """Let something fail."""
        while kind in ("node", "stop", "network") and self.repair is not None and self.watch(0.2):
            pass  # one node at a time fails
        self.faults[kind] += 1
        self.done.append((time.monotonic(), kind))
        if kind == "driver":
            self.driver.kill()
            self.driver.wait()
            self.start_driver()
        elif kind == "worker":
            for pid in chance.sample(readers, 1) if (readers := self.cluster.readers()) else []:
                os.kill(pid, signal.SIGKILL)
        else:
            self.fail_node(kind, chance)

    def fail_node(self, kind: str, chance: random.Random) -> None:
        """Kill a node, stop it, or cut it off."""
        node = chance.choice(self.cluster.nodes)
        if kind == "node":
            node.kill()
            self.repair = time.monotonic() + 2, node.start
        elif kind == "stop":
            node.signal(signal.SIGSTOP)
            self.repair = time.monotonic() + OUTAGE, lambda: node.signal(signal.SIGCONT)
        else:
            node.connect(up=False)
            self.repair = time.monotonic() + OUTAGE, lambda: node.connect(up=True)


def run(cluster: Cluster, command: list[str], log: Path, plan: tuple[int, float, list[str]]) -> dict[str, object]:
    """Run the batch to its end under a plan: faults, mean seconds between two, kinds."""
    number, seconds, kinds = plan
    storm = Storm(cluster, command, log)
    chance = random.Random(3)
    while len(cluster.readers()) < len(cluster.nodes) and storm.watch(0.5):
        pass
    for turn in range(number):
        if not storm.watch(seconds * chance.uniform(0.5, 1.5)):
            break
        storm.fail(kinds[turn % len(kinds)], chance)
    while storm.watch(1):
        pass
    storm.restore()
    waits = {kind: round(wait, 1) for kind, wait in storm.waits.items()}
    return {"faults": storm.faults, "waits": waits, "code": storm.driver.returncode}


def main(config: str, directory: str, out: str, *plan: str) -> None:
    """Run the storm to the end of the batch."""
    kills, seconds, kinds = (*plan, KINDS)[:3]
    command = [sys.executable, "-m", "digitwatch", "-c", config, "--batch", directory, "--out", out]
    with Cluster() as cluster:
        result = run(cluster, command, Path(out) / "predictions.csv", (int(kills), float(seconds), kinds.split(",")))
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
