"""A streamed response: sent to the connection, or through the stream of a listener."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from .pieces import Pieces

__all__ = ["Outgoing", "begin", "drop_length"]


class Outgoing(Protocol):
    """An object that takes the body of a response in pieces."""

    async def write(self, data: bytes) -> None:
        """Send a piece; wait while the client does not read."""
        ...

    async def drain(self) -> None:
        """Wait while the client does not read."""
        ...

    async def end(self, trailers: bytes) -> None:
        """Send the end."""
        ...

    def cut(self) -> None:
        """Let the client see that the response has no end."""
        ...


async def begin(exchange: Any) -> Outgoing:
    """Send the head of a response, after the listeners of `response` have changed it.

    Raises:
        ValueError: the head cannot be sent.
    """
    pieces = Pieces()
    exchange.response.body = pieces
    response = await exchange.concluded()
    if response.body is pieces:
        return Direct(exchange.connection.open_response(response))
    drop_length(response, exchange.length)
    return Piped(exchange.connection, response, pieces)


def drop_length(response: Any, length: str | None) -> None:
    """Remove the Content-Length of a body that a listener has replaced, unless it has set one."""
    if length is not None and response.headers.get("Content-Length") == length:
        del response.headers["Content-Length"]


class Direct:
    """An output that writes to the connection."""

    def __init__(self, opened: Any) -> None:
        self._opened = opened
        self.write = opened.write

    @property
    def put(self) -> Callable[[bytes], bool] | None:
        """What writes a short piece at once; None while long pieces are written, and over ASGI."""
        put: Callable[[bytes], bool] | None = getattr(self._opened, "put", None)
        return None if put is None or self._opened.busy else put

    async def drain(self) -> None:
        """Wait until the client reads, after `put` was called."""
        await self._opened.drain()

    async def end(self, trailers: bytes) -> None:
        """Send the end."""
        ended = self._opened.end(trailers)
        if ended is not None:  # on another server, over ASGI
            await ended

    def cut(self) -> None:
        """Do nothing: the connection cuts a response without an end by itself."""


class Piped:
    """An output that passes the pieces to the body of a listener, such as a compressed stream.

    A task sends that body at the same time.
    """

    def __init__(self, connection: Any, response: Any, pieces: Pieces) -> None:
        self._pieces = pieces
        sending = connection.respond(response)
        self._task: asyncio.Future[None] | None = None
        if sending is None:  # a short body has replaced it
            pieces.close()
        else:
            self._task = asyncio.ensure_future(sending)
            self._task.add_done_callback(lambda _: pieces.close())

    async def drain(self) -> None:
        """Do nothing: `write` waits."""

    async def write(self, data: bytes) -> None:
        """Put a piece, unless the reader has ended."""
        if data:
            await self._pieces.put(data)
        else:
            await asyncio.sleep(0)  # others get their turn if an application sends only these

    async def end(self, trailers: bytes) -> None:
        """Wait until the body has been sent; drop trailers."""
        await self._pieces.put(None)
        if self._task is not None:
            await self._task

    def cut(self) -> None:
        """End the body by an error, so that the task that sends it cuts the response."""
        self._pieces.cut()
