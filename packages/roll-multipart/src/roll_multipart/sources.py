"""The sources of a body: bytes, a file, an iterable of bytes, a WSGI environ.

They are read by iterators that are not generators: an error or a cancellation ends a generator,
and the rest of the body would be lost.
"""

from collections.abc import AsyncIterable, Iterable, Iterator, Mapping
from contextlib import suppress
from inspect import iscoroutinefunction
from typing import Any, Final, Protocol, Self

from .checks import BYTES, to_bytes, wrong_type
from .errors import MultipartError

__all__ = ["CHUNK", "Readable", "Source", "goes_on", "read_chunks"]

CHUNK: Final = 64 * 2**10
"""The number of bytes of one read."""


class Readable(Protocol):
    """The part of a file that is used here."""

    def read(self, size: int, /) -> bytes: ...


Source = bytes | Readable | Iterable[bytes] | Mapping[str, Any]


class FileChunks:
    """The chunks of a file, from its position on."""

    __slots__ = ("_file",)
    goes_on: Final = True

    def __init__(self, file: Readable) -> None:
        self._file = file

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        if chunk := to_bytes(self._file.read(self._next_size())):
            return self._take(chunk)
        self._check_end()
        raise StopIteration

    def _next_size(self) -> int:
        return CHUNK

    def _take(self, chunk: bytes) -> bytes:
        return chunk

    def _check_end(self) -> None:
        """Raise `MultipartError` if the file must not end here."""


class LimitedChunks(FileChunks):
    """The chunks of a WSGI input up to its Content-Length: reading on may block (PEP 3333)."""

    __slots__ = ("_left",)

    def __init__(self, file: Readable, length: int) -> None:
        super().__init__(file)
        self._left = length

    def __next__(self) -> bytes:
        if self._left:
            return super().__next__()
        raise StopIteration

    def _next_size(self) -> int:
        return min(CHUNK, self._left)

    def _take(self, chunk: bytes) -> bytes:
        self._left -= len(chunk)
        return chunk

    def _check_end(self) -> None:
        # The client has gone. Half of an urlencoded body looks like a whole one.
        raise MultipartError("The body ended before its Content-Length")


def read_chunks(source: Any, other: str = "") -> Iterator[bytes]:
    """Return the chunks of bytes, a file, an iterable of bytes or a WSGI environ.

    Raises `TypeError` for anything else. The message adds `other`, which the caller also takes.
    """
    if isinstance(source, BYTES):
        return iter([bytes(source)])
    if isinstance(source, Mapping) and "wsgi.input" in source:
        return read_environ(source)
    if hasattr(source, "read") and not reads_asynchronously(source):
        return FileChunks(source)
    if isinstance(source, Iterable) and not isinstance(source, str | Mapping):
        with suppress(TypeError):  # a proxy of Flask may look iterable, and is not
            return iter(source)
    raise refuse_source(source, other)


def goes_on(chunks: Any) -> bool:
    """Return whether the chunks continue after an error or a cancelled `await`."""
    return getattr(chunks, "goes_on", False)


def read_environ(environ: Mapping[str, Any]) -> Iterator[bytes]:
    stream = environ["wsgi.input"]
    length = environ.get("CONTENT_LENGTH") or ""
    if not length and environ.get("wsgi.input_terminated"):
        return FileChunks(stream)
    return LimitedChunks(stream, to_length(length))


def to_length(text: Any) -> int:
    """Parse a Content-Length (RFC 9110 8.6). Without one, there is no body."""
    if not isinstance(text, str):
        raise wrong_type("CONTENT_LENGTH", "text", text)
    if not text:
        return 0
    if len(text) > len(str(2**63)) or not (text.isascii() and text.isdigit()):
        raise MultipartError("Malformed Content-Length")
    return int(text)


def reads_asynchronously(source: Any) -> bool:
    return iscoroutinefunction(getattr(source, "read", None))


def refuse_source(source: Any, other: str) -> TypeError:
    """Return the error for an object that is not a source, or is an asynchronous one."""
    kind = type(source).__name__
    expected = f"Expected bytes, a file, an iterable of bytes, a WSGI environ{other}"
    if hasattr(source, "environ"):
        return TypeError(f"{expected}, not {kind}: pass its `environ`")
    # Requests of Starlette and aiohttp are mappings, but not environs.
    is_request = isinstance(source, Mapping) and hasattr(source, "url")
    if (
        is_request
        or isinstance(source, AsyncIterable)
        or reads_asynchronously(source)
        or iscoroutinefunction(source)
    ):
        return TypeError(
            f"{kind} is an asynchronous source: parts_async, parse_form_async take it"
        )
    hint = " without 'wsgi.input'" if isinstance(source, Mapping) else ""
    return TypeError(f"{expected}, not {kind}{hint}")
