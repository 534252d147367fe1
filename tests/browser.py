"""A real browser (Debian's chromium) on the page, watched for errors."""

import contextlib
import os
import shutil
from collections.abc import Iterator

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="needs the extra browser: pip install -e '.[browser]'")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

# What axe-core and WCAG 2.1 AA ask of pages as plain as ours, by the browser's own knowledge: each control and
# picture has a name, ids are unique, headings begin at 1 and skip no level, there is one main part, text stands
# out 4.5 : 1 from what is behind it (3 : 1 when large), and what is touched is 24 pixels or more.
FINDINGS = """() => {
  const found = [];
  const shown = (e) => e.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true });
  const tell = (what, e) => found.push(`${what}: ${e.outerHTML.slice(0, 120)}`);
  const name = (e) => (e.getAttribute("aria-label") || [...(e.labels || [])].map((l) => l.innerText).join(" ")
    || e.innerText || e.title || "").trim();
  if (!document.documentElement.lang) found.push("no language");
  if (!document.title) found.push("no title");
  if (document.querySelectorAll("main").length !== 1) found.push("not one main");
  const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
  if (new Set(ids).size !== ids.length) found.push("an id twice");
  let level = 0;
  for (const e of [...document.querySelectorAll("h1,h2,h3,h4")].filter(shown)) {
    const now = Number(e.tagName[1]);
    if (now > level + 1) tell("a level of headings is skipped", e);
    level = now;
  }
  for (const e of document.querySelectorAll("img")) if (!e.hasAttribute("alt")) tell("no alt", e);
  for (const e of [...document.querySelectorAll("a,button,input,select")].filter(shown)) {
    if (!name(e) && !e.querySelector("img[alt]:not([alt=''])")) tell("no name", e);
    const box = e.getBoundingClientRect();
    const inline = e.tagName === "A" && getComputedStyle(e).display === "inline";
    if (inline || e.matches(".skip,[type=file]")) continue;
    if (box.height < 24 || box.width < 24) tell("too small", e);
  }
  for (const e of document.querySelectorAll("[aria-describedby],[aria-controls]"))
    for (const at of ["aria-describedby", "aria-controls"])
      if (e.hasAttribute(at) && !document.getElementById(e.getAttribute(at))) tell("leads nowhere", e);
  const parse = (c) => (c.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, k) => sum + v * [0.2126, 0.7152, 0.0722][k], 0);
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const c = parse(getComputedStyle(e).backgroundColor);
      if (c.length === 3 || c[3] === 1) return c;
    }
    return [255, 255, 255];
  };
  for (const e of [...document.querySelectorAll("body *")].filter(shown)) {
    if (e.closest("svg,.sr,.skip") || ![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim())) continue;
    const style = getComputedStyle(e);
    const [a, b] = [light(parse(style.color)), light(behind(e))].sort((x, y) => y - x);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < (large ? 3 : 4.5)) tell(`contrast ${ratio.toFixed(2)}`, e);
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
        """Give what stands in the way of people who cannot see well, or cannot use a mouse."""
        found: list[str] = self.tab.evaluate(FINDINGS)
        return found


@contextlib.contextmanager
def browsing(address: str, **context: object) -> Iterator[Watched]:
    """Open a tab of a headless browser; at the end, nothing must have gone wrong in it."""
    if CHROMIUM is None:
        pytest.skip("needs chromium: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []  # chromium's own sandbox refuses root
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=arguments)
        try:
            tab = browser.new_context(**context).new_page()
            tab.set_default_timeout(60_000)
            watched = Watched(tab, address)
            yield watched
            assert not watched.errors, watched.errors
        finally:
            browser.close()
