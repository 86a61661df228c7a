"""The body of a request, which the connection passes to the handler.

`h1/body_decoders.py` finds the end of the body, of a chunked one too.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from ..body import HIGH_WATER, BodyStream
from ..errors import ClientDisconnected, HttpError
from ..h1.body_decoders import BodyDecoder, ChunkedDecoder, LengthDecoder
from ..h1.head import Head, RequestError
from ..limits import Limits
from .registry import ConnectionRegistry
from .writer import Writer

__all__ = ["CLIENT_GONE", "IncomingBody"]

CLIENT_GONE = "The client has gone before its body's end"
"""The reason that a handler gets when the client disconnects within its body."""

# The most bytes that may wait of a body that nothing reads; `Limits.body` may set fewer.
MOST_UNREAD = 16 * 1024 * 1024

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class IncomingBody(BodyStream):
    """A body that its connection receives: its decoding, its pace and its 100 (Continue)."""

    __slots__ = (
        "_expects_continue",
        "_limits",
        "_more",
        "_pace",
        "_registry",
        "_writer",
        "broken",
        "decoder",
        "receiving",
    )

    def __init__(
        self,
        head: Head,
        limits: Limits,
        registry: ConnectionRegistry,
        writer: Writer,
        more: Callable[[], None],
    ) -> None:
        """Make a body; `more` is called when there is room for more bytes again."""
        super().__init__(None if head.chunked else head.length)
        self.decoder: BodyDecoder = (
            ChunkedDecoder(limits.trailers) if head.chunked else LengthDecoder(head.length)
        )
        self._expects_continue = head.expects_continue
        self._limits = limits
        self._more = more
        self._pace: _Pace | None = None
        self._registry = registry
        self._writer = writer
        self.broken = False
        """Whether the body is malformed or too slow: nothing after it can be read."""
        self.receiving = True
        """Whether more of the body may arrive."""

    # What the connection calls.

    def decode(self, data: bytes, start: int) -> int:
        """Decode `data` from `start` on, as long as there is room; return where it stopped."""
        decoder = self.decoder
        try:
            while start < len(data) and not decoder.complete and not self.full:
                piece, start = decoder.feed(data, start)
                if piece:
                    self.feed(piece)
        except RequestError as error:
            self._break(HttpError(error.status, error.reason))
            return len(data)
        if decoder.complete:
            self.receiving = False
            self.end()
        return start

    def make_room(self, max_body: int | None) -> bool:
        """Make room for as much of an unread body as a handler could load; return whether it did.

        A handler that begins to read later gets all of it, and reading pauses again. `max_body`
        is the limit of the request.
        """
        if self.begun or not self.receiving:
            return False
        limits = (MOST_UNREAD, self._limits.body, max_body)
        self.most_unread = max(HIGH_WATER, min(most for most in limits if most is not None))
        return True

    def lose(self, reason: str) -> None:
        """Fail with `ClientDisconnected`, unless the body is complete."""
        if self.receiving:
            self.receiving = False
            self.fail(ClientDisconnected(reason))

    def check_pace(self) -> None:
        """Fail with 408 if a handler waits for the body and the client is too slow."""
        if self.awaited and self._pace is not None and self._is_too_slow(self._pace):
            self._break(HttpError(HTTPStatus.REQUEST_TIMEOUT, "The body took too long"))

    def _is_too_slow(self, pace: _Pace) -> bool:
        # The wait may have begun up to an interval after the tick that it was counted from.
        past = self._registry.now - self._registry.interval
        return pace.too_slow(self._registry.now, past, self.received, self._limits)

    def _break(self, error: HttpError) -> None:
        self.broken = True
        self.receiving = False
        self.fail(error)

    # What the handler causes.

    def _on_wait(self) -> None:
        now = self._registry.now
        if self._expects_continue and not self.received:
            self._writer.uncork()
            self._writer.write(CONTINUE)
        self._expects_continue = False
        if self._pace is None:
            self._pace = _Pace(now)
        self._pace.restart(now)

    def _on_room(self) -> None:
        if self.receiving:
            self._more()

    # When the request is answered.

    @property
    def worth_skipping(self) -> bool:
        """Whether to read and drop the rest of the body, so that the connection can go on.

        A client that expects a 100 (Continue) and gets a final response may send no body
        (RFC 9110 10.1.1).
        """
        if self._expects_continue and not self.received:
            return False
        return self.unread <= self._limits.unread_body

    @property
    def unread(self) -> int:
        """The bytes that no handler has read, including those that have not arrived yet.

        For a chunked body, only those that have arrived: its length is unknown until its end.
        """
        return self.size + (self.decoder.remaining or 0)

    def answer_begins(self) -> None:
        """Stop a 100 (Continue) from being sent after the response has begun."""
        self._expects_continue = False


class _Pace:
    """How fast an awaited body arrives, sampled at each tick of the registry's clock."""

    __slots__ = ("_last", "_progress", "_received", "_waited", "_window_start")

    def __init__(self, now: float) -> None:
        self._last = self._progress = now
        self._received = 0
        self._waited = 0.0
        self._window_start = 0

    def restart(self, now: float) -> None:
        """Begin a wait: the time that the handler took before does not count."""
        self._last = self._progress = now

    def too_slow(self, now: float, past: float, received: int, limits: Limits) -> bool:
        """Return whether the client, which has sent `received` bytes so far, is too slow.

        Times are counted to `past`, the tick before `now`: none is over too early.
        """
        self._waited += now - self._last
        self._last = now
        if received > self._received:
            self._received = received
            self._progress = now
        elif past - self._progress >= limits.body_timeout:
            return True
        waited = self._waited - (now - past)
        return waited >= limits.body_rate_window and self._below_rate(received, limits)

    def _below_rate(self, received: int, limits: Limits) -> bool:
        slow = received - self._window_start < limits.body_rate * self._waited
        self._window_start = received
        self._waited = 0.0
        return slow
