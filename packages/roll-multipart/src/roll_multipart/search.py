"""Finding a delimiter in a chunk, at the speed of `bytes.find` on hostile data too.

`bytes.find` skips a whole needle when the byte behind it is not one of the needle's, as far as the
lowest six bits tell. A flood of the delimiter's own bytes makes it go step by step, twenty times
slower. What helps: to ask first for what floods do not have, which is the last byte of the
boundary, or a run of it with nothing like CR, LF or `-`; and the two-way algorithm that CPython
has for long haystacks. On data that are in no cache that one is slower, hence the windows.
"""

import re
from typing import Final

__all__ = ["LONG", "SHORT", "DelimiterSearch"]

# Shorter ones turn up in the data by chance.
IMMUNE: Final = re.compile(rb"[^\r\nMJm-]{8,}")
SAMPLE: Final = 16
# Sizes of a haystack, in bytes: what is shorter than the first is not worth a look at it; from
# the last one on CPython always uses the two-way algorithm.
SHORT: Final = 2500
WINDOW: Final = 24 * 2**10
LONG: Final = 30_000
PADDING: Final = bytes(LONG)


class DelimiterSearch:
    """Does what `data.find(delimiter, position)` does.

    The data must not be empty, nor the position at their end.
    """

    __slots__ = ("_delimiter", "_last", "_offset", "_reach", "run")

    def __init__(self, delimiter: bytes) -> None:
        self._delimiter = delimiter
        self._last = delimiter[-1:]
        self.run = max(IMMUNE.findall(delimiter), key=len, default=delimiter)
        self._offset = delimiter.index(self.run)
        # A delimiter that begins in the window may end behind it.
        self._reach = WINDOW + len(delimiter) - 1

    def find(self, data: bytes, position: int) -> int:
        """Where the delimiter is, at the position or behind it; -1 if it is not there."""
        size = len(data)
        if size < SHORT:
            return self._find_run(data, position)
        while position < size:
            if data[position] in self._delimiter and self._is_flood(data, position):
                return self._find_in_flood(data, position)
            found = data.find(self._delimiter, position, position + self._reach)
            if found >= 0:
                return found
            position += WINDOW
        return -1

    def _find_run(self, data: bytes, position: int) -> int:
        found = data.find(self.run, position + self._offset)
        if found < 0:
            return -1
        if data.startswith(self._delimiter, found - self._offset):
            return found - self._offset
        return self._find_in_flood(data, position)

    def _is_flood(self, data: bytes, position: int) -> bool:
        """Whether a sample has bytes of the delimiter only."""
        return not data[position : position + SAMPLE].strip(self._delimiter)

    def _find_in_flood(self, data: bytes, position: int) -> int:
        start = data.find(b"\r", position)
        if start < 0 or data.find(self._last, start) < 0:
            return -1
        if SHORT <= len(data) - start < LONG:
            data += PADDING
        return data.find(self._delimiter, start)
