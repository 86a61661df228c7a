"""A part of a file, as the body of a response."""

from __future__ import annotations

import asyncio
import os
from io import FileIO
from typing import Any, Final

__all__ = ["FileBody"]

CHUNK: Final = 256 * 1024
"""The bytes read at once."""

# Only Linux has this flag, see preadv(2).
NOWAIT: Final[int | None] = getattr(os, "RWF_NOWAIT", None)


class FileBody:
    """An async iterator over a part of a file. It closes the file after use.

    As the body of a response with a Content-Length, the file is sent by the system without being
    read into memory, where that is possible (sendfile(2)). Otherwise, for example over TLS or in
    chunks, it is read. Reads that must wait for the disk run in a thread, so that they never block
    the event loop.
    """

    _file: FileIO | None = None
    path: int | str | bytes | os.PathLike[Any]

    def __init__(self, file: str | os.PathLike[str] | FileIO, start: int, length: int) -> None:
        """Take `length` bytes of the file from `start` on, or fewer if the file ends before.

        A path is opened at the first use. An open file belongs to the body from now on: the body
        closes it, sent or not, and nothing else may read it.
        """
        if isinstance(file, FileIO):
            self._file = file
            self.path = file.name
        else:
            self.path = file
        self.position = start
        """The position in the file of the next byte to send."""
        self.remaining = length
        """The bytes that are still to send."""
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
        self.remaining = 0  # the path may name another file by now
        if self._file is not None:
            self._file.close()
            self._file = None

    def open(self) -> FileIO:
        """Return the file, opened at the first call; blocks, so call it in a thread."""
        if self._file is None:
            self._file = FileIO(self.path)
        return self._file

    async def _opened(self) -> FileIO:
        if self._file is None:
            return await asyncio.to_thread(self.open)
        return self._file

    def skip(self, size: int) -> None:
        """Advance by `size` bytes that were sent."""
        self.position += size
        self.remaining -= size

    async def fetch(self, size: int) -> int:
        """Wait until the next `size` bytes are in the system's cache; return the descriptor."""
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
        """Read what the system has in its cache into `buffer`; return the number of bytes.

        A thread would cost more than such a read. Return 0 if the system has to wait for the
        disk, or can't tell.
        """
        if NOWAIT is None:
            return 0
        try:
            return os.preadv(file.fileno(), [buffer], self.position + further, NOWAIT)
        except OSError:
            return 0
