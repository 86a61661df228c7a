"""Files of a form: in memory, or in memory first and on disk when they grow."""

import io
import tempfile
from collections.abc import Callable
from typing import IO, Final, Protocol, cast

from .headers import Part

__all__ = ["MemoryFile", "SpooledFile", "UploadedFile"]


# Bytes; so that chunks of 16 KiB and more, as servers read them, go past the buffer.
BUFFER: Final = 15 * 2**10


class UploadedFile(Protocol):
    """What `Multipart` needs of a file."""

    def write(self, data: bytes | memoryview, /) -> int: ...
    def seek(self, offset: int, whence: int = 0, /) -> int: ...
    def close(self) -> None: ...


class MemoryFile(io.BytesIO):
    """A file that stays in memory."""

    def __init__(self, part: Part) -> None:
        super().__init__()
        self._part = part


class SpooledFile:
    """A file in memory until `rollover` moves it to a temporary one, gone when it is closed."""

    __slots__ = ("__weakref__", "_file", "_part", "write")

    write: Callable[[bytes | memoryview], int]
    """Write at the position; straight the method of what lies below."""

    def __init__(self, part: Part) -> None:
        self._part = part
        self._file: IO[bytes] = io.BytesIO()
        self.write = self._file.write

    @property
    def filename(self) -> str:
        return self._part.filename or ""

    @property
    def content_type(self) -> str:
        return self._part.content_type

    @property
    def params(self) -> dict[str, str]:
        return self._part.params

    @property
    def in_memory(self) -> bool:
        """Whether nothing of it lies on disk."""
        return isinstance(self._file, io.BytesIO)

    def rollover(self) -> None:
        """Move to disk what is in memory."""
        memory = cast(io.BytesIO, self._file)
        self._file = tempfile.TemporaryFile(buffering=BUFFER)
        self.write = self._file.write
        self.write(memory.getbuffer())

    def getvalue(self) -> bytes:
        """The whole content, whatever the position."""
        position = self._file.tell()
        self._file.seek(0)
        try:
            return self._file.read()
        finally:
            self._file.seek(position)

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        return self._file.read(-1 if size is None else size)

    def read1(self, size: int = -1, /) -> bytes:
        return self.read(size)

    def readline(self, size: int | None = -1, /) -> bytes:
        return self._file.readline(-1 if size is None else size)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def truncate(self, size: int | None = None, /) -> int:
        return self._file.truncate(size)

    def fileno(self) -> int:
        return self._file.fileno()

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        self._file.close()
