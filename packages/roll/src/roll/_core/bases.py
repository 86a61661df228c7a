"""The slots of an exchange with an ASGI application, in Python; the native core has the same."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

from roll_http import HttpError
from roll_http.body import BodyPass, BodyStream

__all__ = ["CONCLUDING", "DONE", "NEW", "OPEN", "STARTED", "ExchangeBase"]

NEW: Final = 0
STARTED: Final = 1
OPEN: Final = 2
DONE: Final = 3
CONCLUDING: Final = 4
"""The state of the response; `CONCLUDING` while the listeners of `response` run."""


class ExchangeBase:
    """The slots of an exchange.

    Raises:
        HttpError: 413 for a body that is known to be larger than `max_body`.
    """

    __slots__ = (
        "app",
        "body",
        "connection",
        "ending",
        "host",
        "length",
        "opening",
        "outgoing",
        "over",
        "put",
        "queued",
        "reading",
        "refusal",
        "request",
        "response",
        "state",
        "told",
        "trailers",
    )

    body: bytes | BodyStream | None
    """The rest of the request's body; None at its end."""
    reading: BodyPass | None
    """The iterator over the chunks of the body."""
    length: Any
    """The length of the response in the head of the application."""
    opening: asyncio.Event | None
    """Set once a task has sent the head of a streamed response; None if none does that now."""
    trailers: bytes | None
    """The trailers that were sent; None if there are none."""
    refusal: HttpError | None
    """The error for which the body of the request was refused."""
    queued: int
    """The calls of `send` whose coroutines have not begun."""
    ending: bool
    """Whether the application has sent the last piece of the body."""
    told: bool
    """Whether the application has sent a message after the client had disconnected."""
    over: asyncio.Event | None
    """Set when the response has been sent, or the client has disconnected."""

    def __init__(self, host: Any, app: Any, request: Any, response: Any) -> None:
        self.host = host
        self.app = app
        self.request = request
        self.response = response
        self.connection = request.protocol
        self.ending = False
        self.body = request.take_body()
        self.length = None
        self.opening = None
        self.outgoing: Any = None
        self.over = None
        self.queued = 0
        self.put: Callable[[bytes], bool] | None = None
        self.reading = None
        self.refusal = None
        self.state = NEW
        self.told = False
        self.trailers = None

    def send(self, message: Any) -> Coroutine[Any, Any, None]:
        """Handle a message of the application; return an awaitable for it."""
        self.queued += 1
        return self.take(message)

    async def take(self, message: Any) -> None:
        """Handle any message; `Exchange` implements this."""
