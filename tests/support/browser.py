"""A real browser (Debian's chromium) on the web interface, watched for errors."""

import contextlib
import json
import os
import shutil
from collections.abc import Iterator

import pytest

NEEDED = "needs the extra browser: pip install -e '.[browser]'"
playwright = pytest.importorskip("playwright.sync_api", reason=NEEDED)
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason=NEEDED).Axe()

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

# What axe-core does not look at: that whatever is touched is 24 pixels or more, also when nothing else is near, and
# that nothing scrolls sideways.
FINDINGS = """() => {
  const found = [];
  const shown = (e) => e.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true });
  for (const e of [...document.querySelectorAll("a,button,input,select")].filter(shown)) {
    const box = e.getBoundingClientRect();
    const inline = e.tagName === "A" && getComputedStyle(e).display === "inline";
    if (inline || e.matches(".skip,[type=file]")) continue;
    if (box.height < 24 || box.width < 24) found.push(`too small: ${e.outerHTML.slice(0, 120)}`);
  }
  if (document.documentElement.scrollWidth > document.documentElement.clientWidth) found.push("scrolls sideways");
  return found;
}"""


class Watched:
    """A tab whose errors are kept."""

    def __init__(self, tab: "playwright.Page", address: str) -> None:
        """Listen to what goes wrong."""
        self.tab = tab
        self.address = address
        self.errors: list[str] = []
        tab.on("console", lambda message: message.type in ("error", "warning") and self.errors.append(message.text))
        tab.on("pageerror", lambda error: self.errors.append(str(error)))
        tab.on("requestfailed", self._failed)

    def _failed(self, request: "playwright.Request") -> None:
        if "ERR_ABORTED" not in (request.failure or ""):  # what the browser itself gives up when it leaves a page
            self.errors.append(f"{request.url}: {request.failure}")

    def open(self, path: str) -> None:
        """Show a page."""
        self.tab.goto(self.address + path)

    def findings(self) -> list[str]:
        """Return what stands in the way of people who cannot see well, or cannot use a mouse."""
        found: list[str] = self.tab.evaluate(FINDINGS)
        for violation in axe.run(self.tab).response["violations"]:
            found += [f"{violation['id']}: {node['html'][:120]}" for node in violation["nodes"]]
        return found


@contextlib.contextmanager
def chromium() -> Iterator["playwright.Browser"]:
    """Start a headless browser, for as many tests as like."""
    if CHROMIUM is None:
        pytest.skip("needs chromium: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []  # chromium's own sandbox refuses root
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=arguments)
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
def watching(browser: "playwright.Browser", address: str, who: str = "Ada", **context: object) -> Iterator[Watched]:
    """Open a tab that remembers nothing but the name of the person; at the end, nothing must have gone wrong in it."""
    visit = browser.new_context(**context)
    if who:
        visit.add_init_script(f"localStorage.setItem('who', {json.dumps(who)})")
    try:
        tab = visit.new_page()
        tab.set_default_timeout(60_000)
        watched = Watched(tab, address)
        yield watched
        assert not watched.errors, watched.errors
    finally:
        visit.close()
