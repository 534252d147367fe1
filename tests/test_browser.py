"""The web interface in a real browser: live, by keyboard, on a phone, and without an error in the console."""

import csv
import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import httpx
import pytest
from browser import Watched, chromium, watching
from service import Service, scan, until
from visitor import row, site, visiting, write

from digitwatch.spool import correction_log

PHONE = {"viewport": {"width": 360, "height": 640}, "has_touch": True, "is_mobile": True}
Browsing = Callable[..., AbstractContextManager[Watched]]
READY = "() => document.readyState === 'complete'"


@pytest.fixture(scope="module")
def browsing() -> Iterator[Browsing]:
    """Start a browser once; return what opens a fresh tab of it at an address."""
    with chromium() as browser:
        yield partial(watching, browser)


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[tuple[Service, str]]:
    """Start a real daemon with its web interface; return it with the address."""
    with Service(tmp_path, "web: {listen: '127.0.0.1:0'}\ncorrections: corrections.csv\n") as service:
        until(lambda: re.search(r"web interface at (\S+)", service.lines()), "the page has an address")
        address = re.search(r"web interface at (\S+)", service.lines())[1]  # type: ignore[index]
        until(lambda: answers(address), "the page answers")
        yield service, address


def answers(address: str) -> bool:
    """Return whether a server answers at the address."""
    try:
        return httpx.get(f"{address}/healthz").status_code == 200
    except httpx.HTTPError:
        return False


def test_a_scan_appears_by_itself(daemon: tuple[Service, str], browsing: Browsing) -> None:
    """Copied into the inbox of a real daemon, it is on the open page within a second, without a reload.

    Of five the quickest counts: on a machine that is busy with something else, any of them may wait for that.
    """
    service, address = daemon
    with browsing(address) as watched:
        watched.open("/")
        watched.tab.evaluate("window.same = true")
        until(lambda: int(metric(address, "listeners")), "the page listens")
        seconds = []
        for number in range(5):
            copied = time.monotonic()
            (service.inbox / f"{number}.png").write_bytes(scan(str(number)))
            watched.tab.wait_for_selector(f".reading .name:text-is('{number}.png')")
            seconds.append(time.monotonic() - copied)
        print("from copy to page:", ", ".join(f"{1000 * value:.0f} ms" for value in seconds))
        shown = watched.tab.locator(".reading .digits").all_inner_texts()

        assert watched.tab.evaluate("window.same")
        assert shown[::-1] == [row["prediction"] for row in service.rows()]
        assert min(seconds) < 1


def metric(address: str, name: str) -> str:
    """Return a number of /metrics."""
    return re.search(rf"^digitwatch_{name} (\S+)", httpx.get(f"{address}/metrics").text, re.MULTILINE)[1]  # type: ignore[index]


def test_twenty_are_reviewed_by_keyboard_alone(tmp_path: Path, browsing: Browsing) -> None:
    """Digits and Enter, Enter alone, x, u: each becomes the line that it means, in order."""
    settings = site(tmp_path)
    write(tmp_path, *(row(number) for number in range(1, 22)))
    with visiting(settings) as page, browsing(str(page.base_url)) as watched:
        watched.open("/review")
        keyboard, file = watched.tab.keyboard, watched.tab.locator("#file")
        begun = time.monotonic()
        for number in range(1, 21):
            watched.tab.wait_for_function(f"() => document.getElementById('file').textContent === '{row(number).file}'")
            if number % 5 == 0:
                keyboard.press("x")
            elif number % 2:
                keyboard.type(f"{number}")
                keyboard.press("Enter")
            else:
                keyboard.press("Enter")
        print(f"{20 / (time.monotonic() - begun) * 60:.0f} a minute, without a person's thinking")
        watched.tab.wait_for_function(f"() => document.getElementById('file').textContent === '{row(21).file}'")
        keyboard.press("u")
        watched.tab.wait_for_function(f"() => document.getElementById('file').textContent === '{row(20).file}'")
        assert file.inner_text() == row(20).file
        until(lambda: len((tmp_path / "corrections.csv").read_text().splitlines()) == 22, "all are saved")

    said = {key[0]: line.now for key, line in correction_log.read(settings.corrections).items()}
    assert len(said) == 19
    assert (said[row(3).id], said[row(4).id], said[row(5).id]) == ("3", "7", "x")


def test_the_review_shows_its_keys_and_its_end(tmp_path: Path, browsing: Browsing) -> None:
    """`?` opens the list of keys; behind the last reading it says that nothing is left."""
    settings = site(tmp_path)
    write(tmp_path, row(1))
    with visiting(settings) as page, browsing(str(page.base_url)) as watched:
        watched.open("/review")
        watched.tab.wait_for_selector("#item:visible")
        watched.tab.keyboard.press("?")
        assert watched.tab.locator("#keys").is_visible()
        watched.tab.keyboard.press("?")
        watched.tab.keyboard.press("e")
        watched.tab.wait_for_selector("#done:visible")

    assert correction_log.read(settings.corrections)[row(1).id, "1"].now == ""


def test_pictures_are_sorted_by_number_keys(tmp_path: Path, browsing: Browsing) -> None:
    """Where the model sorts whole pictures: a number chooses the label, Enter confirms, and axe-core finds nothing."""
    (tmp_path / "shapes.json").write_text(json.dumps({"reads": "objects", "labels": ["angular", "round"]}))
    settings = site(tmp_path, model=lambda: tmp_path / "shapes")
    write(tmp_path, *(row(number, prediction="angular") for number in (1, 2, 3)))
    with visiting(settings) as page, browsing(str(page.base_url)) as watched:
        watched.open("/review")
        for number, key in ((1, "2"), (2, "Enter"), (3, "x")):
            watched.tab.wait_for_selector(f"#file:text-is('{row(number).file}')")
            assert number > 1 or watched.findings() == []
            watched.tab.keyboard.press(key)
        watched.tab.wait_for_selector("#done:visible")
        watched.open(f"/reading/{row(2).id}/1")
        assert watched.findings() == []
        watched.tab.select_option("#answer", "round")
        watched.tab.click("#correct button")
        watched.tab.wait_for_selector("#corrected:has-text('round')")

    said = {key[0]: line.now for key, line in correction_log.read(settings.corrections).items()}
    assert said == {row(1).id: "round", row(2).id: "round", row(3).id: "x"}


def test_an_answer_that_cannot_be_saved_comes_back(tmp_path: Path, browsing: Browsing) -> None:
    """The reading is shown again with the reason, and nothing is lost silently."""
    settings = site(tmp_path, corrections=tmp_path / "gone" / "corrections.csv")
    write(tmp_path, row(1), row(2))
    with visiting(settings) as page, browsing(str(page.base_url)) as watched:
        watched.open("/review")
        watched.tab.wait_for_selector("#item:visible")
        watched.tab.keyboard.press("Enter")
        watched.tab.wait_for_selector("#notice:has-text('could not be saved')")
        assert watched.tab.locator("#file").inner_text() == row(1).file
        watched.errors[:] = [error for error in watched.errors if "507" not in error]


def test_files_are_uploaded_by_button_and_by_dropping(
    daemon: tuple[Service, str], tmp_path: Path, browsing: Browsing
) -> None:
    """Both land in the inbox of a real daemon and come back as readings."""
    service, address = daemon
    (tmp_path / "chosen.png").write_bytes(scan("7"))
    with browsing(address) as watched:
        watched.open("/")
        watched.tab.set_input_files("#files", tmp_path / "chosen.png")
        watched.tab.wait_for_selector("#uploads li:has-text('in the inbox')")
        drop = """async (bytes) => {
          const files = new DataTransfer();
          files.items.add(new File([new Uint8Array(bytes)], "dropped <b>.png"));
          document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: files, bubbles: true, cancelable: true }));
        }"""
        watched.tab.evaluate(drop, list(scan("4")))
        service.await_rows(2)
        watched.tab.wait_for_selector(".reading .name:has-text('dropped <b>.png')")

    assert {one["file"] for one in service.rows()} == {"chosen.png", "dropped <b>.png"}


def test_a_correction_on_the_reading_itself(tmp_path: Path, browsing: Browsing) -> None:
    """Saved, shown, and taken back."""
    settings = site(tmp_path)
    write(tmp_path, row(1))
    with visiting(settings) as page, browsing(str(page.base_url)) as watched:
        watched.open(f"/reading/{row(1).id}/1")
        watched.tab.fill("#answer", "42")
        watched.tab.keyboard.press("Enter")
        watched.tab.wait_for_selector("#corrected:has-text('42')")
        watched.tab.click("#undo")
        watched.tab.wait_for_selector("#corrected:text-is('no')")

    with settings.corrections.open(newline="") as file:
        assert [line["now"] for line in csv.DictReader(file)] == ["42", "undo"]


def test_what_the_model_saw_is_shown(tmp_path: Path, browsing: Browsing) -> None:
    """One press gives each digit's picture and all its probabilities."""
    settings = site(tmp_path)
    write(tmp_path, row(1))
    with visiting(settings) as page, browsing(str(page.base_url)) as watched:
        watched.open(f"/reading/{row(1).id}/1")
        watched.tab.click("#look button")
        watched.tab.wait_for_selector(".seen img")

        assert watched.tab.locator(".seen tr").count() >= 10
        assert watched.findings() == []


@pytest.mark.parametrize(("screen", "scheme"), [("wide", "light"), ("phone", "dark")])
def test_the_pages_are_accessible(tmp_path: Path, screen: str, scheme: str, browsing: Browsing) -> None:
    """On a phone and on a wide screen, by day and by night, axe-core finds nothing, and all can be touched."""
    settings = site(tmp_path)
    write(tmp_path, *(row(n, status=status) for n, status in enumerate(("ok", "review", "empty", "failed"))))
    write(tmp_path, row(9, file="x" * 200 + ".png", prediction="8" * 60, annotated="", filed=""))
    context = (PHONE if screen == "phone" else {}) | {"color_scheme": scheme}
    with visiting(settings) as page, browsing(str(page.base_url), **context) as watched:
        for path in ("/", "/review", "/numbers", f"/reading/{row(1).id}/1", "/?name=nothing"):
            watched.open(path)
            watched.tab.wait_for_selector("#item:visible" if path == "/review" else "main")
            assert watched.findings() == [], path


def test_what_is_not_for_everybody_is_found(browsing: Browsing) -> None:
    """The judge of the test before can say no."""
    with browsing("") as watched:
        watched.tab.set_content("<main style='width: 9999px'><input><p style='color: #bbb'>pale</p></main>")
        found = " ".join(watched.findings())

    assert [word for word in ("label", "color-contrast", "html-has-lang", "sideways") if word not in found] == []


def test_signing_in_and_out(tmp_path: Path, browsing: Browsing) -> None:
    """The token typed once opens the page; signing out closes it."""
    with visiting(site(tmp_path, token="a-long-enough-token")) as page, browsing(str(page.base_url)) as watched:
        watched.open("/")
        assert watched.findings() == []
        watched.tab.fill("input[name=token]", "a-long-enough-token")
        watched.tab.keyboard.press("Enter")
        watched.tab.wait_for_selector("#readings")
        watched.tab.click("#leave")
        watched.tab.wait_for_selector("input[name=token]")


def test_a_script_in_a_name_is_not_executed(tmp_path: Path, browsing: Browsing) -> None:
    """A name that is a script is text; and anything else is blocked by the policy."""
    settings = site(tmp_path)
    bad = '"><script>window.bad=1</script><img src=x onerror=window.bad=1>.png'
    write(tmp_path, row(1, file=bad, annotated="", filed="", reason=bad), files=False)
    with visiting(settings) as page, browsing(str(page.base_url)) as watched:
        for path in ("/", f"/reading/{row(1).id}/1", "/review", f"/?name={bad}"):
            watched.open(path)
            watched.tab.wait_for_function(READY)
            assert watched.tab.evaluate("window.bad") is None
        watched.errors[:] = [error for error in watched.errors if "404" not in error]  # it has no picture


def test_many_readings_at_once_are_shown_as_a_number(tmp_path: Path, browsing: Browsing) -> None:
    """Many readings are shown as a number, and afterwards the newest are shown; `Older` leads to the rest."""
    with visiting(site(tmp_path)) as page, browsing(str(page.base_url)) as watched:
        watched.open("/")
        until(lambda: page.app.state.context.visitors, "the page listens")
        write(tmp_path, *(row(number, annotated="") for number in range(60)), files=False)
        watched.tab.wait_for_selector("#many button:visible")
        watched.tab.wait_for_selector(".reading .name:has-text('scan-0059.png')")

        assert watched.tab.locator(".reading").count() == 50
        watched.tab.click("[data-older]")
        watched.tab.wait_for_selector(".reading .name:has-text('scan-0000.png')")
        assert json.loads(watched.tab.evaluate("JSON.stringify(document.querySelectorAll('.reading').length)")) == 60
