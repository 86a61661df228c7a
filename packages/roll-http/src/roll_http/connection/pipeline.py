"""The requests of one connection, answered one after another (RFC 9112 9.3.2, pipelining).

`answering.py` answers one request. This module begins the next one, and manages the body.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any

from ..h1.head import Head, RequestError
from ..h1.state import ANSWERING, CLOSING, HEAD, IDLE, LINGERING, SKIPPING_BODY
from ..limits import NEVER
from ..request import Request
from ..response import Response
from .answering import answer, send
from .eager_tasks import start
from .ending import EndingConnection
from .exchange import Exchange
from .incoming_body import CLIENT_GONE, IncomingBody
from .open_response import OpenResponse

__all__ = ["PipelinedConnection"]

# Answers that one connection gives in a row, before the other connections get their turn.
TURNS = 16


class PipelinedConnection(EndingConnection):
    """A connection that answers its requests in order, one at a time."""

    __slots__ = ()

    on_answered: Callable[[Any, Any, int], None] | None = None
    """Called with each request, its response and the length of the body sent, for access logs.

    Cancelled requests and cut responses are reported too, with the number of bytes sent."""
    on_gone: Callable[[], None] | None = None
    """Called when the client has closed its side, or the connection is lost; perhaps twice."""
    responded: Any = None
    """The last request whose response was sent while the application runs on; None for none."""
    opened: Any = None
    """The `OpenResponse` that the application writes piece by piece; None for none."""
    _context: Context
    _loop: asyncio.AbstractEventLoop

    # From one request to the next.

    def _advance(self) -> None:
        """Answer the requests that have arrived, as long as each answer is ready at once."""
        self._advancing = True
        turns = 0
        reader = self.reader
        try:
            while reader.has_bytes and turns < TURNS and self._is_free() and self._begin_next():
                turns += 1
        finally:
            self._advancing = False
            if reader.has_bytes or self.writer.corked:
                self._end_turns(turns)

    def _end_turns(self, turns: int) -> None:
        """Send the buffered answers, and schedule the requests that are left."""
        if self.writer.corked:
            self.writer.uncork()
        if self.reader.has_bytes:
            if turns == TURNS and self._is_free():
                self._advance_soon()  # other connections get their turn
            self.reader.update_reading()

    def _is_free(self) -> bool:
        """Return whether the next request may begin."""
        return self.state <= HEAD and not self.writer.paused

    def _begin_next(self) -> bool:
        """Begin to answer the next request; return False when its head is not complete."""
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
        # The loop may call us in the context of an earlier request, for example to resume a write.
        task = start(answer(self, head), self._loop, self._context.copy())
        if self.state == ANSWERING or self.request is not None:  # the handler waits
            self.exchange.task = task
        return True

    @property
    def exchange(self) -> Exchange:
        """The exchange of the current request, made at the first use."""
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
        """Go on to the next request after an answer; if not `keep_alive`, end the connection."""
        self.forget_request()
        if self.state != ANSWERING:  # the connection has ended already
            return
        body = self.reader.body
        if body is not None and body.receiving:
            body.discard()  # a handler that still reads the body gets an error that says why
            if keep_alive:
                self._skip_body()
                return
        if not keep_alive or (body is not None and body.broken):
            self._close()
            return
        self.reader.body = None
        if not self.reader.has_bytes:
            self._await_request()
            return
        self._go_on()

    def _go_on(self) -> None:
        """Begin a request that has arrived already."""
        self.state = IDLE
        # No deadline: one of the last request's body, or of an idle connection, would close the
        # connection before this request is answered, for example while the client reads slowly.
        self.read_deadline = NEVER
        if not self._advancing:  # otherwise the loop of `_advance` goes on
            self._advance_soon()

    def release(self) -> None:
        """Forget the connection: another protocol has it, or nothing needs it any more."""
        self.forget_request()
        self.registry.discard(self)
        # It may refer to this connection through its request: a cycle of references.
        self._successor = None

    def _await_request(self) -> None:
        """Wait for the next request, as an idle connection.

        Wait even when the server is stopping: the response has promised keep-alive, so the client
        may have sent its next request already.
        """
        if self.gone:
            self._close()
        else:
            self.state = IDLE
            self.read_deadline = self.registry.now + self.idle_seconds

    def _advance_soon(self) -> None:
        # In the connection's own context, so that no request sees the variables of another.
        self._loop.call_soon(self._advance_later, context=self._context)

    def _advance_later(self) -> None:
        try:
            self._resume()
        except Exception:  # noqa: BLE001
            self.fail()

    # Responses that are sent while the application still runs.

    def _respond(self, response: Response) -> Coroutine[Any, Any, None] | None:
        self.responded = self.request
        head = Head()
        head.method, head.target = self.request.method, self.request.url
        return send(self, head, response)

    def open_response(self, response: Response) -> OpenResponse:
        """Send the head of the response to the current request; return what writes its body.

        Raises `ValueError` for a response that can't be sent; then nothing was.
        """
        return OpenResponse(self, response)

    # The body of a request.

    def open_body(self, request: Request, head: Head) -> None:
        """Give a request its body: whole if it came with the head, otherwise as a stream."""
        whole = self.reader.take_body(head)
        if whole is not None:
            request.attach_whole(whole)
            return
        body = IncomingBody(head, self.limits, self.registry, self.writer, self.feed_body)
        self.reader.body = body
        request.attach_body(body)
        self.read_deadline = 0  # each tick of the clock checks the pace of the body
        self.feed_body()
        if self.gone:
            body.lose(CLIENT_GONE)

    def feed_body(self) -> None:
        """Give the received bytes of the body to the handler that reads it, or drop them."""
        body = self.reader.body
        assert body is not None  # only called while a body is received
        self.reader.feed_body(body)
        if self.state == SKIPPING_BODY:
            self._go_on_skipping(body)

    def _read_unread(self) -> None:
        """Read on while the client does not read the response, if no handler reads its body.

        Most clients write their whole request before they read. Such a client would wait for this
        server to read, while the stream of the response waits for the client to read.
        """
        body = self.reader.body
        if body is None or self.state != ANSWERING:
            return
        if body.make_room(getattr(self.request, "max_body", None)):
            self.feed_body()

    def _skip_body(self) -> None:
        """Drop the rest of the body for a while: the response promised keep-alive."""
        self.state = SKIPPING_BODY
        self.read_deadline = self.registry.now + self.limits.body_timeout
        self.feed_body()

    def _go_on_skipping(self, body: IncomingBody) -> None:
        if body.broken:
            self._close()
        elif not body.receiving:
            self.reader.body = None
            if self.reader.has_bytes:
                self._go_on()
            else:
                self._await_request()

    # Deadlines.

    def read_expired(self) -> None:
        """Handle a client that took too long to send, as its state requires."""
        if self.state == ANSWERING:
            self._check_pace()
        elif self.state == HEAD:
            self.refuse(RequestError(408, "The request's head took too long"))
        elif self.state == LINGERING:
            self._end_lingering()
        elif self.state == CLOSING:
            self.close_expired()
        elif self.state in {IDLE, SKIPPING_BODY}:
            self._close()

    def _check_pace(self) -> None:
        body = self.reader.body
        if body is not None and body.receiving:
            body.check_pace()
        else:
            self.read_deadline = NEVER
