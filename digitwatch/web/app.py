"""The web interface as an ASGI application: routes and error responses."""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncIterator, Mapping

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route, Router
from starlette.staticfiles import StaticFiles

from digitwatch.system.os_errors import is_thread_limit
from digitwatch.web import identity
from digitwatch.web.access import Access
from digitwatch.web.admission import Admission
from digitwatch.web.context import HERE, Context
from digitwatch.web.readings_index import Index
from digitwatch.web.security import HEADERS, Guard, wants_page
from digitwatch.web.views import api, failed, forms, images, login, metrics, readings, review, upload
from digitwatch.web.views.event_stream import Live, listen
from digitwatch.web.web_settings import WebSettings

log = logging.getLogger(__name__)

ONE = "{scan:str}/{page:str}"
FIELD = f"{ONE}/{{field:str}}"


def routes() -> list[BaseRoute]:
    """Return the routes; expensive views have a bounded queue of their own."""
    return [
        Route("/", readings.readings),
        Route("/list", readings.part),
        Route(f"/reading/{ONE}", readings.reading),
        Route(f"/reading/{FIELD}", readings.reading),
        Route(f"/small/{ONE}", images.small),
        Route(f"/whole/{ONE}", images.whole),
        Route(f"/scan/{ONE}", images.scan),
        *_look(),
        Route("/api/readings", api.readings),
        Route("/readings.csv", readings.table, middleware=[Middleware(Admission, running=2, waiting=8)]),
        Route(f"/retry/{ONE}", failed.retry, methods=["POST"]),
        Route(f"/delete/{ONE}", failed.delete, methods=["POST"]),
        Route("/help", readings.instructions),
        *_forms(),
        Route("/review", readings.review),
        Route("/queue", review.queue),
        Route("/corrections", review.correct, methods=["POST"]),
        Route("/upload", upload.upload, methods=["POST"]),
        Route("/live", listen),
        Route("/numbers", readings.numbers),
        Route("/day/{day:str}.csv", readings.day, middleware=[Middleware(Admission, running=2, waiting=8)]),
        Route("/metrics", metrics.metrics),
        Route("/healthz", metrics.healthz),
        Route("/login", login.ask),
        Route("/login", login.take, methods=["POST"]),
        Route("/logout", login.leave, methods=["POST"]),
        Mount("/static", StaticFiles(directory=HERE / "static")),
    ]


def _forms() -> list[BaseRoute]:
    """Return the routes of the editor of templates; what starts a process shares one queue."""
    heavy = [Route(f"/{name}", view, methods=["POST"]) for name, view in (("boxes", forms.boxes), ("try", forms.trial))]
    return [
        Route("/forms", forms.editor),
        Route("/forms/text", forms.text, methods=["POST"]),
        Route("/forms/template/{name:str}", forms.template),
        Route("/forms/example/{name:str}", forms.example),
        Mount("/forms/process", Admission(Router(heavy), running=1, waiting=4)),
    ]


def _look() -> list[BaseRoute]:
    """Return the routes that read a scan again, which share one queue."""
    bound = Admission(Router([Route(f"/{each}", images.look) for each in (ONE, FIELD)]), running=1, waiting=8)
    return [Mount("/look", bound)]


def make(settings: WebSettings) -> Starlette:
    """Return the application for one installation; its files are read at the start."""
    access = Access(settings.token, settings.ended_sessions)
    index = Index(settings.predictions, settings.corrections, deleted=settings.deletions)
    key = identity.own_key(identity.key_file(settings.corrections))
    context = Context(settings, index, secrets.token_urlsafe(), access, key)
    live = Live(context)

    @contextlib.asynccontextmanager
    async def life(app: Starlette) -> AsyncIterator[None]:
        upload.clean(settings.places.inbox)
        watching = asyncio.create_task(live.watch())
        yield
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching

    guard = Middleware(
        Guard,
        access=access if settings.token else None,
        hosts=settings.hosts,
        proof=context.proof,
        page=context.error_page,
    )
    app = Starlette(
        routes=routes(),
        middleware=[guard],
        lifespan=life,
        exception_handlers={
            HTTPException: _plain,
            ClientDisconnect: _disconnected,
            OSError: _unreadable,
            RuntimeError: _without_thread,
            Exception: _bug,
        },
    )
    app.state.context, app.state.live = context, live
    return app


async def _plain(request: Request, error: Exception) -> Response:
    """Answer an unknown address or a wrong method."""
    assert isinstance(error, HTTPException)
    sentence = "There is nothing at this address." if error.status_code == 404 else str(error.detail)
    return _problem(request, error.status_code, sentence, error.headers)


async def _disconnected(request: Request, error: Exception) -> Response:
    """Answer a client that is gone; nothing of this is sent."""
    return PlainTextResponse("The connection was closed before the request was complete.\n", 400)


async def _without_thread(request: Request, error: Exception) -> Response:
    """Answer a request for which the system refused a thread; any other RuntimeError is a bug."""
    if not is_thread_limit(error):
        raise error
    log.warning("%s: the system refused a thread: the limit of processes or of memory is reached", request.url.path)
    return _problem(request, 503, "No thread could be started for this request: try again.", {"retry-after": "5"})


async def _bug(request: Request, error: Exception) -> Response:
    """Answer an unexpected exception; uvicorn writes the traceback to the log."""
    return _problem(request, 500, "This is a bug in digitwatch; see the log of the service.", HEADERS)


async def _unreadable(request: Request, error: Exception) -> Response:
    """Answer when a log or folder cannot be read; only the log of the service names it."""
    log.warning("%s: %s", request.url.path, error)
    return _problem(request, 503, "The log or a folder cannot be read at the moment; see the log of the service.")


def _problem(request: Request, status: int, text: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return an error: a page for people, a line for programs."""
    if not wants_page(request):
        return PlainTextResponse(f"{text}\n", status, headers)
    context: Context = request.app.state.context
    return context.error_page(status, text, headers)
