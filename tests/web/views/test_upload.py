"""Uploads: whole or not at all, under their own name, never onto another file, and not without end."""

import socket
import time
from pathlib import Path
from urllib.parse import quote

import pytest
from service import scan, until
from visitor import Visitor, site, visiting

from digitwatch.web.views import upload
from digitwatch.web.views.upload import SCRATCH, UploadError, file_name


def names(base: Path) -> list[str]:
    """Return the names in the inbox, hidden files too."""
    return sorted(path.name for path in (base / "inbox").iterdir())


def put(page: Visitor, name: str, data: bytes) -> int:
    """Upload a file; return the status of the answer."""
    return page.post("/upload", content=data, headers=page.ours | {"x-file-name": quote(name)}).status_code


def test_a_file_lands_under_its_own_name(tmp_path: Path) -> None:
    """Byte for byte, and a second one of the same name beside it."""
    with visiting(site(tmp_path)) as page:
        assert put(page, "Zähler 1.png", scan("7")) == 201
        assert put(page, "Zähler 1.png", scan("8")) == 201

    assert names(tmp_path) == ["Zähler 1.png", "Zähler 1~2.png"]
    assert (tmp_path / "inbox/Zähler 1.png").read_bytes() == scan("7")


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("../../etc/cron.d/x.png", "x.png"),
        ("C:\\scans\\a.png", "a.png"),
        ("/abs/a.png", "a.png"),
        (".hidden.png", "hidden.png"),
        ("~$a.png", "$a.png"),
        ("a%0Ab%00c.png", "abc.png"),
        ("a%E2%80%AEgnp.png", "agnp.png"),
        ("%FF.png", "\N{REPLACEMENT CHARACTER}.png"),
    ],
)
def test_a_name_leads_nowhere_else(given: str, taken: str) -> None:
    """Folders, hiding marks and control characters are taken off."""
    assert file_name(given) == taken


@pytest.mark.parametrize("given", ["", "..", "/", "....", "a.part", "a.tmp", "a~", "%00", "Thumbs.db"])
def test_a_name_that_would_be_left_alone_is_refused(given: str) -> None:
    """The daemon passes over unfinished and hidden files, so they are not taken."""
    with pytest.raises(UploadError):
        file_name(given)


def test_a_long_name_is_shortened(tmp_path: Path) -> None:
    """What no filesystem takes keeps its beginning and its ending."""
    with visiting(site(tmp_path)) as page:
        assert put(page, "ü" * 300 + ".png", scan("7")) == 201

    assert names(tmp_path)[0].endswith(".png")


def test_too_large_a_file_is_refused(tmp_path: Path) -> None:
    """Announced or not; nothing of it is left."""
    with visiting(site(tmp_path, upload=10_000)) as page:
        assert put(page, "a.png", b"x" * 10_001) == 413
        headers = page.ours | {"x-file-name": "a.png"}
        blocks = (b"x" * 1000 for _ in range(1000))
        assert page.post("/upload", content=blocks, headers=headers).status_code == 413
        assert put(page, "empty.png", b"") == 400

    assert names(tmp_path) == []


def test_an_upload_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    """A browser that goes away in the middle leaves neither a scan nor a hidden file."""
    with visiting(site(tmp_path)) as page:
        host, port = page.base_url.host, page.base_url.port
        with socket.create_connection((host, port)) as connection:
            head = {"host": f"{host}:{port}", "content-length": "1000", "x-file-name": "a.png"} | page.ours
            lines = [f"{name}: {value}" for name, value in head.items()]
            connection.sendall("\r\n".join(["POST /upload HTTP/1.1", *lines, "", ""]).encode() + b"half")
            until(lambda: names(tmp_path), "the upload begins")
            assert names(tmp_path)[0].startswith(SCRATCH)
        until(lambda: not names(tmp_path), "the rest is taken away")


def test_what_a_crash_left_is_taken_away_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Old unfinished uploads go at the start; those of other programs stay."""
    settings = site(tmp_path)
    for name in (f"{SCRATCH}1", ".other"):
        (tmp_path / "inbox" / name).write_bytes(b"half")
    upload.clean(settings.places.inbox)
    assert len(names(tmp_path)) == 2
    later = time.time() + 4000
    monkeypatch.setattr(time, "time", lambda: later)
    upload.clean(settings.places.inbox)

    assert names(tmp_path) == [".other"]


def test_a_full_disk_takes_no_upload(tmp_path: Path) -> None:
    """Where the daemon would pause, nothing is taken in either."""
    with visiting(site(tmp_path, min_free=10**18)) as page:
        assert put(page, "a.png", scan("7")) == 507


def test_only_a_few_are_received_at_a_time(tmp_path: Path) -> None:
    """One more gets 503, and the browser tries again."""
    with visiting(site(tmp_path)) as page:
        page.app.state.context.uploading = upload.AT_ONCE
        assert put(page, "a.png", scan("7")) == 503
        page.app.state.context.uploading = 0
        assert put(page, "a.png", scan("7")) == 201


def test_a_flood_is_slowed_down(tmp_path: Path) -> None:
    """After three hundred files at once a visitor is asked to wait; here two are left, and time stands still."""
    with visiting(site(tmp_path)) as page:
        uploads = page.app.state.context.uploads
        uploads._clock = lambda: 0.0
        uploads._buckets["127.0.0.1"] = (2.0, 0.0)
        answers = [put(page, f"{number}.png", b"x") for number in range(4)]

    assert answers == [201, 201, 429, 429]
