"""The sink `mqtt`: every event, and as value only what may be trusted."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from broker import Broker as Server

from digitwatch.sinks.event import Event, of_correction, of_row
from digitwatch.sinks.mqtt import Broker, MqttSink, value_of
from digitwatch.sinks.sink import DeliveryError
from digitwatch.spool.correction_log import Correction
from digitwatch.spool.csv_rows import Row

TIME = "2026-11-22T10:00:00.000Z"


def reading(status: str = "ok", *, is_newest: bool = True) -> Event:
    """Return the event of a row."""
    row = Row(TIME, "a.png", "1", "1250", "0.5", status, "", "", "s", "00", "", "", "cnn", "9", text="12,50")
    return replace(of_row(row), is_newest=is_newest)


def correction(now: str, *, is_newest: bool = True) -> Event:
    """Return the event of a correction."""
    return replace(of_correction(Correction(TIME, "s", "a.png", "1", "00", "1250", now, "Ada")), is_newest=is_newest)


@pytest.mark.parametrize(
    ("event", "value"),
    [
        (reading(), "12,50"),
        (reading("review"), None),
        (reading("failed"), None),
        (reading(is_newest=False), None),
        (correction("1255"), "1255"),
        (correction("x"), None),
        (correction("undo"), None),
        (correction(""), None),
        (correction("1255", is_newest=False), None),
    ],
)
def test_a_value_is_ok_or_corrected_and_the_newest(event: Event, value: str | None) -> None:
    """Readings for review, failures and corrections of older scans change no value."""
    assert value_of(event) == value


@pytest.fixture
def broker() -> Iterator[Server]:
    """Return a broker."""
    pytest.importorskip("paho.mqtt.client", reason="needs the extra mqtt")
    found = Server()
    yield found
    found.down()


def test_events_value_and_discovery_are_published(broker: Server) -> None:
    """Home Assistant finds the sensor by the retained message below its prefix."""
    sink = MqttSink("meter", Broker("127.0.0.1", broker.port, "home/meter", "homeassistant", seconds=5))
    sink.deliver([reading("review")])
    sink.deliver([reading()])
    sink.close()

    [found] = broker.values("homeassistant/sensor/digitwatch_meter/config")
    assert json.loads(found)["state_topic"] == "home/meter/value"
    assert [json.loads(text)["status"] for text in broker.values("home/meter/event")] == ["review", "ok"]
    assert ("home/meter/value", "12,50", True) in broker.messages
    assert ("home/meter/state", "online", True) in broker.messages


def test_a_broker_that_is_down_is_tried_again(broker: Server) -> None:
    """Before the first connection and after it was lost; what was not confirmed counts as not delivered."""
    sink = MqttSink("meter", Broker("127.0.0.1", broker.port, "m", seconds=1))
    sink.deliver([reading()])
    broker.down()
    for _ in range(2):
        with pytest.raises(DeliveryError):
            sink.deliver([reading()])
    broker.up()
    sink.deliver([reading()])
    sink.close()

    assert len(broker.values("m/event")) == 2
