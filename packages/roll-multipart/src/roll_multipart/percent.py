"""Percent-decoding (WHATWG URL, 1.3) in blocks, which takes little memory."""

import re
from codecs import unicode_escape_decode
from collections.abc import Iterator
from typing import Final

__all__ = ["BLOCK", "cut_blocks", "decode_block", "unquote"]

# In bytes. Decoding a block takes up to 90 times its size: joining takes 80 bytes an item.
BLOCK: Final = 1024
INCOMPLETE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")


def unquote(data: bytes) -> bytes:
    """Replace each `%XX` by its byte. An incomplete escape stays as it is."""
    return b"".join(map(decode_block, cut_blocks(data, 0, len(data))))


def cut_blocks(data: bytes | bytearray, start: int, end: int) -> Iterator[bytes | bytearray]:
    """Yield the data between two positions in blocks. No block ends inside a `%XX`."""
    while start < end:
        stop = find_cut(data, start, end)
        yield data[start:stop]
        start = stop


def find_cut(data: bytes | bytearray, start: int, end: int) -> int:
    stop = start + BLOCK
    if stop >= end:
        return end
    escape = data.find(b"%", stop - 2, stop)
    return stop if escape < 0 else escape


def decode_block(block: bytes | bytearray) -> bytes | bytearray:
    r"""Decode with Python's own `\xXX` decoder: 3 to 15 times as fast as `unquote_to_bytes`."""
    if b"%" not in block:
        return block
    block = block.replace(b"\\", b"\\\\")
    try:
        return decode_complete(block)
    except UnicodeDecodeError:
        return decode_complete(INCOMPLETE.sub(b"%25", block))


def decode_complete(block: bytes | bytearray) -> bytes:
    decoded, _ = unicode_escape_decode(block.replace(b"%", b"\\x"))
    return decoded.encode("latin-1")
