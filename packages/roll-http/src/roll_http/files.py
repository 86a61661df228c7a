"""A part of a file, as the body of a response."""

from __future__ import annotations

import asyncio
import os
import sys
from io import FileIO
from stat import S_ISREG
from typing import Any, Final, TypeGuard

from .h1.body_encoders import InvalidResponse
from .shown import shown

__all__ = ["FileBody", "is_file"]

CHUNK: Final = 256 * 1024
"""The bytes read at once."""

# Only Linux has this flag, see preadv(2).
NOWAIT: Final[int | None] = getattr(os, "RWF_NOWAIT", None)


# A named pipe would keep the thread that opens it until somebody writes.
AT_ONCE: Final[int] = getattr(os, "O_NONBLOCK", 0)


class FileBody:
    """An async iterator over a part of a file. It closes the file after use.

    As the body of a response with a Content-Length, the file is sent by the system without being
    read into memory, where that is possible (sendfile(2)). Otherwise, for example over TLS or in
    chunks, it is read. Reads that must wait for the disk run in a thread, so that they never block
    the event loop.
    """

    _file: FileIO | None = None
    path: Any
    """The path that was given, or the name of the open file."""

    def __init__(
        self, file: str | bytes | os.PathLike[Any] | FileIO, start: int, length: int
    ) -> None:
        """Take `length` bytes of the file from `start` on, or fewer if the file ends before.

        A path is opened at the first use. An open file belongs to the body from now on: the body
        closes it, sent or not, and nothing else may read it.

        The file is opened before the response begins. This raises an `OSError` if the file can't
        be opened. It raises a `ValueError` for a file that is not regular, such as a pipe, and
        for a `start` after the end of the file.

        Raises:
            TypeError: `file` is neither a path nor an open `io.FileIO`, or a number is not an int.
            ValueError: a number is below 0, or above `sys.maxsize`.
        """
        _check("start", start)
        _check("length", length)
        self.path = _path_of(file)
        if isinstance(file, FileIO):
            self._file = file
        self.position = start
        """The position in the file of the next byte to send."""
        self.remaining = length
        """The bytes that are still to send."""
        self._buffer = memoryview(b"")
        self._measured = False

    def __aiter__(self) -> FileBody:
        return self

    async def __anext__(self) -> bytes:
        size = await self._fill() if self.remaining else 0
        missing = 0 if size else self.remaining
        if not size:
            await self.aclose()
        if missing:
            raise ValueError(
                f"{shown(self.path)} was cut while it was read: {missing} bytes are missing"
            )
        if not size:
            raise StopAsyncIteration
        self.skip(size)
        return bytes(self._buffer[:size])

    async def _fill(self) -> int:
        file = await self._opened()
        if not self.remaining:  # the file has nothing after `start`
            return 0
        self._buffer = self._buffer or memoryview(bytearray(min(CHUNK, self.remaining)))
        part = self._buffer[: self.remaining]
        return self._read_cached(file, part) or await asyncio.to_thread(self._read, file, part)

    async def prepare(self, announced: int | None) -> None:
        """Open the file, and check that it has the announced length; None allows any length.

        Raises:
            OSError: the file can't be opened.
            ValueError: it is not a regular file, or does not have these bytes.
        """
        await self._opened()
        if announced is not None and announced != self.remaining:
            raise InvalidResponse(
                f"{shown(self.path)} gives {self.remaining} bytes from {self.position} on, the"
                f" Content-Length says {announced}"
            )

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
        """Return the file, opened at the first call; blocks, so call it in a thread.

        Raises the errors of `prepare`.
        """
        if self._file is None:
            self._file = FileIO(self.path, opener=_open_at_once)
        if not self._measured:
            self._measure(self._file)
        return self._file

    async def _opened(self) -> FileIO:
        if self._file is None:
            return await asyncio.to_thread(self.open)
        return self.open()

    def _measure(self, file: FileIO) -> None:
        """Find out how many of the requested bytes the file has."""
        status = os.fstat(file.fileno())
        if not S_ISREG(status.st_mode):
            raise InvalidResponse(f"{shown(self.path)} is not a regular file")
        if self.position > status.st_size:
            raise InvalidResponse(
                f"{shown(self.path)} has {status.st_size} bytes: it has none at {self.position}"
            )
        self.remaining = min(self.remaining, status.st_size - self.position)
        self._measured = True

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


def is_file(stream: object) -> TypeGuard[FileBody]:
    """Return whether a stream is a plain `FileBody`: a subclass may give other bytes."""
    return isinstance(stream, FileBody) and type(stream).__anext__ is FileBody.__anext__


def _path_of(file: Any) -> Any:
    if isinstance(file, FileIO):
        return file.name
    if isinstance(file, str | bytes | os.PathLike):
        return file
    hint = ": give its `raw`" if isinstance(getattr(file, "raw", None), FileIO) else ""
    raise TypeError(
        f"A FileBody takes a path or an open io.FileIO, not {type(file).__name__}{hint}"
    )


def _check(name: str, number: Any) -> None:
    if not isinstance(number, int) or isinstance(number, bool):
        kind = type(number).__name__
        raise TypeError(f"The {name} of a FileBody is a number of bytes, not {kind}")
    if number < 0:
        raise ValueError(
            f"The {name} of a FileBody is below 0: it counts from the beginning of the file"
        )
    if number > sys.maxsize:
        raise ValueError(f"The {name} of a FileBody is at most {sys.maxsize} bytes")


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | AT_ONCE)
