"""A message of a room as it travels through Redis."""

from __future__ import annotations

from struct import Struct
from typing import Final, NamedTuple

from .bus import Message

__all__ = ["LONGEST", "Envelope", "open_envelope", "seal"]

LONGEST: Final = 8 * 2**20
"""Maximum bytes of a message: Redis drops clients with 32 MiB unread, or 8 MiB for a minute."""

HEAD: Final = Struct("!c16sQ")
TEXT: Final = b"T"
BINARY: Final = b"B"


class Envelope(NamedTuple):
    """A message, the process that sent it, and the number of the websocket that is excluded."""

    message: Message
    process: bytes
    exclude: int


def seal(message: Message, process: bytes, exclude: int) -> bytes:
    """Return the data of a message.

    Raises:
        ValueError: the message is too long.
    """
    kind, data = (TEXT, message.encode()) if isinstance(message, str) else (BINARY, message)
    if len(data) > LONGEST:
        raise ValueError(f"A message through Redis has at most {LONGEST} bytes, not {len(data)}")
    return HEAD.pack(kind, process, exclude) + data


def open_envelope(data: bytes) -> Envelope:
    """Return what was passed to `seal`.

    Raises:
        ValueError: `seal` has not made the data.
    """
    kind, content = data[:1], data[HEAD.size :]
    if len(data) < HEAD.size or kind not in (TEXT, BINARY):
        raise ValueError("This is not a message of a room")
    _, process, exclude = HEAD.unpack_from(data)
    return Envelope(content.decode() if kind == TEXT else content, process, exclude)
