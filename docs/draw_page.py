"""Takes the pictures of the page for README and docs: a real daemon reads the examples, a real browser looks.

python docs/draw_page.py     (needs Debian's chromium, and the extras web, test and browser)
"""

import io
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
from PIL import Image
from playwright.sync_api import Browser, sync_playwright

DOCS = Path(__file__).parent
EXAMPLES = sorted((DOCS.parent / "examples" / "scans").iterdir())
SETTINGS = """inbox: inbox
outbox: outbox
archive: archive
failed: failed
predictions: predictions.csv
corrections: corrections.csv
min_free: 0
web: {listen: '127.0.0.1:0'}
"""
SHOWN = """() => [...document.images].every(
  (image) => image.complete || image.getBoundingClientRect().top > innerHeight
)"""


def main() -> None:
    """Draw docs/page-*.png."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        (base / "config.yaml").write_text(SETTINGS)
        with (base / "output.txt").open("wb") as output:
            command = [sys.executable, "-m", "digitwatch", "-c", str(base / "config.yaml")]
            daemon = subprocess.Popen(command, stdout=output, stderr=output)
        try:
            address = _when_ready(base)
            _drop(base)
            with sync_playwright() as driver:
                browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
                _look(browser, address)
                browser.close()
        finally:
            daemon.send_signal(signal.SIGTERM)
            daemon.wait(30)


def _look(browser: Browser, address: str) -> None:
    tab = browser.new_page(viewport={"width": 960, "height": 640})
    tab.add_init_script("localStorage.setItem('who', 'Ada')")
    tab.goto(address)
    tab.wait_for_function(SHOWN)
    _save(tab.screenshot(), "page-readings")
    tab.click(".reading .name:text('word-hello.png')")
    tab.click("#look button")
    tab.wait_for_selector(".seen img")
    _save(tab.screenshot(full_page=True), "page-one")
    tab.goto(f"{address}/review")
    tab.wait_for_selector("#picture[src^='data:']:visible")
    tab.wait_for_function(SHOWN)
    _save(tab.screenshot(), "page-review")
    tab.goto(f"{address}/numbers")
    _save(tab.screenshot(full_page=True), "page-numbers")
    tab.goto(f"{address}/forms")
    tab.set_input_files("#example-file", DOCS.parent / "examples" / "forms" / "meter-card.png")
    tab.click("#use-found")
    tab.locator(".box").nth(1).focus()
    _save(tab.screenshot(full_page=True), "page-forms")
    phone = browser.new_page(viewport={"width": 360, "height": 640}, device_scale_factor=2, has_touch=True)
    phone.goto(address)
    phone.wait_for_function(SHOWN)
    _save(phone.screenshot(), "page-phone")


def _when_ready(base: Path) -> str:
    while not (found := re.search(r"web interface at (\S+)", (base / "output.txt").read_text())):
        time.sleep(0.1)
    while True:
        try:
            httpx.get(f"{found[1]}/healthz").raise_for_status()
            return found[1]
        except httpx.HTTPError:
            time.sleep(0.1)


def _drop(base: Path) -> None:
    """Put the examples and a broken scan into the inbox, and wait for their rows."""
    for source in EXAMPLES:
        (base / "inbox" / source.name).write_bytes(source.read_bytes())
    (base / "inbox/torn.png").write_bytes(EXAMPLES[0].read_bytes()[:200])
    log = base / "predictions.csv"
    while not log.exists() or len({line.split(",")[1] for line in log.read_text().splitlines()[1:]}) < len(EXAMPLES):
        time.sleep(0.1)


def _save(png: bytes, name: str) -> None:
    """Write a picture with few colours: plain pages need no more."""
    with Image.open(io.BytesIO(png)) as image:
        image.convert("RGB").quantize(128).save(DOCS / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
