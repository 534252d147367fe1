"""The web interface, as a command of its own and as a child process of the daemon: built from the settings."""

import errno
import os
import socket
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from digitwatch.cli import factories
from digitwatch.config.field_types import address, is_loopback
from digitwatch.config.settings import ConfigError, Settings, model_path
from digitwatch.errors import UsageError
from digitwatch.models import provisioning
from digitwatch.service.web_supervisor import WebSupervisor
from digitwatch.system import sd_notify
from digitwatch.system.listeners import owner
from digitwatch.web.auth_token import TokenError, read_token
from digitwatch.web.extras import missing

DEFAULT = "127.0.0.1:8080"


def supervisors(profiles: Sequence[Settings], source: Path | None) -> dict[str, WebSupervisor]:
    """Return what runs the web interfaces beside the daemon, not yet started, for each profile with web.listen.

    `source` is the configuration file, which the child processes read again. The sockets of systemd are theirs in the
    order of the profiles.

    Raises:
        ConfigError: an extra is missing, or an address is open to others without a token.
    """
    listening = [settings for settings in profiles if settings.web.listen is not None]
    sockets = iter(sd_notify.inherited_sockets() if listening else [])
    return {settings.profile: _supervisor(settings, source, list(islice(sockets, 1))) for settings in listening}


def _supervisor(settings: Settings, source: Path | None, sockets: list[int]) -> WebSupervisor:
    _check(settings, source, sockets)
    command = [*factories.own_command(settings, source), "web", "--until-eof"]
    for handle in sockets:
        command += ["--socket", str(handle)]
    what = f"the web interface{f' of {settings.profile}' if settings.profile else ''}"
    return WebSupervisor(command, sockets=sockets, what=what)


def serve(settings: Settings, source: Path | None, *, handle: int | None, until_eof: bool) -> None:
    """Serve until a signal ends it, on the open socket `handle` or else on web.listen.

    Raises:
        UsageError: an extra is missing.
        ConfigError: the address is open to others without a token.
        OSError: the address is in use, or does not belong to this machine.
    """
    if absent := missing():
        raise UsageError(f"web: {absent}")
    _check(settings, source, [] if handle is None else [handle])
    from digitwatch.web.server import serve  # noqa: PLC0415 (needs the extra)
    from digitwatch.web.web_settings import WebSettings  # noqa: PLC0415

    web = settings.web
    site = WebSettings(
        places=factories.folders(settings),
        predictions=settings.predictions,
        corrections=settings.corrections,
        model=lambda: _model(settings),
        pixels=settings.limits.pixels,
        min_free=settings.min_free,
        upload=web.upload,
        token=_token(web.token_file, source),
        hosts=tuple(web.hosts),
        ignored=factories.ignored_names(settings),
        forms=settings.forms,
        sinks=lambda: factories.sinks(settings),
        profile=settings.profile,
    )
    sock = _bind(web.listen or DEFAULT) if handle is None else socket.socket(fileno=handle)
    serve(site, sock, until_eof=until_eof)


def _bind(listen: str) -> socket.socket:
    """Return a socket bound to web.listen.

    Raises:
        OSError: the address is in use, by the process that the message names, or is not one of this machine.
    """
    from digitwatch.web.server import bind  # noqa: PLC0415 (needs the extra)

    host, port = address(listen)
    try:
        return bind(host, port)
    except OSError as error:
        who = owner(port) if error.errno == errno.EADDRINUSE else ""
        message = f"{error.strerror}{f' by {who}' if who else ''}"
        raise OSError(error.errno, message, listen) from error


def _model(settings: Settings) -> Path | str:
    """Return the model in use, or the configured one if the history of fine-tuned models is damaged."""
    try:
        return provisioning.active_model(settings)
    except provisioning.NoModelError:
        return model_path(settings)


def _check(settings: Settings, source: Path | None, sockets: list[int]) -> None:
    """Refuse an unsafe configuration before anything is started."""
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
