"""Four scans for the sweeps: two good ones, one of three pages, one that cannot be read."""

import hashlib

from service import Service

SCANS = {"a.png": b"x\1a", "b.png": b"x\1b", "pages.tif": b"x\3c", "broken.png": b"broken"}
PAGES = {"a.png": 1, "b.png": 1, "pages.tif": 3, "broken.png": 0}


def put_scans(service: Service) -> dict[str, int]:
    """Put four scans into the inbox: two good ones, one of three pages, one that cannot be read."""
    for name, data in SCANS.items():
        (service.base / "inbox" / name).write_bytes(data)
    return {hashlib.sha256(data).hexdigest(): PAGES[name] for name, data in SCANS.items()}
