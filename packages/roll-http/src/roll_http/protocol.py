"""HTTP/1.1 on an asyncio transport: one connection, its requests answered in order."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextvars import copy_context
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from .clock import NEVER, Connections, Pace
from .errors import ClientDisconnected, HttpError
from .head import BadRequest, Head
from .receiving import Receiver
from .sending import SLICE, Sender
from .wire import Delimiting, plain_response, render

if TYPE_CHECKING:
    from .application import Application
    from .request import Request
    from .response import Response

__all__ = ["HTTPProtocol"]

logger = logging.getLogger("roll_http")

# Answers given in a row before other connections get their turn.
TURNS = 16

# To linger for no time at all when a socket is closed, which resets it.
RESET = struct.pack("ii", 1, 0)

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

if sys.version_info >= (3, 12):

    def _start(coroutine: Coroutine[Any, Any, None]) -> None:
        asyncio.Task(coroutine, loop=asyncio.get_running_loop(), eager_start=True)

else:

    def _start(coroutine: Coroutine[Any, Any, None]) -> None:
        asyncio.get_running_loop().create_task(coroutine)


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

    def __init__(self, app: Application) -> None:
        self.app = app
        self.limits = app.limits
        self.gone = False
        """The client has closed its side, or the connection is lost."""
        self.read_deadline = self.write_deadline = NEVER
        self._busy = False  # a request is being answered
        self._advancing = False
        self._closing = False  # no request that comes now is answered
        self.last = False
        """The request that is being answered, or the next one, is the last."""
        self._expects_continue = False
        self._head_begun = False
        self._streaming = False
        self._lingering: int | None = None  # bytes still to be dropped
        self._pace: Pace | None = None
        self._request: Request | None = None
        self._task: asyncio.Task[Any] | None = None
        self._switched: asyncio.Protocol | None = None

    # What a request asks of its connection.

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
        self._sender = Sender(self.transport)
        self._receiver = Receiver(self.transport, self.limits)
        self._context = copy_context()
        self._connections = connections = Connections.running()
        full = self.limits.connections is not None and len(connections) >= self.limits.connections
        connections.add(self, self.limits.shortest_timeout)
        if full:
            self._refuse(BadRequest(503, "Too many connections"))
        else:
            self._rest()

    def data_received(self, data: bytes) -> None:
        """Take bytes from the client."""
        if self._lingering is not None:
            self._linger(len(data))
            return
        self._receiver.receive(data)
        if self._receiver.in_body:
            self._pump()
        elif self._busy:
            self._receiver.balance()
        else:
            self._advance()

    def eof_received(self) -> bool:
        """The client sends no more: the request it waits for is still answered, but over TLS."""
        self._notice_gone()
        return self._busy and not self.secure

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has ended."""
        self._closing = True
        self._sender.lose()
        self.read_deadline = self.write_deadline = NEVER
        self._connections.discard(self)
        self._notice_gone()

    def pause_writing(self) -> None:
        """The client reads slowly."""
        self._sender.pause()
        self._watch_writing()

    def resume_writing(self) -> None:
        """The client has caught up."""
        self.write_deadline = NEVER
        self._sender.resume()
        self._advance()

    # Answering.

    def _advance(self) -> None:
        """Answer the requests that have come, one after another, as long as answers are ready."""
        if self._advancing:
            return
        self._advancing = True
        turns = 0
        while turns < TURNS and self._ready and self._begin_next():
            turns += 1
        self._advancing = False
        self._sender.uncork()
        if turns == TURNS and self._ready:
            self._call_soon(self._advance)
        elif turns and not self._busy and not self._closing and not self._head_begun:
            self._rest()
        self._receiver.balance()

    @property
    def _ready(self) -> bool:
        receiver = self._receiver
        return (
            receiver.has_bytes
            and not self._busy
            and not self._closing
            and not receiver.in_body
            and not self._sender.paused
        )

    def _begin_next(self) -> bool:
        """Begin to answer the next request; False when its head is not there."""
        try:
            head = self._receiver.next_head()
        except BadRequest as error:
            self._refuse(error)
            return False
        if head is None:
            self._await_head()
            return False
        self._head_begun = False
        self.read_deadline = NEVER
        self._busy = True
        if self._receiver.has_bytes:
            self._sender.cork()
        _start(self._answer(head))
        return True

    async def _answer(self, head: Head) -> None:
        self._task = asyncio.current_task()
        request = response = None
        try:
            request = self._request = self.app.Request(self.app, self)
            request.set_head(head)
            if head.length or head.chunked:
                self._open_body(request, head)
            response = self.app.Response(self.app, self)
            response.request = request
            response = await self.app(request, response)
        except asyncio.CancelledError:
            if self._is_cancelled():
                self.abort()
                self._release()
                raise
            response = self._failed(request, "was cancelled by itself")
        except Exception:  # noqa: BLE001 - whatever an application raises is answered
            response = self._failed(request, "raised")
        if self._switched is not None:
            self._release()
        elif request is None or response is None:
            self._refuse(BadRequest(500, "Internal Server Error"))
        else:
            await self._send(request, response)
            self._finish(request)

    def _is_cancelled(self) -> bool:
        """Somebody wants the task to end, unlike a handler that awaits something cancelled."""
        return self._task is not None and self._task.cancelling() > 0

    def _failed(self, request: Request | None, what: str) -> Response:
        """Log the error in flight, and answer it; nothing of it reaches the client."""
        where = "?" if request is None else f"{request.method} {request.url!r}"
        logger.exception("The application %s for %s", what, where)
        response = self.app.Response(self.app, self)
        response.status = HTTPStatus.INTERNAL_SERVER_ERROR
        response.body = response.status.phrase
        return response

    def _open_body(self, request: Request, head: Head) -> None:
        self._expects_continue = head.expects_continue
        request.attach_body(self._receiver.open_body(head, self))
        self._pump()

    async def _send(self, request: Request, response: Response) -> None:
        if self.last or self._will_not_skip_body():
            request.keep_alive = False
        date = self._connections.date
        try:
            head, body, stream, delimiting = render(request, response, date)
        except Exception:  # noqa: BLE001 - a header's `str()` may raise anything
            response = self._failed(request, "gave a response that can't be sent")
            head, body, stream, delimiting = render(request, response, date)
        if stream is not None:
            await self._send_stream(head, stream, delimiting)
        elif len(body) <= SLICE:
            self._sender.write(head + body)
        else:
            await self._send_large(head, body)
        if self.on_answered is not None:
            self.on_answered(request, response, len(body))

    async def _send_large(self, head: bytes, body: bytes) -> None:
        try:
            await self._sender.send_bytes(head, body)
        except ClientDisconnected:
            self.abort()

    async def _send_stream(
        self, head: bytes, stream: AsyncIterator[Any], delimiting: Delimiting | None
    ) -> None:
        self._streaming = True
        try:
            if delimiting is None:
                self._sender.write(head)
            elif self.gone:
                self.abort()
            else:
                await self._sender.send_stream(head, stream, delimiting)
        except asyncio.CancelledError:
            self.abort()
            if not self._uncancel():
                raise
        except Exception:
            if not self.gone:
                logger.exception("A streamed response failed after its head was sent")
            self.abort()
        finally:
            self._streaming = False
            await _close_stream(stream)

    def _uncancel(self) -> bool:
        """Whether it was only the client's going that cancelled the stream."""
        return self.gone and self._task is not None and self._task.uncancel() == 0

    def _finish(self, request: Request) -> None:
        """After an answer: on to the next request, or to the end of the connection."""
        self._busy = False
        self._request = self._task = None
        if self.gone or not request.keep_alive:
            self._close()
        elif self._receiver.in_body:
            self._skip_body()
        elif self._advancing:
            pass  # whoever advances goes on
        elif self._receiver.has_bytes:
            self._call_soon(self._advance)
        else:
            self._rest()

    def _release(self) -> None:
        """The connection is no longer ours."""
        self._busy = False
        self._request = self._task = None
        self._connections.discard(self)

    def _call_soon(self, callback: Callable[[], None]) -> None:
        # In the connection's own context: what one request sets never shows in the next.
        asyncio.get_running_loop().call_soon(callback, context=self._context)

    # The body of a request.

    def body_awaited(self) -> None:
        """The handler waits for the body: let it come, and watch the time."""
        if self._expects_continue:
            self._expects_continue = False
            self._sender.uncork()
            self._sender.write(CONTINUE)
        self._pace = self._pace or Pace(self._connections.now)
        self._pace.restart(self._connections.now)
        self.read_deadline = 0  # sampled at each look of the clock
        self._pump()

    def body_taken(self) -> None:
        """The handler took some, or waits no longer."""
        self.read_deadline = NEVER
        self._pump()

    def _pump(self) -> None:
        receiver = self._receiver
        try:
            receiver.pump()
        except BadRequest as error:
            self.last = True
            receiver.end_body(HttpError(error.status, error.reason))
            receiver.forget()
        stream = receiver.stream
        if stream is not None and stream.received:
            self._expects_continue = False  # RFC 9110 10.1.1: the client did not wait
        if not self._busy:
            self._go_on_skipping()

    def _will_not_skip_body(self) -> bool:
        """The rest of the body is not worth reading, or will not come before a 100."""
        if not self._receiver.in_body:
            return False
        remaining = self._receiver.body_remaining or 0
        return self._expects_continue or remaining > self.limits.unread_body

    def _skip_body(self) -> None:
        stream = self._receiver.stream
        if stream is not None:
            stream.discard()
        self.read_deadline = self._connections.now + self.limits.body_timeout
        self._pump()

    def _go_on_skipping(self) -> None:
        stream = self._receiver.stream
        if self.last or (stream is not None and stream.discarded > self.limits.unread_body):
            self._close()
        elif not self._receiver.in_body:
            self._rest()
            self._call_soon(self._advance)

    # Time.

    def _rest(self) -> None:
        """Between requests, with nothing from the client."""
        if self.last:
            self._close()
        else:
            self.read_deadline = self._connections.now + self.limits.keep_alive_timeout

    def _await_head(self) -> None:
        if not self._head_begun:
            self._head_begun = True
            self.read_deadline = self._connections.now + self.limits.head_timeout

    def read_expired(self) -> None:
        """The client took too long to send something."""
        if self._busy:
            self._check_pace()
        elif self._lingering is not None:
            self.abort()
        elif self._head_begun:
            self._refuse(BadRequest(408, "The request's head took too long"))
        else:
            self._close()

    def _check_pace(self) -> None:
        stream = self._receiver.stream
        if stream is None or self._pace is None or not stream.awaited:
            self.read_deadline = NEVER
        elif self._pace.too_slow(self._connections.now, stream.received, self.limits):
            self.last = True
            stream.fail(HttpError(HTTPStatus.REQUEST_TIMEOUT, "The body took too long"))

    def _watch_writing(self) -> None:
        self._sender.watch(self._connections.now)
        self.write_deadline = 0  # looked at by each look of the clock

    def write_expired(self) -> None:
        """Abort when the client has taken nothing for too long."""
        if self._sender.stalled_for(self._connections.now) >= self.limits.write_timeout:
            self.abort()

    # Ends.

    def _notice_gone(self) -> None:
        if self.gone and not self._sender.lost:
            return
        self.gone = True
        if self._receiver.in_body:
            self._receiver.end_body(
                ClientDisconnected("The client has gone before its body's end")
            )
        request = self._request
        if self._task is None or request is None:
            return
        if self._streaming or request.cancel_on_disconnect:
            self._task.cancel()

    def _refuse(self, error: BadRequest) -> None:
        """Answer what can't become a request, and close."""
        self._sender.uncork()
        self._sender.write(plain_response(error.status, error.reason, self._connections.date))
        self._receiver.receive(b"?")  # whatever comes is dropped, but read
        self._close()

    def _close(self) -> None:
        """End the connection, so that what was written arrives.

        Closing a socket whose input was not read resets it, and the answer may be lost: what
        still comes is read and dropped, for a while (RFC 9112 9.6).
        """
        self._closing = True
        self._sender.uncork()
        unread = self._receiver.has_bytes or self._receiver.in_body
        self._receiver.end_body(ClientDisconnected("The connection is closing"))
        self._receiver.forget()
        self._watch_writing()
        if not unread or self.gone or not self.transport.can_write_eof():
            self.read_deadline = NEVER
            self.transport.close()
        elif not self.transport.is_closing():
            self._lingering = self.limits.linger
            self.read_deadline = self._connections.now + self.limits.linger_timeout
            self._receiver.balance()
            self.transport.write_eof()

    def _linger(self, size: int) -> None:
        self._lingering = (self._lingering or 0) - size
        if self._lingering <= 0:
            self.abort()

    def abort(self) -> None:
        """End the connection now; what was not sent is lost.

        The client gets a reset: an end of the stream could pass for the end of a whole answer.
        """
        self._closing = True
        sock = self.transport.get_extra_info("socket")
        if sock is not None and not self._sender.lost:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.transport.abort()

    def shutdown(self) -> None:
        """The server is going away: the running request is the last, an idle connection closes."""
        self.last = True
        if self._switched is not None:
            going = cast("Any", self._switched)
            if hasattr(going, "shutdown"):
                going.shutdown()
        elif self._head_begun and not self._busy:
            soon = self._connections.now + self.limits.linger_timeout
            self.read_deadline = min(self.read_deadline, soon)
        elif not self._busy and not self._closing:
            self._close()

    def cancel(self) -> None:
        """The server waits no longer: cancel the running request, and abort the connection."""
        if self._task is not None:
            self._task.cancel()
        self.abort()

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
        self._switched = protocol
        self._sender.uncork()
        self._sender.write(head)
        self.read_deadline = self.write_deadline = NEVER
        rest = self._receiver.forget()
        self._receiver.balance()
        self.transport.set_protocol(protocol)
        protocol.connection_made(self.transport)
        if rest:
            protocol.data_received(rest)
        if self.gone and not protocol.eof_received():
            self.transport.close()


async def _close_stream(stream: AsyncIterator[Any]) -> None:
    """End a generator that may not have run out: its `finally` blocks run now."""
    close = getattr(stream, "aclose", None)
    if close is not None:
        try:
            await close()
        except Exception:
            logger.exception("A streamed response failed while it was closed")
