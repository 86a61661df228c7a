"""A streamed response: to the connection, or through what a listener has put around it."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

from .pieces import Pieces

__all__ = ["Outgoing", "begin"]


class Outgoing(Protocol):
    """What takes the body of a response piece by piece."""

    async def write(self, data: bytes) -> None:
        """Send a piece; wait while the client does not read."""
        ...

    async def drain(self) -> None:
        """Wait while the client does not read."""
        ...

    async def end(self, trailers: bytes) -> None:
        """Send the end."""
        ...


async def begin(exchange: Any) -> Outgoing:
    """Send the head of a response, as the listeners of `response` leave it.

    Raises:
        ValueError: it cannot be sent.
    """
    pieces = Pieces()
    exchange.response.body = pieces
    response = await exchange.concluded()
    if response.body is pieces:
        return Direct(exchange.connection.open_response(response))
    return Piped(exchange.connection, response, pieces)


class Direct:
    """Writes to the connection."""

    def __init__(self, opened: Any) -> None:
        self._opened = opened
        self.put = getattr(opened, "put", None)  # another server, by ASGI, has none
        self.write = opened.write

    async def drain(self) -> None:
        """Wait until the client reads, behind a piece that was `put`."""
        await self._opened.drain()

    async def end(self, trailers: bytes) -> None:
        """Send the end."""
        ended = self._opened.end(trailers)
        if ended is not None:  # on another server, by ASGI
            await ended


class Piped:
    """Gives the pieces to the body that a listener has set, such as one that compresses them.

    A task sends that body meanwhile.
    """

    def __init__(self, connection: Any, response: Any, pieces: Pieces) -> None:
        self._pieces = pieces
        sending = connection.respond(response)
        self._task: asyncio.Future[None] | None = None
        if sending is None:  # it was replaced by a short one
            pieces.close()
        else:
            self._task = asyncio.ensure_future(sending)
            self._task.add_done_callback(lambda _: pieces.close())

    async def drain(self) -> None:
        """Do nothing: `write` waits."""

    async def write(self, data: bytes) -> None:
        """Put a piece, unless nobody takes it."""
        if data:
            await self._pieces.put(data)

    async def end(self, trailers: bytes) -> None:
        """Wait until the body has been sent; trailers are dropped."""
        await self._pieces.put(None)
        if self._task is not None:
            await self._task
