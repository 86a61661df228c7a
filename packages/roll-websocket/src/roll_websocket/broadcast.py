"""One message to many connections."""

from collections.abc import Iterable
from typing import Literal

from roll_websocket.protocol import WSProtocol
from roll_websocket.shared import Shared

__all__ = ["broadcast"]

TOO_SLOW = 1013, "Too slow for what is sent."
POLICIES = "close", "drop"


def broadcast(
    connections: Iterable[WSProtocol],
    message: str | bytes | bytearray | memoryview,
    *,
    slow: Literal["close", "drop"] = "close",
) -> int:
    """Send a message to many connections without waiting. Return how many were too slow.

    The message is framed once, and compressed once for all connections that negotiated the same
    compression. It keeps its place in the order of the messages of each connection.
    Connections that are not open are skipped.

    If a peer does not read, at most `BACKLOG_LIMIT` bytes of broadcasts wait for it, or a single
    message. Then `slow` decides: `"close"` closes the connection with 1013, `"drop"` does not
    send the message to this peer.
    Raises TypeError for a message of another type, and for an object that is not a connection.
    Raises ValueError for another `slow`.
    """
    if slow not in POLICIES:
        raise ValueError(f"`slow` is 'close' or 'drop', not {slow!r}")
    if not isinstance(connections, Iterable):
        raise TypeError(f"Broadcast to an iterable of connections, not to {connections!r}")
    shared = Shared(message)
    plain = shared.plain
    size = len(plain)
    late = 0
    for ws in connections:
        connection = getattr(ws, "_connection", None)  # None before the handshake
        if connection is None:
            if not isinstance(ws, WSProtocol):
                raise TypeError(f"Broadcast to connections, each a WSProtocol, not to {ws!r}")
            continue
        try:
            # This is `post` for most peers, without the call: it takes half the time.
            if (
                connection.outbox.clear
                and connection.deflate is None
                and not connection.transport.is_closing()
            ):
                connection.sent += size
                connection.transport.write(plain)
            elif not connection.post(shared):
                late += 1
                if slow == "close":
                    connection.begin_close(*TOO_SLOW)
        except Exception:  # noqa: BLE001 - logged there, and the others get the message
            connection.break_off()
    return late
