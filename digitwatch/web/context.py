"""State shared by all requests: settings, index, templates and limits."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse

from digitwatch import __version__
from digitwatch.web import texts
from digitwatch.web.access import Access
from digitwatch.web.rate_limit import Rate
from digitwatch.web.readings_index import Index
from digitwatch.web.views.files import is_in_failed
from digitwatch.web.web_settings import WebSettings, without_paths

HERE = Path(__file__).parent


def _templates() -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"percent": texts.percent, "key": texts.key_of, "page_key": texts.page_key_of}
    made.globals["correction_text"] = texts.correction_text
    return made


@dataclass
class Context:
    """State of a running web interface.

    `proof` is the secret that our HTML sends with every POST; `key` proves which server this is (`identity`).
    """

    settings: WebSettings
    index: Index
    proof: str
    access: Access
    key: bytes = b""
    daemon: dict[str, str] = field(default_factory=dict)  # the last state that the daemon sent
    uploads: Rate = field(default_factory=lambda: Rate(300, 5, time.monotonic))
    visitors: int = 0  # open event streams
    kept_inbox: tuple[float, tuple[int, float]] = (float("-inf"), (0, 0.0))  # see views.metrics
    thumbnails: dict[tuple[str, str], asyncio.Future[bytes | None]] = field(default_factory=dict)  # see views.images
    correcting: threading.Lock = field(default_factory=threading.Lock)  # see views.review
    resizing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))  # thumbnails made at a time
    uploading: int = 0  # files being received
    templates: jinja2.Environment = field(default_factory=_templates)

    def render(self, template: str, **values: Any) -> str:
        """Return the text of a template; every value is escaped."""
        return self.templates.get_template(template).render(
            proof=self.proof,
            profile=self.settings.profile,
            has_token=bool(self.settings.token),
            version=__version__,
            shown_text=lambda text: without_paths(self.settings, text),
            whereabouts=self._whereabouts,
            **values,
        )

    def answer(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """Return a template as an HTML response."""
        return HTMLResponse(self.render(template, **values), status)

    def error_page(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> HTMLResponse:
        """Return an error as a page; it holds nothing that only visitors with the token may see."""
        title = HTTPStatus(status).phrase if status in set(HTTPStatus) else "Error"
        html = self.render("error.html", title=title.capitalize(), text=text)
        return HTMLResponse(html, status, dict(headers or {}))

    def _whereabouts(self, reading: sqlite3.Row) -> str:
        """Return what became of the original of a failed reading, "" where it still lies in the folder failed."""
        if is_in_failed(self.settings, reading):
            return ""
        deletion = self.index.deletion(reading["id"])
        return f"deleted by {deletion['who']}" if deletion else "no longer in the folder failed"


def context_of(request: Request) -> Context:
    """Return the context of the application that a request came to."""
    context: Context = request.app.state.context
    return context


def visitor_of(request: Request) -> str:
    """Return the address that a request came from."""
    return request.client.host if request.client else "?"
