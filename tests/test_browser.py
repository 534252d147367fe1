"""The web interface in a real browser: live, by keyboard, on a phone, and without an error in the console."""

import csv
import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest
from browser import Watched, chromium, watching
from form_example import FOLDER, SCANS
from service import Service, scan, until
from visitor import annotated, row, site, visiting, write

from digitwatch.forms.schema import load_one
from digitwatch.spool import correction_log
from digitwatch.web.views import event_stream
from digitwatch.web.web_settings import WebSettings

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


def reviewing(watched: Watched, number: int, picture: str = "[src^='data:']") -> None:
    """Wait until the review shows a scan, enlarged, for long enough to be answered by one key."""
    watched.tab.wait_for_selector(f"#file:text-is('{row(number).file}')")
    watched.tab.wait_for_selector(f"#picture{picture}:visible")
    watched.tab.wait_for_timeout(500)  # what is tested: a page takes no answer of one key before that


def said(settings: WebSettings) -> dict[str, str]:
    """Return the corrections that count, by the names of their scans without `scan-` and `.png`."""
    return {line.file[5:-4]: line.now for line in correction_log.read(settings.corrections).values()}


def test_twenty_are_reviewed_by_keyboard_alone(tmp_path: Path, browsing: Browsing) -> None:
    """A number and Enter, Enter alone, Alt+X, Alt+U: each becomes the line that it means, in order."""
    settings = site(tmp_path)
    write(tmp_path, *(row(number, confidence="0.5") for number in range(1, 22)))
    with visiting(settings) as page, browsing(str(page.base_url)) as watched:
        watched.open("/review")
        keyboard = watched.tab.keyboard
        begun = time.monotonic()
        for number in range(1, 21):
            reviewing(watched, number)
            if number % 5 == 0:
                keyboard.press("Alt+x")
            else:
                keyboard.type(f"{number}" if number % 2 else "")
                keyboard.press("Enter")
        print(f"{20 / (time.monotonic() - begun) * 60:.0f} a minute, without a person's thinking")
        reviewing(watched, 21)
        keyboard.press("Alt+u")
        watched.tab.wait_for_selector(f"#file:text-is('{row(20).file}')")
        until(lambda: len((tmp_path / "corrections.csv").read_text().splitlines()) == 22, "all are saved")

    found = said(settings)
    assert len(found) == 19
    assert (found["0003"], found["0004"], found["0005"]) == ("3", "7", "x")


def test_a_held_enter_confirms_one_page_at_most(tmp_path: Path, browsing: Browsing) -> None:
    """The repeats of a key that stays down answer nothing."""
    settings = site(tmp_path)
    write(tmp_path, *(row(number, confidence="0.5") for number in range(1, 11)))
    with visiting(settings) as page, browsing(str(page.base_url)) as watched:
        watched.open("/review")
        reviewing(watched, 1)
        for _ in range(60):
            watched.tab.keyboard.down("Enter")
        reviewing(watched, 2)

    assert said(settings) == {"0001": "7"}


def test_a_page_that_just_appeared_takes_no_confirmation(tmp_path: Path, browsing: Browsing) -> None:
    """Enter pressed again and again, faster than a person can look, confirms only the page that was looked at."""
    settings = site(tmp_path)
    write(tmp_path, *(row(number, confidence="0.5") for number in range(1, 11)))
    with visiting(settings) as page, browsing(str(page.base_url)) as watched:
        watched.open("/review")
        reviewing(watched, 1)
        for _ in range(30):
            watched.tab.keyboard.press("Enter")
        watched.tab.wait_for_selector("#notice:has-text('only just appeared')")
        reviewing(watched, 2)
        watched.tab.keyboard.press("Enter")
        reviewing(watched, 3)

    assert said(settings) == {"0001": "7", "0002": "7"}


def test_a_form_is_reviewed_field_by_field(tmp_path: Path, browsing: Browsing) -> None:
    """Each field is named and shown large with its neighbours; what is typed corrects that field alone."""
    settings = site(tmp_path, forms=FOLDER)
    names = ("meter", "day", "night")
    write(tmp_path, *(row(1, field=name, confidence="0.5", filed="archive/card.jpg") for name in names), files=False)
    (tmp_path / "archive" / "card.jpg").write_bytes((SCANS / "card-01.jpg").read_bytes())
    (tmp_path / row(1).annotated).write_bytes(annotated())
    with visiting(settings) as page, browsing(str(page.base_url)) as watched:
        watched.open("/review")
        pictures = []
        for name, typed in zip(names, ("715761", "949", ""), strict=True):
            watched.tab.wait_for_selector(f"#field:text-is('Field {name}')")
            watched.tab.wait_for_selector("#overview:visible")
            pictures.append(watched.tab.get_attribute("#picture", "src"))
            watched.tab.wait_for_timeout(500)  # what is tested: a page takes no answer of one key before that
            watched.tab.keyboard.type(typed)
            assert watched.findings() == []
            watched.tab.keyboard.press("Enter")
        watched.tab.wait_for_selector("#done:visible")
        until(lambda: len(correction_log.read(settings.corrections)) == 3, "all are saved")
        watched.open(f"/reading/{row(1).id}/1/day")
        assert watched.tab.locator("#headline").inner_text() == "949 7"
        assert watched.tab.locator(".fields .value").all_inner_texts() == ["715761 7", "949 7", "7"]
        assert watched.findings() == []

    assert len(set(pictures)) == 3 and all(picture.startswith("data:image/jpeg") for picture in pictures)


@pytest.mark.parametrize(
    "changes",
    [
        {"confidence": "0.0000", "prediction": "18071147400"},
        {"confidence": "0.9", "codes": "not_a_digit", "reason": "2 of 3 components are not digits"},
        {"confidence": "0.9", "reason": "2 of 3 components are not digits"},
        {"confidence": "0.9", "prediction": ""},
    ],
    ids=["unlikely", "code", "reason of an old row", "nothing"],
)
def test_enter_alone_does_not_confirm_what_is_unlikely(
    changes: dict[str, str], tmp_path: Path, browsing: Browsing
) -> None:
    """A reading below 5 % or of something that is no digit is typed, or said to be no number."""
    settings = site(tmp_path)
    write(tmp_path, row(1, **changes))
    with visiting(settings) as page, browsing(str(page.base_url)) as watched:
        watched.open("/review")
        reviewing(watched, 1)
        watched.tab.keyboard.press("Enter")
        watched.tab.wait_for_selector("#keys-hint:has-text('does not confirm')")
        assert watched.tab.locator("#save").is_disabled()
        assert said(settings) == {}
        watched.tab.keyboard.type("12")
        watched.tab.keyboard.press("Enter")
        watched.tab.wait_for_selector("#done:visible")
        until(lambda: said(settings), "it is saved")

    assert said(settings) == {"0001": "12"}


def test_what_is_no_number_is_never_saved(tmp_path: Path, browsing: Browsing) -> None:
    """It stays in the field with the reason; no letter of it is a command."""
    settings = site(tmp_path)
    write(tmp_path, row(1, confidence="0.5"), row(2, confidence="0.6"))
    with visiting(settings) as page, browsing(str(page.base_url)) as watched:
        for path in ("/review", f"/reading/{row(1).id}/1"):
            watched.open(path)
            watched.tab.wait_for_selector(".picture:visible, .pane img:visible")
            for typed in ("abc", "n/a", "see note", "?", "12 x", "=1"):
                watched.tab.fill("#answer", "")
                for key in (*typed, "Enter"):
                    watched.tab.locator("#answer").press(key)
                watched.tab.wait_for_selector(f"#notice:has-text('found “{typed}”. Not saved')")
                assert watched.tab.input_value("#answer") == typed
        watched.tab.click("#empty")
        watched.tab.wait_for_selector("#notice:has-text('another value in the field')")
        watched.open("/review")
        watched.tab.wait_for_selector(".picture:visible, .pane img:visible")
        watched.tab.fill("#answer", "12")
        watched.tab.keyboard.press("Alt+s")
        watched.tab.wait_for_selector("#notice:has-text('There is text in the field')")

    assert said(settings) == {}


def test_a_number_is_saved_as_it_is_written(tmp_path: Path, browsing: Browsing) -> None:
    """With its signs, in the review and for a scan that could not be read at all."""
    settings = site(tmp_path)
    numbers = ("12,5", "17.5", "-3", "12/05/1998", "2½", "10:30", "12 34")
    failed = row(9, status="failed", prediction="", annotated="", confidence="0.0000")
    write(tmp_path, *(row(n, annotated="") for n in range(len(numbers))), failed, files=False)
    with visiting(settings) as page, browsing(str(page.base_url)) as watched:
        watched.open("/review")
        for number, typed in enumerate(numbers):
            watched.tab.wait_for_selector(f"#file:text-is('{row(number).file}')")
            for key in typed:
                watched.tab.keyboard.press(key) if key.isascii() else watched.tab.keyboard.insert_text(key)
            watched.tab.keyboard.press("Enter")
        watched.tab.wait_for_selector("#done:visible")
        watched.open(f"/reading/{failed.id}/1")
        watched.tab.fill("#answer", "-3,50")
        watched.tab.keyboard.press("Enter")
        watched.tab.wait_for_selector("#headline:has-text('-3,50')")
        watched.errors[:] = [error for error in watched.errors if "404" not in error]  # no originals

    assert list(said(settings).values()) == [*numbers, "-3,50"]


def test_pasted_lines_stay_two_numbers(tmp_path: Path, browsing: Browsing) -> None:
    """A line end in what is pasted becomes a space; the browser alone would join 12 and 34."""
    settings = site(tmp_path)
    write(tmp_path, row(1))
    with visiting(settings) as page, browsing(str(page.base_url)) as watched:
        watched.open("/review")
        reviewing(watched, 1)
        paste = """() => {
          const clipboardData = new DataTransfer();
          clipboardData.setData("text", "12\\r\\n34\\n");
          const event = new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true });
          document.getElementById("answer").dispatchEvent(event);
        }"""
        watched.tab.evaluate(paste)

        assert watched.tab.input_value("#answer") == "12 34"


def test_a_correction_is_shown_wherever_the_reading_is(tmp_path: Path, browsing: Browsing) -> None:
    """The corrected value stands in headline, field and list, the one of the machine struck through beside it."""
    settings = site(tmp_path)
    write(tmp_path, row(1, confidence="0.9999", status="ok"))
    with visiting(settings) as page, browsing(str(page.base_url)) as watched:
        watched.open(f"/reading/{row(1).id}/1")
        watched.tab.fill("#answer", "42")
        watched.tab.keyboard.press("Enter")
        watched.tab.wait_for_selector("#corrected:has-text('42')")
        assert watched.tab.locator("#headline").inner_text() == "42 7"
        assert watched.tab.locator("#headline s").inner_text() == "7"
        assert watched.tab.locator("#status").inner_text() == "corrected"
        assert watched.tab.input_value("#answer") == "42"
        watched.open("/")

        assert watched.tab.locator(".reading .digits").inner_text() == "42 7"
        assert watched.tab.locator(".reading .digits s").inner_text() == "7"
        assert watched.tab.locator(".reading .status").inner_text().split() == ["corrected", "by", "Ada"]


def test_a_newer_correction_of_somebody_else_is_shown_and_not_replaced(tmp_path: Path, browsing: Browsing) -> None:
    """A save from a page that is out of date shows both values; only a second, explicit step replaces the other."""
    settings = site(tmp_path)
    write(tmp_path, row(1))
    where = f"/reading/{row(1).id}/1"
    with visiting(settings) as page, browsing(str(page.base_url)) as ada, browsing(str(page.base_url), "Ben") as ben:
        ada.open(where)
        ben.open(where)
        ada.tab.fill("#answer", "42")
        ada.tab.keyboard.press("Enter")
        ada.tab.wait_for_selector("#corrected:has-text('42')")
        ben.tab.fill("#answer", "43")
        ben.tab.keyboard.press("Enter")
        ben.tab.wait_for_selector("#conflict-text:has-text('Ada saved “42” meanwhile; yours is “43”')")
        assert said(settings) == {"0001": "42"}
        assert ben.findings() == []
        ben.tab.click("#save-mine")
        ben.tab.wait_for_selector("#corrected:has-text('43, by Ben')")
        ben.errors.clear()  # the refusal, 409, is in the console

    assert said(settings) == {"0001": "43"}


def test_undo_takes_back_only_the_correction_that_is_shown(tmp_path: Path, browsing: Browsing) -> None:
    """In the review and on the reading, a correction that somebody else made since stays."""
    settings = site(tmp_path)
    write(tmp_path, row(1))
    where = f"/reading/{row(1).id}/1"
    with visiting(settings) as page, browsing(str(page.base_url)) as ada, browsing(str(page.base_url), "Ben") as ben:
        ada.open("/review")
        reviewing(ada, 1)
        ada.tab.keyboard.type("42")
        ada.tab.keyboard.press("Enter")
        ada.tab.wait_for_selector("#done:visible")
        until(lambda: said(settings), "it is saved")
        ben.open(where)
        with browsing(str(page.base_url), "Cy") as cy:
            cy.open(where)
            cy.tab.fill("#answer", "44")
            cy.tab.keyboard.press("Enter")
            cy.tab.wait_for_selector("#corrected:has-text('44')")
        for watched, act in ((ada, lambda: ada.tab.keyboard.press("Alt+u")), (ben, lambda: ben.tab.click("#undo"))):
            act()
            watched.tab.wait_for_selector("#conflict-text:has-text('Cy saved “44”')")
            watched.errors.clear()

    assert said(settings) == {"0001": "44"}


def test_the_name_is_asked_for_once(tmp_path: Path, browsing: Browsing) -> None:
    """Nothing is saved without a name; entered once, it stands beside every correction."""
    settings = site(tmp_path)
    write(tmp_path, row(1, confidence="0.5"), row(2, confidence="0.6"))
    with visiting(settings) as page, browsing(str(page.base_url), "") as watched:
        watched.open("/review")
        watched.tab.wait_for_selector("#naming:visible")
        assert watched.findings() == []
        watched.tab.fill("#answer", "42")
        watched.tab.keyboard.press("Enter")
        watched.tab.wait_for_selector("#notice:has-text('Enter your name first')")
        assert said(settings) == {} and watched.tab.input_value("#answer") == "42"
        watched.tab.keyboard.type("Eve")
        watched.tab.keyboard.press("Enter")
        watched.tab.keyboard.press("Enter")
        watched.tab.wait_for_selector(f"#file:text-is('{row(2).file}')")
        watched.open(f"/reading/{row(2).id}/1")
        assert not watched.tab.locator("#naming").is_visible()
        watched.tab.click("#empty")
        watched.tab.wait_for_selector("#corrected:has-text('empty, by Eve')")

    assert {line.who for line in correction_log.read(settings.corrections).values()} == {"Eve"}


def test_a_lost_server_is_announced(tmp_path: Path, browsing: Browsing) -> None:
    """Five seconds after its last sign of life the page says so, and since when; when it is back the banner goes."""
    settings = site(tmp_path)
    with browsing("") as watched:
        with visiting(settings) as page:
            watched.address = str(page.base_url)
            watched.open("/")
            until(lambda: page.app.state.context.visitors, "the page listens")
            watched.tab.wait_for_timeout(6000)  # what is tested: a server without news is not lost
            assert not watched.tab.locator("#lost").is_visible()
        begun = time.monotonic()
        watched.tab.wait_for_selector("#lost:visible", timeout=15_000)
        assert 3 < time.monotonic() - begun < 9
        assert re.search(r"No connection .* true at \d\d:\d\d:\d\d", watched.tab.locator("#lost").inner_text())
        watched.errors.clear()


def test_a_silent_server_is_announced(tmp_path: Path, browsing: Browsing, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that stays open but says nothing counts as lost."""
    monkeypatch.setattr(event_stream, "SILENCE", 60)
    with visiting(site(tmp_path)) as page, browsing(str(page.base_url)) as watched:
        watched.open("/")
        watched.tab.wait_for_selector("#lost:visible", timeout=15_000)


def inside(watched: Watched, selector: str) -> bool:
    """Return whether an element is completely in sight without scrolling."""
    box, size = watched.tab.locator(selector).bounding_box(), watched.tab.viewport_size
    return (
        box["x"] >= 0
        and box["y"] >= 0
        and all(box[start] + box[length] <= size[length] for start, length in (("x", "width"), ("y", "height")))
    )


def meter(base: Path, number: int, digits: str = "304817") -> None:
    """Put an original into the archive whose digits are a small part of a large page."""
    page = np.full((1400, 1000), 240, np.uint8)
    cv2.putText(page, digits, (300, 500), cv2.FONT_HERSHEY_SIMPLEX, 1.6, 20, 4, cv2.LINE_AA)
    (base / row(number).filed).write_bytes(cv2.imencode(".png", page)[1].tobytes())


@pytest.mark.parametrize(
    "context",
    [{"viewport": {"width": 1366, "height": 650}}, PHONE | {"viewport": {"width": 390, "height": 664}}],
    ids=["wide", "phone"],
)
def test_picture_and_field_are_in_sight_together(
    context: dict[str, object], tmp_path: Path, browsing: Browsing
) -> None:
    """The picture is the enlarged part with the digits, not the card; field and buttons need no scrolling."""
    settings = site(tmp_path)
    write(tmp_path, row(1, confidence="0.5", reason="digits touch or are broken: several segmentations are possible"))
    meter(tmp_path, 1)
    with visiting(settings) as page, browsing(str(page.base_url), **context) as watched:
        watched.open("/review")
        watched.tab.wait_for_selector("#picture[src^='data:']:visible", timeout=20_000)
        boxes = (watched.tab.locator(name).bounding_box() for name in ("#picture", "#answer", ".answering"))
        picture, field, panel = boxes
        found = watched.findings()
        shape = watched.tab.evaluate("[document.getElementById('picture').naturalWidth, innerWidth]")

        assert found == []
        assert inside(watched, "#answer") and inside(watched, "#save") and inside(watched, "#picture")
        assert picture["width"] >= (0.55 if shape[1] > 800 else 0.9) * shape[1]
        assert picture["x"] + picture["width"] <= field["x"] or picture["y"] + picture["height"] <= panel["y"]
        assert [key for key in ("not", "empty", "skip", "back", "card", "help") if not inside(watched, f"#{key}")] == []


def test_the_keys_open_in_front(tmp_path: Path, browsing: Browsing) -> None:
    """The list of keys is a dialogue over the page, and while it is open no key answers."""
    settings = site(tmp_path)
    write(tmp_path, row(1, confidence="0.5"))
    with visiting(settings) as page, browsing(str(page.base_url)) as watched:
        watched.open("/review")
        reviewing(watched, 1)
        watched.tab.keyboard.press("Escape")
        watched.tab.keyboard.press("?")
        watched.tab.wait_for_selector("#keys:visible")
        assert inside(watched, "#keys") and watched.findings() == []
        watched.tab.keyboard.press("x")
        watched.tab.keyboard.press("Escape")
        assert not watched.tab.locator("#keys").is_visible()
        assert said(settings) == {}
        watched.tab.keyboard.press("e")
        watched.tab.wait_for_selector("#done:visible")
        until(lambda: said(settings), "it is saved")

    assert said(settings) == {"0001": ""}


def test_every_command_has_a_button(tmp_path: Path, browsing: Browsing) -> None:
    """A review with the mouse alone: confirm, not a number, empty page, skip and undo."""
    settings = site(tmp_path)
    write(tmp_path, *(row(number, confidence="0.5") for number in range(1, 6)))
    with visiting(settings) as page, browsing(str(page.base_url)) as watched:
        watched.open("/review")
        for number, button in enumerate(("save", "not", "skip", "empty", "back"), start=1):
            reviewing(watched, number)
            watched.tab.click(f"#{button}")
        watched.tab.wait_for_selector(f"#file:text-is('{row(4).file}')")
        until(lambda: (tmp_path / "corrections.csv").read_text().count("\n") == 5, "all are saved")

    assert said(settings) == {"0001": "7", "0002": "x"}


def test_a_confidence_is_worded_alike_everywhere(tmp_path: Path, browsing: Browsing) -> None:
    """In the list, on the reading and in the review, and never rounded up to certainty."""
    settings = site(tmp_path)
    write(tmp_path, row(1, confidence="0.9996"))
    with visiting(settings) as page, browsing(str(page.base_url)) as watched:
        for path in ("/", f"/reading/{row(1).id}/1", "/review"):
            watched.open(path)
            watched.tab.wait_for_selector("main:has-text('confidence 99.9 %')")
            assert "100" not in watched.tab.locator("main").inner_text()


def test_pictures_are_sorted_by_number_keys(tmp_path: Path, browsing: Browsing) -> None:
    """Where the model sorts whole pictures: a number chooses the label, Enter confirms, and axe-core finds nothing."""
    (tmp_path / "shapes.json").write_text(json.dumps({"reads": "objects", "labels": ["angular", "round"]}))
    settings = site(tmp_path, model=lambda: tmp_path / "shapes")
    write(tmp_path, *(row(number, prediction="angular", confidence="0.5") for number in (1, 2, 3)))
    with visiting(settings) as page, browsing(str(page.base_url)) as watched:
        watched.open("/review")
        for number, key in ((1, "2"), (2, "Enter"), (3, "x")):
            reviewing(watched, number, picture="")  # no model is there that could enlarge it
            assert number > 1 or watched.findings() == []
            watched.tab.keyboard.press(key)
        watched.tab.wait_for_selector("#done:visible")
        watched.open(f"/reading/{row(2).id}/1")
        assert watched.findings() == []
        watched.tab.select_option("#answer", "round")
        watched.tab.click("#correct button")
        watched.tab.wait_for_selector("#corrected:has-text('round')")

    assert said(settings) == {"0001": "round", "0002": "round", "0003": "x"}


def test_an_answer_that_cannot_be_saved_comes_back(tmp_path: Path, browsing: Browsing) -> None:
    """The reading is shown again with the reason, and nothing is lost silently."""
    settings = site(tmp_path, corrections=tmp_path / "gone" / "corrections.csv")
    write(tmp_path, row(1), row(2))
    with visiting(settings) as page, browsing(str(page.base_url)) as watched:
        watched.open("/review")
        watched.tab.wait_for_selector("#item:visible")
        watched.tab.keyboard.type("42")
        watched.tab.keyboard.press("Enter")
        watched.tab.wait_for_selector("#notice:has-text('could not be saved')")
        assert watched.tab.locator("#file").inner_text() == row(1).file
        assert watched.tab.input_value("#answer") == "42"
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


def test_readings_are_searched_and_sorted(tmp_path: Path, browsing: Browsing) -> None:
    """By a number among others, and by confidence; the filter holds for what comes later and for the next part."""
    settings = site(tmp_path)
    rows = [row(number, prediction=f"12345 {number}", annotated="") for number in range(60)]
    write(tmp_path, *rows, row(90, annotated="", confidence="0.00001"), files=False)
    with visiting(settings) as page, browsing(str(page.base_url)) as watched:
        watched.open("/")
        watched.tab.fill("input[name=number]", "12345")
        watched.tab.select_option("select[name=sort]", "least certain")
        watched.tab.click("#filters button")
        watched.tab.wait_for_selector(".total:has-text('60 readings')")
        assert watched.findings() == []
        assert watched.tab.locator(".reading .name").first.inner_text() == row(0).file
        watched.tab.click("[data-older]")
        watched.tab.wait_for_selector(f".reading .name:has-text('{row(59).file}')")
        assert watched.tab.locator(".reading").count() == 60
        watched.tab.locator(".reading a").first.focus()
        watched.tab.keyboard.press("j")
        assert row(1).file in watched.tab.evaluate("document.activeElement.innerText")
        watched.tab.keyboard.press("/")
        assert watched.tab.evaluate("document.activeElement.name") == "number"
        until(lambda: page.app.state.context.visitors, "the page listens")
        write(tmp_path, row(91, annotated=""), files=False)
        watched.tab.wait_for_selector("#many button:visible")
        assert not watched.tab.locator(f".reading .name:has-text('{row(91).file}')").count()


def test_a_failed_scan_is_put_back_from_its_card(tmp_path: Path, browsing: Browsing) -> None:
    """The card says why it failed; one press puts it into the inbox and says under which name."""
    settings = site(tmp_path)
    failed = {"status": "failed", "prediction": "", "annotated": "", "reason": "it is damaged"}
    write(tmp_path, row(1, filed="failed/a.png", **failed), row(2, filed="failed/b.png", **failed))
    with visiting(settings) as page, browsing(str(page.base_url)) as watched:
        watched.open("/?status=failed")
        assert watched.findings() == []
        watched.tab.click(".failure:has-text('it is damaged') button >> nth=0")
        watched.tab.wait_for_selector(".failure:has-text('back in the inbox as b.png')")
        watched.open(f"/reading/{row(1).id}/1")
        watched.tab.click("[data-retry]")
        watched.tab.wait_for_selector("main:has-text('back in the inbox as a.png')")

    assert sorted(path.name for path in (tmp_path / "inbox").iterdir()) == ["a.png", "b.png"]


def test_a_failed_scan_is_deleted_after_a_question(tmp_path: Path, browsing: Browsing) -> None:
    """The question names the file and why it failed; only its button deletes, and the card then says who did."""
    settings = site(tmp_path)
    failed = {"status": "failed", "prediction": "", "annotated": "", "reason": "it is damaged", "sha256": ""}
    write(tmp_path, row(1, filed="failed/a.png", **failed))
    with visiting(settings) as page, browsing(str(page.base_url)) as watched:
        watched.open("/?status=failed")
        for button, left in (("keep", ["a.png"]), ("delete", [])):
            watched.tab.click("[data-delete]")
            watched.tab.wait_for_selector("#deleting:has-text('it is damaged')")
            assert watched.findings() == []
            assert watched.tab.input_value("#deleting-who") == "Ada"
            watched.tab.click(f"#deleting button[value={button}]")
            watched.tab.wait_for_selector("#deleting", state="hidden")
            if not left:
                watched.tab.wait_for_selector(".failure:has-text('deleted by Ada')")
            assert [path.name for path in (tmp_path / "failed").iterdir()] == left


def test_times_are_those_of_the_visitor(tmp_path: Path, browsing: Browsing) -> None:
    """Local with the name of the zone, or UTC, chosen at the foot of the page; days of the search are in it, too."""
    settings = site(tmp_path)
    write(tmp_path, row(1, time="2026-11-22T23:30:00.000Z", annotated=""), files=False)
    with visiting(settings) as page, browsing(str(page.base_url), timezone_id="Asia/Tokyo") as watched:
        watched.open("/")
        watched.tab.wait_for_selector(".reading time:text-is('2026-11-23 08:30:00')")
        assert "Asia/Tokyo" in watched.tab.locator("#zone").inner_text()
        watched.tab.fill("input[name=from]", "2026-11-23")
        watched.tab.click("#filters button")
        watched.tab.wait_for_selector(".total:has-text('1 readings')")
        watched.tab.select_option("#zone", "UTC")
        watched.tab.wait_for_selector(".total:has-text('0 readings')")
        watched.open("/")
        watched.tab.wait_for_selector(".reading time:text-is('2026-11-22 23:30:00')")


def test_a_reading_is_seen_large_and_beside_its_original(tmp_path: Path, browsing: Browsing) -> None:
    """Both pictures side by side, larger at a press, and the keys step through the list and back."""
    settings = site(tmp_path)
    write(tmp_path, row(1), row(2))
    with visiting(settings) as page, browsing(str(page.base_url)) as watched:
        watched.open("/?sort=oldest")
        watched.tab.click(".reading a >> nth=0")
        watched.tab.click("[data-show=both]")
        watched.tab.wait_for_selector("[data-pane=original] img:visible")
        panes = [watched.tab.locator(f"[data-pane={name}]").bounding_box() for name in ("annotated", "original")]
        assert panes[0]["x"] + panes[0]["width"] <= panes[1]["x"] and panes[0]["y"] == panes[1]["y"]
        before = watched.tab.locator("[data-pane=original] img").bounding_box()["width"]
        watched.tab.click("[data-zoom='1']")
        assert watched.tab.locator("[data-pane=original] img").bounding_box()["width"] > 1.4 * before
        assert watched.findings() == []
        watched.tab.keyboard.press("j")
        watched.tab.wait_for_selector(f"h1:has-text('{row(2).file}')")
        watched.tab.wait_for_function(READY)  # the scripts run then
        watched.tab.keyboard.press("?")
        watched.tab.wait_for_selector("#all-keys:visible")
        watched.tab.keyboard.press("Escape")
        watched.tab.keyboard.press("k")
        watched.tab.wait_for_selector(f"h1:has-text('{row(1).file}')")
        watched.tab.wait_for_function(READY)
        watched.tab.keyboard.press("b")
        watched.tab.wait_for_selector("#readings")
        assert watched.tab.url.endswith("/?sort=oldest")


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


def test_a_template_is_made_in_the_browser(tmp_path: Path, browsing: Browsing) -> None:
    """Boxes found, drawn, moved and removed, by mouse and by keyboard alone; the downloaded file can be used."""
    with visiting(site(tmp_path)) as page, browsing(str(page.base_url)) as watched:
        watched.open("/forms")
        assert watched.findings() == []
        watched.tab.set_input_files("#example-file", FOLDER / "meter-card.png")
        watched.tab.wait_for_selector("#editor:visible")
        watched.tab.click("#use-found")
        found = watched.tab.locator(".box").count()
        watched.tab.click("#add-box")
        watched.tab.keyboard.press("ArrowRight")
        watched.tab.keyboard.press("Shift+ArrowDown")
        watched.tab.keyboard.press("Enter")
        watched.tab.keyboard.type("total")
        sheet = watched.tab.locator("#sheet").bounding_box()
        watched.tab.mouse.move(sheet["x"] + 5, sheet["y"] + 5)
        watched.tab.mouse.down()
        watched.tab.mouse.move(sheet["x"] + 105, sheet["y"] + 45)
        watched.tab.mouse.up()
        assert watched.tab.locator(".box").count() == found + 2
        watched.tab.keyboard.press("Delete")
        watched.tab.keyboard.press("Control+z")
        assert watched.tab.locator(".box").count() == found + 2
        watched.tab.fill(".field-row >> nth=0 >> [data-key=digits]", "many")
        watched.tab.click("#save-yaml")
        watched.tab.wait_for_selector("#template-problem:has-text('digits: expected')")
        assert watched.findings() == []
        watched.tab.fill(".field-row >> nth=0 >> [data-key=digits]", "6")
        with watched.tab.expect_download() as download:
            watched.tab.click("#save-yaml")
        download.value.save_as(tmp_path / "meter-card.yaml")
        watched.errors[:] = [error for error in watched.errors if "400" not in error]  # the refusal
    (tmp_path / "meter-card.png").write_bytes((FOLDER / "meter-card.png").read_bytes())
    form = load_one(tmp_path / "meter-card.yaml")

    assert (len(form.fields), form.fields[0].digits) == (found + 2, (6, 6))
    total = next(field for field in form.fields if field.name == "total")
    assert total.box[0] == pytest.approx(0.405) and total.box[3] == pytest.approx(0.045)


def test_todays_scans_are_read_with_a_new_template(tmp_path: Path, browsing: Browsing) -> None:
    """An example taken from a scan already read; the result stands below, a scan that does not fit says so."""
    settings = site(tmp_path, forms=FOLDER)
    write(tmp_path, row(1), row(2, filed="archive/card.jpg"))
    (tmp_path / "archive/card.jpg").write_bytes((SCANS / "card-01.jpg").read_bytes())
    with visiting(settings) as page, browsing(str(page.base_url)) as watched:
        watched.open("/forms")
        watched.tab.select_option("#example-template", "meter-card")
        watched.tab.wait_for_selector("#editor:visible")
        assert watched.tab.input_value(".field-row >> nth=3 >> [data-key=max]") == "1998"
        watched.tab.click("#try")
        watched.tab.wait_for_selector("#tried figure:has-text('does not fit')")
        assert watched.tab.locator("#tried .fields tbody tr").count() == 4
        assert watched.findings() == []
        watched.tab.select_option("#example-scan", f"{row(2).id}/1")
        watched.tab.wait_for_selector("#no-fields:visible")


@pytest.mark.parametrize("screen", ["wide", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_are_accessible(tmp_path: Path, screen: str, scheme: str, browsing: Browsing) -> None:
    """On a phone and on a wide screen, by day and by night, axe-core finds nothing, and all can be touched."""
    settings = site(tmp_path)
    write(tmp_path, *(row(n, status=status) for n, status in enumerate(("ok", "review", "empty", "failed"))))
    write(tmp_path, row(9, file="x" * 200 + ".png", prediction="8" * 60, annotated="", filed=""))
    context = (PHONE if screen == "phone" else {}) | {"color_scheme": scheme}
    with visiting(settings) as page, browsing(str(page.base_url), **context) as watched:
        for path in (
            "/",
            "/review",
            "/numbers",
            f"/reading/{row(1).id}/1",
            "/?name=nothing",
            "/help",
            "/forms",
            "/nothing",
        ):
            watched.open(path)
            watched.tab.wait_for_selector("#item:visible" if path == "/review" else "main")
            assert watched.findings() == [], path
        watched.errors[:] = [error for error in watched.errors if "404" not in error]  # of the last one


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
