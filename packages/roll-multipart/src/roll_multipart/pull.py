"""Reading of multipart bodies part by part: in pieces, whole, or skipped."""

from collections.abc import AsyncIterator, Iterator
from typing import Self

from .async_sources import AsyncSource, read_chunks_async
from .checks import check_size
from .events import BODY_END, BasePart, BaseParts, Piece
from .headers import Part
from .limits import UNLIMITED, Limits, make_limits
from .sources import Source, read_chunks

__all__ = ["AsyncPartReader", "PartReader", "parts", "parts_async"]


def parts(content_type: str, stream: Source, **limits: int | None) -> Iterator["PartReader"]:
    """Read a multipart body part by part, and only as far as needed.

    `stream` is a file, an iterable of bytes, bytes, or a WSGI environ, which is read up to its
    CONTENT_LENGTH. The type is any multipart type. In multipart/form-data, each part needs a name.
    The limits are those of `Limits`. Raises `MultipartError` for another type or a malformed body.
    After an error of the source, reading continues at the same place. If the source is a
    generator, it has ended, and the next read is a `RuntimeError`.
    """
    return Parts(content_type, stream, make_limits(limits))


def parts_async(
    content_type: str, chunks: AsyncSource, **limits: int | None
) -> AsyncIterator["AsyncPartReader"]:
    """Read a multipart body as `parts` does, from an asynchronous source.

    `chunks` is a request of Starlette, aiohttp or Roll, an asynchronous iterable of bytes, an
    object with an asynchronous `read`, an ASGI `receive`, or anything that `parts` takes. After a
    cancelled read, reading continues at the same place. If the source is an asynchronous
    generator, it has ended, and the next read is a `RuntimeError`.
    """
    return AsyncParts(content_type, chunks, make_limits(limits))


class PartReader(BasePart):
    """A `Part` whose content is read in pieces, by iterating over it, or as a whole.

    It can be read until the next part is requested.
    """

    __slots__ = ("_parts",)

    def __init__(self, part: Part, parts: "Parts") -> None:
        super().__init__(part, parts.events)
        self._parts = parts

    def __iter__(self) -> Self:
        """Return the next piece of the content, as it arrives."""
        return self

    def __next__(self) -> bytes:
        if piece := self._next_piece():
            return bytes(piece)
        raise StopIteration

    def read(self, size: int | None = -1) -> bytes:
        """Read `size` bytes, fewer only at the end. Without a size, read all the rest.

        Without a size, the limits `max_field_size` and `max_text_size` apply to a part without a
        filename. Raises `LimitError` beyond a limit, `MultipartError`, and the errors of the
        source. After these, the next read returns the same bytes again.
        """
        size = check_size(size)
        if size < 0:
            return self._read_all()
        return bytes(self._gather(size, UNLIMITED))

    def text(self) -> str:
        """Read all the rest, and decode it. Bytes that cannot be decoded are replaced.

        Raises `MultipartError` for an unknown charset, and what `read` raises.
        """
        codec = self._get_codec()
        return str(self._read_all(), codec, "replace")

    def _read_all(self) -> bytes:
        return self._count(self._gather(UNLIMITED, self._get_room()))

    def _gather(self, size: int, room: int) -> bytearray:
        content = self._begin(size)
        try:
            self._check_room(content, room)
            while len(content) < size and (piece := self._next_piece()):
                content += self._cut(piece, size - len(content))
                self._check_room(content, room)
        except BaseException:
            self._rest = content  # the next read begins at the same place
            raise
        return content

    def _next_piece(self) -> Piece:
        return self._take_rest() or (b"" if self._ended else self._take(self._parts.next_event()))


class Parts(BaseParts):
    """The parts of a body in order. Requesting the next part skips the rest of the last one."""

    def __init__(self, content_type: str, stream: Source, limits: Limits) -> None:
        super().__init__(content_type, limits)
        self._chunks = read_chunks(stream)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> PartReader:
        while (event := self.next_event()) is not BODY_END:
            if isinstance(event, Part):
                return PartReader(event, self)
        raise StopIteration

    def next_event(self) -> object:
        while not self.events.found:
            try:
                chunk = next(self._chunks, BODY_END)
            except BaseException as error:
                self._failure = repr(error)
                raise
            self._take_chunk(self._chunks, chunk)
        return self._next_found()


class AsyncPartReader(BasePart):
    """A `Part` whose content is read in pieces, by `async for`, or as a whole.

    It can be read until the next part is requested.
    """

    __slots__ = ("_parts",)

    def __init__(self, part: Part, parts: "AsyncParts") -> None:
        super().__init__(part, parts.events)
        self._parts = parts

    def __aiter__(self) -> Self:
        """Return the next piece of the content, as it arrives."""
        return self

    async def __anext__(self) -> bytes:
        if piece := await self._next_piece():
            return bytes(piece)
        raise StopAsyncIteration

    async def read_async(self, size: int | None = -1) -> bytes:
        """Read `size` bytes, fewer only at the end. Without a size, read all the rest.

        Without a size, the limits `max_field_size` and `max_text_size` apply to a part without a
        filename. Raises `LimitError` beyond a limit, and `MultipartError`. A cancelled read loses
        nothing: the next read begins at the same place.
        """
        size = check_size(size)
        if size < 0:
            return await self._read_all()
        return bytes(await self._gather(size, UNLIMITED))

    async def text_async(self) -> str:
        """Read all the rest, and decode it. Bytes that cannot be decoded are replaced.

        Raises `MultipartError` for an unknown charset, and what `read_async` raises.
        """
        codec = self._get_codec()
        return str(await self._read_all(), codec, "replace")

    async def _read_all(self) -> bytes:
        return self._count(await self._gather(UNLIMITED, self._get_room()))

    async def _gather(self, size: int, room: int) -> bytearray:
        content = self._begin(size)
        try:
            self._check_room(content, room)
            while len(content) < size and (piece := await self._next_piece()):
                content += self._cut(piece, size - len(content))
                self._check_room(content, room)
        except BaseException:
            self._rest = content  # the next read begins at the same place
            raise
        return content

    async def _next_piece(self) -> Piece:
        return self._take_rest() or (
            b"" if self._ended else self._take(await self._parts.next_event())
        )


class AsyncParts(BaseParts):
    """The parts of a body in order. Requesting the next part skips the rest of the last one."""

    def __init__(self, content_type: str, chunks: AsyncSource, limits: Limits) -> None:
        super().__init__(content_type, limits)
        self._chunks = read_chunks_async(chunks)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> AsyncPartReader:
        while (event := await self.next_event()) is not BODY_END:
            if isinstance(event, Part):
                return AsyncPartReader(event, self)
        raise StopAsyncIteration

    async def next_event(self) -> object:
        while not self.events.found:
            try:
                chunk = await anext(self._chunks, BODY_END)
            except BaseException as error:
                self._failure = repr(error)
                raise
            self._take_chunk(self._chunks, chunk)
        return self._next_found()
