"""Files of a form: in memory, or in memory first and on disk when they grow."""

from __future__ import annotations

import io
import tempfile
import weakref
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import IO, TYPE_CHECKING, Final, Protocol, Self

if TYPE_CHECKING:
    from .headers import Part

__all__ = ["FileFactory", "MemoryFile", "SpooledFile", "UploadedFile"]

# Bytes; so that chunks of 16 KiB and more, as servers read them, go past the buffer.
BUFFER: Final = 15 * 2**10


class UploadedFile(Protocol):
    """A file of a form, at position 0 when it is complete."""

    @property
    def filename(self) -> str:
        """The last component of the name that the client gave it; may be empty."""
        ...

    @property
    def content_type(self) -> str:
        """What the client says it is; "" if it does not say."""
        ...

    @property
    def params(self) -> dict[str, str]:
        """The parameters of its Content-Disposition, as they were sent."""
        ...

    def read(self, size: int | None = -1, /) -> bytes: ...
    def readline(self, size: int | None = -1, /) -> bytes: ...
    def readlines(self, hint: int = -1, /) -> list[bytes]: ...
    def getvalue(self) -> bytes: ...
    def write(self, data: bytes | memoryview, /) -> int: ...
    def seek(self, offset: int, whence: int = 0, /) -> int: ...
    def tell(self) -> int: ...
    def close(self) -> None: ...
    def __iter__(self) -> Iterator[bytes]: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None: ...


FileFactory = Callable[["Part"], UploadedFile]


class Described:
    """What the head of the part says about a file."""

    __slots__ = ()

    _part: Part

    @property
    def filename(self) -> str:
        """The last component of the name that the client gave it; may be empty."""
        return self._part.filename or ""

    @property
    def content_type(self) -> str:
        """What the client says it is; "" if it does not say."""
        return self._part.content_type

    @property
    def params(self) -> dict[str, str]:
        """The parameters of its Content-Disposition, as they were sent."""
        return self._part.params


class MemoryFile(Described, io.BytesIO):
    """A file that stays in memory, whatever its size."""

    def __init__(self, part: Part) -> None:
        super().__init__()
        self._part = part


class SpooledFile(Described):
    """A file in memory until `rollover` moves it to a temporary one, which `close` deletes."""

    __slots__ = ("__weakref__", "_file", "_part", "write")

    write: Callable[[bytes | memoryview], int]
    """Write at the position; straight the method of the file below."""

    def __init__(self, part: Part) -> None:
        self._part = part
        self._file: IO[bytes] = io.BytesIO()
        self.write = self._file.write

    def __repr__(self) -> str:
        return f"<SpooledFile {self.filename!r} {self.content_type!r}>"

    @property
    def in_memory(self) -> bool:
        """Whether nothing of it lies on disk."""
        return isinstance(self._file, io.BytesIO)

    def rollover(self) -> None:
        """Move to disk, if it is not there; the position stays."""
        if not isinstance(self._file, io.BytesIO):
            return
        memory = self._file
        self._file = tempfile.TemporaryFile(buffering=BUFFER)  # noqa: SIM115 - `close` closes it
        # Also gone with the object, when nobody closes it.
        weakref.finalize(self, self._file.close)
        self.write = self._file.write
        self.write(memory.getbuffer())
        self.seek(memory.tell())

    def getvalue(self) -> bytes:
        """The whole content, wherever the position is."""
        position = self.tell()
        self.seek(0)
        content = self.read()
        self.seek(position)
        return content

    def read(self, size: int | None = -1, /) -> bytes:
        return self._file.read(-1 if size is None else size)

    read1 = read

    def readline(self, size: int | None = -1, /) -> bytes:
        return self._file.readline(-1 if size is None else size)

    def readlines(self, hint: int = -1, /) -> list[bytes]:
        return self._file.readlines(hint)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def truncate(self, size: int | None = None, /) -> int:
        return self._file.truncate(size)

    def flush(self) -> None:
        self._file.flush()

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    @property
    def closed(self) -> bool:
        """Whether it is closed, and gone."""
        return self._file.closed

    def close(self) -> None:
        self._file.close()

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
