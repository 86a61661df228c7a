"""What a handler may give as a body: bytes, text, streams; anything else is refused. No I/O."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Iterator
from numbers import Number
from typing import Any, Final

from ..shown import shown
from .body_encoders import InvalidResponse

__all__ = ["BYTES_TYPE", "TEXT_TYPE", "as_bytes", "as_stream", "read_body"]

TEXT_TYPE: Final = "Content-Type: text/plain; charset=utf-8\r\n"
"""The type of text that has none. Browsers guess one, and a name in it becomes a script."""

BYTES_TYPE: Final = "Content-Type: application/octet-stream\r\n"
"""The type of bytes and streams that have none."""

_CONTAINERS: Final = (dict, list, tuple, set, frozenset)


class _Streamed:
    """An async iterator over an iterator, which it closes at its end."""

    __slots__ = ("_items",)

    def __init__(self, items: Iterator[Any]) -> None:
        self._items = items

    def __aiter__(self) -> _Streamed:
        return self

    async def __anext__(self) -> Any:
        try:
            return next(self._items)
        except StopIteration:
            raise StopAsyncIteration from None

    async def aclose(self) -> None:
        close = getattr(self._items, "close", None)
        if close is not None:
            close()


def read_body(body: Any) -> tuple[bytes, AsyncIterator[Any] | None, str]:
    """Return the bytes of a body, or the stream that gives them, and the line of its default type.

    Raises `InvalidResponse` for any other value; the message says what to write instead.
    """
    if isinstance(body, str):
        return body.encode(), None, TEXT_TYPE
    if isinstance(body, bytes | bytearray | memoryview):
        return bytes(body), None, BYTES_TYPE
    if body is None:
        return b"", None, ""
    stream = as_stream(body)
    if stream is not None:
        return b"", stream, BYTES_TYPE
    if _says_its_text(body):
        return str(body).encode(), None, TEXT_TYPE
    return _buffer_of(body), None, BYTES_TYPE


def as_stream(body: Any) -> AsyncIterator[Any] | None:
    """Return an async iterator over a streamed body; None for any other body.

    Async iterables, iterators (generators among them) and functions that are generators, async or
    not, are streamed. The iterator has `aclose` where there is something to be closed.
    """
    if isinstance(body, type):
        return None
    if hasattr(body, "__aiter__"):
        return _async_iterator_of(body)
    if hasattr(body, "__next__") and not inspect.isawaitable(body):
        return _Streamed(body)
    if inspect.isasyncgenfunction(body):
        return body()  # type: ignore[no-any-return]  # calling such a function gives one
    if inspect.isgeneratorfunction(body):
        stream = body()
        return None if inspect.isawaitable(stream) else _Streamed(stream)
    return None


def _async_iterator_of(body: Any) -> AsyncIterator[Any]:
    stream = body.__aiter__()
    if stream is not body and not hasattr(stream, "__anext__"):
        kind = _described(stream) if inspect.isawaitable(stream) else f"a {type(stream).__name__}"
        raise InvalidResponse(
            f"`__aiter__` of {type(body).__name__} returned {kind}, which is not an async iterator"
        )
    return stream  # type: ignore[no-any-return]


def _says_its_text(body: Any) -> bool:
    """Return whether a value has a text: a number, or an object whose class has a `__str__`."""
    text_of: Any = type(body).__str__
    return isinstance(body, Number) or text_of is not object.__str__


def _buffer_of(body: Any) -> bytes:
    try:
        return bytes(memoryview(body))
    except TypeError:
        raise InvalidResponse(_refusal(body)) from None


def _refusal(body: Any) -> str:
    """Return an error message for an invalid body, with the correction."""
    if inspect.isawaitable(body):
        return f"`response.body` is {_described(body)}: `await` it first"
    if isinstance(body, _CONTAINERS):
        return f"`response.body` is a {type(body).__name__}: set `response.json` instead"
    if callable(body):
        return f"`response.body` is {shown(body)}: call it, and `await` the call if it is async"
    return (
        f"`response.body` is a {type(body).__name__}, which has no `__str__` of its own: "
        "give text, bytes or an iterator, or set `response.json`"
    )


def _described(awaitable: Any) -> str:
    if inspect.iscoroutine(awaitable):
        awaitable.close()  # otherwise Python warns as well, and this error is clearer
        return f"a coroutine, {awaitable.__qualname__}()"
    return f"a {type(awaitable).__name__}"


def as_bytes(item: Any) -> bytes:
    """Return an item of a stream as bytes: as they are, or as `str()` gives them, in UTF-8.

    Raises `InvalidResponse` for an awaitable, and for a value without a text, such as None.
    """
    if isinstance(item, bytes):
        return item
    if isinstance(item, bytearray | memoryview):
        return bytes(item)
    if inspect.isawaitable(item):
        raise InvalidResponse(f"An item of the body is {_described(item)}: `await` it first")
    if isinstance(item, _CONTAINERS):
        kind = type(item).__name__
        raise InvalidResponse(f"An item of the body is a {kind}: encode it with json.dumps(...)")
    if _says_its_text(item):
        return str(item).encode()
    try:
        return bytes(memoryview(item))
    except TypeError:
        raise InvalidResponse(
            f"An item of the body is {shown(item)}, which has no text: give text or bytes"
        ) from None
