"""Compressed bodies: whole ones, and streams that are compressed in pieces."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

from roll_http import FileBody
from roll_http.h1.body_encoders import ContentLengthEncoder
from roll_http.h1.response_body import as_bytes

from .encoders import Encoder

__all__ = ["CompressedStream", "NoStream", "compressed"]

LARGE: Final = 32 * 1024
"""Larger bodies are compressed in a thread: gzip takes 2 ms for 32 KiB, a thread 0.1 ms."""

TURN: Final = 64 * 1024
"""How much of a stream is compressed before other tasks get their turn, which takes 4 ms."""

ITEM: Final = 1024
"""What an item counts in addition to its size."""


async def compressed(data: bytes, encoder: Encoder) -> bytes:
    """Return a body in a content coding."""
    if len(data) < LARGE:
        return encode_whole(data, encoder)
    return await asyncio.to_thread(encode_whole, data, encoder)


def encode_whole(data: bytes, encoder: Encoder) -> bytes:
    return encoder.encode(data) + encoder.end()


class CompressedStream:
    """An async iterator that compresses a stream; each item can be sent at once.

    The pieces of a file are not flushed one by one.
    """

    def __init__(
        self, stream: AsyncIterator[Any], encoder: Encoder, announced: int | None = None
    ) -> None:
        """Check the length of the stream as without compression: `announced` is Content-Length.

        Iterating raises `InvalidResponse` if the stream is longer or shorter.
        """
        self._stream = stream
        self._length = None if announced is None else ContentLengthEncoder(announced)
        self._encoder: Encoder | None = encoder
        self.finite = isinstance(stream, FileBody)
        """Whether the stream ends without more work of the application, as a file does."""
        self._turn = 0  # the cost of the items since other tasks had their turn

    def __aiter__(self) -> CompressedStream:
        return self

    async def __anext__(self) -> bytes:
        while self._encoder is not None:
            try:
                item = await anext(self._stream)
            except StopAsyncIteration:
                encoder, self._encoder = self._encoder, None
                if self._length is not None:
                    self._length.end()
                return encoder.end()
            data = as_bytes(item)
            if self._length is not None:
                self._length.frame_chunk(len(data))
            await self._rest(len(data))
            if data and (chunk := await self._encoded(data, self._encoder)):
                return chunk
        raise StopAsyncIteration

    async def _rest(self, size: int) -> None:
        """Let other tasks run after some items: the writer counts only the compressed bytes."""
        self._turn += size + ITEM
        if self._turn >= TURN:
            self._turn = 0
            await asyncio.sleep(0)

    async def _encoded(self, data: bytes, encoder: Encoder) -> bytes:
        if len(data) < LARGE:
            return self._encode(data, encoder)
        return await asyncio.to_thread(self._encode, data, encoder)

    def _encode(self, data: bytes, encoder: Encoder) -> bytes:
        chunk = encoder.encode(data)
        return chunk if self.finite else chunk + encoder.flush()

    async def aclose(self) -> None:
        """Close the stream."""
        close = getattr(self._stream, "aclose", None)
        if close is not None:
            await close()


class NoStream:
    """A stream without items, for a response whose length is not known."""

    def __aiter__(self) -> NoStream:
        return self

    async def __anext__(self) -> bytes:
        raise StopAsyncIteration
