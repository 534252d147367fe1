"""Time limits for connections: for the head of a request, and for a client that does not read its response."""

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

SECONDS = 10.0  # from the first byte of a request, or from the connection, to the end of its head
SEND_SECONDS = 30.0  # for a client to take one piece of a response (at most response_pieces.PIECE bytes)


class TimedProtocol(H11Protocol):
    """uvicorn's protocol with a time limit for the head of a request and for each piece of a response."""

    _head_timer: asyncio.TimerHandle | None = None
    _send_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Start the time limit of the first request, and report every byte that is not sent at once.

        With a limit of 0 bytes the transport calls `pause_writing` as soon as its buffer holds anything and
        `resume_writing` when it is empty, so that a connection buffers no more than one piece.
        """
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=0)
        self._start_head_timer()

    def data_received(self, data: bytes) -> None:
        """Start the time limit of a further request; stop it when the head is complete."""
        if self._head_timer is None and self._is_between_requests():
            self._start_head_timer()
        super().data_received(data)
        if not self._is_between_requests():
            self._stop_head_timer()

    def send_400_response(self, msg: str) -> None:
        """Refuse a malformed request; its application, which may be answering already, sends nothing more."""
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            super().send_400_response(msg)
        else:
            self.transport.close()

    def pause_writing(self) -> None:
        """Start the time limit for what is buffered; it also holds for a connection that is being closed."""
        super().pause_writing()
        if self._send_timer is None:
            self._send_timer = self.loop.call_later(SEND_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """Stop the time limit: the client has taken everything."""
        self._stop_send_timer()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop both time limits."""
        self._stop_head_timer()
        self._stop_send_timer()
        super().connection_lost(exc)

    def _is_between_requests(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _start_head_timer(self) -> None:
        self._head_timer = self.loop.call_later(SECONDS, self.transport.close)

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _stop_send_timer(self) -> None:
        if self._send_timer is not None:
            self._send_timer.cancel()
            self._send_timer = None
