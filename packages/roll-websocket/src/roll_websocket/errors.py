"""What this package raises."""

import asyncio
from collections.abc import Mapping

__all__ = ["ConnectionClosed", "HandshakeError", "InvalidMessage", "is_closing", "wake"]


class HandshakeError(Exception):
    """The request cannot become a WebSocket connection: answer it with an HTTP error.

    `status` is the HTTP status to answer with, `message` says why in one sentence and
    `headers` are the fields that such an answer has to carry.
    """

    def __init__(
        self, status: int, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = dict(headers or {})


class ConnectionClosed(ConnectionError):
    """The connection takes or gives nothing any more.

    `code` is the peer's close code when the peer closed first, 1005 when it gave none;
    the code that was sent when this side closed or failed the connection; 1006 when the
    connection was lost without a close frame (RFC 6455 7.1.5). `reason` goes with it.
    """

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(f"{code} {reason}".rstrip())
        self.code = code
        self.reason = reason


class InvalidMessage(ValueError):
    """A message of the peer is not what was awaited, as no JSON.

    A handler that does not catch it has its connection closed with 1007, and did not fail.
    """


def is_closing(error: Exception) -> bool:
    """Whether an error is ConnectionClosed, or a group of nothing else, as of a TaskGroup."""
    if isinstance(error, ExceptionGroup):
        return error.split(ConnectionClosed)[1] is None
    return isinstance(error, ConnectionClosed)


def wake(waiter: asyncio.Future[None] | None) -> None:
    """Wake the task that awaits this."""
    if waiter is not None and not waiter.done():
        waiter.set_result(None)
