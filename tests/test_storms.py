"""Storms: processes are killed at random times, hundreds of times, while scans come in all the while."""

import contextlib
import hashlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from accounts import account, broken, family, processes_writing, tiny, tiny_tiff
from disks import other_filesystem
from documents import rasters
from form_example import FOLDER
from form_example import SCANS as SCANS_OF_FORM
from PIL import Image
from service import Service, until

pytestmark = pytest.mark.proof

KILLS = int(os.environ.get("STORM_KILLS", "60"))
SCANS = int(os.environ.get("STORM_SCANS", "600"))
Make = Callable[[int, Path], tuple[str, bytes, int]]
SEED = int(os.environ.get("STORM_SEED", "1"))


def make(number: int, folder: Path) -> tuple[str, bytes, int]:
    """Return name, bytes and number of pages of a scan: a tenth broken, a tenth of three pages, names used again."""
    match number % 10:
        case 3:
            return f"broken-{number % 40}.png", broken(number), 0
        case 7:
            return f"pages-{number % 40}.tif", tiny_tiff(number, 3, folder), 3
        case _:
            return f"SCN_{number % 50:04}.png", tiny(number), 1


def make_document(number: int, folder: Path) -> tuple[str, bytes, int]:
    """Return the same with a tenth of filled cards (four fields), of PDF of a card and a page, and of broken PDF."""
    card = SCANS_OF_FORM / f"card-{1 + number // 10 % 10:02}.jpg"
    match number % 10:
        case 1:
            return f"card-{number % 40}.jpg", card.read_bytes() + b"%d" % number, 4
        case 5:
            two = rasters(Image.open(card), Image.open(FOLDER.parent / "scans" / "rows-4711-0815.jpg"))
            return f"cards-{number % 40}.pdf", two + b"%%%d" % number, 5
        case 8:
            return f"half-{number % 40}.pdf", rasters(Image.open(card))[:9000] + b"%%EOF%d" % number, 0
        case _:
            return make(number, folder)


def bring(service: Service, number: int, sent: dict[str, int], outside: Path, make: Make = make) -> None:
    """Bring one scan into the inbox in one of the ways that programs have; never onto another."""
    name, data, pages = make(number, outside)
    sent[hashlib.sha256(data).hexdigest()] = pages
    source = outside / f"{number}"
    source.write_bytes(data)
    way = number % 3
    while True:
        try:
            if way == 0:
                os.link(source, service.inbox / name)  # refuses a name that is still there
            elif way == 1:
                os.link(source, service.inbox / f"{name}.{number}.part")
                os.link(service.inbox / f"{name}.{number}.part", service.inbox / name)
                (service.inbox / f"{name}.{number}.part").unlink()
            else:
                with (service.inbox / name).open("xb", buffering=0) as file:
                    file.write(data[: len(data) // 2])
                    file.write(data[len(data) // 2 :])
            break
        except FileExistsError:
            (service.inbox / f"{name}.{number}.part").unlink(missing_ok=True)
            time.sleep(0.02)
    source.unlink()


def strike(service: Service, chance: random.Random) -> str:
    """Kill the daemon, a worker, the fork server, or all at once; give which."""
    assert service.process is not None
    below = family(service.process.pid)
    what = chance.choices(("daemon", "worker", "fork server", "all"), (5, 4, 1, 2))[0]
    victims = {
        "daemon": [],
        "worker": below["workers"][:1],
        "fork server": below["children"],
        "all": below["workers"] + below["children"],
    }[what]
    for pid in victims:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    if what in ("daemon", "all"):
        service.kill()
        service.start(ready=False)
    return what


@pytest.mark.parametrize("archive", ["on the same disk", "on another disk", "forms and PDF"])
def test_storm_of_kills(tmp_path: Path, archive: str) -> None:
    """Daemon, workers and fork server are killed at random times, also during start and recovery."""
    chance = random.Random(SEED)
    with_forms = archive == "forms and PDF"
    if with_forms:
        pytest.importorskip("pypdfium2")
    service, outside = Service(tmp_path, f"forms: {FOLDER}\n" if with_forms else ""), tmp_path / "outside"
    outside.mkdir()
    if archive == "on another disk":  # originals are copied there by a thread
        (tmp_path / "archive").symlink_to(other_filesystem(tmp_path))
    sent: dict[str, int] = {}
    kills: Counter[str] = Counter()

    def writer() -> None:
        for number in range(SCANS):
            bring(service, number, sent, outside, make_document if with_forms else make)

    with service:
        thread = threading.Thread(target=writer, daemon=True)
        thread.start()
        for _ in range(KILLS):
            time.sleep(2 * chance.random() * chance.choice((0.02, 0.3, 1.0, 2.5)))
            kills[strike(service, chance)] += 1
        until(lambda: not thread.is_alive(), "all scans brought", 1200)
        service.kill()  # the last blow may have fallen on one that still starts, which a signal simply ends
        service.start()
        until(lambda: not service.files("inbox"), "an empty inbox", 600)
        assert service.stop() == 0
        until(lambda: not processes_writing(service.output), "the end of all processes", 30)

    print(f"\nseed {SEED}, {kills.total()} kills: {dict(kills)}")
    account(service, sent).check()


def rows_in(log: Path) -> int:
    """How many lines a log has that may not be there yet."""
    return log.read_bytes().count(b"\n") if log.exists() else 0


def test_storm_over_a_batch(tmp_path: Path) -> None:
    """A batch that is killed again and again ends with one row and one picture for each scan."""
    chance = random.Random(SEED)
    scans, out = tmp_path / "scans", tmp_path / "out"
    scans.mkdir()
    for number in range(300):
        (scans / f"{number:03}.png").write_bytes(tiny(number) if number % 10 else broken(number))
    (tmp_path / "config.yaml").write_text("model: dense\n")
    command = [sys.executable, "-m", "digitwatch", "-c", str(tmp_path / "config.yaml")]
    command += ["--batch", str(scans), "--out", str(out)]
    log = out / "predictions.csv"
    kills = 0
    for number in range(1, 31):  # when some more rows are there, however fast the machine is
        enough = 9 * number - chance.randrange(9)
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(lambda p=process, n=enough: p.poll() is not None or rows_in(log) > n, "some rows")
        kills += process.poll() is None
        process.kill()
        process.wait()
    code = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode
    rows = [line.split(",")[1] for line in log.read_text().splitlines()[1:]]

    print(f"\n{kills} kills, {len(rows)} rows")
    assert code == 1 and kills > 20
    assert rows == [f"{number:03}.png" for number in range(300)]
    pictures = [path.name for path in (out / "annotated").iterdir()]
    assert sorted(pictures) == [f"{number:03}.png.png" for number in range(300) if number % 10]
