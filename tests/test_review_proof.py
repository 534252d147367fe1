"""A review of a hundred real scans by a script in a real browser: how fast, and whether every correction is true."""

import csv
import time
from pathlib import Path

import pytest
from browser import Watched, chromium, watching
from service import until
from visitor import row, site, visiting, write

from digitwatch.recognition.annotation.render import annotate
from digitwatch.recognition.reader import Reader
from digitwatch.spool import correction_log

pytestmark = pytest.mark.proof

SCANS = 100
PACE_S = 1.0  # seconds a page, as for a person at 60 a minute
LOOKED_S = 0.5  # seconds that the person looks at a page
GROUPS = ("cheque-amounts", "numbers", "form-boxes", "not-", "photos")


def chosen(shared: Path) -> list[tuple[str, str, str]]:
    """Return file, text and group of a hundred scans: whole amounts first, then all that is no number."""
    with (shared / "scans.csv").open(newline="") as file:
        found = [(one["file"], one["text"], one["group"]) for one in csv.DictReader(file)]
    order = [one for group in GROUPS for one in found if one[2].startswith(group)]
    return order[:SCANS]


def prepare(base: Path, shared: Path) -> dict[str, str]:
    """Read the scans and put them into the review; return what is true of each, by the id of its scan."""
    reader, truths = Reader(), {}
    for number, (file, text, group) in enumerate(chosen(shared)):
        data = (shared / "scans" / file).read_bytes()
        page, reading = next(reader.read_pages(data))
        name = f"{number:03}{Path(file).suffix}"
        confidence, codes = f"{reading.confidence:.4f}", " ".join(reading.codes)
        one = row(number, file=name, prediction=reading.text, text=reading.text, confidence=confidence, codes=codes)
        write(base, one._replace(reason=reading.reason))
        (base / one.annotated).write_bytes(annotate(page, reading, name))
        (base / one.filed).write_bytes(data)
        truths[one.id] = text or ("" if group == "not-blank" else "x")
    return truths


def shown_scan(watched: Watched) -> str:
    """Return the id of the scan that is shown, "" at the end."""
    if watched.tab.locator("#done").is_visible():
        return ""
    return (watched.tab.locator("#file").get_attribute("href") or "").split("/")[2]


def answer(watched: Watched, truth: str) -> None:
    """Do what a careful person does: confirm what is right, type what is not; the keys bounce and stay down."""
    keyboard = watched.tab.keyboard
    is_right = watched.tab.locator("#read").inner_text() == truth
    if truth in ("x", ""):
        keys = "Alt+x" if truth else "Alt+e"
    elif is_right and watched.tab.locator("#save").is_enabled():
        keys = "Enter"
    else:
        watched.tab.fill("#answer", "")
        keyboard.type(truth)
        keys = "Enter"
    keyboard.down(keys.replace("Alt+", "")) if keys == "Enter" else keyboard.press(keys)
    for _ in range(5):
        keyboard.down("Enter")
    keyboard.up("Enter")
    for _ in range(2):
        keyboard.press("Enter")


def test_a_hundred_scans_are_reviewed_without_a_false_correction(shared: Path, tmp_path: Path) -> None:
    """At the pace of a person, with keys that bounce and stay down: a hundred corrections, each as written there."""
    settings = site(tmp_path, model=lambda: "cnn", pixels=200_000_000)
    truths = prepare(tmp_path, shared)
    zoomed = answered = 0
    with visiting(settings) as page, chromium() as browser, watching(browser, str(page.base_url)) as watched:
        watched.open("/review")
        watched.tab.wait_for_selector("#picture[src^='data:']:visible")
        begun = time.monotonic()
        while not watched.tab.locator("#done").is_visible():
            due = begun + answered * PACE_S  # late pages are caught up, but each is looked at
            answered += 1
            watched.tab.wait_for_selector("#picture:visible")
            scan = shown_scan(watched)
            zoomed += (watched.tab.locator("#picture").get_attribute("src") or "").startswith("data:")
            time.sleep(max(LOOKED_S, due - time.monotonic()))
            while shown_scan(watched) == scan:  # again where the enlarged picture came only just now
                answer(watched, truths[scan])
                time.sleep(0.05 if shown_scan(watched) != scan else LOOKED_S)
        minutes = (time.monotonic() - begun) / 60
        until(lambda: len(correction_log.read(settings.corrections)) == SCANS, "all are saved")

    said = {key[0]: line.now for key, line in correction_log.read(settings.corrections).items()}
    false = {scan: (now, truths[scan]) for scan, now in said.items() if now != truths[scan]}
    confirmed = sum(line.now == line.was for line in correction_log.read(settings.corrections).values())
    print(f"{SCANS / minutes:.0f} a minute; {confirmed} confirmed; {zoomed} shown enlarged; false: {len(false)}")
    assert false == {}
