"""One connection: the callbacks of asyncio become transitions of its state.

`h1/state.py` has the states and what may follow each. Requests are answered in order.
"""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable
from contextvars import Context, copy_context
from typing import Any, cast

from ..application import Application
from ..errors import ClientDisconnected
from ..h1.head import Head, RequestError
from ..h1.state import ANSWERING, CLOSED, CLOSING, HEAD, IDLE, LINGERING, SKIPPING_BODY, SWITCHED
from ..limits import NEVER
from ..request import Request
from .answering import answer
from .eager_tasks import start
from .ending import EndingConnection
from .exchange import Exchange
from .incoming_body import IncomingBody
from .reader import Reader
from .registry import ConnectionRegistry
from .writer import Writer

__all__ = ["HTTPProtocol"]

# Answers given in a row before other connections get their turn.
TURNS = 16


class HTTPProtocol(EndingConnection, asyncio.Protocol):
    """One connection of an `Application`.

    For each request it makes an `app.Request` and an `app.Response`, awaits
    `app(request, response)` in a task and a context of their own, and sends what comes back.
    """

    on_answered: Callable[[Any, Any, int], None] | None = None
    """Called with each request, its response and the length of the body sent, for access logs."""
    owner: object = None
    """The server that accepted the connection, which will end it."""

    _loop: asyncio.AbstractEventLoop
    _context: Context

    def __init__(self, app: Application) -> None:
        super().__init__(app)

    @property
    def made(self) -> bool:
        """Whether the connection is there: its TLS handshake is over, if it has one."""
        return hasattr(self, "transport")

    @property
    def peer(self) -> tuple[str, int] | None:
        """The client's address: host and port; None over a Unix socket."""
        address = self.transport.get_extra_info("peername")
        return (address[0], address[1]) if isinstance(address, tuple) else None

    @property
    def secure(self) -> bool:
        """Whether the connection is over TLS."""
        return self.transport.get_extra_info("sslcontext") is not None

    @property
    def switched(self) -> bool:
        """Whether the connection was handed over to another protocol."""
        return self.state == SWITCHED

    @property
    def last(self) -> bool:
        """The old name of `must_close`."""
        _warn_of_last()
        return self.must_close

    @last.setter
    def last(self, value: bool) -> None:
        _warn_of_last()
        self.must_close = value

    # Callbacks of asyncio. An error of ours ends the connection: asyncio would hide it.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a new connection."""
        self.transport = cast(asyncio.Transport, transport)
        self._loop = _loop_of(self.app)
        try:
            self._open()
        except Exception:  # noqa: BLE001
            self.fail()

    def _open(self) -> None:
        self.registry = registry = ConnectionRegistry.of(self._loop)
        self.writer = Writer(self.transport)
        self.reader = Reader(self.transport, self.limits)
        self._context = copy_context()
        most = self.limits.connections
        full = most is not None and registry.count(self.app) >= most
        registry.add(self, self.limits.shortest_timeout, self._loop)
        self.read_deadline = registry.now + self.limits.keep_alive_timeout
        if full:
            self.refuse(RequestError(503, "Too many connections"))

    def data_received(self, data: bytes) -> None:
        """Take bytes from the client."""
        try:
            state = self.state
            if state <= HEAD:
                self.reader.receive(data)
                self._advance()
            elif state <= SKIPPING_BODY:
                self.reader.receive(data)
                if self.reader.in_body:
                    self.feed_body()
                else:
                    self.reader.update_reading()
            elif state == LINGERING:
                self._drop(len(data))
        except Exception:  # noqa: BLE001
            self.fail()

    def eof_received(self) -> bool:
        """Take the end of the client's input; True keeps the connection open for an answer.

        A request that the client waits for is still answered: bytes and files to their end, while
        a stream is cancelled. Over TLS the connection ends: there asyncio has no half-closed
        connections.
        """
        waits = False
        try:
            self._notice_gone()
            asked = self.state == ANSWERING or (self.state == IDLE and self.reader.has_bytes)
            waits = asked and not self.secure
            if not waits and self.state < CLOSING:
                self.state = CLOSING
        except Exception:  # noqa: BLE001
            self.fail()
        return waits

    def connection_lost(self, exc: Exception | None) -> None:
        """Take note that the connection has ended."""
        if self.state != SWITCHED:
            self.state = CLOSED
        self.read_deadline = self.write_deadline = NEVER
        self.registry.discard(self)
        try:
            self.writer.lose()
            self.reader.close()
            self._notice_gone()
        except Exception:  # noqa: BLE001
            self.fail()

    def _notice_gone(self) -> None:
        self.gone = True
        if self.reader.body is not None:
            self.reader.body.lose("The client has gone before its body's end")
        if self._exchange is not None:
            self._exchange.notice_gone()

    def pause_writing(self) -> None:
        """Take note that the client reads slowly."""
        try:
            self.writer.paused = True
            self._watch_writing()
        except Exception:  # noqa: BLE001
            self.fail()

    def resume_writing(self) -> None:
        """Take note that the client has caught up."""
        try:
            self.write_deadline = NEVER
            self.writer.resume()
            # Not at once: asyncio loses a connection twice that is closed in this callback.
            self._advance_soon()
        except Exception:  # noqa: BLE001
            self.fail()

    # From one request to the next.

    def _advance(self) -> None:
        """Answer the requests that have come, one after another, as long as answers are ready."""
        self._advancing = True
        turns = 0
        reader = self.reader
        try:
            while reader.has_bytes and turns < TURNS and self._is_free() and self._begin_next():
                turns += 1
        finally:
            self._advancing = False
            if self.writer.corked:
                self.writer.uncork()
        if reader.has_bytes:
            if turns == TURNS and self._is_free():
                self._advance_soon()  # other connections have their turn
            reader.update_reading()

    def _is_free(self) -> bool:
        """Tell whether the next request may be begun."""
        return self.state <= HEAD and not self.writer.paused

    def _begin_next(self) -> bool:
        """Begin to answer the next request; False when its head is not there."""
        reader = self.reader
        try:
            head = reader.next_head()
        except RequestError as error:
            self.refuse(error)
            return False
        if head is None:
            self._await_head()
            return False
        self.state = ANSWERING
        self.read_deadline = NEVER
        if reader.has_bytes and reader.has_more_than_body_of(head):
            self.writer.cork()
        # The loop may call in the context of an earlier request, whose write or read it resumes.
        task = start(answer(self, head), self._loop, self._context.copy())
        if self.state == ANSWERING or self.request is not None:  # the handler waits
            self.exchange.task = task
        return True

    @property
    def exchange(self) -> Exchange:
        """The exchange of the current request, made when it is asked for."""
        if self._exchange is None:
            self._exchange = Exchange(self)
        return self._exchange

    def _await_head(self) -> None:
        if self.gone:
            self._close()
        elif self.state == IDLE:
            self.state = HEAD
            self.read_deadline = self.registry.now + self.limits.head_timeout

    def finish(self, keep_alive: bool) -> None:
        """Go on to the next request behind an answer, or, if not `keep_alive`, to the end."""
        self.forget_request()
        if self.state != ANSWERING:  # the connection has ended already
            return
        body = self.reader.body
        if body is not None and body.receiving:
            body.discard()  # a handler that still reads it gets an error that says why
            if keep_alive:
                self._skip_body()
                return
        if not keep_alive or (body is not None and body.broken):
            self._close()
            return
        self.reader.body = None
        if not self.reader.has_bytes:
            self._rest()
            return
        self.state = IDLE
        if not self._advancing:  # whoever advances goes on
            self._advance_soon()

    def release(self) -> None:
        """Forget the connection: it is another protocol's, or nobody's."""
        self.forget_request()
        self.registry.discard(self)

    def _rest(self) -> None:
        """Wait for the next request."""
        if self.must_close or self.gone:
            self._close()
        else:
            self.state = IDLE
            self.read_deadline = self.registry.now + self.limits.keep_alive_timeout

    def _advance_soon(self) -> None:
        # In the connection's own context: what one request sets never shows in the next.
        self._loop.call_soon(self._advance_later, context=self._context)

    def _advance_later(self) -> None:
        try:
            self._advance()
        except Exception:  # noqa: BLE001
            self.fail()

    # The body of a request.

    def open_body(self, request: Request, head: Head) -> None:
        """Give a request its body: whole, if it came with the head, else as it comes."""
        whole = self.reader.take_body(head)
        if whole is not None:
            request.attach_whole(whole)
            return
        body = IncomingBody(head, self.limits, self.registry, self.writer, self.feed_body)
        self.reader.body = body
        request.attach_body(body)
        self.read_deadline = 0  # the body's pace is looked at by each look of the clock
        self.feed_body()
        if self.gone:
            body.lose("The client has gone before its body's end")

    def feed_body(self) -> None:
        """Give what came of the body to the handler that reads it, or drop it."""
        body = self.reader.body
        if body is None:
            return
        self.reader.feed_body(body)
        if self.state == SKIPPING_BODY:
            self._go_on_skipping(body)

    def _skip_body(self) -> None:
        """Drop the rest of a body, for a while: the answer said that the connection is kept."""
        self.state = SKIPPING_BODY
        self.read_deadline = self.registry.now + self.limits.body_timeout
        self.feed_body()

    def _go_on_skipping(self, body: IncomingBody) -> None:
        if self.must_close or body.broken:
            self._close()
        elif not body.receiving:
            self.reader.body = None
            self._rest()
            self._advance_soon()

    # Time.

    def read_expired(self) -> None:
        """End what the client took too long for."""
        if self.state == ANSWERING:
            self._check_pace()
        elif self.state == HEAD:
            self.refuse(RequestError(408, "The request's head took too long"))
        elif self.state == LINGERING:
            self._end_lingering()
        elif self.state == CLOSING:  # over TLS the client has its say, which may never come
            self.abort()
        elif self.state in {IDLE, SKIPPING_BODY}:
            self._close()

    def _check_pace(self) -> None:
        body = self.reader.body
        if body is not None and body.receiving:
            body.check_pace()
        else:
            self.read_deadline = NEVER

    # Upgrades.

    def switch(self, protocol: asyncio.Protocol, head: bytes = b"") -> None:
        """Hand the connection over to another protocol, for an upgrade (RFC 9110 7.8).

        To be called while the request is answered: `head`, the 101 response, is written, then
        `protocol` gets the transport and the bytes that followed the request. The connection stays
        known to the server until the application returns; what it returns is not sent. At a
        graceful end the protocol's `shutdown()` is called, if it has one.
        Raises `ClientDisconnected` when there is no connection left.
        """
        if self.state != ANSWERING or self.transport.is_closing():
            raise ClientDisconnected("The client has gone")
        self._successor = protocol
        self.state = SWITCHED
        self.writer.uncork()
        self.writer.write(head)
        self.read_deadline = self.write_deadline = NEVER
        rest = self.reader.forget()
        self.reader.update_reading()
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


def _warn_of_last() -> None:
    warnings.warn("HTTPProtocol.last is now must_close", DeprecationWarning, stacklevel=3)


def _loop_of(app: Any) -> asyncio.AbstractEventLoop:
    """Return the running loop; before it runs, as in a test's set-up, the application's own."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        loop: asyncio.AbstractEventLoop | None = getattr(app, "loop", None)
        if loop is None:
            raise
        return loop
