"""Search for a delimiter in a chunk, which is as fast on hostile data.

`bytes.find` skips the length of the needle if the next byte is not in the needle, compared by six
bits. Data that consist of bytes of the delimiter make it advance byte by byte, which is up to
twenty times slower. So the search first looks for something that such data lack: a run of the
boundary without CR, LF or `-`, or its last byte.
"""

import re
from typing import Final

__all__ = ["SHORT", "DelimiterSearch"]

# Shorter runs occur in the data by chance.
IMMUNE: Final = re.compile(rb"[^\r\nMJm-]{8,}")
SAMPLE: Final = 16
# In bytes. Below it, the run detects hostile data. Above it, a sample does, because the whole
# delimiter is the better needle for other data.
SHORT: Final = 2500


class DelimiterSearch:
    """A search with the result of `data.find(delimiter, position)`."""

    __slots__ = ("_delimiter", "_last", "_offset", "run")

    def __init__(self, delimiter: bytes) -> None:
        self._delimiter = delimiter
        self._last = delimiter[-1:]
        self.run = max(IMMUNE.findall(delimiter), key=len, default=delimiter)
        self._offset = delimiter.index(self.run)

    def find(self, data: bytes, position: int) -> int:
        """Return the place of the delimiter at or after the position, or -1."""
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
        """Return whether the data begin with a run of bytes of the delimiter."""
        delimiter = self._delimiter
        if data[position] not in delimiter:
            return False
        return not data[position : position + SAMPLE].strip(delimiter)

    def _find_in_flood(self, data: bytes, position: int) -> int:
        start = data.find(b"\r", position)
        if start < 0 or data.find(self._last, start) < 0:
            return -1
        return data.find(self._delimiter, start)
