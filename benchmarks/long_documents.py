"""Documents of many pages: memory and time a page of PDF and TIFF, and a daemon killed in the middle of one.

    python -m benchmarks.long_documents [--pages 10000] [--kill 7000] [--tiff 300 3000]

The daemon reads a PDF of small pages and is killed (SIGKILL, all its processes) when page KILL is published. After a
restart rows and pictures are counted: each page has one of each, and no page before the last published one is read
again. Needs the extra `pdf`.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image, ImageDraw

from benchmarks.service import Rows, memory, running, until

SIZE = (80, 60)  # pixels of a page
MEASURE = """
import resource, sys
from pathlib import Path
from digitwatch.recognition.image.decode import decode
data = Path(sys.argv[1]).read_bytes()
count = sum(1 for _ in decode(data))
print(count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, len(data) // 2**20)
"""


def page(number: int) -> Image.Image:
    """Return a page with the digit 1 at one of many places."""
    picture = Image.new("L", SIZE, 250)
    ImageDraw.Draw(picture).line([(20 + number % 40, 12), (20 + number % 40, 48)], 20, 5)
    return picture


def write(path: Path, count: int, size: tuple[int, int] = SIZE) -> None:
    """Write a document of `count` pages, of the kind that the ending names."""
    pages = [page(number).resize(size) for number in range(min(count, 50))]
    more = (pages[number % len(pages)] for number in range(1, count))
    pages[0].save(path, save_all=True, append_images=more, resolution=72, compression="packbits")


def decoded(folder: Path, counts: list[int]) -> None:
    """Print pages, time a page and memory of TIFF files of 1,000 by 1,400 pixels."""
    for count in counts:
        path = folder / f"{count}.tif"
        write(path, count, (1000, 1400))
        start = time.perf_counter()
        done = subprocess.run([sys.executable, "-c", MEASURE, path], capture_output=True, text=True, check=True)
        seconds = time.perf_counter() - start
        pages, peak, size = map(int, done.stdout.split())
        path.unlink()
        print(f"TIFF: {pages} pages, {1000 * seconds / pages:.1f} ms a page, {peak} MB, of these {size} the file")


def killed(base: Path, count: int, kill: int) -> None:
    """Print rows and pictures of a PDF whose daemon was killed, and how many pages were read after that."""
    (base / "inbox").mkdir()
    write(base / "inbox" / "long.pdf", count)
    pictures, start = base / "outbox", time.perf_counter()

    def published() -> int:
        return sum(not path.name.startswith(".") for path in pictures.glob("*/*.png"))

    with running(base, workers=1) as daemon:
        until(lambda: published() >= kill, 7200, 0.2)
        peak = memory(daemon)
        os.killpg(daemon, signal.SIGKILL)
    before, oldest = published(), time.time()
    with running(base, workers=1):
        rows = Rows(base)
        until(lambda: rows() >= count, 7200, 0.5)
    again = sum(path.stat().st_mtime > oldest for path in pictures.glob("*/*.png"))
    print(
        f"PDF: killed when {before} of {count} pictures stood there ({peak:.0f} MB); after the restart {again} pages "
        f"were read: {rows()} rows, {published()} pictures, {time.perf_counter() - start:.0f} s in all"
    )


def main() -> None:
    """Measure both."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=int, default=10_000)
    parser.add_argument("--kill", type=int, default=7_000)
    parser.add_argument("--tiff", type=int, nargs="*", default=[300, 3000])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        decoded(Path(folder), options.tiff)
        if options.pages:
            killed(Path(folder), options.pages, options.kill)


if __name__ == "__main__":
    main()
