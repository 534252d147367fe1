"""The web interface under load: its cost with 20 connected browsers and 10,000 readings in the log.

    python benchmarks/page.py [--scans 200] [--rounds 3] [--readings 10000] [--browsers 20]

A real daemon reads copies of the examples, in turn without the web interface, and with it and the browsers; each
browser keeps its event stream open and fetches the thumbnail of each new reading. While no scan arrives, the list is
requested with several filters. Everything runs on one machine, so that the cost of the browsers is included.
"""

import argparse
import contextlib
import json
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx

from digitwatch.spool.csv_rows import HEADER, Row, encode

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted(path for path in (ROOT / "examples" / "scans").glob("*.*") if "pages" not in path.name)
LISTS = ("/", "/?status=review", "/?name=scan-00", "/?name=nothing", "/?day=2026-11-12", "/list?before=5000")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("scans", 200), ("rounds", 3), ("readings", 10_000), ("browsers", 20)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    rates: dict[bool, list[float]] = {False: [], True: []}
    shares = []
    for number in range(2 * options.rounds):
        with_web = bool(number % 2)
        with tempfile.TemporaryDirectory() as folder:
            rate, share = _round(Path(folder), options, with_web, number == 1)
        rates[with_web].append(rate)
        if with_web:
            shares.append(share)
    without, with_it = statistics.median(rates[False]), statistics.median(rates[True])
    print(f"scans per second without the web interface: {without:.1f}, with {options.browsers} browsers: {with_it:.1f}")
    print(
        f"change: {100 * (with_it / without - 1):+.1f} %; its share of the processor time while scans arrived: "
        f"{100 * statistics.median(shares):.1f} %"
    )


def _round(base: Path, options: argparse.Namespace, with_web: bool, lists: bool) -> tuple[float, float]:
    _write_log(base, options.readings)
    with _daemon(base, with_web) as (process, address), contextlib.ExitStack() as stack:
        if with_web:
            for _ in range(options.browsers):
                stack.callback(_browse(address).set)
            _until(lambda: _metric(address, "listeners") == options.browsers)
            if lists:
                _measure_lists(address, process.pid)
        before = _seconds(process.pid)
        begun = time.monotonic()
        for number in range(options.scans):
            source = EXAMPLES[number % len(EXAMPLES)]
            (base / "inbox" / f"{number:05}-{source.name}").write_bytes(source.read_bytes())
        _until(lambda: _rows(base) == options.readings + options.scans)
        seconds = time.monotonic() - begun
        after = _seconds(process.pid)
        spent = {name: after[name] - before.get(name, 0) for name in after}
        return options.scans / seconds, spent.get("web", 0) / max(0.01, sum(spent.values()))


def _write_log(base: Path, number: int) -> None:
    rows = (
        Row(
            f"2026-11-{1 + 20 * k // number:02}T10:{k // 60 % 60:02}:{k % 60:02}.000Z", f"scan-{k:05}.png", "1", str(k),
            f"{k % 997 / 997:.4f}", ("ok", "ok", "ok", "review", "empty", "failed")[k % 6], "", "7:0.998 3:0.991",
            f"20261101T100000.000Z-{k:08x}", "0" * 64, f"outbox/2026-11-01/scan-{k:05}.png.png",
            f"archive/2026-11-01/scan-{k:05}.png", "cnn-12345678", "12",
        )
        for k in range(number)
    )  # fmt: skip
    (base / "predictions.csv").write_bytes(HEADER.encode() + encode(rows))
    web = "web: {listen: '127.0.0.1:0'}\n"
    folders = "".join(f"{name}: {name}\n" for name in ("inbox", "outbox", "archive", "failed"))
    common = f"{folders}predictions: predictions.csv\ncorrections: corrections.csv\nmin_free: 0\n"
    (base / "off.yaml").write_text(common)
    (base / "on.yaml").write_text(common + web)


@contextlib.contextmanager
def _daemon(base: Path, with_web: bool) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    output = base / "output.txt"
    command = [sys.executable, "-m", "digitwatch", "-c", str(base / ("on.yaml" if with_web else "off.yaml"))]
    with output.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file)
    try:
        _until(lambda: "watching " in output.read_text())
        address = ""
        if with_web:
            _until(lambda: re.search(r"(http://\S+)", output.read_text()))
            address = re.search(r"(http://\S+)", output.read_text())[1]  # type: ignore[index]
            _until(lambda: _answers(address))
        yield process, address
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _browse(address: str) -> threading.Event:
    """Behave like a browser, in a thread; return the event that ends it."""
    end = threading.Event()

    def follow() -> None:
        with (
            contextlib.suppress(httpx.HTTPError),
            httpx.Client(base_url=address, timeout=30) as client,
            client.stream("GET", "/live") as answer,
        ):
            for line in answer.iter_lines():
                if end.is_set():
                    return
                if line.startswith('data: {"file"'):
                    picture = re.search(r'src="([^"]+)"', json.loads(line[6:])["html"])
                    if picture:
                        client.get(picture[1])

    threading.Thread(target=follow, daemon=True).start()
    return end


def _measure_lists(address: str, daemon: int) -> None:
    """Print the time of each list, and its processor time, which other programs do not change."""
    with httpx.Client(base_url=address, timeout=30) as client:
        for path in LISTS:
            times = []
            spent = _seconds(daemon)["web"]
            for _ in range(40):
                begun = time.perf_counter()
                client.get(path).raise_for_status()
                times.append(1000 * (time.perf_counter() - begun))
            times.sort()
            work = 1000 * (_seconds(daemon)["web"] - spent) / 40
            print(f"{path:22} median {times[20]:5.1f} ms, 95 % within {times[37]:5.1f} ms, processor {work:4.1f} ms")


def _seconds(daemon: int) -> dict[str, float]:
    """Return the processor seconds so far of the daemon with its workers and of the web interface."""
    spent = {"daemon": 0.0, "web": 0.0}
    family = {daemon}
    for _ in range(3):  # grandchildren too: the workers are children of the fork server
        for status in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                if int(status.read_text().rpartition(")")[2].split()[1]) in family:
                    family.add(int(status.parent.name))
    for pid in family:
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            is_page = b"--until-eof" in Path(f"/proc/{pid}/cmdline").read_bytes()
            spent["web" if is_page else "daemon"] += (int(fields[11]) + int(fields[12])) / 100
    return spent


def _rows(base: Path) -> int:
    return (base / "predictions.csv").read_bytes().count(b"\n") - 1


def _answers(address: str) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(f"{address}/healthz").status_code == 200
    return False


def _metric(address: str, name: str) -> float:
    text = httpx.get(f"{address}/metrics", timeout=30).text
    return float(re.search(rf"^digitwatch_{name} (\S+)", text, re.MULTILINE)[1])  # type: ignore[index]


def _until(condition: Callable[[], object], seconds: float = 600) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"the condition did not hold within {seconds} s")
        time.sleep(0.05)


if __name__ == "__main__":
    main()
