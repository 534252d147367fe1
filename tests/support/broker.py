"""A small MQTT 3.1.1 broker: takes connections and messages of QoS 1, and remembers the messages."""

import contextlib
import socket
import threading


class Broker:
    """Listens on a port of 127.0.0.1 that stays the same; `messages` are topic, text and whether it is retained."""

    def __init__(self) -> None:
        """Listen at once."""
        self.messages: list[tuple[str, str, bool]] = []
        self.port = 0
        self._open: list[socket.socket] = []
        self.up()

    def up(self) -> None:
        """Listen."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def down(self) -> None:
        """Refuse connections, and end those that are open."""
        for each in (self._listener, *self._open):
            with contextlib.suppress(OSError):  # closed by the other side
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        self._open.clear()

    def values(self, topic: str) -> list[str]:
        """Return the texts of a topic."""
        return [text for name, text, _ in self.messages if name == topic]

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                connection, _ = listener.accept()
                self._open.append(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        stream = connection.makefile("rwb")
        with contextlib.suppress(OSError, ValueError, IndexError):  # closed
            while head := stream.read(1):
                length, shift = 0, 0
                while (byte := stream.read(1)[0]) & 128:
                    length, shift = length | (byte & 127) << shift, shift + 7
                body = stream.read(length | byte << shift)
                answer = self._answer(head[0], body)
                stream.write(answer)
                stream.flush()

    def _answer(self, head: int, body: bytes) -> bytes:
        kind = head >> 4
        if kind == 1:  # CONNECT
            return b"\x20\x02\x00\x00"
        if kind == 12:  # PINGREQ
            return b"\xd0\x00"
        if kind != 3:
            return b""
        end = 2 + int.from_bytes(body[:2])
        number = body[end : end + 2] if head & 6 else b""
        self.messages.append((body[2:end].decode(), body[end + len(number) :].decode(), bool(head & 1)))
        return b"\x40\x02" + number if number else b""
