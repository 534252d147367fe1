"""Sink `mqtt`: events and the current value for a broker, with discovery by Home Assistant. Needs the extra `mqtt`.

TOPIC/event    every event as JSON, QoS 1
TOPIC/value    the newest number that may be trusted: read with status `ok`, or corrected; retained
TOPIC/state    `online` or `offline`; retained, and set by the broker when the connection is lost
"""

import json
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from digitwatch.log_codes import Status
from digitwatch.sinks.event import Event
from digitwatch.sinks.sink import DeliveryError
from digitwatch.spool.correction_log import NOT_A_NUMBER, UNDONE

QOS = 1  # at least once
KEEPALIVE = 60  # seconds


@dataclass(frozen=True)
class Broker:
    """Where and how to connect: `topic` begins all topics, `discovery` those of Home Assistant ("" for none)."""

    host: str
    port: int
    topic: str
    discovery: str = ""
    user: str = ""
    password: str = ""
    tls: bool = False
    certificates: Path | None = None
    seconds: float = 10.0


class MqttSink:
    """Publishes events to a broker and waits for its confirmations."""

    batch = 20  # sent before the first confirmation is waited for: one at a time took most of the time to wait

    def __init__(self, name: str, broker: Broker) -> None:
        """Keep the broker; the connection is made with the first event."""
        self.name = name
        self._broker = broker
        self._client: Any = None
        self._sent: list[Any] = []  # not confirmed yet

    def deliver(self, events: Sequence[Event]) -> None:
        """Publish each event, and the value where it is a new one.

        Raises:
            DeliveryError: the broker cannot be reached, or did not confirm in time.
        """
        try:
            if self._client is None:
                self._client = self._connect()
            for event in events:
                self._publish("event", event.body, retain=False)
                value = value_of(event)
                if value is not None:
                    self._publish("value", value.encode(), retain=True)
            self._confirm()
        except (OSError, ValueError, RuntimeError) as error:
            self.close()
            raise DeliveryError(f"{self._broker.host}:{self._broker.port}: {error}") from error

    def close(self) -> None:
        """Disconnect."""
        if self._client is not None:
            self._client.disconnect()
            self._client.loop_stop()
        self._client = None
        self._sent.clear()

    def _connect(self) -> Any:
        from paho.mqtt import client as paho  # noqa: PLC0415 (an extra)

        broker = self._broker
        client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        if broker.user:
            client.username_pw_set(broker.user, broker.password)
        if broker.tls:
            client.tls_set(ca_certs=None if broker.certificates is None else str(broker.certificates))
        client.will_set(f"{broker.topic}/state", "offline", QOS, retain=True)
        client.connect_timeout = broker.seconds
        connected = threading.Event()
        answers: list[str] = []

        def on_connect(_: Any, __: Any, ___: Any, reason: Any, ____: Any) -> None:
            answers.append(str(reason) if reason.is_failure else "")
            connected.set()

        client.on_connect = on_connect
        client.connect(broker.host, broker.port, KEEPALIVE)
        client.loop_start()
        if not connected.wait(broker.seconds) or answers[0]:
            client.loop_stop()
            raise OSError(answers[0] if answers else "the broker does not answer")
        self._client = client
        self._announce()
        return client

    def _announce(self) -> None:
        """Publish that we are there, and what Home Assistant needs to show the value."""
        broker = self._broker
        self._publish("state", b"online", retain=True)
        if broker.discovery:
            place = f"{broker.discovery}/sensor/digitwatch_{self.name}/config"
            message = json.dumps(discovery(self.name, broker.topic)).encode()
            self._sent.append(self._client.publish(place, message, QOS, retain=True))

    def _publish(self, ending: str, payload: bytes, *, retain: bool) -> None:
        self._sent.append(self._client.publish(f"{self._broker.topic}/{ending}", payload, QOS, retain))

    def _confirm(self) -> None:
        """Wait until the broker has confirmed everything that was sent."""
        end = time.monotonic() + self._broker.seconds
        for message in self._sent:
            message.wait_for_publish(max(0.0, end - time.monotonic()))
            if not message.is_published():
                raise OSError(f"the broker did not confirm within {self._broker.seconds:g} s")
        self._sent.clear()


def value_of(event: Event) -> str | None:
    """Return the number that an event makes known for certain, None for none.

    Only the newest scan counts: a correction of an older one changes no current value.
    """
    if not event.is_newest:
        return None
    if event.kind == "correction":
        now = str(event.values["now"])
        return now if now and now not in (NOT_A_NUMBER, UNDONE) else None
    return str(event.values["text"] or event.values["prediction"]) if event.values["status"] == Status.OK else None


def discovery(name: str, topic: str) -> dict[str, Any]:
    """Return the discovery message of Home Assistant for the sensor with the current value."""
    return {
        "name": name,
        "unique_id": f"digitwatch_{name}",
        "state_topic": f"{topic}/value",
        "json_attributes_topic": f"{topic}/event",
        "availability_topic": f"{topic}/state",
        "device": {"identifiers": [f"digitwatch_{name}"], "name": f"digitwatch {name}", "manufacturer": "digitwatch"},
    }
