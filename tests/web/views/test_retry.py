"""Failed scans back into the inbox from the browser."""

from pathlib import Path

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
