"""`digitwatch sinks`, as a command of its own and as a child process of the daemon: built from the settings."""

import contextlib
import importlib.util
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from digitwatch.cli import factories
from digitwatch.config import sink_settings as sections
from digitwatch.config.settings import ConfigError, Settings
from digitwatch.errors import UsageError
from digitwatch.service.web_supervisor import WebSupervisor
from digitwatch.sinks.command import CommandSink
from digitwatch.sinks.delivery import Order, deliver
from digitwatch.sinks.mqtt import Broker, MqttSink
from digitwatch.sinks.sink import Sink
from digitwatch.sinks.source import Files
from digitwatch.sinks.sqlite import SqliteSink
from digitwatch.sinks.webhook import Target, WebhookSink

HEARTBEAT = 1.0  # seconds between two signs of life to the daemon
MQTT_PORT, MQTT_TLS_PORT = 1883, 8883

log = logging.getLogger(__name__)


def supervisor(settings: Settings, source: Path | None) -> WebSupervisor | None:
    """Return what runs the deliveries beside the daemon, not yet started; None without sinks.

    `source` is the configuration file, which the child process reads again.

    Raises:
        ConfigError: an extra is missing, or a file that a sink names cannot be read.
    """
    if not settings.sinks:
        return None
    orders(settings, source)
    command = [*factories.own_command(settings, source), "sinks", "--until-eof"]
    return WebSupervisor(command, what=f"the delivery to sinks{f' of {settings.profile}' if settings.profile else ''}")


def run(settings: Settings, source: Path | None, *, once: bool, until_eof: bool) -> None:
    """Deliver until a signal; with `until_eof` also until standard input ends; with `once` until all is delivered.

    Raises:
        UsageError: no sink is configured.
        ConfigError: an extra is missing, or a file that a sink names cannot be read.
        AlreadyRunningError: the daemon delivers already.
    """
    if not settings.sinks:
        raise UsageError("no sinks are configured: see `sinks` in config.yaml")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if until_eof:
        os.set_blocking(sys.stdout.fileno(), False)
        threading.Thread(target=_until_eof, args=(stop,), daemon=True).start()
        threading.Thread(target=_beat, args=(stop,), daemon=True).start()
    found = orders(settings, source)
    log.info("delivering to %s", ", ".join(order.sink.name for order in found))
    deliver(found, files(settings), stop, once=once)


def files(settings: Settings) -> Files:
    """Return the files that are delivered."""
    return Files(settings.predictions, settings.corrections, settings.rotated_logs)


def orders(settings: Settings, source: Path | None) -> list[Order]:
    """Return the sinks of the settings.

    Raises:
        ConfigError: an extra is missing, or a file that a sink names cannot be read; all problems at once.
    """
    found: list[Order] = []
    problems: list[str] = []
    for number, section in enumerate(settings.sinks):
        try:
            found.append(Order(_MAKERS[section.type](section), section.start == "beginning"))
        except (OSError, UsageError) as error:
            reason = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else str(error)
            problems.append(f"sinks.{number}: {reason}")
    if problems:
        raise ConfigError(str(source), problems)
    return found


def _command(section: sections.CommandSection) -> Sink:
    return CommandSink(section.name, tuple(section.command), section.timeout)


def _webhook(section: sections.WebhookSection) -> Sink:
    if section.ca_file is not None:
        section.ca_file.open("rb").close()
    secret, token = _secret(section.secret_file), _secret(section.token_file)
    return WebhookSink(section.name, Target(section.url, secret, token, section.ca_file, section.timeout))


def _sqlite(section: sections.SqliteSection) -> Sink:
    return SqliteSink(section.name, section.path)


def _mqtt(section: sections.MqttSection) -> Sink:
    if importlib.util.find_spec("paho") is None:
        raise UsageError("a sink of the type mqtt needs: pip install 'digitwatch[mqtt]'")
    port = section.port or (MQTT_TLS_PORT if section.tls else MQTT_PORT)
    broker = Broker(
        section.host,
        port,
        section.topic,
        section.discovery or "",
        section.user,
        _secret(section.password_file),
        section.tls,
        section.ca_file,
        section.timeout,
    )
    return MqttSink(section.name, broker)


_MAKERS: dict[str, Callable[..., Sink]] = {
    "command": _command,
    "webhook": _webhook,
    "sqlite": _sqlite,
    "mqtt": _mqtt,
}


def _secret(path: Path | None) -> str:
    """Return the text of a file without the white space around it; "" for no file."""
    if path is None:
        return ""
    text = path.read_text("utf-8", "surrogateescape").strip()
    if not text:
        raise UsageError(f"{path}: expected a secret, found an empty file")
    return text


def _until_eof(stop: threading.Event) -> None:
    while sys.stdin.readline():
        pass
    stop.set()


def _beat(stop: threading.Event) -> None:
    """Write signs of life; never blocks when the daemon does not read, or is gone."""
    while not stop.wait(HEARTBEAT):
        with contextlib.suppress(OSError):
            os.write(sys.stdout.fileno(), b".")
