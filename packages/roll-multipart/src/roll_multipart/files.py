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
        """An `IO[bytes]` too, as `io.BytesIO` is one for type checkers alone."""

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
    """What the parser asks of a file."""

    def write(self, data: bytes | memoryview, /) -> object: ...
    def seek(self, offset: int, /) -> object: ...
    def close(self) -> None: ...


FileFactory = Callable[[Part], Target]
Progress = Callable[[Target, int], object]


class UploadedFile(BinaryFile):
    """A binary file with what the client said of it; at position 0 when it is complete."""

    __slots__ = ()

    _part: Part

    def __init__(self, part: Part) -> None:
        self._part = part

    @property
    def filename(self) -> str:
        """The last component of the name that the client gave it; may be empty."""
        return self._part.filename or ""

    @property
    def content_type(self) -> str:
        """The Content-Type that the client sent; "" if it sent none."""
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
        """How many bytes it has; while it is being received, how many have come so far."""
        position = self.tell()
        size = self.seek(0, os.SEEK_END)
        self.seek(position)
        return size

    def getvalue(self) -> bytes:
        """Return the whole content, wherever the position is."""
        position = self.tell()
        self.seek(0)
        content = self.read()
        self.seek(position)
        return content

    def save(self, path: Path, *, overwrite: bool = False) -> None:
        """Save the whole content at a path; the position stays.

        A file that is on disk is moved where the system can do that (Linux, within a file
        system), else copied; its mode is that of any new file there. Raises `FileExistsError` for
        a path that exists, unless told to overwrite: then the old file is replaced as soon as the
        new one is complete. Never leaves half a file.

        The file stays open. It reads from what was saved, if it was on disk, but writing to it
        changes no saved file: it makes a copy first. To save it again makes a copy, too.
        """
        from .saving import save  # noqa: PLC0415 - most files are read, and few saved

        save(self, path, overwrite=overwrite)

    def _move(self, path: str) -> bool:
        """Become a file with this name, where that can be."""
        return False

    def _go_on_with(self, path: str) -> None:
        """Be the file that was saved: a copy on disk is no longer needed."""

    async def save_async(self, path: Path, *, overwrite: bool = False) -> None:
        """Do what `save` does in a thread of asyncio, so that the event loop goes on."""
        from asyncio import to_thread  # noqa: PLC0415 - not everybody has a loop

        await to_thread(self.save, path, overwrite=overwrite)


class MemoryFile(io.BytesIO, UploadedFile):
    """A file that stays in memory, whatever its size."""

    __slots__ = ("_part",)

    def __init__(self, part: Part) -> None:
        io.BytesIO.__init__(self)
        self._part = part


class SpooledFile(UploadedFile):
    """A file in memory until `rollover` moves it to a temporary one, which `close` deletes."""

    directory: ClassVar[str | None] = None
    """Where temporary files are made; None for the system's directory for them. On the file system
    of the place where files are saved, saving moves them there without a copy."""

    __slots__ = ("_file", "_part", "write")

    # Of a buffer: `collections.abc.Buffer` comes with Python 3.12.
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
        """Whether nothing of it lies on disk."""
        return isinstance(self._file, io.BytesIO)

    def rollover(self) -> None:
        """Move to disk, if it is not there; the position stays."""
        if not isinstance(self._file, io.BytesIO):
            return
        memory = self._file
        from .saving import open_temporary  # noqa: PLC0415 - few files are that large

        self._use(open_temporary(self.directory))
        self.write(memory.getbuffer())
        self.seek(memory.tell())

    def _use(self, file: io.BufferedRandom) -> None:
        # Also gone with the object, when nobody closes it.
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

        with suppress(OSError):  # somebody else has taken it away: the temporary one is still here
            self._replace(open_saved(path, self._file.tell(), self.directory))

    def _replace(self, file: io.BufferedRandom | None) -> bool:
        if file is None:
            return False
        old = self._file
        self._use(file)
        old.close()
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """Read so many bytes, or all that is left."""
        return self._file.read(-1 if size is None else size)

    read1 = read

    def readinto(self, buffer: Any, /) -> int:
        """Read into a buffer; return how many bytes."""
        return self._file.readinto(buffer)

    readinto1 = readinto

    def readline(self, size: int | None = -1, /) -> bytes:
        """Read to the end of a line."""
        return self._file.readline(-1 if size is None else size)

    def readlines(self, hint: int | None = -1, /) -> list[bytes]:
        """Read all lines that are left."""
        return self._file.readlines(-1 if hint is None else hint)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Change the position, and return it."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the position."""
        return self._file.tell()

    def truncate(self, size: int | None = None, /) -> int:
        """Cut the file at a size, or at the position; return the size."""
        return self._file.truncate(size)

    def flush(self) -> None:
        """Write what is buffered."""
        self._file.flush()

    def fileno(self) -> int:
        """Return the descriptor; raises `io.UnsupportedOperation` while it is in memory."""
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
        """Whether it is closed, and gone."""
        return self._file.closed

    def close(self) -> None:
        """Close it; a temporary file is gone."""
        self._file.close()


class Files(Multidict[UploadedFile]):
    """The files of a form; as a context manager it closes them at the end."""

    def close(self) -> None:
        """Close every file: temporary ones are gone from the disk.

        When files cannot be closed, the error of the first one is raised after all others are
        closed, with the other errors as notes.
        """
        errors = [error for files in self.values() for error in map(close_file, files) if error]
        if errors:
            errors.sort(key=lambda error: isinstance(error, Exception))  # an interrupt goes first
            for error in errors[1:]:
                errors[0].add_note(f"Another file could not be closed: {error!r}")
            raise errors.pop(0)

    async def close_async(self) -> None:
        """Do what `close` does in a thread of asyncio: deleting a large file takes long."""
        from asyncio import to_thread  # noqa: PLC0415 - not everybody has a loop

        await to_thread(self.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def close_file(file: Any) -> BaseException | None:
    """Close a file and return what it raised."""
    if not hasattr(file, "close"):
        return wrong_type("Each of the files", "a file", file)
    try:
        file.close()
    except BaseException as error:  # noqa: BLE001 - raised when all are closed
        return error
    return None
