"""Finding a delimiter in a chunk, at the speed of `bytes.find` on hostile data too."""

import re
from typing import Final

__all__ = ["DelimiterSearch", "is_flood"]

# `bytes.find` skips a whole needle when the byte behind it is not one of the needle's, which it
# tells by the lowest six bits. On a flood of the delimiter's own bytes it goes step by step, twenty
# times slower. A run of the boundary with none that looks like CR, LF or `-` is immune to theirs.
IMMUNE: Final = re.compile(rb"[^\r\nMJm-]+")
SIX_BITS: Final = 63
SAMPLE: Final = 16
# Between these sizes of the haystack CPython stays with that algorithm; above, it has a better one.
SLOW_FROM: Final = 2500
SLOW_TO: Final = 30_000
PADDING: Final = bytes(SLOW_TO)


def is_flood(data: bytes, position: int, delimiter: bytes) -> bool:
    """Whether the data go on with nothing but bytes of the delimiter, as far as a sample tells."""
    return not data[position : position + SAMPLE].strip(delimiter)


class DelimiterSearch:
    """What is worth knowing of a delimiter to find it in floods of its own bytes."""

    __slots__ = ("_delimiter", "_offset", "_run", "_slow")

    def __init__(self, delimiter: bytes) -> None:
        self._delimiter = delimiter
        self._run = max(IMMUNE.findall(delimiter), key=len, default=delimiter)
        self._offset = delimiter.index(self._run)
        # The better algorithm minds only what looks like a byte of the delimiter's later half.
        late = {byte & SIX_BITS for byte in delimiter[len(delimiter) // 2 :]}
        self._slow = [byte for byte in b"\r\n-" if byte & SIX_BITS in late]

    def find(self, data: bytes, position: int) -> int:
        """What `data.find(delimiter, position)` gives."""
        if len(data) - position >= SLOW_TO:
            sample = data[position : position + SAMPLE]
            if not any(byte in sample for byte in self._slow):
                return data.find(self._delimiter, position)
        found = data.find(self._run, position + self._offset)
        if found < 0:
            return -1
        if data.startswith(self._delimiter, found - self._offset):
            return found - self._offset
        return self._find_among_boundaries(data, position)

    def _find_among_boundaries(self, data: bytes, position: int) -> int:
        """The flood is made of the boundary: ask for the first and the last byte, then for all."""
        start = data.find(b"\r", position)
        if start < 0 or data.find(self._delimiter[-1:], start) < 0:
            return -1
        if SLOW_FROM < len(data) - start < SLOW_TO:
            data += PADDING
        return data.find(self._delimiter, start)
