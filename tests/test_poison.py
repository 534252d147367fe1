"""A scan that takes the whole program with it is given up in the end, and the others are read."""

import hashlib
from pathlib import Path

from accounts import account
from service import Small, until

from digitwatch.workers.pool import CRASHES


def test_a_scan_that_ends_the_program_again_and_again_is_failed(tmp_path: Path) -> None:
    """Killed with all it has, as by the kernel for its memory, at the same scan: after some starts it is failed."""
    good, poison = b"x\1good", b"poison"
    with Small(tmp_path).unstarted() as service:
        for name, data in (("a.png", good), ("poison.png", poison), ("b.png", good + b"!")):
            (service.inbox / name).write_bytes(data)
        starts = 0
        while service.files("inbox"):
            assert starts < 3 * CRASHES, service.lines()
            service.start(ready=False)
            until(lambda: service.ended() or not service.files("inbox"), "the end of the daemon or of the scans")
            starts += 1
        if not service.ended():
            assert service.stop() == 0
        reason = (tmp_path / "failed" / "poison.png.reason.txt").read_text()
        sent = {hashlib.sha256(data).hexdigest(): pages for data, pages in ((good, 1), (good + b"!", 1), (poison, 0))}
        account(service, sent).check()

    assert f"ended the program that reads it {CRASHES} times" in reason
    assert starts == CRASHES + 2  # once in company, then alone
