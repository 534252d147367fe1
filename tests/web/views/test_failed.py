"""Failed scans back into the inbox from the browser, or deleted."""

import csv
import hashlib
import json
from pathlib import Path

import pytest
from service import scan
from visitor import row, site, visiting, write

FAILED = {"status": "failed", "prediction": "", "annotated": "", "reason": "it is damaged", "filed": "failed/a.png"}


def test_a_failed_scan_goes_back_into_the_inbox(tmp_path: Path) -> None:
    """Once; its note goes with it, and a scan of that name that waits already is not replaced."""
    settings = site(tmp_path)
    write(tmp_path, row(1, file="a.png", **FAILED))
    (tmp_path / "inbox" / "a.png").write_bytes(b"another")
    with visiting(settings) as page:
        codes = [page.post(f"/retry/{row(1).id}/1", headers=page.ours) for _ in range(2)]

    assert [answer.status_code for answer in codes] == [200, 404]
    assert codes[0].json() == {"file": "a~2.png"}
    assert (tmp_path / "inbox" / "a~2.png").read_bytes() == scan("7")
    assert list((tmp_path / "failed").iterdir()) == []


def test_only_failed_scans_go_back(tmp_path: Path) -> None:
    """An archived one stays, and so does what a forged log names outside of the folder."""
    settings = site(tmp_path)
    write(tmp_path, row(1), row(2, **FAILED | {"filed": "archive/2026-11-22/scan-0001.png"}))
    with visiting(settings) as page:
        codes = [page.post(f"/retry/{row(number).id}/1", headers=page.ours).status_code for number in (1, 2, 3)]
        assert page.post(f"/retry/{row(2).id}/1").status_code == 403

    assert codes == [404, 404, 404]
    assert (tmp_path / "archive/2026-11-22/scan-0001.png").exists()


SCAN = {"sha256": hashlib.sha256(scan("7")).hexdigest(), "file": "a.png"}
ADA = json.dumps({"who": "Ada"}).encode()


def test_a_deleted_scan_is_logged_with_its_reason(tmp_path: Path) -> None:
    """Scan and note are gone once; deletions.csv says which, why it had failed and who; the list shows it."""
    settings = site(tmp_path)
    write(tmp_path, row(1, **FAILED | SCAN))
    (tmp_path / "failed/a.png.reason.txt").write_text("a.png could not be read: it is damaged")
    with visiting(settings) as page:
        assert page.post(f"/delete/{row(1).id}/1", content=ADA).status_code == 403
        codes = [page.post(f"/delete/{row(1).id}/1", content=ADA, headers=page.ours).status_code for _ in range(2)]
        texts = [page.get(path).text for path in ("/?status=failed", f"/reading/{row(1).id}/1")]
    with (tmp_path / "deletions.csv").open(newline="") as file:
        [line] = csv.DictReader(file)

    assert codes == [200, 404]
    assert list((tmp_path / "failed").iterdir()) == []
    assert (line["id"], line["file"], line["sha256"]) == (row(1).id, "a.png", SCAN["sha256"])
    assert (line["reason"], line["filed"], line["who"]) == ("it is damaged", "failed/a.png", "Ada")
    assert all("deleted by Ada" in text and "data-delete" not in text for text in texts)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"who": " "}', b'{"who": 7}', b'{"who": "' + b"A" * 41 + b'"}'])
def test_nothing_is_deleted_without_a_name(tmp_path: Path, body: bytes) -> None:
    """A deletion names a person."""
    settings = site(tmp_path)
    write(tmp_path, row(1, **FAILED | SCAN))
    with visiting(settings) as page:
        assert page.post(f"/delete/{row(1).id}/1", content=body, headers=page.ours).status_code == 400

    assert (tmp_path / "failed/a.png").exists() and not (tmp_path / "deletions.csv").exists()


def test_only_the_failed_scan_itself_is_deleted(tmp_path: Path) -> None:
    """Not an archived one, not what a forged log names, not another file under its name."""
    settings = site(tmp_path)
    forged = {"filed": "archive/2026-11-22/scan-0001.png"}
    write(tmp_path, row(1), row(2, **FAILED | SCAN | forged), row(3, **FAILED | SCAN))
    (tmp_path / "failed/a.png").write_bytes(b"another")
    with visiting(settings) as page:
        codes = [
            page.post(f"/delete/{row(number).id}/1", content=ADA, headers=page.ours).status_code
            for number in (1, 2, 3, 4)
        ]

    assert codes == [404, 404, 409, 404]
    assert (tmp_path / "failed/a.png").exists() and not (tmp_path / "deletions.csv").exists()


def test_what_cannot_be_logged_is_not_deleted(tmp_path: Path) -> None:
    """The scan stays where it is, and the answer says why."""
    settings = site(tmp_path, corrections=tmp_path / "gone" / "corrections.csv")
    write(tmp_path, row(1, **FAILED | SCAN))
    with visiting(settings) as page:
        answer = page.post(f"/delete/{row(1).id}/1", content=ADA, headers=page.ours)

    assert answer.status_code == 507 and str(tmp_path) not in answer.text
    assert (tmp_path / "failed/a.png").exists()
