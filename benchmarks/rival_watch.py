"""Rival (b): the same loop behind a watchdog handler that copies, logs and moves; nothing is synced."""

import csv
import queue
import shutil
import sys
import time
from pathlib import Path

from rival_script import load, read
from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer


class Handler(FileSystemEventHandler):
    """Queues what was created or closed in the inbox."""

    def __init__(self) -> None:
        self.paths: queue.Queue[Path] = queue.Queue()

    def on_closed(self, event: FileSystemEvent) -> None:
        self.paths.put(Path(str(event.src_path)))


def main() -> None:
    """Copy scans into a watched folder; print the seconds per scan from the first event to the last move."""
    source, base = map(Path, sys.argv[1:3])
    inbox, out, archive = (base / name for name in ("inbox", "out", "archive"))
    for folder in (inbox, out, archive):
        folder.mkdir(parents=True, exist_ok=True)
    model, handler, observer = load(), Handler(), Observer()
    observer.schedule(handler, str(inbox))
    observer.start()
    paths = sorted(source.iterdir())
    read(model, paths[0], out)
    began, processor = time.perf_counter(), time.process_time()
    for path in paths:
        shutil.copy(path, inbox)
    with (base / "predictions.csv").open("a", newline="") as file:
        for _ in paths:
            path = handler.paths.get(timeout=60)
            csv.writer(file).writerow([path.name, read(model, path, out)])
            shutil.move(path, archive)
    print((time.perf_counter() - began) / len(paths), (time.process_time() - processor) / len(paths))
    observer.stop()
    observer.join()


if __name__ == "__main__":
    main()
