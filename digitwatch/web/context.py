"""State shared by all requests: settings, index, templates and limits."""

import asyncio
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse

from digitwatch.web import texts
from digitwatch.web.access import Access
from digitwatch.web.rate_limit import Rate
from digitwatch.web.readings_index import Index
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
            has_token=bool(self.settings.token),
            shown_text=lambda text: without_paths(self.settings, text),
            **values,
        )

    def answer(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """Return a template as an HTML response."""
        return HTMLResponse(self.render(template, **values), status)


def context_of(request: Request) -> Context:
    """Return the context of the application that a request came to."""
    context: Context = request.app.state.context
    return context


def visitor_of(request: Request) -> str:
    """Return the address that a request came from."""
    return request.client.host if request.client else "?"
