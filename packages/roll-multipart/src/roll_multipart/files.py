"""Files of a form: in memory, or in memory first and on disk when they grow."""

from __future__ import annotations

import io
import os
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar, Protocol, Self

from .checks import Path, wrong_type
from .multidict import Multidict
from .part import Part

if TYPE_CHECKING:

    class BinaryFile(io.BufferedIOBase, BinaryIO):
        """Also an `IO[bytes]`: to type checkers, `io.BytesIO` is one, too."""

else:
    BinaryFile = io.BufferedIOBase

__all__ = [
    "FileFactory",
    "Files",
    "MemoryFile",
    "Progress",
    "SpooledFile",
    "Target",
    "UploadedFile",
]


class Target(Protocol):
    """What the parser needs of a file."""

    def write(self, data: bytes | memoryview, /) -> object: ...
    def seek(self, offset: int, /) -> object: ...
    def close(self) -> None: ...


FileFactory = Callable[[Part], Target]
Progress = Callable[[Target, int], object]


class UploadedFile(BinaryFile):
    """A binary file with its metadata from the client. When complete, it is at position 0."""

    __slots__ = ()

    _part: Part

    def __init__(self, part: Part) -> None:
        self._part = part

    @property
    def filename(self) -> str:
        """The last component of the name that the client sent. It may be empty."""
        return self._part.filename or ""

    @property
    def content_type(self) -> str:
        """The Content-Type that the client sent, or ""."""
        return self._part.content_type

    @property
    def params(self) -> dict[str, str]:
        """The parameters of its Content-Disposition, as they were sent."""
        return self._part.params

    @property
    def headers(self) -> dict[str, str]:
        """All header fields of its part, by their names in lower case."""
        return self._part.headers

    @property
    def size(self) -> int:
        """The size in bytes. While the file is received, the bytes that have arrived."""
        position = self.tell()
        size = self.seek(0, os.SEEK_END)
        self.seek(position)
        return size

    def getvalue(self) -> bytes:
        """Return the whole content. The position does not change."""
        position = self.tell()
        self.seek(0)
        content = self.read()
        self.seek(position)
        return content

    def save(self, path: Path, *, overwrite: bool = False) -> None:
        """Save the whole content at a path. The position does not change.

        A file on disk is moved if the system supports it (Linux, within a file system). Otherwise
        it is copied. Its mode is that of any new file in the folder. Raises `FileExistsError` if
        the path exists. With `overwrite=True`, the old file is replaced once the new one is
        complete. An error leaves no incomplete file.

        The file stays open. If it was on disk, it reads from the saved file. Writing to it never
        changes a saved file, because it makes a copy first. Saving it again makes a copy, too.
        """
        from .saving import save  # noqa: PLC0415 - most files are read, and few saved

        save(self, path, overwrite=overwrite)

    def _move(self, path: str) -> bool:
        """Give the file this name, if the system supports it. Return whether it has the name."""
        return False

    def _go_on_with(self, path: str) -> None:
        """Read from the saved file from now on, instead of a copy on disk."""

    async def save_async(self, path: Path, *, overwrite: bool = False) -> None:
        """Save as `save` does, in a thread of asyncio: the event loop is not blocked."""
        from asyncio import to_thread  # noqa: PLC0415 - not everybody has a loop

        await to_thread(self.save, path, overwrite=overwrite)


class MemoryFile(io.BytesIO, UploadedFile):
    """A file that stays in memory, whatever its size."""

    __slots__ = ("_part",)

    def __init__(self, part: Part) -> None:
        io.BytesIO.__init__(self)
        self._part = part


class SpooledFile(UploadedFile):
    """A file in memory. `rollover` moves it to a temporary file, which `close` deletes."""

    directory: ClassVar[str | None] = None
    """The directory of temporary files; None for that of the system. If it is on the file system
    where files are saved, saving moves them without a copy."""

    __slots__ = ("_file", "_part", "write")

    # `Any` stands for a buffer: `collections.abc.Buffer` comes with Python 3.12.
    write: Callable[[Any], int]
    """Write at the position."""

    def __init__(self, part: Part) -> None:
        self._part = part
        self._file: io.BytesIO | io.BufferedRandom = io.BytesIO()
        self.write = self._file.write

    def __repr__(self) -> str:
        return f"<SpooledFile {self.filename!r} {self.content_type!r}>"

    @property
    def in_memory(self) -> bool:
        """Whether the whole content is in memory."""
        return isinstance(self._file, io.BytesIO)

    def rollover(self) -> None:
        """Move the content to disk. The position does not change."""
        if not isinstance(self._file, io.BytesIO):
            return
        memory = self._file
        from .saving import open_temporary  # noqa: PLC0415 - few files are that large

        self._use(open_temporary(self.directory))
        self.write(memory.getbuffer())
        self.seek(memory.tell())

    def _use(self, file: io.BufferedRandom) -> None:
        # If nobody closes the file, it is deleted with the object.
        weakref.finalize(self, file.close)
        self._file = file
        self.write = file.write

    def _move(self, path: str) -> bool:
        if isinstance(self._file, io.BytesIO):
            return False
        from .saving import move  # noqa: PLC0415 - as above

        return self._replace(move(self._file, path, self.directory))

    def _go_on_with(self, path: str) -> None:
        if isinstance(self._file, io.BytesIO):
            return
        from .saving import open_saved  # noqa: PLC0415 - as above

        with suppress(OSError):  # somebody has removed it, but the temporary file is still open
            self._replace(open_saved(path, self._file.tell(), self.directory))

    def _replace(self, file: io.BufferedRandom | None) -> bool:
        if file is None:
            return False
        old = self._file
        self._use(file)
        old.close()
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """Read `size` bytes, or all the rest."""
        return self._file.read(-1 if size is None else size)

    read1 = read

    def readinto(self, buffer: Any, /) -> int:
        """Read into a buffer. Return the number of bytes."""
        return self._file.readinto(buffer)

    readinto1 = readinto

    def readline(self, size: int | None = -1, /) -> bytes:
        """Read to the end of a line."""
        return self._file.readline(-1 if size is None else size)

    def readlines(self, hint: int | None = -1, /) -> list[bytes]:
        """Read all remaining lines."""
        return self._file.readlines(-1 if hint is None else hint)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Change the position, and return it."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the position."""
        return self._file.tell()

    def truncate(self, size: int | None = None, /) -> int:
        """Cut the file at a size, or at the position. Return the size."""
        return self._file.truncate(size)

    def flush(self) -> None:
        """Write what is buffered."""
        self._file.flush()

    def fileno(self) -> int:
        """Return the descriptor. Raises `io.UnsupportedOperation` while the file is in memory."""
        return self._file.fileno()

    def readable(self) -> bool:
        """Return True."""
        return True

    def writable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    @property
    def closed(self) -> bool:
        """Whether the file is closed."""
        return self._file.closed

    def close(self) -> None:
        """Close the file. A temporary file is deleted."""
        self._file.close()


class Files(Multidict[UploadedFile]):
    """The files of a form. As a context manager, it closes them."""

    def close(self) -> None:
        """Close every file, and delete the temporary ones.

        If files cannot be closed, the error of the first one is raised after all others are
        closed. It has the other errors as notes.
        """
        errors = [error for files in self.values() for error in map(close_file, files) if error]
        if errors:
            # Raise an interrupt rather than an error.
            errors.sort(key=lambda error: isinstance(error, Exception))
            for error in errors[1:]:
                errors[0].add_note(f"Another file could not be closed: {error!r}")
            raise errors.pop(0)

    async def close_async(self) -> None:
        """Close as `close` does, in a thread of asyncio: deleting a large file takes long."""
        from asyncio import to_thread  # noqa: PLC0415 - not everybody has a loop

        await to_thread(self.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def close_file(file: Any) -> BaseException | None:
    """Close a file. Return the exception that it raised, if any."""
    if not hasattr(file, "close"):
        return wrong_type("Each of the files", "a file", file)
    try:
        file.close()
    except BaseException as error:  # noqa: BLE001 - raised when all are closed
        return error
    return None
