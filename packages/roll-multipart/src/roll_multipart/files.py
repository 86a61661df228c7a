"""Files of a form: in memory, or in memory first and on disk when they grow."""

import io
import tempfile
from typing import IO, Protocol, cast

from .headers import Part

__all__ = ["MemoryFile", "SpooledFile", "UploadedFile"]


class UploadedFile(Protocol):
    """What `Multipart` needs of a file."""

    def write(self, data: bytes | memoryview, /) -> int: ...
    def seek(self, offset: int, whence: int = 0, /) -> int: ...
    def close(self) -> None: ...


class MemoryFile(io.BytesIO):
    """A file that stays in memory."""

    def __init__(self, part: Part) -> None:
        self.filename = part.filename or ""
        self.content_type = part.content_type
        self.params = part.params


class SpooledFile(io.BufferedIOBase):
    """A file in memory until `rollover` moves it to a temporary one, gone when it is closed."""

    def __init__(self, part: Part) -> None:
        self.filename = part.filename or ""
        self.content_type = part.content_type
        self.params = part.params
        self._file: IO[bytes] = io.BytesIO()

    @property
    def in_memory(self) -> bool:
        """Whether nothing of it lies on disk."""
        return isinstance(self._file, io.BytesIO)

    def rollover(self) -> None:
        """Move to disk what is in memory."""
        memory = cast(io.BytesIO, self._file)
        self._file = tempfile.TemporaryFile()
        self._file.write(memory.getbuffer())

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

    def write(self, data: object, /) -> int:
        return self._file.write(data)  # type: ignore[arg-type]

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def truncate(self, size: int | None = None, /) -> int:
        return self._file.truncate(size)

    def fileno(self) -> int:
        return self._file.fileno()

    def flush(self) -> None:
        if not self.closed:
            self._file.flush()

    def close(self) -> None:
        self._file.close()
        super().close()
