"""Distinguishable scans, processes of a daemon, and the account of every scan."""

import contextlib
import csv
import hashlib
import os
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from service import Service

from digitwatch.spool.annotated_images import tag_of

_TINY = cv2.imencode(".png", cv2.resize(np.full((60, 40), 240, np.uint8), (40, 60)))[1].tobytes()


def tiny(number: int) -> bytes:
    """Return a small PNG that differs from every other: the number stands in a chunk of its own."""
    body = b"tEXtnumber\0" + str(number).encode()
    return _TINY[:33] + (len(body) - 4).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big") + _TINY[33:]


def tiny_tiff(number: int, pages: int, folder: Path) -> bytes:
    """Return a small TIFF of several pages that differs from every other."""
    page = np.full((30, 40), 240, np.uint8)
    page[0, :20] = [200 + (number >> bit & 1) for bit in range(20)]
    path = folder / "pages.tif"
    cv2.imwritemulti(str(path), [page] * pages)
    data = path.read_bytes()
    path.unlink()
    return data


def broken(number: int) -> bytes:
    """Return a file that is no image and differs from every other."""
    return b"this is no image, whatever its name says " + str(number).encode()


@dataclass
class Account:
    """What was put in, and what came out; `lost` and `doubled` must be empty."""

    scans: int = 0
    rows: int = 0
    pictures: int = 0
    archived: int = 0
    failed: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """Return the figures as a line of the table in docs/guarantee.md."""
        figures = (self.scans, self.rows, self.pictures, self.archived, self.failed, len(self.lost), len(self.doubled))
        return "| " + " | ".join(map(str, figures)) + " |"

    def check(self) -> None:
        """Fail when the guarantee does not hold."""
        print(f"\nscans, rows, pictures, archived, failed, lost, doubled: {self}")
        assert (self.lost, self.doubled, self.wrong) == ([], [], []), self


def account(service: Service, sent: dict[str, int]) -> Account:
    """Compare what was sent (SHA-256 -> number of pages, 0 for what cannot be read) with what is there now."""
    rows = all_rows(service)
    originals = {folder: _originals(service, folder) for folder in ("archive", "failed")}
    where = Counter(digest for digests in originals.values() for digest in digests)
    ids: dict[str, set[str]] = defaultdict(set)
    pages = Counter(row["sha256"] for row in rows)
    for row in rows:
        ids[row["sha256"]].add(row["id"])
    done = Account(len(sent), len(rows), len(_pictures(service)), *(len(originals[f]) for f in ("archive", "failed")))
    for digest, number in sent.items():
        if not where[digest] or not ids[digest]:
            done.lost.append(digest)
        if where[digest] > 1 or len(ids[digest]) > 1 or pages[digest] > max(1, number):
            done.doubled.append(digest)
        if pages[digest] != max(1, number) or (digest in originals["failed"]) != (number == 0):
            done.wrong.append(f"{digest}: {pages[digest]} rows for {number} pages")
    done.wrong += [f"nobody sent {digest}" for digest in where if digest not in sent]
    done.wrong += list(_faults(service, rows))
    return done


def all_rows(service: Service) -> list[dict[str, str]]:
    """Return the rows of the log and of its rotated siblings; a line that is not whole fails the test."""
    rows = []
    for path in sorted(service.base.glob("predictions.csv*")):
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                assert None not in row and None not in row.values(), f"{path}: {row}"
                rows.append(row)
    return rows


def _originals(service: Service, folder: str) -> list[str]:
    files = [p for p in service.files(folder) if not p.name.endswith(".reason.txt")]
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]


def _pictures(service: Service) -> list[Path]:
    return [p for p in service.files("outbox") if p.suffix == ".png" and not p.name.startswith(".")]


def _faults(service: Service, rows: list[dict[str, str]]) -> Iterator[str]:
    """Yield what does not agree: rows with their files, pictures with their rows, and what was left lying."""
    for row in rows:
        filed = service.base / row["filed"]
        if not filed.is_file() or hashlib.sha256(filed.read_bytes()).hexdigest() != row["sha256"]:
            yield f"{row['file']}: {row['filed']} is not the original"
        if row["status"] == "failed":
            if not filed.with_name(filed.name + ".reason.txt").is_file():
                yield f"{row['file']}: no reason beside it"
        elif tag_of(service.base / row["annotated"]) != f"{row['id']}/{row['page']}":
            yield f"{row['file']}: {row['annotated']} is not its picture"
    named = {service.base / row["annotated"] for row in rows if row["annotated"]}
    yield from (f"{path} belongs to no row" for path in _pictures(service) if path not in named)
    folders = ("inbox", "outbox", "archive", "failed")
    left = [path for folder in folders for path in service.files(folder) if path.name.startswith(".")]
    yield from (f"{path} was left lying" for path in (*left, *service.files("inbox")))
    yield from (f"{path} was left" for path in (service.inbox / ".digitwatch").iterdir())
    yield from (f"{path} was left" for path in service.base.glob(".predictions*"))


def family(pid: int) -> dict[str, list[int]]:
    """Return the processes below a daemon: its fork server, its workers."""
    children = defaultdict(list)
    for entry in os.listdir("/proc"):
        if entry.isdigit() and (parent := _parent(int(entry))) is not None:
            children[parent].append(int(entry))
    direct = children[pid]
    return {"children": direct, "workers": [worker for child in direct for worker in children[child]]}


def processes_writing(output: Path) -> list[str]:
    """Return the processes whose standard output is this file: workers discard their standard error."""
    found = []
    for process in os.listdir("/proc"):
        with contextlib.suppress(OSError):  # not a process, or one that is none of ours
            if os.readlink(f"/proc/{process}/fd/1") == str(output):
                found.append(process)
    return found


def _parent(pid: int) -> int | None:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return None
