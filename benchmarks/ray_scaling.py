"""Many workers on a Ray cluster of this machine, with simulated service times: how far does one driver scale?

    python -m benchmarks.ray_scaling --workers 1 4 16 64 --milliseconds 10 100 1000 --folder /dev/shm
    python -m benchmarks.ray_scaling --against-local 5 --milliseconds 10 --workers 2 --folder /dev/shm

Workers sleep instead of reading (benchmarks/simulated_reader.py); what the driver does is real. The second form runs
the local pool and Ray in turn. Needs the extra `ray`.
"""

import argparse
import contextlib
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

os.environ["RAY_AUTH_MODE"] = "disabled"  # the node listens on loopback only
os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112 (so it is called)
os.environ["PYTHONPATH"] = os.getcwd()  # where the workers find this package

from ray._raylet import GcsClient
from ray.exceptions import RpcError

from benchmarks.simulated_reader import SimulatedReader
from digitwatch.service import batch
from digitwatch.service.batch import Batch
from digitwatch.workers import process
from digitwatch.workers.messages import WorkerConfig
from digitwatch.workers.pool import Pool
from digitwatch.workers.ray_pool import RayPool

LOOPBACK = "127.0.0.2"  # Ray replaces 127.0.0.1 by the address of the first network card
PORT = 6390
CONFIG = WorkerConfig("dense", None, 10**8, 4 * 10**9)
SECONDS = 8  # that a measurement takes at best
MOST = 4000  # scans


@dataclass(frozen=True)
class Measured:
    scans: int
    seconds: float
    driver: float  # processor seconds of the driver

    @property
    def rate(self) -> float:
        return self.scans / self.seconds


def make_scans(folder: Path, count: int, milliseconds: float) -> Path:
    scans = folder / f"{milliseconds:g}-{count}"
    if not scans.exists():
        scans.mkdir()
        for number in range(count):
            (scans / f"{number:06}.png").write_text(f"{milliseconds:g} {number}")
    return scans


@contextlib.contextmanager
def prepared(scans: Path) -> Iterator[Batch]:
    """Yield a batch with an output folder that is removed."""
    with tempfile.TemporaryDirectory(dir=scans.parent) as out:
        work = Batch(scans, Path(out) / "out")
        try:
            yield work
        finally:
            work.close()


def timed(work: Batch, pool: Pool | RayPool) -> Measured:
    names = work.plan()
    began, used = time.perf_counter(), time.process_time()
    work.run(names, pool, "simulated", lambda: None)
    return Measured(len(names), time.perf_counter() - began, time.process_time() - used)


def local(scans: Path, workers: int) -> Measured:
    process.TASK_MODULE = "benchmarks.simulated_task"
    with prepared(scans) as work:
        pool = Pool(workers, {"": CONFIG}, seconds=60, report=work.report, post=work.calls.put, clock=time.monotonic)
        pool.start()
        try:
            return timed(work, pool)
        finally:
            pool.stop()


def on_ray(scans: Path, workers: int, address: str) -> Measured:
    with prepared(scans) as work:
        folders = scans, work._out
        work._out.mkdir()
        pool = RayPool(address, CONFIG, folders, seconds=60, report=work.report, post=work.calls.put)
        pool.reader = SimulatedReader
        pool.start()
        try:
            while sum(bool(actor.model) for actor in pool._actors) < workers:
                work.calls.get()()
            return timed(work, pool)
        finally:
            pool.stop()


@contextlib.contextmanager
def cluster(workers: int) -> Iterator[str]:
    """Yield the address of a cluster of one node with so many processors."""
    node = [f"--node-ip-address={LOOPBACK}", f"--port={PORT}", f"--num-cpus={workers}", "--include-dashboard=false"]
    start = [sys.executable, "-W", "ignore", "-m", "ray.scripts.scripts", "start", "--head", "--block", *node]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = None
    try:
        while not _has_joined():
            if process is None or process.poll() is not None:  # Ray gives a node up that takes 20 s to start
                process = subprocess.Popen([*start, "--disable-usage-stats"], **quiet)
            time.sleep(1)
        yield f"{LOOPBACK}:{PORT}"
    finally:
        process.terminate()
        process.wait()


def _has_joined() -> bool:
    with contextlib.suppress(OSError, RpcError):
        socket.create_connection((LOOPBACK, PORT), 1).close()  # GcsClient waits for 40 s where nobody listens
        return bool(GcsClient(f"{LOOPBACK}:{PORT}").get_all_node_info())
    return False


def table(folder: Path, workers: list[int], milliseconds: list[float]) -> None:
    print("| workers | ms a scan | scans | scans a second | of the ideal | driver, ms of a processor a scan |")
    print("|---|---|---|---|---|---|")
    for number in workers:
        with cluster(number) as address:
            for each in milliseconds:
                ideal = number * 1000 / each
                count = int(min(MOST, max(4 * number, ideal * SECONDS)))
                found = on_ray(make_scans(folder, count, each), number, address)
                share, driver = found.rate / ideal, found.driver / found.scans * 1000
                print(f"| {number} | {each:g} | {count} | {found.rate:.1f} | {share:.0%} | {driver:.2f} |", flush=True)


def against_local(folder: Path, workers: int, milliseconds: float, rounds: int) -> None:
    scans = make_scans(folder, int(workers * 1000 / milliseconds * SECONDS), milliseconds)
    runs: dict[str, Callable[[], Measured]] = {}
    with cluster(workers) as address:
        runs = {"local": lambda: local(scans, workers), "ray": lambda: on_ray(scans, workers, address)}
        found: dict[str, list[Measured]] = {"local": [], "ray": []}
        for turn in range(rounds):
            for name in sorted(runs, reverse=bool(turn % 2)):
                found[name].append(runs[name]())
                print(f"{name}: {found[name][-1].rate:.1f} scans a second", flush=True)
    rates = {name: statistics.median(each.rate for each in values) for name, values in found.items()}
    print(f"{workers} workers, {milliseconds:g} ms a scan, {rounds} rounds in turn, medians: {rates}")
    print(f"overhead of Ray: {rates['local'] / rates['ray'] - 1:.1%}")


def main() -> None:
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4, 8, 16, 32, 64])
    parser.add_argument("--milliseconds", type=float, nargs="+", default=[10, 100, 1000])
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--against-local", type=int, metavar="ROUNDS")
    parser.add_argument("--group", type=int, default=batch.GROUP, help="scans recorded with one sync at most")
    options = parser.parse_args()
    batch.GROUP = options.group
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        if options.against_local:
            against_local(Path(folder), options.workers[0], options.milliseconds[0], options.against_local)
        else:
            table(Path(folder), options.workers, options.milliseconds)


if __name__ == "__main__":
    main()
