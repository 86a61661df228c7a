"""Encoding of forms piece by piece: files of any size take little memory."""

import os
import stat
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from inspect import iscoroutinefunction
from io import TextIOBase
from pathlib import Path
from typing import IO, Any, Final

from .checks import BYTES
from .encoder import EncodedPart, Fields, make_boundary, make_parts, to_bytes

__all__ = ["AsyncEncodedForm", "EncodedForm", "encode_stream", "encode_stream_async"]

# In bytes: the size of a read, and the size below which pieces are joined.
PIECE: Final = 256 * 2**10
SMALL: Final = 16 * 2**10
# These can be iterated over, but not to the pieces of a content in order.
NO_STREAMS: Final = (*BYTES, str, Mapping, AbstractSet)


def encode_stream(fields: Fields = (), files: Fields = ()) -> "EncodedForm":
    """Encode a form whose files are read while it is sent.

    The arguments are those of `encode`. The content of a file may also be an iterable of bytes.
    Put a list of chunks into a tuple, `([b"a", b"b"], filename)`: a list alone is several files.
    Nothing is read before the result is iterated over. Raises what `encode` raises, and `OSError`
    for a path that is not a file.
    """
    return EncodedForm(fields, files)


def encode_stream_async(fields: Fields = (), files: Fields = ()) -> "AsyncEncodedForm":
    """Encode as `encode_stream` does, for `async for`. Files are read in a thread of asyncio.

    The content of a file may also be an asynchronous iterable of bytes, or an object with an
    asynchronous `read`.
    """
    return AsyncEncodedForm(fields, files)


class Content:
    """The content of a file, which is read while it is sent."""

    def __init__(self, source: Any) -> None:
        self.source = source
        self.start, self.size = measure(source)
        self._read_before = False

    def claim(self) -> None:
        """Raise `ValueError` for a source that was read before, and would be empty now."""
        if self._read_before and self.size is None and not is_read_anew(self.source):
            raise ValueError("A file that can be read only once was read before")
        self._read_before = True

    def open(self) -> IO[bytes]:
        """Open the file, or return to its first position."""
        if isinstance(self.source, os.PathLike):
            return Path(self.source).open("rb")
        if self.start is not None:
            self.source.seek(self.start)
        file: IO[bytes] = self.source
        return file

    def close(self, file: IO[bytes]) -> None:
        """Close the file if `open` opened it."""
        if file is not self.source:
            file.close()


class BaseForm:
    """The common base of `EncodedForm` and `AsyncEncodedForm`."""

    content_type: str
    """The value of the Content-Type field, with the boundary."""

    content_length: int | None
    """The size in bytes, for the Content-Length field; None if the size of a file is unknown."""

    _iterables: tuple[type, ...] = (Iterable,)
    _awaits = False

    def __init__(self, fields: Fields, files: Fields) -> None:
        delimiter, self.content_type = make_boundary()
        pieces = self._make_pieces(make_parts(fields, files), delimiter)
        self._pieces = list(join_small(pieces))
        sizes = [
            piece.size if isinstance(piece, Content) else len(piece) for piece in self._pieces
        ]
        self.content_length = None if None in sizes else sum(size or 0 for size in sizes)

    def _make_pieces(
        self, parts: Iterable[EncodedPart], delimiter: bytes
    ) -> Iterator[bytes | Content]:
        """Return the pieces of the body in order."""
        for part in parts:
            yield b"%b\r\n%b" % (delimiter, part.head)
            yield Content(part.content) if self._is_stream(part) else to_bytes(part)
            yield b"\r\n"
        yield delimiter + b"--\r\n"

    def _is_stream(self, part: EncodedPart) -> bool:
        content = part.content
        if hasattr(content, "read"):
            return self._awaits or not iscoroutinefunction(content.read)
        if not part.is_file:
            return False
        if isinstance(content, os.PathLike):
            return True
        return isinstance(content, self._iterables) and not isinstance(content, NO_STREAMS)

    @property
    def headers(self) -> dict[str, str]:
        """The fields Content-Type and, if it is known, Content-Length."""
        headers = {"Content-Type": self.content_type}
        if self.content_length is not None:
            headers["Content-Length"] = str(self.content_length)
        return headers


class EncodedForm(BaseForm):
    """A form that is encoded while it is iterated over.

    `content_type`: the value of the Content-Type field, with the boundary.
    `content_length`: the size in bytes; None if the size of a file is unknown.
    `headers`: a dict of both fields, the second only if it is known.

    It can be iterated over again. If a file can be read only once, this raises `ValueError`. A
    file that became shorter is a `ValueError` too, because `content_length` is then wrong.
    """

    def __iter__(self) -> Iterator[bytes]:
        """Yield the body in pieces of at most 256 KiB, or the size of a given piece."""
        for piece in self._pieces:
            if isinstance(piece, Content):
                yield from read_content(piece)
            else:
                yield piece


class AsyncEncodedForm(BaseForm):
    """An `EncodedForm` for `async for`, with the same attributes."""

    _iterables = (Iterable, AsyncIterable)
    _awaits = True

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the body in pieces of at most 256 KiB, or the size of a given piece."""
        for piece in self._pieces:
            if isinstance(piece, Content):
                async for data in read_content_async(piece):
                    yield data
            else:
                yield piece


def join_small(pieces: Iterable[bytes | Content]) -> Iterator[bytes | Content]:
    """Join short pieces, so that many fields do not make many writes."""
    joined = bytearray()
    for piece in pieces:
        if isinstance(piece, Content) or len(piece) > SMALL:
            yield bytes(joined)
            yield piece
            joined.clear()
        else:
            joined += piece
    yield bytes(joined)


def measure(source: Any) -> tuple[int | None, int | None]:
    """Return the position of a file, and its size from there. Each is None if it is unknown."""
    if isinstance(source, list | tuple):
        return None, sum(len(to_piece(piece)) for piece in source)
    if isinstance(source, os.PathLike):
        status = Path(source).stat()
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(f"Not a file: {source}")
        return None, status.st_size if stat.S_ISREG(status.st_mode) else None
    # The size of text is known only after encoding.
    if isinstance(source, TextIOBase) or iscoroutinefunction(getattr(source, "read", None)):
        return None, None
    if not (hasattr(source, "seekable") and source.seekable()):
        return None, None
    start = source.tell()
    size = source.seek(0, os.SEEK_END) - start
    source.seek(start)
    return start, size


def is_read_anew(source: Any) -> bool:
    """Return whether a source without a size can be read again."""
    if isinstance(source, os.PathLike):
        return True
    return not (hasattr(source, "read") or isinstance(source, Iterator | AsyncIterator))


class Counted:
    """The number of bytes of a content that are still expected."""

    def __init__(self, size: int | None) -> None:
        self._left = size

    def next_size(self) -> int:
        """Return how many bytes to read, or 0 after the last one."""
        return PIECE if self._left is None else min(PIECE, self._left)

    def check(self, piece: Any) -> bytes:
        """Count a piece, and return it as bytes."""
        data = to_piece(piece)
        if self._left is not None:
            self._left -= len(data)
            if self._left < 0:
                raise ValueError(f"A file gave {-self._left} bytes more than its size")
        return data

    def end(self) -> None:
        """Raise `ValueError` if bytes are missing."""
        if self._left:
            raise ValueError(f"A file became {self._left} bytes shorter while it was sent")


def to_piece(piece: Any) -> bytes:
    """Return a piece of a content as bytes."""
    if isinstance(piece, str):
        return piece.encode()
    if not isinstance(piece, BYTES):
        raise TypeError(f"The content of a file has bytes, not {type(piece).__name__}")
    return bytes(piece)


def read_content(content: Content) -> Iterator[bytes]:
    content.claim()
    counted = Counted(content.size)
    if not (hasattr(content.source, "read") or isinstance(content.source, os.PathLike)):
        yield from map(counted.check, content.source)
        counted.end()
        return
    file = content.open()
    try:
        while (size := counted.next_size()) and (data := file.read(size)):
            yield counted.check(data)
        counted.end()
    finally:
        content.close(file)


async def read_content_async(content: Content) -> AsyncIterator[bytes]:
    from asyncio import to_thread  # noqa: PLC0415 - not everybody has a loop

    content.claim()
    counted, source = Counted(content.size), content.source
    if hasattr(source, "read") or isinstance(source, os.PathLike):
        file = await to_thread(content.open)
        try:
            while (size := counted.next_size()) and (data := await read_async(file, size)):
                yield counted.check(data)
            counted.end()
        finally:
            content.close(file)
    elif isinstance(source, AsyncIterable):
        async for data in source:
            yield counted.check(data)
    else:
        for data in source:
            yield counted.check(data)
        counted.end()


async def read_async(file: Any, size: int) -> Any:
    from asyncio import to_thread  # noqa: PLC0415 - as above

    if iscoroutinefunction(file.read):
        return await file.read(size)
    return await to_thread(file.read, size)
