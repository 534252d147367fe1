"""The files of a reading: found where the log says, and nowhere outside their folders."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from visitor import row, site, visiting, write

from digitwatch.spool.csv_rows import printable
from digitwatch.web.views import images

ID = row(1).id


def statuses(base: Path, **changes: str) -> dict[str, int]:
    """Log a reading that names these files; return the status of each of its pictures."""
    settings = site(base)
    write(base, row(1, **changes), files=False)
    with visiting(settings) as page:
        return {name: page.get(f"/{name}/{ID}/1").status_code for name in ("small", "whole", "scan")}


def test_pictures_and_original_are_given(tmp_path: Path) -> None:
    """Each with its kind, and so strict that nothing in it could ever run."""
    settings = site(tmp_path)
    write(tmp_path, row(1))
    with visiting(settings) as page:
        answers = {name: page.get(f"/{name}/{ID}/1") for name in ("small", "whole", "scan")}

    kinds = {name: answer.headers["content-type"] for name, answer in answers.items()}
    assert kinds == {"small": "image/webp", "whole": "image/png", "scan": "image/png"}
    assert all("sandbox" in answer.headers["content-security-policy"] for answer in answers.values())


def test_a_small_picture_is_made_once_for_all_who_ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty open pages ask at the same moment; one of them pays."""
    settings = site(tmp_path)
    write(tmp_path, row(1))
    made = []
    make = images._small
    monkeypatch.setattr(images, "_small", lambda request: made.append(1) or make(request))
    with visiting(settings) as page, ThreadPoolExecutor(20) as many:
        answers = [many.submit(page.get, f"/small/{ID}/1") for _ in range(20)]

        assert {answer.result().status_code for answer in answers} == {200}
    assert len(made) == 1


def test_what_is_no_picture_is_only_saved(tmp_path: Path) -> None:
    """An HTML page or SVG in the inbox is never displayed."""
    settings = site(tmp_path)
    write(tmp_path, row(1))
    (tmp_path / row(1).filed).write_bytes(b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>")
    with visiting(settings) as page:
        answer = page.get(f"/scan/{ID}/1")

    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")


@pytest.mark.parametrize(
    "place", ["../secret.png", "/etc/passwd", "inbox/x.png", "archive/../secret.png", "", "archive", "\\x00"]
)
def test_paths_in_a_manipulated_log_are_not_followed(tmp_path: Path, place: str) -> None:
    """Only files below outbox, archive and failed are opened."""
    (tmp_path / "secret.png").write_bytes(b"secret")
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox/x.png").write_bytes(b"secret")

    assert statuses(tmp_path, annotated=place, filed=place) == {"small": 404, "whole": 404, "scan": 404}


@pytest.mark.parametrize("kind", ["file", "folder", "pipe"])
def test_links_and_pipes_are_not_followed(tmp_path: Path, kind: str) -> None:
    """A link in the place of a picture, a linked folder, or a pipe, is as if nothing were there."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/a.png").write_bytes(b"secret")
    (tmp_path / "outbox").mkdir()
    (tmp_path / "archive").mkdir()
    for folder in ("outbox", "archive"):
        if kind == "file":
            (tmp_path / folder / "a.png").symlink_to(tmp_path / "elsewhere/a.png")
        elif kind == "folder":
            (tmp_path / folder / "in").symlink_to(tmp_path / "elsewhere")
        else:
            os.mkfifo(tmp_path / folder / "a.png")
    name = "in/a.png" if kind == "folder" else "a.png"

    found = statuses(tmp_path, annotated=f"outbox/{name}", filed=f"archive/{name}")
    assert found == {"small": 404, "whole": 404, "scan": 404}


def test_names_that_are_not_utf8_are_found(tmp_path: Path) -> None:
    r"""The log writes such bytes as \xNN, and the file is found all the same."""
    settings = site(tmp_path)
    name = os.fsdecode(b"archive/2026-11-22/\xff\x0a.png")
    (tmp_path / name).write_bytes(b"GIF89a")
    write(tmp_path, row(1, filed=printable(name)), files=False)
    with visiting(settings) as page:
        assert page.get(f"/scan/{ID}/1").headers["content-type"] == "image/gif"


def test_no_path_of_the_machine_is_shown(tmp_path: Path) -> None:
    """Folders are shown by the names that they have in config.yaml, in every answer."""
    settings = site(tmp_path)
    absolute = {"annotated": f"{tmp_path}/outbox/a.png", "filed": f"{tmp_path}/failed/a.png"}
    write(tmp_path, row(1, status="failed", reason=f"{tmp_path}/archive/x is full", **absolute), files=False)
    with visiting(settings) as page:
        paths = ["/", "/numbers", f"/reading/{ID}/1", "/queue", "/metrics", "/day/2026-11-22.csv", f"/look/{ID}/1"]
        texts = [page.get(path).text for path in paths]

    assert all(str(tmp_path) not in text for text in texts)
    assert "failed/a.png" in texts[2]
