"""How much a client may send, and how long it may take: every limit and timeout."""

from __future__ import annotations

import sys
from dataclasses import dataclass, fields
from typing import Any

from .shown import shown

__all__ = ["NEVER", "Limits"]

NEVER = float("inf")
"""A deadline that never passes."""

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits and timeouts of a server; sizes in bytes, times in seconds.

    `None` lifts the limits that accept it, and `math.inf` lifts a timeout. A `graceful_timeout`, a
    `body_rate` and the times of lingering may be 0; the other times are above 0.

    Raises:
        ValueError: a limit is negative, or not a number of its kind, or a time is 0 where no
            request could be answered in time.
    """

    request_line: int = 8 * KIB
    """The longest request line; beyond: 414."""
    head: int = 32 * KIB
    """The longest head, request line included; beyond: 431."""
    headers: int = 100
    """The most fields of a request; a request with more is a 431."""
    trailers: int = 16 * KIB
    """Total size of the chunk extensions and trailers of one chunked body; beyond: 400."""
    body: int | None = 16 * MIB
    """The largest body loaded in memory; beyond: 413."""
    head_timeout: float = 10
    """Longest time from the first byte of a head to its last; beyond: 408."""
    body_timeout: float = 30
    """Longest wait of a handler in which no byte of the body arrives; beyond: 408.

    It is also the time for skipping an unread body."""
    body_rate: float = 240
    """Lowest rate, in bytes per second, of a body that a handler waits for; below: 408."""
    body_rate_window: float = 10
    """The time over which `body_rate` is measured."""
    keep_alive_timeout: float = 15
    """How long a connection may stay idle, the time before its first request included."""
    write_timeout: float = 30
    """How long a write may stay without progress before the connection is aborted."""
    tls_handshake_timeout: float = 10
    """How long a TLS handshake may take."""
    connections: int | None = None
    """How many connections an application may have open at once, per process; beyond: 503."""
    graceful_timeout: float = 30
    """How long running requests may take to end once the server stops."""
    unread_body: int = 256 * KIB
    """How much of a body that no handler read may be skipped to keep the connection.

    Skipping takes `body_timeout` seconds at most. Of a chunked body, only the bytes that have
    arrived are counted."""
    linger_timeout: float = 30
    """How long the rest of a request is read and dropped after the last response of a connection.

    Closing a socket with unread input resets the connection: the client may lose the response."""
    linger_silence: float = 5
    """Longest pause of the client while its input is dropped."""
    linger: int | None = None
    """How many bytes may be dropped after the last response; beyond: reset."""

    def __post_init__(self) -> None:
        for field in fields(self):
            check(field.name, str(field.type), getattr(self, field.name))

    @property
    def shortest_timeout(self) -> float:
        """The shortest of the timeouts that the coarse clock checks."""
        return min(
            self.head_timeout,
            self.body_timeout,
            self.body_rate_window,
            self.keep_alive_timeout,
            self.write_timeout,
            self.linger_timeout,
            self.linger_silence,
        )


# Without any of these, no request could be answered.
_NEEDED = frozenset({"request_line", "head", "headers", "connections"})

# With a time of 0 for one of these, a request in two packets would be too late.
_WAITED = frozenset(
    {
        "head_timeout",
        "body_timeout",
        "body_rate_window",
        "keep_alive_timeout",
        "write_timeout",
        "tls_handshake_timeout",
    }
)


def check(name: str, kind: str, value: Any) -> None:
    """Raise a `ValueError` unless a limit is of its kind, one of those annotated above."""
    if value is None and "None" in kind:
        return
    least = 1 if name in _NEEDED else 0
    waited = name in _WAITED
    good = _is_number(value, whole="int" in kind) and value >= least
    # No body is as fast as an infinite rate.
    if not good or (waited and not value) or (name == "body_rate" and value == NEVER):
        wanted = "a whole number" if "int" in kind else "a number of seconds, or of bytes a second"
        none = ", or None for no limit" if "None" in kind else ""
        raise ValueError(
            f"The limit {name!r} must be {wanted}, {'above' if waited else 'at least'}"
            f" {least}{none}, not {shown(value)}"
        )


def _is_number(value: Any, *, whole: bool) -> bool:
    if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
        return False
    # The clock counts in floats, as the loop does: a number beyond these would fail later.
    return whole or abs(value) <= sys.float_info.max or value == NEVER
