"""How long input is read and dropped after the last response of a connection."""

from __future__ import annotations

from ..limits import Limits

__all__ = ["Lingering"]


class Lingering:
    """The time and the bytes that a client gets which still sends after the last response.

    Closing a socket with unread input resets the connection, and the client may lose the response
    (RFC 9112 9.6). So the input is read and dropped for a while. Times are in seconds.
    """

    __slots__ = ("_dropped", "_limits", "_until")

    def __init__(self, limits: Limits, now: float, seconds: float) -> None:
        self._dropped = 0
        self._limits = limits
        self._until = now + seconds

    def drop(self, size: int) -> bool:
        """Count dropped bytes; return whether more may be dropped."""
        self._dropped += size
        most = self._limits.linger
        return most is None or self._dropped <= most

    def deadline(self, now: float) -> float:
        """Return when the connection ends if the client sends nothing more."""
        return min(self._until, now + self._limits.linger_silence)

    def hurry(self, until: float) -> None:
        """End at `until` at the latest."""
        self._until = min(self._until, until)
