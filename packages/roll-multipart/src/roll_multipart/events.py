"""The events of a multipart body, for reading it part by part."""

from collections import deque
from typing import Any, Final

from .errors import LimitError, MultipartError
from .headers import Part, get_boundary, is_form
from .limits import UNLIMITED, Limits
from .parser import PushParser
from .sources import goes_on

__all__ = ["BODY_END", "BasePart", "BaseParts", "Piece"]

Piece = bytes | bytearray | memoryview
PART_END: Final = None
BODY_END: Final = object()
# The charsets that a text may have. Python knows more, but punycode takes time quadratic in the
# length of the text, idna raises other errors, and Python keeps each name that is looked up.
CHARSETS: Final = frozenset(
    (
        *("utf-8", "utf8", "utf-16", "utf-16le", "utf-16-le", "utf-16be", "utf-16-be"),
        *("us-ascii", "ascii", "latin1", "latin-1", "macintosh", "koi8-r", "koi8-u", "ibm866"),
        *(f"iso-8859-{number}" for number in range(1, 17) if number != 12),  # noqa: PLR2004
        *(f"windows-125{digit}" for digit in range(9)),
        *("shift_jis", "shift-jis", "euc-jp", "iso-2022-jp", "euc-kr", "gb2312", "gbk"),
        *("gb18030", "big5"),
    )
)


class Events(PushParser):
    """The parser that queues what it finds in a chunk."""

    def __init__(self, content_type: str, limits: Limits) -> None:
        form = is_form(content_type)
        super().__init__(get_boundary(content_type, form=form), limits, form=form)
        self.found: deque[object] = deque()
        self.text_left = limits.max_text_size
        self._files_left = limits.max_files_size
        self._is_file = False
        # Counts the parts that were returned: only the last one can be read.
        self.given = 0

    def part_begin(self, part: Part) -> None:
        self._is_file = part.filename is not None
        self.found.append(part)

    def part_data(self, data: bytes | memoryview) -> None:
        if self._is_file:
            self._files_left -= len(data)
            if self._files_left < 0:
                raise LimitError("Too much in the files")
        self.found.append(data)

    def part_end(self) -> None:
        self.found.append(PART_END)

    def feed_or_close(self, chunk: Any) -> None:
        """Parse the next chunk, or take `BODY_END`.

        What was found before an error is returned first, as with smaller chunks. Later, the parser
        raises the same error again.
        """
        try:
            if chunk is not BODY_END:
                self.feed(chunk)
            else:
                self.close()
                self.found.append(BODY_END)
        except MultipartError:
            if not self.found:
                raise


class BasePart(Part):
    """The common base of `PartReader` and `AsyncPartReader`."""

    __slots__ = ("_ended", "_events", "_number", "_rest")

    def __init__(self, part: Part, events: Events) -> None:
        super().__init__(part._head, part.name, part.filename, part.content_type)  # noqa: SLF001
        self._events = events
        events.given += 1
        self._number = events.given
        self._rest: Piece = b""
        self._ended = False

    def _get_room(self) -> int:
        """Return how many bytes one read may have: text is limited as in a form, a file is not."""
        if self.filename is not None:
            return UNLIMITED
        return min(self._events.limits.max_field_size, self._events.text_left)

    def _take_rest(self) -> Piece:
        """Return the rest of a piece. Raises `ValueError` if the next part was read already."""
        if self._number != self._events.given:
            raise ValueError("The part was skipped already: parts must be read in their order")
        rest, self._rest = self._rest, b""
        return rest

    def _begin(self, size: int) -> bytearray:
        """Return what a failed read has kept, if everything is read again."""
        rest = self._take_rest()
        if isinstance(rest, bytearray) and len(rest) <= size:
            return rest
        self._rest = rest
        return bytearray()

    def _take(self, event: object) -> Piece:
        if event is PART_END:
            self._ended = True
            return b""
        assert isinstance(event, bytes | memoryview)
        return event

    def _cut(self, piece: Piece, size: int) -> Piece:
        if len(piece) <= size:
            return piece
        view = memoryview(piece)  # copying the rest each time would take quadratic time
        self._rest = view[size:]
        return view[:size]

    def _check_room(self, content: bytearray, room: int) -> None:
        if len(content) > room:
            raise LimitError("Too much text in the fields")

    def _count(self, content: bytearray) -> bytes:
        if self.filename is None:
            self._events.text_left -= len(content)
        return bytes(content)

    def _get_codec(self) -> str:
        charset = self.charset
        if charset not in CHARSETS:
            raise MultipartError(f"Unknown charset of a part: {charset}")
        return charset


class BaseParts:
    """The common base of both kinds of bodies: chunks go in, events come out."""

    def __init__(self, content_type: str, limits: Limits) -> None:
        self.events = Events(content_type, limits)
        # The last error of the source.
        self._failure = ""

    def _take_chunk(self, chunks: Any, chunk: Any) -> None:
        if chunk is not BODY_END:
            self._failure = ""
        elif self._failure and not self.events.finished and not goes_on(chunks):
            # This is not a 400: the client may have sent the whole body.
            kind = type(chunks).__name__
            raise RuntimeError(
                f"The rest of the body is lost: its source, a {kind}, ended with {self._failure}"
            )
        self.events.feed_or_close(chunk)

    def _next_found(self) -> object:
        found = self.events.found
        return found.popleft() if found[0] is not BODY_END else BODY_END
