"""A page in a thread of the test, on folders with a log, and a visitor to it."""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from service import scan, until

pytest.importorskip("starlette", reason="needs the extra web: pip install -e '.[web]'")

import httpx
from starlette.applications import Starlette

from digitwatch.spool.csv_rows import Row
from digitwatch.spool.folders import Folders
from digitwatch.spool.prediction_log import PredictionLog
from digitwatch.web.app import make
from digitwatch.web.server import Server, bind
from digitwatch.web.web_settings import WebSettings

DAY = "2026-11-22"


def site(base: Path, **changes: object) -> WebSettings:
    """Make the folders below `base`; return the settings of the web interface for them."""
    places = Folders(base / "inbox", base / "outbox", base / "archive", base / "failed", base)
    for folder in (places.inbox, places.outbox / DAY, places.archive / DAY, places.failed):
        folder.mkdir(parents=True, exist_ok=True)
    plain = WebSettings(
        places, base / "predictions.csv", base / "corrections.csv", lambda: "dense", 10_000_000, 0, 1_000_000
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def row(number: int, **changes: str) -> Row:
    """Return the row of a scan that was read as a 7 with a confidence that grows with its number."""
    name = changes.get("file", f"scan-{number:04}.png")
    plain = Row(
        f"{DAY}T10:{number // 60 % 60:02}:{number % 60:02}.000Z",
        name,
        "1",
        "7",
        f"{number / 10_000:.4f}",
        "review",
        "may be 7 or 1",
        "7:0.500",
        f"20261122T100000.{number:03}Z-{number:08x}",
        "0" * 64,
        f"outbox/{DAY}/{name}.png",
        f"archive/{DAY}/{name}",
        "dense-12345678",
        "12",
    )
    return plain._replace(**changes)


def write(base: Path, *rows: Row, files: bool = True) -> None:
    """Add rows to the log, and put the files that they name into their places."""
    for one in rows if files else ():
        for place, data in ((one.annotated, annotated()), (one.filed, scan("7"))):
            if place:
                (base / place).write_bytes(data)
    PredictionLog(base / "predictions.csv").append(rows)


def annotated() -> bytes:
    """Return a picture as large as those of the daemon."""
    return cv2.imencode(".png", np.full((300, 500, 3), 230, np.uint8))[1].tobytes()


class Visitor(httpx.Client):
    """A client that sends requests as a browser does; `post` has the headers of our own HTML."""

    def __init__(self, app: Starlette, address: str) -> None:
        """Remember the page."""
        super().__init__(base_url=address, timeout=60)
        self.app = app
        self.ours = {"origin": address, "x-digitwatch": app.state.context.proof}


@contextlib.contextmanager
def visiting(settings: WebSettings) -> Iterator[Visitor]:
    """Serve the web interface during the block."""
    app = make(settings)
    server = Server(app)
    sock = bind("127.0.0.1", 0)
    thread = threading.Thread(target=server.run, args=([sock],))
    thread.start()
    try:
        until(lambda: server.started or not thread.is_alive(), "the page answers")
        with Visitor(app, f"http://127.0.0.1:{sock.getsockname()[1]}") as visitor:
            yield visitor
    finally:
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()
