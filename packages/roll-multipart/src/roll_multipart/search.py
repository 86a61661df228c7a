"""Finding a delimiter in a chunk, at the speed of `bytes.find` on hostile data too.

`bytes.find` skips a whole needle when the byte behind it is not one of the needle's, as far as the
lowest six bits tell. A flood of the delimiter's own bytes makes it go step by step, up to twenty
times slower in a short haystack. What helps: to look first for what floods do not have, which is
a run of the boundary with nothing like CR, LF or `-`, or its last byte.
"""

import re
from typing import Final

__all__ = ["SHORT", "DelimiterSearch"]

# Shorter ones turn up in the data by chance.
IMMUNE: Final = re.compile(rb"[^\r\nMJm-]{8,}")
SAMPLE: Final = 16
# Bytes. Below, the run finds out about a flood; above, a sample does, since the whole delimiter is
# the better needle for all else.
SHORT: Final = 2500


class DelimiterSearch:
    """Does what `data.find(delimiter, position)` does."""

    __slots__ = ("_delimiter", "_last", "_offset", "run")

    def __init__(self, delimiter: bytes) -> None:
        self._delimiter = delimiter
        self._last = delimiter[-1:]
        self.run = max(IMMUNE.findall(delimiter), key=len, default=delimiter)
        self._offset = delimiter.index(self.run)

    def find(self, data: bytes, position: int) -> int:
        """Where the delimiter is, at the position or behind it; -1 if it is not there."""
        if len(data) - position < SHORT:
            found = data.find(self.run, position + self._offset)
            if found < 0:
                return -1
            found -= self._offset
            if data.startswith(self._delimiter, found):
                return found
        elif not self._is_flood(data, position):
            return data.find(self._delimiter, position)
        return self._find_in_flood(data, position)

    def _is_flood(self, data: bytes, position: int) -> bool:
        """Whether the data begin with bytes of the delimiter only."""
        delimiter = self._delimiter
        if data[position] not in delimiter:
            return False
        return not data[position : position + SAMPLE].strip(delimiter)

    def _find_in_flood(self, data: bytes, position: int) -> int:
        start = data.find(b"\r", position)
        if start < 0 or data.find(self._last, start) < 0:
            return -1
        return data.find(self._delimiter, start)
