"""A part of a file as the body of a response."""

from __future__ import annotations

import asyncio
import os
from io import FileIO
from typing import Any, Final

__all__ = ["FileBody"]

CHUNK: Final = 256 * 1024
"""The bytes read at once."""

# Linux's, see preadv(2).
NOWAIT: Final[int | None] = getattr(os, "RWF_NOWAIT", None)


class FileBody:
    """An async iterator over a part of a file, which it closes after its last use.

    What a response has as its body, with a Content-Length, is sent without being read where the
    system can do that (sendfile(2)); over TLS, in chunks, or by anybody else, it is iterated.
    A disk is waited for in a thread: it holds up nobody.
    """

    _file: FileIO | None = None
    path: int | str | bytes | os.PathLike[Any]

    def __init__(self, file: str | os.PathLike[str] | FileIO, start: int, length: int) -> None:
        """`length` bytes of the file, from `start` on; if it has fewer, these are all.

        A path is opened at its first use. An open file is the body's from now on, and closed
        with it, sent or not: nobody else is to read it.
        """
        if isinstance(file, FileIO):
            self._file = file
            self.path = file.name
        else:
            self.path = file
        self.position = start
        """Where the next byte to be sent is in the file."""
        self.remaining = length
        """The bytes that are still to be sent."""
        self._buffer = memoryview(b"")

    def __aiter__(self) -> FileBody:
        return self

    async def __anext__(self) -> bytes:
        size = await self._fill() if self.remaining else 0
        if not size:
            await self.aclose()
            raise StopAsyncIteration
        self.skip(size)
        return bytes(self._buffer[:size])

    async def _fill(self) -> int:
        file = await self._opened()
        self._buffer = self._buffer or memoryview(bytearray(min(CHUNK, self.remaining)))
        part = self._buffer[: self.remaining]
        return self._read_cached(file, part) or await asyncio.to_thread(self._read, file, part)

    async def aclose(self) -> None:
        """Close the file."""
        self._close()

    def __del__(self) -> None:  # it was never sent
        self._close()

    def _close(self) -> None:
        self.remaining = 0  # what is at the path by now may be another file
        if self._file is not None:
            self._file.close()
            self._file = None

    def open(self) -> FileIO:
        """The file, opened at the first call; for who is in a thread already."""
        if self._file is None:
            self._file = FileIO(self.path)
        return self._file

    async def _opened(self) -> FileIO:
        if self._file is None:
            return await asyncio.to_thread(self.open)
        return self._file

    def skip(self, size: int) -> None:
        """So many bytes were sent."""
        self.position += size
        self.remaining -= size

    async def fetch(self, size: int) -> int:
        """Wait until the system has the next `size` bytes in memory; gives the descriptor."""
        file = await self._opened()
        if not self._read_cached(file, memoryview(bytearray(1)), size - 1):
            await asyncio.to_thread(self._load, file, size)
        return file.fileno()

    def _read(self, file: FileIO, buffer: memoryview) -> int:
        file.seek(self.position)
        return file.readinto(buffer)

    def _load(self, file: FileIO, size: int) -> None:
        file.seek(self.position)
        buffer = bytearray(min(CHUNK, size))
        while size > 0 and (read := file.readinto(buffer)):
            size -= read

    def _read_cached(self, file: FileIO, buffer: memoryview, further: int = 0) -> int:
        """Fill the buffer with what the system has in memory; gives how many bytes these were.

        A thread would cost more than the reading does. None, where the system has to wait for
        them, or cannot tell whether it would.
        """
        if NOWAIT is None:
            return 0
        try:
            return os.preadv(file.fileno(), [buffer], self.position + further, NOWAIT)
        except OSError:
            return 0
