"""How long input is read and dropped behind the last response of a connection."""

from __future__ import annotations

from ..limits import Limits

__all__ = ["Lingering"]


class Lingering:
    """The time and the bytes that are left to a client which still sends.

    Closing a socket with unread input resets the client, which may then lose the response
    (RFC 9112 9.6). So the input is dropped for a while. Times are in seconds.
    """

    __slots__ = ("_dropped", "_limits", "_until")

    def __init__(self, limits: Limits, now: float, seconds: float) -> None:
        self._dropped = 0
        self._limits = limits
        self._until = now + seconds

    def drop(self, size: int) -> bool:
        """Count dropped bytes; return whether there may be more."""
        self._dropped += size
        most = self._limits.linger
        return most is None or self._dropped <= most

    def deadline(self, now: float) -> float:
        """Return until when the client may send nothing."""
        return min(self._until, now + self._limits.linger_silence)

    def hurry(self, until: float) -> None:
        """Wait no longer than `until`."""
        self._until = min(self._until, until)
