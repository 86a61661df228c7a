"""The exceptions of this package."""

import asyncio
from collections.abc import Mapping
from typing import Any

from roll_websocket.fields import checked_field, pairs

__all__ = [
    "ConnectionClosed",
    "HandshakeError",
    "InvalidMessage",
    "check_refusal",
    "consists_of",
    "wake",
]

REFUSALS = range(300, 600)


class HandshakeError(Exception):
    """The refusal of a request for a WebSocket, to be answered with an HTTP error.

    `status` is the HTTP status, from 300 to 599, `message` the text of the answer, and `headers`
    are fields that the answer needs.
    Raises TypeError if the status is not an int or the message is not a str. Raises ValueError for
    another status, and for a field that cannot be sent.
    """

    def __init__(
        self, status: int, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        check_refusal(status, message)
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = dict(checked_field(*field) for field in pairs(headers or {}))

    def __reduce__(self) -> tuple[Any, ...]:
        # By default, an exception is unpickled from its `args`: here these are only the message.
        return restored, (type(self), self.args, vars(self))


class ConnectionClosed(ConnectionError):
    """The connection has ended: nothing can be sent or received.

    `code` and `reason` are those of the peer if it closed first (1005 if it gave no code), and
    those that were sent if this side closed first. A connection that was lost without a close
    frame has 1006 (RFC 6455 7.1.5).
    """

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(f"{code} {reason}".rstrip())
        self.code = code
        self.reason = reason

    def __reduce__(self) -> tuple[Any, ...]:
        return restored, (type(self), self.args, vars(self))


def check_refusal(status: object, message: object) -> None:
    """Raise TypeError or ValueError for a status or message that cannot be sent."""
    if not isinstance(status, int) or isinstance(status, bool):
        raise TypeError(f"The status of a refusal is an int, not {status!r}")
    if status not in REFUSALS:
        raise ValueError(f"The status of a refusal is one from 300 to 599, not {status}")
    if not isinstance(message, str):
        raise TypeError(f"The message of a refusal is a str, not {message!r}")


def restored(
    kind: type[Exception], args: tuple[Any, ...], attributes: dict[str, Any]
) -> Exception:
    """Return an exception as it was pickled, whatever its constructor takes."""
    error = kind.__new__(kind)
    error.args = args
    vars(error).update(attributes)
    return error


class InvalidMessage(ValueError):
    """A message of the peer is not valid, such as one that is not JSON.

    A handler may raise it too. If the handler does not catch it, the connection is closed with
    1007 (RFC 6455 7.4.1), and nothing is logged.
    """


def consists_of(kind: type[Exception], error: Exception) -> bool:
    """Return whether an error is of this type, or a group of such errors, as from a TaskGroup."""
    if isinstance(error, ExceptionGroup):
        return error.split(kind)[1] is None
    return isinstance(error, kind)


def wake(waiter: asyncio.Future[None] | None) -> None:
    """Wake the task that waits for a future."""
    if waiter is not None and not waiter.done():
        waiter.set_result(None)
