"""How long input is read and dropped after the last response of a connection."""

from __future__ import annotations

from ..h1.body_decoders import BodyDecoder
from ..h1.head import RequestError
from ..limits import Limits

__all__ = ["Lingering", "Rest"]


class Lingering:
    """The time and the bytes that a client gets which still sends after the last response.

    Closing a socket with unread input resets the connection, and the client may lose the response
    (RFC 9112 9.6). So the input is read and dropped for a while. Times are in seconds.
    """

    __slots__ = ("_dropped", "_limits", "_until", "rest")

    def __init__(self, limits: Limits, now: float, seconds: float) -> None:
        self._dropped = 0
        self._limits = limits
        self._until = now + seconds
        self.rest: Rest | None = None
        """What is dropped; None if the client can see the end of the response before its end."""

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


class Rest:
    """The rest of a body that is dropped: where it ends."""

    __slots__ = ("_decoder", "ended")

    def __init__(self, decoder: BodyDecoder) -> None:
        self._decoder = decoder
        self.ended = False
        """Whether its last byte has come, and nothing after it."""

    def drop(self, data: bytes) -> None:
        """Drop bytes. A malformed body has no end."""
        end = 0
        try:
            while end < len(data) and not self._decoder.complete:
                _, end = self._decoder.feed(data, end)
        except RequestError:
            return
        self.ended = self._decoder.complete and end == len(data)
