"""Where a body comes from: bytes, files, iterables, WSGI, ASGI."""

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Mapping
from inspect import isawaitable, signature
from typing import Any, Final, Protocol

from .errors import MultipartError

__all__ = ["AsyncSource", "Source", "read_chunks", "read_chunks_async"]

CHUNK: Final = 64 * 2**10
"""Bytes that are read at once."""

EXPECTED: Final = "Expected bytes, a file, an iterable of bytes or"


class Readable(Protocol):
    """A file, as far as it is read here."""

    def read(self, size: int, /) -> bytes: ...


class AsyncReadable(Protocol):
    """A stream such as that of aiohttp and of asyncio."""

    async def read(self, size: int, /) -> bytes: ...


class HasStream(Protocol):
    """A request of Starlette, as far as it is read here."""

    def stream(self) -> AsyncIterable[bytes]: ...


class HasContent(Protocol):
    """A request of aiohttp, as far as it is read here."""

    @property
    def content(self) -> AsyncReadable: ...


Receive = Callable[[], Any]
Source = bytes | Readable | Iterable[bytes] | Mapping[str, Any]
AsyncSource = (
    bytes
    | HasStream
    | HasContent
    | AsyncReadable
    | AsyncIterable[bytes]
    | Receive
    | Readable
    | Iterable[bytes]
)


def read_chunks(source: Any) -> Iterator[bytes]:
    """Return the chunks of bytes, a file, an iterable of bytes or a WSGI environ."""
    if isinstance(source, bytes | bytearray | memoryview):
        return iter((bytes(source),))
    if isinstance(source, Mapping):
        return read_environ(source)
    if hasattr(source, "read"):
        return read_file(source)
    if isinstance(source, Iterable) and not isinstance(source, str):
        return iter(source)
    raise TypeError(f"{EXPECTED} a WSGI environ, not {type(source).__name__}")


def read_file(file: Readable) -> Iterator[bytes]:
    while chunk := file.read(CHUNK):
        yield chunk


def read_environ(environ: Mapping[str, Any]) -> Iterator[bytes]:
    """Read as much as the request has: its input may go on, and block (PEP 3333)."""
    stream = environ["wsgi.input"]
    length = environ.get("CONTENT_LENGTH") or ""
    if not length and environ.get("wsgi.input_terminated"):
        yield from read_file(stream)
        return
    left = to_length(length)
    while left and (chunk := stream.read(min(CHUNK, left))):
        left -= len(chunk)
        yield chunk


def to_length(text: str) -> int:
    """Read a Content-Length (RFC 9110 8.6); without one there is no body."""
    if not text:
        return 0
    if len(text) > len(str(2**63)) or not (text.isascii() and text.isdigit()):
        raise MultipartError("Malformed Content-Length")
    return int(text)


def read_chunks_async(source: Any) -> AsyncIterator[bytes]:
    """Return the chunks of anything that `read_chunks` takes, or of an asynchronous source.

    That is a request of Starlette (it has `stream()`) or aiohttp (it has `content`), an object
    with an asynchronous `read`, an asynchronous iterable or an ASGI `receive`.
    """
    if callable(getattr(source, "stream", None)):
        return aiter(source.stream())
    if hasattr(getattr(source, "content", None), "read"):
        return read_stream(source.content)
    if reads_sizes(source):
        return read_stream(source)
    if isinstance(source, AsyncIterable):
        return aiter(source)
    if callable(source):
        return read_receive(source)
    if isinstance(source, Iterable) and not isinstance(source, str):
        return read_iterable(source)
    raise TypeError(f"{EXPECTED} an ASGI receive, not {type(source).__name__}")


def reads_sizes(source: Any) -> bool:
    """Whether it has a `read` that takes a size, as files have: that of a request may not."""
    read = getattr(source, "read", None)
    if read is None:
        return False
    try:
        return bool(signature(read).parameters)
    except ValueError:  # it is built in, and does not say
        return True


async def read_stream(stream: Any) -> AsyncIterator[bytes]:
    while True:
        chunk = stream.read(CHUNK)
        if isawaitable(chunk):
            chunk = await chunk
        if not chunk:
            return
        yield chunk


async def read_receive(receive: Receive) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise MultipartError("The client disconnected before the end of the body")
        more = message.get("more_body", False)
        yield message.get("body", b"")


async def read_iterable(source: Iterable[bytes]) -> AsyncIterator[bytes]:
    for chunk in read_chunks(source):
        yield chunk
