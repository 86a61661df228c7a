"""The states of an HTTP/1.1 connection, and which state may follow which. No I/O.

A state is a plain int. The order matters: the connection compares states. The connection assigns
its `state`, and no other flag repeats it.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "ANSWERING",
    "CLOSED",
    "CLOSING",
    "HEAD",
    "IDLE",
    "LINGERING",
    "NAMES",
    "NEXT",
    "SKIPPING_BODY",
    "SWITCHED",
    "IllegalTransition",
    "check",
]

IDLE: Final = 0
"""Between two requests: no byte of the next request was parsed."""
HEAD: Final = 1
"""Something has arrived, but no whole head."""
ANSWERING: Final = 2
"""A request is being answered: from its complete head to the last byte of its response."""
SKIPPING_BODY: Final = 3
"""The response was sent: the rest of the request's body is read and dropped."""
LINGERING: Final = 4
"""The last response was sent: input is dropped until the client closes (RFC 9112 9.6)."""
CLOSING: Final = 5
"""The transport is closing: it may still send what was written."""
CLOSED: Final = 6
"""The connection is lost."""
SWITCHED: Final = 7
"""The transport belongs to another protocol (RFC 9110 7.8)."""

NAMES: Final = (
    "IDLE",
    "HEAD",
    "ANSWERING",
    "SKIPPING_BODY",
    "LINGERING",
    "CLOSING",
    "CLOSED",
    "SWITCHED",
)

ENDS: Final = frozenset({LINGERING, CLOSING, CLOSED})
NEXT: Final = (
    ENDS | {HEAD, ANSWERING},
    ENDS | {ANSWERING},
    ENDS | {IDLE, SKIPPING_BODY, SWITCHED},
    ENDS | {IDLE},
    frozenset({CLOSING, CLOSED}),
    frozenset({CLOSED}),
    frozenset[int](),
    frozenset[int](),
)
"""For each state, the states that may follow it."""


class IllegalTransition(RuntimeError):
    """A transition that the table does not have."""


def check(before: int, after: int) -> None:
    """Raise `IllegalTransition` if `after` may not follow `before`; for tests."""
    if after not in NEXT[before]:
        raise IllegalTransition(f"{NAMES[after]} may not follow {NAMES[before]}")
