"""How a connection ends: after a refusal, a last response, an error, or with its server."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import struct
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from .._core import ConnectionBase
from ..cancellation import cancel_task
from ..h1.head import RequestError
from ..h1.serialize import plain_response
from ..h1.state import CLOSING, HEAD, IDLE, LINGERING, NEXT, SKIPPING_BODY
from ..limits import NEVER, Limits
from .exchange import Exchange
from .lingering import Lingering, Rest
from .observers import report
from .reader import Reader
from .registry import ConnectionRegistry
from .writer import SLICE, Writer

__all__ = ["EndingConnection"]

logger = logging.getLogger("roll_http")

# Seconds that a client gets when the server stops, to finish a head or to read its last response.
LAST_SECONDS = 2.0

# SO_LINGER with a timeout of zero: closing the socket then resets the connection.
RESET = struct.pack("ii", 1, 0)


class EndingConnection(ConnectionBase):
    """The part of a connection that ends it."""

    __slots__ = ()

    transport: asyncio.Transport
    limits: Limits
    reader: Reader
    writer: Writer
    registry: ConnectionRegistry
    _exchange: Exchange | None
    _lingering: Lingering | None
    _peer: tuple[str, int] | None
    _successor: Any
    on_shutdown: Callable[[], None] | None
    """Called when the server stops, once or more often, while a request is answered.

    It ends an endless answer, which would block a graceful shutdown. The connection closes after
    the last byte of that answer.
    """

    def forget_request(self) -> None:
        """Drop the current request, which breaks a reference cycle with its connection."""
        self.request = self.response = self._exchange = None

    def refuse(self, error: RequestError) -> None:
        """Answer bytes that are not an acceptable request with an error, and close."""
        self.forget_request()
        self.writer.uncork()
        self.writer.write(plain_response(error.status, error.reason, self.registry.date))
        self._close(unread=True)
        observer = getattr(self.app, "on_refused", None)
        if observer is not None:
            report(observer, HTTPStatus(error.status), error.reason, self.peer)

    @property
    def peer(self) -> tuple[str, int] | None:
        """The client's address: host and port; None over a Unix socket.

        It is read when the connection is made: uvloop asks the socket each time, and that fails
        once the client has reset the connection.
        """
        return self._peer

    def _close(self, *, unread: bool = False) -> None:
        """End the connection so that everything written arrives.

        `unread` says that more input may arrive, which nothing reads.
        """
        self.writer.uncork()
        body = self.reader.body
        rest = None
        if body is not None:
            unread = unread or body.receiving or body.broken
            rest = Rest(body.decoder) if body.receiving else None
            body.lose("The connection is closing")
        unread = unread or self.reader.has_bytes
        kept = self.reader.forget()
        self._watch_writing()
        if unread and not self.gone:
            self._begin_lingering(rest, kept)
        else:
            self._end_now()

    def _end_now(self) -> None:
        """Close the transport, which first sends what was written. Nothing more is read."""
        self._begin_closing()
        self.transport.close()

    def _begin_closing(self) -> None:
        """Limit the time that the client has to read what was written, and to end."""
        self.state = CLOSING
        self._watch_writing()
        self._expect_end()

    def _expect_end(self) -> None:
        """Give a TLS client some seconds to answer the closing alert; asyncio gives it 30."""
        seconds = self._last_seconds if self._stopping else self.limits.linger_silence
        self.read_deadline = self.registry.now + seconds

    def close_expired(self) -> None:
        """Abort a connection that has sent everything, and whose client does not end it."""
        if self.writer.unsent:  # the write timeout ends it
            self._expect_end()
        else:
            self.abort()

    def _begin_lingering(self, rest: Rest | None, kept: bytes) -> None:
        """Drop the `rest` of a request, of which `kept` has arrived."""
        seconds = self._last_seconds if self._stopping else self.limits.linger_timeout
        self.state = LINGERING
        lingering = self._lingering = Lingering(self.limits, self.registry.now, seconds)
        self.read_deadline = lingering.deadline(self.registry.now)
        self.reader.update_reading()
        try:
            if self.transport.can_write_eof():
                self.transport.write_eof()
            elif rest is not None:  # over TLS, the client sees the end only when the rest has come
                lingering.rest = rest
                self._follow(rest, kept)
        except (OSError, RuntimeError):  # the client has gone, and the loop has not noticed yet
            self.abort()

    def _drop(self, data: bytes) -> None:
        """Drop bytes, and wait for more input or for the client to close."""
        lingering = self._lingering
        assert lingering is not None  # set together with the state
        self.read_deadline = lingering.deadline(self.registry.now)
        if not lingering.drop(len(data)):
            self._end_lingering()
        elif lingering.rest is not None:
            self._follow(lingering.rest, data)

    def _follow(self, rest: Rest, data: bytes) -> None:
        rest.drop(data)
        if rest.ended:
            self._end_now()

    def _end_lingering(self) -> None:
        """Close the connection, if the client has the whole response."""
        self.read_deadline = self.registry.now + self.limits.linger_silence
        if not self.writer.unsent:  # otherwise the write timeout ends it
            self.state = CLOSING
            self.transport.close()

    def abort(self) -> None:
        """End the connection now, with a reset; what was not sent is lost.

        A normal end of the stream could look like the end of a complete response.
        """
        if CLOSING in NEXT[self.state]:
            self.state = CLOSING
        if not self.writer.lost:
            _reset_when_closed(self.transport)
        self.transport.abort()

    def shutdown(self) -> None:
        """Make the running request the last, and close an idle connection; called at shutdown.

        It may be called again. A connection that has become idle since the first call, or whose
        client still reads, waits a short time for the request that its last response has allowed.
        """
        first = not self._stopping
        self.must_close = self._stopping = True
        if self._successor is not None:
            _shut_down(self._successor)
        elif self.state == IDLE and not self.reader.has_bytes:
            if first:
                self._end_idle()
        elif self.state in {HEAD, SKIPPING_BODY, LINGERING, CLOSING}:
            self._hurry()
        elif self.on_shutdown is not None:
            if self._exchange is not None:
                # It ends with this stream: the client's next request is not on the way.
                self._exchange.is_last = True
            self.on_shutdown()

    @property
    def stopping(self) -> bool:
        """Whether the server has begun to stop, and waits for the end of this connection."""
        return self._stopping

    def _end_idle(self) -> None:
        """Close an idle connection, or give the client a short time to read its last response.

        That response has promised keep-alive: the next request may follow its last byte. Of a
        short response, only the confirmation may be missing.
        """
        if self.writer.unsent > SLICE:
            self.read_deadline = min(self.read_deadline, self.registry.now + self._last_seconds)
        else:
            self._close()

    def _hurry(self) -> None:
        """Give the client a short time to finish what it is sending."""
        soon = self.registry.now + self._last_seconds
        self.read_deadline = min(self.read_deadline, soon)
        if self._lingering is not None:
            self._lingering.hurry(soon)

    @property
    def idle_seconds(self) -> float:
        """The seconds that the connection may now wait for its next request."""
        timeout = self.limits.keep_alive_timeout
        return min(timeout, self._last_seconds) if self._stopping else timeout

    @property
    def _last_seconds(self) -> float:
        return min(LAST_SECONDS, self.limits.linger_timeout)

    def cancel(self) -> None:
        """Cancel the running request, and abort the connection; called when the time is over."""
        if self._exchange is not None:
            self._exchange.cancel()
        elif self.request is not None:  # in the first step of its handler
            cancel_task(asyncio.current_task())
        self.abort()

    def fail(self) -> None:
        """Log the error that is being handled, and end the connection.

        The client gets a 500 if it has sent a request and no part of a response was sent,
        otherwise a reset. Further errors of the connection are not logged.
        """
        if not self._failed:
            self._failed = True
            logger.exception("A connection failed")
        try:
            if self.state == HEAD or (self.state == IDLE and self.reader.has_bytes):
                self.refuse(RequestError(500, "Internal Server Error"))
            else:
                self.abort()
        except Exception:  # noqa: BLE001 - this may need the very part that failed
            self._abandon()

    def _abandon(self) -> None:
        """End the connection with as few steps as possible: `fail` itself failed."""
        if CLOSING in NEXT[self.state]:
            self.state = CLOSING
        with contextlib.suppress(Exception):
            self.registry.discard(self)
            _reset_when_closed(self.transport)
            self.transport.abort()

    def _watch_writing(self) -> None:
        self.writer.watch(self.registry.now)
        self.write_deadline = 0  # each tick of the clock checks the progress

    def stop_watching(self) -> None:
        """Stop watching what was written, because the client reads; go on for the last response.

        Nothing but this watch ends a connection whose last response is not read.
        """
        if self.state < LINGERING:
            self.write_deadline = NEVER

    def write_expired(self) -> None:
        """Abort if the client has confirmed nothing for too long."""
        # The writing may have begun up to an interval after the tick that it is counted from.
        seconds = self.writer.stalled_for(self.registry.now) - self.registry.interval
        if seconds >= self.limits.write_timeout:
            self.abort()


def _reset_when_closed(transport: asyncio.Transport) -> None:
    """Have the client get a reset when the socket is closed."""
    sock = transport.get_extra_info("socket")
    if sock is not None:
        with contextlib.suppress(OSError, ValueError):  # another protocol may have closed it
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)


def _shut_down(protocol: Any) -> None:
    if hasattr(protocol, "shutdown"):
        protocol.shutdown()
