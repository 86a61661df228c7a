"""The states of the parser. Each parses data, calls the methods, and sets the next state."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from .errors import LimitError, MultipartError
from .headers import Part, parse_part
from .limits import Limits
from .search import DelimiterSearch
from .usual_head import USUAL_HEAD, USUAL_LINES, make_part

__all__ = ["States", "cut"]

PADDING: Final = re.compile(rb"[ \t]++")
# In bytes. Below this size, a copy is cheaper than a view.
SMALL: Final = 8192
# In bytes. A search in so little is cheaper than one in all the rest.
NEAR: Final = 1024
SHORT_HEAD: Final = 256


class States:
    """The state of a body while it is parsed. `PushParser` feeds it."""

    # The variables are class attributes, so that a new parser has little to set.
    _parts = 0
    _carry = b""
    _preamble = 0
    _searched = 0
    # Whether the next chunk continues a content, with nothing carried over.
    _in_content = False
    # A run of bytes that only chunks with a delimiter have; empty until it is known.
    _run = b""
    _failure: tuple[type[MultipartError], str] | None = None

    if TYPE_CHECKING:

        def part_begin(self, part: Part) -> None: ...
        def part_data(self, data: bytes | memoryview) -> None: ...
        def part_end(self) -> None: ...

    def _begin(self, boundary: bytes, limits: Limits, *, form: bool = True) -> None:
        self.limits = limits
        self._form = form
        self._delimiter = b"\r\n--" + boundary
        self._reach = 1 - len(self._delimiter)
        # A usual head has up to two lines, with three line breaks around them.
        self._usual_size = limits.max_header_size + 6 if limits.max_headers >= USUAL_LINES else 0
        self._state: State = States._open
        self._next_part: State = type(self)._after_delimiter  # noqa: SLF001

    def _parse(self, data: bytes, position: int) -> None:
        while position >= 0:
            position = self._state(self, data, position)

    # A state takes the data and a position. It returns the position for the next state. It returns
    # -1 if it needs more data, and stores in `_carry` what it must see again.

    def _fail(self, data: bytes, position: int) -> int:
        assert self._failure is not None
        kind, message = self._failure
        raise kind(message)

    def _end_early(self) -> None:
        raise MultipartError("The body ended before its final boundary")

    def _open(self, data: bytes, position: int) -> int:
        """Parse the start of the body: the first boundary may be there, without a line break."""
        boundary = self._delimiter[2:]
        if data.startswith(boundary):
            return self._pass_delimiter(-2)
        if boundary.startswith(data):
            return self._wait(data, position)
        self._state = States._skip_preamble
        return position

    def _skip_preamble(self, data: bytes, position: int) -> int:
        """Skip up to the first boundary. It must begin a line, or a part would be lost."""
        found = data.find(self._delimiter[2:], position)
        # Keep as many bytes as a delimiter has, less one.
        end = max(found - 2 if found >= 0 else len(data) + self._reach, position)
        self._preamble += end - position
        if self._preamble > self.limits.max_preamble:
            raise LimitError("Too much before the first boundary")
        if found < 0:
            return self._wait(data, end)
        if data[end:found] != b"\r\n":
            raise MultipartError("The first boundary does not begin a line")
        return self._pass_delimiter(end)

    def _skip_epilogue(self, data: bytes, position: int) -> int:
        if not self._parts and data[position:].strip(b" \t\r\n"):
            raise MultipartError("No part in a body that is not empty")
        return -1

    def _end(self, position: int) -> int:
        """Handle the final boundary. A form may have no part, but then it has nothing else."""
        if self._preamble and not self._parts:
            raise MultipartError("No part in a body that is not empty")
        self._state = States._skip_epilogue
        return position

    def _after_delimiter(self, data: bytes, position: int) -> int:
        """Parse the parts that are complete in the data, and what follows them."""
        delimiter, longest, max_parts = self._delimiter, self._usual_size, self.limits.max_parts
        while match := USUAL_HEAD.match(data, position):
            start = match.end()
            if start - position > longest:
                break
            head = data[position + 2 : start - 4]
            if match.lastindex == 1:  # the code of `make_part`: a twelfth faster without the call
                part = Part(head, match[1].decode("utf-8", "replace"), None, "")
            else:
                part = make_part(match, head)
            # The code of `_find_end` and `_deliver`: an eighth faster without the calls.
            end = data.find(delimiter, start - 2, start + NEAR)
            if end < 0 and len(data) > start + NEAR:
                end = self._find(data, start)
            if end < 0 or self._parts >= max_parts:
                return self._deliver(part, data, start, end)
            self._parts += 1
            self.part_begin(part)
            if end > start:
                self.part_data(data[start:end] if end - start < SMALL else cut(data, start, end))
            self.part_end()
            position = end + len(delimiter)
        return self._read_boundary_line(data, position)

    def _read_boundary_line(self, data: bytes, position: int) -> int:
        """Parse what follows a boundary, if it is not a usual head."""
        rest = data[position : position + 2]
        if rest == b"--":
            return self._end(position + 2)
        if rest == b"-" or (rest == b"\r\n" and position and self._is_cut(data, position)):
            return self._wait(data, position)
        return self._after_padding(data, position)

    def _is_cut(self, data: bytes, position: int) -> bool:
        """Return whether a short head continues in the next chunk. It is then parsed again, once.

        1,000 fields in chunks of 1 KiB take a twentieth less time that way.
        """
        size = len(data) - position
        short = size < SHORT_HEAD and size < self._usual_size
        return short and data.find(b"\r\n\r\n", position) < 0

    def _after_padding(self, data: bytes, position: int) -> int:
        if padding := PADDING.match(data, position):
            position = padding.end()
            self._state = States._after_padding
        rest = data[position : position + 2]
        if rest == b"\r\n":
            self._state = States._read_head
            return position
        if rest in (b"", b"\r"):
            return self._wait(data, position)
        raise MultipartError("Unexpected bytes after a boundary")

    def _read_head(self, data: bytes, position: int) -> int:
        # Include the line break before the head, so that an empty head has its end.
        limit = position + 2 + self.limits.max_header_size + 4
        end = data.find(b"\r\n\r\n", position + self._searched, limit)
        if end < 0:
            return self._wait_for_head(data, position, limit)
        self._searched = 0
        head = data[position + 2 : end]
        match = USUAL_HEAD.match(data, position)
        if match is not None and match.end() - position <= self._usual_size:
            part = make_part(match, head)  # the head was cut, as most heads are in chunks of 1 KiB
        else:
            part = parse_part(head, self.limits, form=self._form)
        return self._deliver(part, data, end + 4, self._find_end(data, end + 4))

    def _wait_for_head(self, data: bytes, position: int, limit: int) -> int:
        if len(data) >= limit:
            raise LimitError("Too large headers in a part")
        self._searched = max(len(data) - position - 3, 0)
        return self._wait(data, position)

    def _find_end(self, data: bytes, start: int) -> int:
        """Find the delimiter after a content that begins here. Return -1 if there is none."""
        # The CRLF of the blank line may be that of the delimiter, if the part is empty. Most parts
        # are short, and `find` prepares less for a short haystack.
        end = data.find(self._delimiter, start - 2, start + NEAR)
        if end < 0 and len(data) > start + NEAR:
            return self._find(data, start)
        return end

    def _deliver(self, part: Part, data: bytes, start: int, end: int) -> int:
        """Begin a part, with as much content as is in the data."""
        self._parts += 1
        if self._parts > self.limits.max_parts:
            raise LimitError("Too many parts")
        self.part_begin(part)
        if end < 0:
            return self._hold_back(data, start)
        return self._end_content(data, start, end)

    def _first_data(self, data: bytes, position: int) -> int:
        """Parse the first data of a part, with the CRLF of the blank line before them."""
        if data.startswith(self._delimiter, position):
            self.part_end()
            return self._pass_delimiter(position)
        if self._delimiter.startswith(data[position : position + len(self._delimiter)]):
            return self._wait(data, position)
        self._state = States._read_data
        return position + 2

    def _read_data(self, data: bytes, position: int) -> int:
        end = self._find(data, position)
        if end < 0:
            return self._hold_back(data, position)
        return self._end_content(data, position, end)

    def _end_content(self, data: bytes, position: int, end: int) -> int:
        if end > position:
            self.part_data(cut(data, position, end))
        self.part_end()
        return self._pass_delimiter(end)

    def _find(self, data: bytes, position: int) -> int:
        """Find the delimiter in a long content, and search so from now on."""
        search = DelimiterSearch(self._delimiter)
        self._find = search.find  # type: ignore[method-assign]
        self._run = search.run
        return search.find(data, position)

    def _hold_back(self, data: bytes, start: int) -> int:
        """Deliver data without a delimiter, except what may be the beginning of one."""
        end = self._find_tail(data)
        if end < start:
            self._state = States._first_data
            return self._wait(data, end)
        self._state = States._read_data
        if end > start:
            self.part_data(cut(data, start, end))
        if end < len(data):
            return self._wait(data, end)
        self._in_content = True
        return -1

    def _pass_delimiter(self, position: int) -> int:
        self._state = self._next_part
        self._in_content = False
        return position + len(self._delimiter)

    def _wait(self, data: bytes, position: int) -> int:
        self._carry = data[position:]
        self._in_content = False
        return -1

    def _find_tail(self, data: bytes) -> int:
        """Return where the beginning of a delimiter may be at the end of the data.

        The only CR of a delimiter is its first byte, so the last CR of the data decides.
        """
        start = data.rfind(b"\r", self._reach)
        if start >= 0 and self._delimiter.startswith(data[start:]):
            return start
        return len(data)


State = Callable[[States, bytes, int], int]


def cut(data: bytes, start: int, end: int) -> bytes | memoryview:
    """Return the data between two positions. A large part is a view."""
    if end - start < SMALL or end - start == len(data):
        return data[start:end]
    return memoryview(data)[start:end]
