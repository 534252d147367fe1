"""The editor of form templates: boxes on an example, tried on scans that were read, and the template as a file."""

import contextlib
import json
import sqlite3
import tempfile
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from typing import Any

import yaml
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response

from digitwatch.errors import InputError
from digitwatch.forms.schema import FormError, load_one
from digitwatch.forms.template_text import checked, text_of
from digitwatch.recognition.image.formats import accepted_uploads
from digitwatch.spool.filed import NotThereError
from digitwatch.web import child_process
from digitwatch.web.context import Context, context_of
from digitwatch.web.request_body import BodyTooLargeError, small_body
from digitwatch.web.texts import page_key_of
from digitwatch.web.views.files import open_original
from digitwatch.web.views.images import STRICT

MODULE = "digitwatch.web.views.template_trial"
SECONDS = 60  # for one process
UPLOAD_SECONDS = 60.0  # for an example to arrive
LONGEST = 200_000  # bytes of a template
TRIED = 4  # scans that a template is tried on
OFFERED = 30  # scans that are offered as an example


class BadTemplateError(InputError):
    """The request does not hold a template; the message says what was expected."""


def editor(request: Request) -> Response:
    """Show the editor; everything else it fetches."""
    context = context_of(request)
    context.index.refresh()
    return context.answer(
        "forms.html",
        accepted_uploads=accepted_uploads(),
        folder=context.settings.forms,
        templates=sorted(_templates(context)),
        scans=[reading for reading in context.index.newest_pages(OFFERED) if reading["page"] == "1"],
    )


async def boxes(request: Request) -> Response:
    """Return the example in the body as a picture, and the boxes found on it."""
    context = context_of(request)
    try:
        data = await small_body(request, context.settings.upload, UPLOAD_SECONDS)
    except BodyTooLargeError as error:
        return JSONResponse({"problem": str(error)}, 413)
    return await run_in_threadpool(_boxes, context, data)


def _boxes(context: Context, data: bytes) -> Response:
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        arguments = ["boxes", str(context.settings.pixels)]
        found = child_process.run(MODULE, arguments, FileIO(file.fileno(), closefd=False), seconds=SECONDS)
    return Response(found, media_type="application/json")


async def text(request: Request) -> Response:
    """Return the template in the body, JSON, as YAML, or all its problems."""
    try:
        name, template = _parse(await small_body(request, LONGEST))
        return await run_in_threadpool(_text, name, template)
    except BodyTooLargeError as error:
        return JSONResponse({"problem": str(error)}, 413)
    except BadTemplateError as error:
        return JSONResponse({"problem": str(error)}, 400)


def _text(name: str, template: dict[str, Any]) -> Response:
    with tempfile.TemporaryDirectory() as folder:
        try:
            _put_example(Path(folder), template, b"")
            checked(template, name, Path(folder))
        except FormError as error:
            return JSONResponse({"problem": "\n".join(error.problems)}, 400)
    return PlainTextResponse(text_of(template))


async def trial(request: Request) -> Response:
    """Read the newest scans by the template in the body: a line of JSON, then the bytes of the example."""
    context = context_of(request)
    try:
        body = await small_body(request, LONGEST + context.settings.upload, UPLOAD_SECONDS)
        line, _, example = body.partition(b"\n")
        name, template = _parse(line)
        return await run_in_threadpool(_trial, context, (name, template), example)
    except BodyTooLargeError as error:
        return JSONResponse({"problem": str(error)}, 413)
    except BadTemplateError as error:
        return JSONResponse({"problem": str(error)}, 400)


def _trial(context: Context, named: tuple[str, dict[str, Any]], example: bytes) -> Response:
    name, template = named
    context.index.refresh()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        try:
            _put_example(Path(folder), template, example)
            checked(template, name, Path(folder))
        except FormError as error:
            return JSONResponse({"problem": "\n".join(error.problems)}, 400)
        scans = [(reading, stack.enter_context(file)) for reading, file in _originals(context)]
        pages = [f"{file.fileno()}:{reading['page']}" for reading, file in scans]
        path = str(Path(folder) / f"{name}.yaml")
        arguments = ["read", str(context.settings.pixels), str(context.settings.model()), path, *pages]
        nothing = stack.enter_context(FileIO("/dev/null"))
        handles = [file.fileno() for _, file in scans]
        found = json.loads(child_process.run(MODULE, arguments, nothing, seconds=SECONDS, fds=handles))
    for page, (reading, _) in zip(found.get("pages", ()), scans, strict=True) if "pages" in found else ():
        page |= {"file": reading["file"], "page": reading["page"], "key": page_key_of(reading)}
    return JSONResponse(found)


def _originals(context: Context) -> Iterator[tuple[sqlite3.Row, FileIO]]:
    """Yield the newest pages whose original is there, with the original open."""
    number = 0
    for reading in context.index.newest_pages(OFFERED):
        with contextlib.suppress(NotThereError):
            yield reading, open_original(context.settings, reading)
            number += 1
        if number == TRIED:
            return


def _put_example(folder: Path, template: dict[str, Any], data: bytes) -> None:
    """Write the example beside the template, under its name.

    Raises:
        FormError: the name is none of a file.
    """
    name = template.get("example")
    if not isinstance(name, str) or Path(name).name != name or name.endswith((".yaml", ".yml")):
        raise FormError([f"example: expected the name of a picture, found {name!r}"])
    try:
        (folder / name).write_bytes(data)
    except (OSError, ValueError) as error:
        raise FormError([f"example: expected the name of a picture, found {name!r}"]) from error


def _parse(body: bytes) -> tuple[str, dict[str, Any]]:
    """Return the name and the values of a template.

    Raises:
        BadTemplateError: the body is something else.
    """
    try:
        given = json.loads(body, parse_constant=_refuse)
        json.dumps(given, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise BadTemplateError("expected JSON") from None
    template = given.get("template") if isinstance(given, dict) else None
    if not isinstance(template, dict) or not isinstance(given.get("name"), str):
        raise BadTemplateError("expected an object with the text `name` and the object `template`")
    return given["name"], template


def _refuse(constant: str) -> None:
    """Refuse NaN and Infinity, which JSON does not have.

    Raises:
        ValueError: always.
    """
    raise ValueError(constant)


def template(request: Request) -> Response:
    """Return a template of the configured folder as JSON, its boxes as shares of the page."""
    path = _templates(context_of(request)).get(request.path_params["name"])
    if path is None:
        return JSONResponse({"problem": "there is no such template"}, 404)
    try:
        values = yaml.safe_load(path.read_text("utf-8"))
        fields = load_one(path).fields
    except (OSError, ValueError, yaml.YAMLError, FormError):
        return JSONResponse({"problem": "the template cannot be used: see digitwatch fields draw"}, 409)
    for each, field in zip(values["fields"], fields, strict=True):
        each["box"] = list(field.box)
    return JSONResponse({"name": path.stem, "template": values})


def example(request: Request) -> Response:
    """Return the example of a template of the configured folder."""
    path = _templates(context_of(request)).get(request.path_params["name"])
    with contextlib.suppress(FormError):
        if path is not None:
            return FileResponse(load_one(path).example, media_type="application/octet-stream", headers=STRICT)
    return JSONResponse({"problem": "there is no such template"}, 404)


def _templates(context: Context) -> dict[str, Path]:
    """Return the files of the configured folder by their names without ending."""
    folder = context.settings.forms
    with contextlib.suppress(OSError):
        if folder is not None:
            return {path.stem: path for path in folder.iterdir() if path.suffix in (".yaml", ".yml")}
    return {}
