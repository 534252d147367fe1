"""A real MQTT broker, Eclipse Mosquitto, that may be taken down, and a subscriber that remembers what it was sent."""

import shutil
import socket
import subprocess
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from service import until


class Mosquitto:
    """A broker on a port of 127.0.0.1 that stays the same; `messages` are the topics and texts in their order."""

    def __init__(self, folder: Path) -> None:
        """Start it, and subscribe to everything; skip the test where it is not installed."""
        paho = pytest.importorskip("paho.mqtt.client", reason="needs the extra mqtt")
        program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
        if program is None:
            pytest.skip("needs mosquitto: apt-get install mosquitto")
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.port = server.getsockname()[1]
        folder.mkdir()
        folder.chmod(0o777)  # it gives up the rights of root
        config = folder / "mosquitto.conf"
        keep = "persistence true\nmax_queued_messages 0\n"  # a subscriber that is away loses nothing
        config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\n{keep}persistence_location {folder}/\n"
        )
        self._command = [program, "-c", str(config)]
        self.messages: list[tuple[str, str]] = []
        self.up()
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id="subscriber", clean_session=False)
        self._client.on_message = self._note
        self._client.on_connect = lambda client, *_: client.subscribe("#", 1)
        subscribed = threading.Event()
        self._client.on_subscribe = lambda *_: subscribed.set()
        self._client.reconnect_delay_set(0.1, 1)
        self._client.connect("127.0.0.1", self.port)
        self._client.loop_start()
        assert subscribed.wait(30)

    def up(self) -> None:
        """Start the broker."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(self._is_listening, "the broker")

    def down(self) -> None:
        """End it; what it has confirmed it keeps for the subscriber."""
        self._process.terminate()
        self._process.wait()

    def close(self) -> None:
        """End the subscriber and the broker."""
        self._client.loop_stop()
        self.down()

    def values(self, topic: str) -> list[str]:
        """Return the texts of a topic."""
        return [text for name, text in self.messages if name == topic]

    def _note(self, _: Any, __: Any, message: Any) -> None:
        self.messages.append((message.topic, message.payload.decode()))

    def _is_listening(self) -> bool:
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        return False
