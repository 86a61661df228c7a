"""A fast path for the most common frame: one whole, uncompressed message (RFC 6455 5.2).

Most chunks are exactly one such frame. The Sans-I/O layer, which is slower, parses all others,
malformed ones included.
"""

from struct import pack

from websockets.frames import Opcode

try:
    from websockets.speedups import apply_mask
except ImportError:  # pragma: no cover - where websockets was built without its C extension
    from websockets.utils import apply_mask

__all__ = [
    "SHORTEST",
    "WHOLE",
    "Message",
    "is_length",
    "message_frame",
    "packed_frame",
    "plain_frame",
    "plain_message",
]

FIN = 0x80
PACKED = 0x40  # RFC 7692 6: this message is compressed.
MASK = 0x80
TEXT = FIN | Opcode.TEXT
BINARY = FIN | Opcode.BINARY

Message = str | bytes | bytearray | memoryview
"""The types of a message, or of a piece of one."""

BYTES_LIKE = (bytes, bytearray, memoryview)
WHOLE = (str, *BYTES_LIKE)

# The second byte of a frame: a length, or one of these.
EXTENDED_16 = 126
EXTENDED_64 = 127

# RFC 6455 5.2: a length takes as few bytes as it can, so each extended form has a least length.
SHORTEST = {EXTENDED_16: 126, EXTENDED_64: 1 << 16}

# RFC 6455 5.2: the most significant bit of a length in eight bytes is 0.
BEYOND = 1 << 63

# Where the payload starts, by the form of the length. A mask of four bytes is before it.
STARTS = 6, 8, 14


def plain_message(data: bytes | bytearray, limit: int | None) -> str | bytes | None:
    """Return the message that `data` consists of. Return None for other data, or over `limit`."""
    start, length = measure(data)
    if start + length != len(data) or (limit is not None and length > limit):
        return None
    if data[0] == TEXT:
        try:
            return unmask(data, start).decode()
        except UnicodeDecodeError:
            return None
    return unmask(data, start) if data[0] == BINARY else None


def measure(data: bytes | bytearray) -> tuple[int, int]:
    """Return the start and length of a masked payload. In doubt, the length is too large."""
    size = len(data)
    if size < STARTS[0] or data[1] < MASK:
        return size, 1
    length = data[1] - MASK
    if length < EXTENDED_16:
        return STARTS[0], length
    start = STARTS[length - EXTENDED_16 + 1]
    extended = int.from_bytes(data[2 : start - 4])
    return (start, extended) if extended >= SHORTEST[length] else (size, 1)


def is_length(form: int, length: int) -> bool:
    """Return whether a frame may have this length in an extended form, 126 or 127."""
    return SHORTEST[form] <= length < BEYOND


def unmask(data: bytes | bytearray, start: int) -> bytes:
    """Return the payload without its mask."""
    return apply_mask(memoryview(data)[start:], data[start - 4 : start])


def message_frame(data: object) -> tuple[Opcode, bytes]:
    """Return the opcode and payload of a message. Raise TypeError for another type."""
    if isinstance(data, str):
        return Opcode.TEXT, data.encode()
    if isinstance(data, BYTES_LIKE):
        return Opcode.BINARY, bytes(data)
    raise TypeError(f"A message is str or bytes, not {type(data).__name__}")


def plain_frame(opcode: int, payload: bytes) -> bytes:
    """Return the frame of a whole message, as a server sends it."""
    size = len(payload)
    if size < EXTENDED_16:
        return bytes((FIN | opcode, size)) + payload
    # Join them, although this copies: asyncio in CPython 3.12.0 to 3.12.8 does not pause a writer
    # of several pieces.
    if size < 1 << 16:
        return pack("!BBH", FIN | opcode, EXTENDED_16, size) + payload
    return pack("!BBQ", FIN | opcode, EXTENDED_64, size) + payload


def packed_frame(opcode: Opcode, payload: bytes) -> bytes:
    """Return the frame of a compressed message."""
    return plain_frame(PACKED | opcode, payload)
