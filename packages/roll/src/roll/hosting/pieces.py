"""The queue between an application and the body that a listener has wrapped around it."""

from __future__ import annotations

import asyncio

from roll_http import ClientDisconnected

__all__ = ["Pieces"]


class Pieces:
    """An async iterator over the pieces that are put into it; at most one piece waits."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue(1)
        self._closed = False
        self._cut = False

    def __aiter__(self) -> Pieces:
        return self

    async def __anext__(self) -> bytes:
        piece = await self._queue.get()
        if self._cut:
            raise ClientDisconnected("The response has no end")  # it cuts the response, unlogged
        if piece is None:
            raise StopAsyncIteration
        return piece

    async def put(self, piece: bytes | None) -> None:
        """Wait until there is room, and put a piece; None for the end."""
        if not self._closed:
            await self._queue.put(piece)
            self._drop_if_closed()  # it may have been closed meanwhile, and other tasks wait too

    async def aclose(self) -> None:
        """Drop all pieces that are put from now on."""
        self.close()

    def close(self) -> None:
        """Drop the waiting piece, and all pieces that are put from now on."""
        self._closed = True
        while not self._queue.empty():
            self._queue.get_nowait()

    def _drop_if_closed(self) -> None:
        if self._closed:
            self.close()

    def cut(self) -> None:
        """Let the reader raise `ClientDisconnected`, because the end is missing."""
        self.close()
        self._cut = True
        self._queue.put_nowait(None)
