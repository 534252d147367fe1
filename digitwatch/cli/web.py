"""The page, as a command of its own and beside the daemon: the settings handed out to it."""

import os
import socket
import sys
from pathlib import Path

from digitwatch.config import settings as config
from digitwatch.config.field_types import address, is_loopback
from digitwatch.config.settings import ConfigError
from digitwatch.models import provisioning
from digitwatch.service.web_supervisor import WebSupervisor
from digitwatch.spool.folders import Folders
from digitwatch.system import sd_notify
from digitwatch.web.auth_token import TokenError, read_token
from digitwatch.web.extras import missing

DEFAULT = "127.0.0.1:8080"


def page(settings: config.Settings, source: Path | None) -> WebSupervisor | None:
    """Give the page that the settings want beside the daemon, not yet started, or None where they want none.

    `source` is the configuration file, which the page's own process reads again.

    Raises:
        ConfigError: the page cannot be had like this.
    """
    if settings.web.listen is None:
        return None
    sockets = sd_notify.inherited_sockets()[:1]
    _check(settings, source, sockets)
    command = [sys.executable, "-P", "-m", "digitwatch", "--config", str(source), "web", "--until-eof"]
    for handle in sockets:
        command += ["--socket", str(handle)]
    return WebSupervisor(command, sockets=sockets)


def serve(settings: config.Settings, source: Path | None, *, handle: int | None, until_eof: bool) -> None:
    """Answer until told to stop, on the open socket `handle` or else on the address of the settings.

    Raises:
        ConfigError: the page cannot be had like this.
        OSError: the address is taken, or none of this machine.
    """
    _check(settings, source, [] if handle is None else [handle])
    from digitwatch.web.server import bind, serve  # noqa: PLC0415 (needs the extra)
    from digitwatch.web.web_settings import WebSettings  # noqa: PLC0415

    web = settings.web
    site = WebSettings(
        places=Folders(settings.inbox, settings.outbox, settings.archive, settings.failed, settings.base),
        predictions=settings.predictions,
        corrections=settings.corrections,
        model=lambda: _model(settings),
        pixels=settings.limits.pixels,
        min_free=settings.min_free,
        upload=web.upload,
        token=_token(web.token_file, source),
        hosts=tuple(web.hosts),
    )
    sock = bind(*address(web.listen or DEFAULT)) if handle is None else socket.socket(fileno=handle)
    serve(site, sock, until_eof=until_eof)


def _model(settings: config.Settings) -> Path | str:
    """Give the model that reads now, or the one of the settings where that cannot be told."""
    try:
        return provisioning.chosen(settings)
    except provisioning.NoModelError:
        return config.model_path(settings)


def _check(settings: config.Settings, source: Path | None, sockets: list[int]) -> None:
    """Refuse what would let in who does not belong, before anything is started."""
    if absent := missing():
        raise ConfigError(str(source), [f"web: {absent}"])
    token = _token(settings.web.token_file, source)
    for handle in sockets:
        with socket.socket(fileno=os.dup(handle)) as sock:
            place = sock.getsockname()
        if not token and isinstance(place, tuple) and not is_loopback(place[0]):
            sentence = f"web.token_file: expected a file with a token, since systemd listens at {place[0]}, found none"
            raise ConfigError(str(source), [sentence])


def _token(path: Path | None, source: Path | None) -> str:
    try:
        return read_token(path) if path else ""
    except TokenError as error:
        raise ConfigError(str(source), [f"web.token_file: {path} {error}"]) from error
