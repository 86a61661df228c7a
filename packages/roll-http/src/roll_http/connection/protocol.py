"""HTTP/1.1 on an asyncio transport: one connection, its requests answered in order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import struct
from collections.abc import Callable
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, cast

from ..errors import ClientDisconnected, HttpError
from ..h1.head_parser import BadRequest
from ..h1.serialize import plain_response
from .eager_tasks import start
from .exchange import Exchange
from .reader import Receiver
from .registry import NEVER, Connections
from .writer import Sender

if TYPE_CHECKING:
    from ..application import Application
    from ..request import Request
    from ..response import Response

__all__ = ["HTTPProtocol"]

logger = logging.getLogger("roll_http")

# Answers given in a row before other connections get their turn.
TURNS = 16

# Seconds that a client has when the server stops, to finish a head or to read its last answer.
LAST_SECONDS = 2.0

# To linger for no time at all when a socket is closed, which resets it.
RESET = struct.pack("ii", 1, 0)


class HTTPProtocol(asyncio.Protocol):
    """One connection of an `Application`.

    For each request it makes an `app.Request` and an `app.Response`, awaits
    `app(request, response)` in a task and a context of their own, and sends what comes back.
    """

    on_answered: Callable[[Request, Response, int], None] | None = None
    """Called with each answer sent and the length of its body, for access logs."""
    owner: object = None
    """The server that accepted the connection, which will end it."""

    transport: asyncio.Transport
    sender: Sender
    receiver: Receiver
    clock: Connections

    def __init__(self, app: Application) -> None:
        self.app = app
        self.limits = app.limits
        self.gone = False
        """The client has closed its side, or the connection is lost."""
        self.last = False
        """The request that is being answered, or the next one, is the last."""
        self.read_deadline = self.write_deadline = NEVER
        self._exchange: Exchange | None = None
        self._advancing = False
        self._broken = False  # what still comes can't be told apart
        self._closing = False  # no request that comes now is answered
        self._head_begun = False
        self._lingering: float | None = None  # until when input is read and dropped, at most
        self._dropped = 0  # bytes, while lingering
        self._stopping = False  # the server waits for the end of its connections
        self._failed = False  # an error of ours was logged
        self._successor: asyncio.Protocol | None = None
        self.switched = False
        """The connection was handed over to another protocol."""

    @property
    def made(self) -> bool:
        """The connection is there: its handshake is over, if it has one."""
        return hasattr(self, "transport")

    @property
    def peer(self) -> tuple[str, int] | None:
        """The client's address: host and port; None over a Unix socket."""
        address = self.transport.get_extra_info("peername")
        return (address[0], address[1]) if isinstance(address, tuple) else None

    @property
    def secure(self) -> bool:
        """The connection is over TLS."""
        return self.transport.get_extra_info("sslcontext") is not None

    # asyncio's callbacks.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a new connection."""
        self.transport = cast(asyncio.Transport, transport)
        self._loop = loop = _loop_of(self.app)
        try:
            self._open(loop)
        except Exception:  # noqa: BLE001 - logged, as in each callback of asyncio
            self.fail()

    def _open(self, loop: asyncio.AbstractEventLoop) -> None:
        self.clock = clock = Connections.of(loop)
        self.sender = Sender(self.transport)
        self.receiver = Receiver(self.transport, self.limits)
        self._context = copy_context()
        most = self.limits.connections
        full = most is not None and clock.count(self.app) >= most
        clock.add(self, self.limits.shortest_timeout, loop)
        self.read_deadline = clock.now + self.limits.keep_alive_timeout
        if full:
            self.refuse(BadRequest(503, "Too many connections"))

    def data_received(self, data: bytes) -> None:
        """Take bytes from the client."""
        try:
            if self._lingering is not None:
                self._linger(len(data))
                return
            receiver = self.receiver
            receiver.receive(data)
            if receiver.in_body:
                self.pump()
            elif self._exchange is None:
                self._advance()
            else:
                receiver.balance()
        except Exception:  # noqa: BLE001
            self.fail()

    def eof_received(self) -> bool:
        """Take the end of the client's input; True keeps the connection open for an answer.

        What the client waits for is still answered: bytes and files to their end, while a stream
        is cancelled. Over TLS the connection ends: there asyncio has no half-closed connections.
        """
        waits = False
        try:
            self._notice_gone()
            waits = (self._exchange is not None or self._has_requests) and not self.secure
        except Exception:  # noqa: BLE001
            self.fail()
        return waits

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has ended."""
        self._closing = True
        self.read_deadline = self.write_deadline = NEVER
        self.clock.discard(self)
        try:
            self.sender.lose()
            self.receiver.close()
            self._notice_gone()
        except Exception:  # noqa: BLE001
            self.fail()

    def _notice_gone(self) -> None:
        self.gone = True
        self.end_body()
        if self._exchange is not None:
            self._exchange.notice_gone()

    def end_body(self) -> None:
        """What is missing of the body will never come: its client has gone."""
        if self.receiver.in_body:
            self.receiver.end_body(ClientDisconnected("The client has gone before its body's end"))

    def pause_writing(self) -> None:
        """The client reads slowly."""
        try:
            self.sender.paused = True
            self._watch_writing()
        except Exception:  # noqa: BLE001
            self.fail()

    def resume_writing(self) -> None:
        """The client has caught up."""
        try:
            self.write_deadline = NEVER
            self.sender.resume()
            # Not at once: asyncio loses a connection twice that is closed in this callback.
            self._advance_soon()
        except Exception:  # noqa: BLE001
            self.fail()

    def fail(self) -> None:
        """Log the error that is being handled, and end the connection.

        For errors of ours in a callback of the loop, which would pass unseen, or leave the
        connection open for ever. The client gets a 500 if it has asked for something and nothing
        of an answer was sent, else a reset. Further errors of the connection are not logged.
        """
        if not self._failed:
            self._failed = True
            logger.exception("A connection failed")
        try:
            self._answer_failure()
        except Exception:  # noqa: BLE001 - what failed may be needed for this, too
            self._closing = True
            self.clock.discard(self)
            with contextlib.suppress(Exception):
                self.transport.abort()

    def _answer_failure(self) -> None:
        asked = self.receiver.has_bytes or self._head_begun
        if self._closing or self._exchange is not None or self.receiver.in_body or not asked:
            self.abort()
        else:
            self.refuse(BadRequest(500, "Internal Server Error"))

    # From one request to the next.

    def _advance(self) -> None:
        """Answer the requests that have come, one after another, as long as answers are ready."""
        self._advancing = True
        turns = 0
        receiver = self.receiver
        try:
            while receiver.has_bytes and turns < TURNS and self._is_free() and self._begin_next():
                turns += 1
        finally:
            self._advancing = False
            if self.sender.corked:
                self.sender.uncork()
        if receiver.has_bytes:
            if turns == TURNS and self._is_free():
                self._advance_soon()  # other connections have their turn
            receiver.balance()

    @property
    def _has_requests(self) -> bool:
        """There are bytes to look at, and no beginning of a head that was found incomplete."""
        return self.receiver.has_bytes and not self._head_begun

    def _is_free(self) -> bool:
        """The next request may be begun."""
        return (
            self._exchange is None
            and not self._closing
            and not self.receiver.in_body
            and not self.sender.paused
        )

    @property
    def _idle(self) -> bool:
        within = self._exchange is not None or self._head_begun or self.receiver.in_body
        return not within and not self._closing

    def _begin_next(self) -> bool:
        """Begin to answer the next request; False when its head is not there."""
        try:
            head = self.receiver.next_head()
        except BadRequest as error:
            self.refuse(error)
            return False
        if head is None:
            self._await_head()
            return False
        self._head_begun = False
        self.read_deadline = NEVER
        if self.receiver.has_bytes and self.receiver.has_more_than_body_of(head):
            self.sender.cork()
        self._exchange = exchange = Exchange(self)
        # The loop may call in the context of an earlier request, whose write or read it resumes.
        task = start(exchange.run(head), self._loop, self._context.copy())
        if self._exchange is exchange:
            exchange.task = task
        return True

    def finish(self, keep: bool) -> None:
        """An answer was given: on to the next request, or, if not `keep`, to the end."""
        self._end_exchange()
        if self._closing:
            return
        if not keep:
            if self.receiver.in_body:
                self.receiver.discard_body()  # who still reads it gets an error that says why
            self._close()
        elif self.receiver.in_body:
            self._skip_body()
        elif not self.receiver.has_bytes:
            self._rest()
        elif not self._advancing:  # whoever advances goes on
            self._advance_soon()

    def release(self) -> None:
        """The connection is another's, or nobody's: forget it."""
        self._end_exchange()
        self.clock.discard(self)

    def _end_exchange(self) -> None:
        assert self._exchange is not None  # nothing else ends one
        self._exchange.forget()
        self._exchange = None

    def _advance_soon(self) -> None:
        # In the connection's own context: what one request sets never shows in the next.
        self._loop.call_soon(self._advance_later, context=self._context)

    def _advance_later(self) -> None:
        try:
            self._advance()
        except Exception:  # noqa: BLE001
            self.fail()

    # The body of a request.

    def pump(self) -> None:
        """Pass what came of a body on to those who read it."""
        try:
            self.receiver.pump()
        except BadRequest as error:
            self.last = self._broken = True
            self.receiver.end_body(HttpError(error.status, error.reason))
            self.receiver.forget()
        if self._exchange is None and not self._closing:
            self._go_on_skipping()

    def _skip_body(self) -> None:
        """Drop the rest of a body, for a while: the answer said that the connection is kept."""
        self.receiver.discard_body()
        self.read_deadline = self.clock.now + self.limits.body_timeout
        self.pump()

    def _go_on_skipping(self) -> None:
        if self.last:
            self._close()
        elif not self.receiver.in_body:
            self._rest()
            self._advance_soon()

    # Time.

    def _rest(self) -> None:
        """Between requests, with nothing from the client."""
        if self.last or self.gone:
            self._close()
        else:
            self.read_deadline = self.clock.now + self.limits.keep_alive_timeout

    def _await_head(self) -> None:
        if self.gone:
            self._close()
        elif not self._head_begun:
            self._head_begun = True
            self.read_deadline = self.clock.now + self.limits.head_timeout

    def read_expired(self) -> None:
        """The client took too long to send something."""
        if self._exchange is not None:
            self._exchange.check_pace()
        elif self._lingering is not None:
            self._end_lingering()
        elif self._head_begun:
            self.refuse(BadRequest(408, "The request's head took too long"))
        else:
            self._close()

    def _watch_writing(self) -> None:
        self.sender.watch(self.clock.now)
        self.write_deadline = 0  # looked at by each look of the clock

    def write_expired(self) -> None:
        """Abort when the client has taken nothing for too long."""
        if self.sender.stalled_for(self.clock.now) >= self.limits.write_timeout:
            self.abort()

    # Ends.

    def refuse(self, error: BadRequest) -> None:
        """Answer what can't become a request, and close."""
        self.sender.uncork()
        self.sender.write(plain_response(error.status, error.reason, self.clock.date))
        self._exchange = None
        self._broken = True
        self._close()

    def _close(self) -> None:
        """End the connection, so that what was written arrives.

        Closing a socket whose input was not read resets it, and the answer may be lost: what
        still comes is read and dropped, for a while (RFC 9112 9.6).
        """
        self._closing = True
        self.sender.uncork()
        unread = self._broken or self.receiver.has_bytes or self.receiver.in_body
        self.receiver.end_body(ClientDisconnected("The connection is closing"))
        self.receiver.forget()
        self._watch_writing()
        if not unread or self.gone:
            self.read_deadline = NEVER
            self.transport.close()
        else:
            self._begin_lingering()

    def _begin_lingering(self) -> None:
        seconds = self._last_seconds if self._stopping else self.limits.linger_timeout
        self._lingering = self.clock.now + seconds
        self._linger(0)
        self.receiver.balance()
        try:
            if self.transport.can_write_eof():  # over TLS, the answer's own end has to do
                self.transport.write_eof()
        except (OSError, RuntimeError):  # the client has gone, and the loop has yet to learn it
            self.abort()

    def _linger(self, size: int) -> None:
        """Wait for more to drop, or for the client to close its side."""
        assert self._lingering is not None  # it has begun
        self._dropped += size
        silence = self.clock.now + self.limits.linger_silence
        self.read_deadline = min(self._lingering, silence)
        if self.limits.linger is not None and self._dropped > self.limits.linger:
            self._end_lingering()

    def _end_lingering(self) -> None:
        """Close the connection, once the client has all of the answer."""
        if self.sender.unsent:  # whose time the write timeout is
            self.read_deadline = self.clock.now + self.limits.linger_silence
        elif self.transport.is_closing():  # over TLS the client has its say, which may never come
            self.abort()
        else:
            self.read_deadline = self.clock.now + self.limits.linger_silence
            self.transport.close()

    def abort(self) -> None:
        """End the connection now; what was not sent is lost.

        The client gets a reset: an end of the stream could pass for the end of a whole answer.
        """
        self._closing = True
        sock = self.transport.get_extra_info("socket")
        if sock is not None and not self.sender.lost:
            with contextlib.suppress(OSError, ValueError):  # another protocol may have closed it
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.transport.abort()

    def shutdown(self) -> None:
        """The server is going away: the running request is the last, an idle connection closes."""
        self.last = self._stopping = True
        if self._successor is not None:
            _shut_down(self._successor)
        elif self._idle:
            self._close()
        elif self._exchange is None and not self.transport.is_closing():
            self._hurry()

    def _hurry(self) -> None:
        """Give the client a little time to finish what it has begun to send."""
        soon = self.clock.now + self._last_seconds
        self.read_deadline = min(self.read_deadline, soon)
        if self._lingering is not None:
            self._lingering = min(self._lingering, soon)

    @property
    def _last_seconds(self) -> float:
        return min(LAST_SECONDS, self.limits.linger_timeout)

    def cancel(self) -> None:
        """The server waits no longer: cancel the running request, and abort the connection."""
        if self._exchange is not None:
            self._exchange.cancel()
        self.abort()

    # Upgrades.

    def switch(self, protocol: asyncio.Protocol, head: bytes = b"") -> None:
        """Hand the connection over to another protocol, for an upgrade (RFC 9110 7.8).

        To be called while the request is answered: `head`, the 101 response, is written, then
        `protocol` gets the transport and the bytes that followed the request. The connection stays
        known to the server until the application returns; what it returns is not sent. At a
        graceful end the protocol's `shutdown()` is called, if it has one.
        Raises `ClientDisconnected` when there is no connection left.
        """
        if self._closing or self.transport.is_closing():
            raise ClientDisconnected("The client has gone")
        self._successor = protocol
        self.switched = True
        self.sender.uncork()
        self.sender.write(head)
        self.read_deadline = self.write_deadline = NEVER
        rest = self.receiver.forget()
        self.receiver.balance()
        self.transport.set_protocol(protocol)
        try:
            protocol.connection_made(self.transport)
            if rest:
                protocol.data_received(rest)
            if self.gone and not protocol.eof_received():
                self.transport.close()
        except BaseException:  # nobody else would end what nobody took over
            self.abort()
            raise


def _loop_of(app: Any) -> asyncio.AbstractEventLoop:
    """The running loop; before it runs, as in a test's set-up, the one that the app was given."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        loop: asyncio.AbstractEventLoop | None = getattr(app, "loop", None)
        if loop is None:
            raise
        return loop


def _shut_down(protocol: Any) -> None:
    if hasattr(protocol, "shutdown"):
        protocol.shutdown()
