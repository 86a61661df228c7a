"""One message to many connections."""

from collections.abc import Iterable
from typing import Literal

from roll_websocket.protocol import WSProtocol
from roll_websocket.shared import Shared

__all__ = ["broadcast"]

TOO_SLOW = 1013, "Too slow for what is sent."
POLICIES = {"close", "drop"}


def broadcast(
    connections: Iterable[WSProtocol],
    message: str | bytes | bytearray | memoryview,
    *,
    slow: Literal["close", "drop"] = "close",
) -> None:
    """Send a message to all of `connections`, without waiting for any.

    The message is framed once, and compressed once for all that agreed on the same. It keeps its
    place among what is sent to each connection. Those that are not open are passed over.

    For a peer that does not read, `BACKLOG_LIMIT` bytes at most wait, or one message: after
    that, it is closed with 1013, or with `slow="drop"` it misses this message.
    Raises TypeError for a message of another type, ValueError for another `slow`.
    """
    if slow not in POLICIES:
        raise ValueError(f"`slow` is 'close' or 'drop', not {slow!r}")
    shared = Shared(message)
    for ws in connections:
        connection = getattr(ws, "_connection", None)  # None before the handshake
        if connection is not None and not connection.post(shared) and slow == "close":
            connection.begin_close(*TOO_SLOW)
