"""Expensive views: a bounded number runs and waits, and nothing else waits for them."""

import _thread
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from service import until
from visitor import Visitor, row, site, visiting, write

THREADS = 40  # of Starlette's pool


@pytest.fixture
def held(tmp_path: Path) -> Iterator[tuple[Visitor, ThreadPoolExecutor, list[int], threading.Event]]:
    """Serve one reading whose model file cannot be named until the event is set; count who asks for it."""
    event, asked = threading.Event(), []

    def model() -> str:
        asked.append(1)
        event.wait(60)
        return "dense"

    settings = site(tmp_path, model=model)
    write(tmp_path, row(1))
    with visiting(settings) as page, ThreadPoolExecutor(THREADS + 10) as clients:
        try:
            yield page, clients, asked, event
        finally:
            event.set()


def test_healthz_needs_no_thread(held: tuple[Visitor, ThreadPoolExecutor, list[int], threading.Event]) -> None:
    """It answers while requests occupy every thread of the pool."""
    page, clients, asked, _ = held
    for _ in range(THREADS + 10):
        clients.submit(page.get, f"/reading/{row(1).id}/1")
    until(lambda: len(asked) >= THREADS, "all threads are occupied")

    assert page.get("/healthz", timeout=5).text == "ok\n"


def test_model_views_beyond_the_queue_are_refused(
    held: tuple[Visitor, ThreadPoolExecutor, list[int], threading.Event],
) -> None:
    """One runs, eight wait without a thread, the others get 503 with the time to wait."""
    page, clients, asked, event = held
    answers = [clients.submit(page.get, f"/look/{row(1).id}/1") for _ in range(20)]
    until(lambda: sum(answer.done() for answer in answers) == 11, "eleven are refused")
    assert len(asked) == 1
    refused = next(answer.result() for answer in answers if answer.done())
    event.set()

    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    assert sorted(answer.result().status_code for answer in answers) == [200] * 9 + [503] * 11


def test_a_refused_thread_is_a_temporary_failure(
    held: tuple[Visitor, ThreadPoolExecutor, list[int], threading.Event],
) -> None:
    """Where the system starts no thread, views are answered with 503 and /healthz as ever; later all is well."""
    page, _, _, event = held
    before = _thread.stack_size(1 << 46)  # more than the address space: refused as under ulimit -u
    try:
        with socket.create_connection((page.base_url.host, page.base_url.port)) as other:  # takes the idle thread
            other.sendall(f"GET /reading/{row(1).id}/1 HTTP/1.1\r\nhost: localhost\r\n\r\n".encode())
            until(lambda: page.get("/", timeout=20).status_code == 503, "a view needs a new thread")
            refused, health = page.get("/"), page.get("/healthz")
    finally:
        _thread.stack_size(before)
    event.set()

    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    assert "thread" in refused.text and "bug" not in refused.text
    assert (health.status_code, page.get("/").status_code) == (200, 200)
