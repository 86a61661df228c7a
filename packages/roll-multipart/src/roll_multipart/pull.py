"""Multipart bodies part by part: each is read in pieces, whole, or skipped."""

from collections import deque
from collections.abc import AsyncIterator, Iterator
from typing import Final, Self

from .errors import LimitError, MultipartError
from .headers import Part, get_boundary, is_form
from .limits import DEFAULTS, UNLIMITED, Limits
from .parser import PushParser
from .sources import AsyncSource, Source, read_chunks, read_chunks_async

__all__ = ["AsyncPartReader", "PartReader", "parts", "parts_async"]

Piece = bytes | memoryview
PART_END: Final = None
BODY_END: Final = object()
# What a text may be encoded with. Python knows more: some take time in proportion to the square of
# the text (punycode) or raise other errors (idna); and each name that is asked for is kept.
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
TOO_MUCH_TEXT: Final = "Too much text in the fields"


def parts(content_type: str, stream: Source, **limits: int) -> Iterator["PartReader"]:
    """Read a multipart body part by part, and no more of it than is asked for.

    `stream` is a file, an iterable of bytes, bytes, or a WSGI environ, of whose input no more than
    its CONTENT_LENGTH is read. The type is multipart/form-data, where each part has a name, or any
    other multipart type. The limits are those of `Limits`. Raises `MultipartError` for another
    type, and while it reads.
    """
    return Parts(content_type, stream, make_limits(limits))


def parts_async(
    content_type: str, chunks: AsyncSource, **limits: int
) -> AsyncIterator["AsyncPartReader"]:
    """Do what `parts` does, for sources that are awaited.

    `chunks` is a request of Starlette, aiohttp or Roll, an asynchronous iterable of bytes, an
    object with an asynchronous `read`, an ASGI `receive`, or anything that `parts` takes.
    """
    return AsyncParts(content_type, chunks, make_limits(limits))


def make_limits(limits: dict[str, int]) -> Limits:
    return Limits(**limits) if limits else DEFAULTS


class Events(PushParser):
    """Keeps what the parser finds in a chunk until it is asked for."""

    def __init__(self, content_type: str, limits: Limits) -> None:
        form = is_form(content_type)
        super().__init__(get_boundary(content_type, form=form), limits, form=form)
        self.found: deque[object] = deque()
        self.text_left = limits.max_text_size
        self._files_left = limits.max_files_size
        self._is_file = False
        # Counts the parts that were given out: only the last one can be read.
        self.given = 0

    def part_begin(self, part: Part) -> None:
        self._is_file = part.filename is not None
        self.found.append(part)

    def part_data(self, data: Piece) -> None:
        if self._is_file:
            self._files_left -= len(data)
            if self._files_left < 0:
                raise LimitError("Too much in the files")
        self.found.append(data)

    def part_end(self) -> None:
        self.found.append(PART_END)

    def feed_or_close(self, chunk: bytes | None) -> None:
        """Take the next chunk, or None for the end of the body.

        What was found before an error is given out first, as it is when the chunks are smaller:
        the parser raises the same again.
        """
        try:
            if chunk is not None:
                self.feed(chunk)
            else:
                self.close()
                self.found.append(BODY_END)
        except MultipartError:
            if not self.found:
                raise


class BasePart(Part):
    """What the two kinds of parts that are read share."""

    __slots__ = ("_ended", "_events", "_number", "_rest")

    def __init__(self, part: Part, events: Events) -> None:
        super().__init__(part._head, part.name, part.filename, part.content_type)  # noqa: SLF001
        self._events = events
        events.given += 1
        self._number = events.given
        self._rest: Piece = b""
        self._ended = False

    def _get_room(self) -> int:
        """How many bytes may be read at once: a file is not limited, text as in a form."""
        if self.filename is not None:
            return UNLIMITED
        return min(self._events.limits.max_field_size, self._events.text_left)

    def _take_rest(self) -> Piece:
        """What was left of a piece; raises `ValueError` when the next part was asked for."""
        if self._number != self._events.given:
            raise ValueError("The part was left behind: parts are read in their order")
        rest, self._rest = self._rest, b""
        return rest

    def _take(self, event: object) -> Piece:
        if event is PART_END:
            self._ended = True
            return b""
        assert isinstance(event, bytes | memoryview)
        return event

    def _cut(self, piece: Piece, size: int) -> Piece:
        self._rest = piece[size:]
        return piece[:size]

    def _count(self, content: bytearray) -> bytes:
        if self.filename is None:
            self._events.text_left -= len(content)
        return bytes(content)

    def _decode(self, content: bytes) -> str:
        charset = self.charset
        if charset not in CHARSETS:
            raise MultipartError(f"Unknown charset of a part: {charset}")
        return str(content, charset, "replace")


class PartReader(BasePart):
    """A `Part` whose content is to be read: in pieces, by iterating over it, or as a whole.

    It can be read until the next part is asked for.
    """

    __slots__ = ("_parts",)

    def __init__(self, part: Part, parts: "Parts") -> None:
        super().__init__(part, parts.events)
        self._parts = parts

    def __iter__(self) -> Iterator[bytes]:
        """Give out the content in the pieces in which it comes."""
        while piece := self._next_piece():
            yield bytes(piece)

    def read(self, size: int | None = -1) -> bytes:
        """Read so many bytes, fewer only at the end; without a size, all that is left.

        The limits `max_field_size` and `max_text_size` hold for a part without a filename that is
        read without a size. Raises `LimitError` past one, and `MultipartError`.
        """
        if size is None or size < 0:
            return self._read_all()
        content = bytearray()
        while len(content) < size and (piece := self._next_piece()):
            content += self._cut(piece, size - len(content))
        return bytes(content)

    def text(self) -> str:
        """Read all that is left, and decode it; what cannot be decoded is replaced.

        Raises `MultipartError` for an unknown charset, and what `read` raises.
        """
        return self._decode(self._read_all())

    def _read_all(self) -> bytes:
        content, room = bytearray(), self._get_room()
        while piece := self._next_piece():
            content += piece
            if len(content) > room:
                raise LimitError(TOO_MUCH_TEXT)
        return self._count(content)

    def _next_piece(self) -> Piece:
        return self._take_rest() or (b"" if self._ended else self._take(self._parts.next_event()))


class Parts:
    """The parts of a body, one after the other; each is skipped when the next is asked for."""

    def __init__(self, content_type: str, stream: Source, limits: Limits) -> None:
        self.events = Events(content_type, limits)
        self._chunks = read_chunks(stream)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> PartReader:
        while (event := self.next_event()) is not BODY_END:
            if isinstance(event, Part):
                return PartReader(event, self)
        raise StopIteration

    def next_event(self) -> object:
        found = self.events.found
        while not found:
            self.events.feed_or_close(next(self._chunks, None))
        return found.popleft() if found[0] is not BODY_END else BODY_END


class AsyncPartReader(BasePart):
    """A `Part` whose content is to be read: in pieces, by `async for`, or as a whole.

    It can be read until the next part is asked for.
    """

    __slots__ = ("_parts",)

    def __init__(self, part: Part, parts: "AsyncParts") -> None:
        super().__init__(part, parts.events)
        self._parts = parts

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Give out the content in the pieces in which it comes."""
        while piece := await self._next_piece():
            yield bytes(piece)

    async def read_async(self, size: int | None = -1) -> bytes:
        """Read so many bytes, fewer only at the end; without a size, all that is left.

        The limits `max_field_size` and `max_text_size` hold for a part without a filename that is
        read without a size. Raises `LimitError` past one, and `MultipartError`.
        """
        if size is None or size < 0:
            return await self._read_all()
        content = bytearray()
        while len(content) < size and (piece := await self._next_piece()):
            content += self._cut(piece, size - len(content))
        return bytes(content)

    async def text_async(self) -> str:
        """Read all that is left, and decode it; what cannot be decoded is replaced.

        Raises `MultipartError` for an unknown charset, and what `read_async` raises.
        """
        return self._decode(await self._read_all())

    async def _read_all(self) -> bytes:
        content, room = bytearray(), self._get_room()
        while piece := await self._next_piece():
            content += piece
            if len(content) > room:
                raise LimitError(TOO_MUCH_TEXT)
        return self._count(content)

    async def _next_piece(self) -> Piece:
        return self._take_rest() or (
            b"" if self._ended else self._take(await self._parts.next_event())
        )


class AsyncParts:
    """The parts of a body, one after the other; each is skipped when the next is asked for."""

    def __init__(self, content_type: str, chunks: AsyncSource, limits: Limits) -> None:
        self.events = Events(content_type, limits)
        self._chunks = read_chunks_async(chunks)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> AsyncPartReader:
        while (event := await self.next_event()) is not BODY_END:
            if isinstance(event, Part):
                return AsyncPartReader(event, self)
        raise StopAsyncIteration

    async def next_event(self) -> object:
        found = self.events.found
        while not found:
            self.events.feed_or_close(await anext(self._chunks, None))
        return found.popleft() if found[0] is not BODY_END else BODY_END
