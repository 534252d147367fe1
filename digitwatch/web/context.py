"""What every answer of the page is made with: the site, the index, the templates and the limits."""

import asyncio
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse

from digitwatch.web.access import Access
from digitwatch.web.rate_limit import Rate
from digitwatch.web.readings_index import Index
from digitwatch.web.web_settings import WebSettings

HERE = Path(__file__).parent


@dataclass
class Context:
    """The parts of a running page; `proof` is the secret that our pages show when they ask for a change."""

    site: WebSettings
    index: Index
    proof: str
    access: Access
    told: dict[str, str] = field(default_factory=dict)  # what the daemon last said of itself
    uploads: Rate = field(default_factory=lambda: Rate(300, 5, time.monotonic))
    visitors: int = 0  # who listen to what is new
    kept_inbox: tuple[float, tuple[int, float]] = (float("-inf"), (0, 0.0))  # see health.inbox
    thumbnails: dict[tuple[str, str], asyncio.Future[bytes | None]] = field(default_factory=dict)  # see views.images
    correcting: threading.Lock = field(default_factory=threading.Lock)  # see views.review
    resizing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))  # thumbnails made at a time
    uploading: int = 0  # files that are being received
    templates: jinja2.Environment = field(
        default_factory=lambda: jinja2.Environment(
            loader=jinja2.FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
    )

    def render(self, template: str, **values: Any) -> str:
        """Give the text of a template; every value is escaped."""
        return self.templates.get_template(template).render(proof=self.proof, has_token=bool(self.site.token), **values)

    def answer(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """Give a template as a page."""
        return HTMLResponse(self.render(template, **values), status)


def desk_of(request: Request) -> Context:
    """Give the desk of the page that a request came to."""
    desk: Context = request.app.state.desk
    return desk


def visitor_of(request: Request) -> str:
    """Give the address that a request came from."""
    return request.client.host if request.client else "?"
