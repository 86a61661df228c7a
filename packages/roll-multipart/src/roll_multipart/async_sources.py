"""The asynchronous sources of a body: streams, requests of other libraries, an ASGI receive."""

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Mapping
from contextlib import suppress
from inspect import isawaitable, signature
from typing import Any, Protocol, Self

from .checks import to_bytes, wrong_type
from .errors import MultipartError
from .sources import CHUNK, Readable, goes_on, read_chunks

__all__ = ["AsyncSource", "read_chunks_async"]


class AsyncReadable(Protocol):
    """A stream, such as those of aiohttp and asyncio."""

    async def read(self, size: int, /) -> bytes: ...


class HasStream(Protocol):
    """The part of a Starlette request that is used here."""

    def stream(self) -> AsyncIterable[bytes]: ...


class HasContent(Protocol):
    """The part of an aiohttp request that is used here."""

    @property
    def content(self) -> AsyncReadable: ...


Receive = Callable[[], Any]
AsyncSource = (
    bytes
    | HasStream
    | HasContent
    | AsyncReadable
    | AsyncIterable[bytes]
    | Receive
    | Readable
    | Iterable[bytes]
    | Mapping[str, Any]
)


def read_chunks_async(source: Any) -> AsyncIterator[bytes]:
    """Return the chunks of anything that `read_chunks` takes, or of an asynchronous source.

    That is a request of Starlette (it has `stream()`) or aiohttp (it has `content`), an object
    with an asynchronous `read`, an asynchronous iterable or an ASGI `receive`.
    """
    if callable(getattr(source, "stream", None)):
        return read_request(source)
    if hasattr(getattr(source, "content", None), "read"):
        return StreamChunks(source.content)
    if reads_sizes(source):
        return StreamChunks(source)
    if isinstance(source, AsyncIterable):
        with suppress(TypeError):  # as in `read_chunks`
            return aiter(source)
    if callable(source):
        return ReceivedChunks(source)
    return IteratedChunks(source)


def read_request(request: Any) -> AsyncIterator[bytes]:
    can_go_on = callable(getattr(request, "receive", None))
    return RequestChunks(request) if can_go_on else aiter(request.stream())


def reads_sizes(source: Any) -> bool:
    """Return whether `read` takes a size, as for files. The `read` of some requests does not."""
    read = getattr(source, "read", None)
    if read is None:
        return False
    try:
        return bool(signature(read).parameters)
    except ValueError:  # a built-in function may have no signature
        return True


class AsyncChunks:
    """The base of iterators over awaited chunks."""

    __slots__ = ()
    goes_on = True

    def __aiter__(self) -> Self:
        return self


class StreamChunks(AsyncChunks):
    """The chunks that `read` of a stream or a file returns."""

    __slots__ = ("_stream",)

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    async def __anext__(self) -> bytes:
        chunk = self._stream.read(CHUNK)
        if data := to_bytes(await chunk if isawaitable(chunk) else chunk):
            return data
        raise StopAsyncIteration


class RequestChunks(AsyncChunks):
    """The chunks of `request.stream()`.

    A cancelled read ends this generator. A new one continues at the same place, because the
    request does not buffer what it receives.
    """

    __slots__ = ("_chunks", "_request")

    def __init__(self, request: Any) -> None:
        self._request = request
        self._chunks = aiter(request.stream())

    async def __anext__(self) -> bytes:
        try:
            chunk: bytes = await anext(self._chunks)
        except StopAsyncIteration:
            raise
        except BaseException:
            self._chunks = aiter(self._request.stream())
            raise
        return chunk


class ReceivedChunks(AsyncChunks):
    """The bodies of the messages of an ASGI `receive`."""

    __slots__ = ("_more", "_receive")

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._more = True

    async def __anext__(self) -> bytes:
        if not self._more:
            raise StopAsyncIteration
        message = await self._next_message()
        kind = message.get("type")
        if kind == "http.disconnect":
            raise MultipartError("The client disconnected before the end of the body")
        if kind != "http.request":
            raise TypeError(f"An ASGI receive must give http.request messages, not {kind}")
        self._more = message.get("more_body", False)
        return to_bytes(message.get("body", b""))

    async def _next_message(self) -> Mapping[str, Any]:
        awaitable = self._receive()
        if not isawaitable(awaitable):
            raise wrong_type("What an ASGI receive returns", "awaitable", awaitable)
        message = await awaitable
        if not isinstance(message, Mapping):
            raise wrong_type("A message of an ASGI receive", "a dict", message)
        return message


class IteratedChunks(AsyncChunks):
    """The chunks of `read_chunks`."""

    __slots__ = ("_chunks", "goes_on")

    def __init__(self, source: Any) -> None:
        self._chunks = read_chunks(source, ", an ASGI receive")
        self.goes_on = goes_on(self._chunks)

    async def __anext__(self) -> bytes:
        for chunk in self._chunks:
            return chunk
        raise StopAsyncIteration
