"""Temporary files, and saving them at a path."""

from __future__ import annotations

import io
import os
import shutil
import stat
import tempfile
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any, Final, cast

from .checks import Path, check_flag, wrong_type

if TYPE_CHECKING:
    from typing import Protocol

    class UploadedFile(Protocol):
        """The part of an uploaded file that saving uses."""

        def read(self, size: int = -1, /) -> bytes: ...
        def seek(self, position: int, /) -> int: ...
        def tell(self) -> int: ...
        def _move(self, path: str) -> bool: ...
        def _go_on_with(self, path: str) -> None: ...


__all__ = ["move", "open_saved", "open_temporary", "save"]

# In bytes. Servers read chunks of 16 KiB and more: these bypass the buffer.
BUFFER: Final = 15 * 2**10
# The number of bytes that are copied at once.
PIECE: Final = 2**20


def open_temporary(directory: str | None) -> io.BufferedRandom:
    """Open a file without a name. `move` can give it a name later, if the system supports it."""
    directory = directory or tempfile.gettempdir()
    try:
        # `tempfile` does the same with O_EXCL, but then the file can never get a name.
        descriptor = os.open(directory, os.O_RDWR | os.O_TMPFILE, 0o600)
    except (AttributeError, OSError):  # the system or the file system does not support it
        file = tempfile.TemporaryFile(buffering=BUFFER, dir=directory)  # noqa: SIM115
        return cast("io.BufferedRandom", file)  # on Windows, this is not a plain file
    raw = io.FileIO(descriptor, "w+b")
    return io.BufferedRandom(raw, BUFFER)


class SavedFile(io.FileIO):
    """A saved file, open for reading. Before the first write, it becomes a copy."""

    def __init__(self, path: str, directory: str | None) -> None:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        super().__init__(descriptor, "r+b")
        self._directory = directory
        self._is_copy = False

    def write(self, data: Any, /) -> int:
        self._become_copy()
        return super().write(data)

    def truncate(self, size: int | None = None, /) -> int:
        self._become_copy()
        return super().truncate(size)

    def _become_copy(self) -> None:
        """Continue with a temporary file of the same content, under the same descriptor."""
        if self._is_copy:
            return
        position = self.tell()
        try:
            self.seek(0)
            with open_temporary(self._directory) as copied:
                shutil.copyfileobj(self, copied, PIECE)
                copied.flush()
                os.dup2(copied.fileno(), self.fileno(), inheritable=False)
            self._is_copy = True
        finally:
            self.seek(position)


def open_saved(path: str, position: int, directory: str | None) -> io.BufferedRandom:
    """Open a saved file. Writing to the returned file does not change the saved one."""
    file = io.BufferedRandom(SavedFile(path, directory), BUFFER)
    file.seek(position)
    return file


def save(file: UploadedFile, path: Path, *, overwrite: bool) -> None:
    """Save a file as `UploadedFile.save` describes."""
    check_flag("overwrite", overwrite)
    if not isinstance(path, str | bytes | os.PathLike):
        raise wrong_type("path", "text, bytes or an os.PathLike", path)
    target = os.fsdecode(path)
    if not (replace(file, target) if overwrite else save_new(file, target)):
        # The copy replaces the temporary file, as a move would. Deleting a large file takes long,
        # but `save_async` does it here in a thread.
        file._go_on_with(target)  # noqa: SLF001 - the other half of `save`


def replace(file: UploadedFile, path: str) -> bool:
    """Save a file over an existing one, which is replaced once the new file is complete."""
    partial = os.path.join(os.path.dirname(path), f".{os.urandom(8).hex()}.part")  # noqa: PTH118, PTH120
    try:
        moved = save_new(file, partial)
        os.replace(partial, path)  # noqa: PTH105
    except OSError as error:
        if error.filename == partial:
            error.filename = path  # the path that the caller knows
            del error.filename2
        raise
    finally:
        with suppress(OSError):  # it exists after an error only
            os.unlink(partial)  # noqa: PTH108
    return moved


def save_new(file: UploadedFile, path: str) -> bool:
    """Save a file under a new name. Return whether it was moved."""
    if file._move(path):  # noqa: SLF001 - as above
        return True
    copy(file, path)
    return False


def move(file: io.BufferedRandom, path: str, directory: str | None) -> io.BufferedRandom | None:
    """Give a temporary file a name. Return a file to continue with, or None on failure."""
    file.flush()
    descriptor = file.fileno()
    try:
        saved = open_saved(f"/proc/self/fd/{descriptor}", file.tell(), directory)
    except OSError:  # the system does not support it
        return None
    linked = False
    try:
        linked = become_new(descriptor, os.path.dirname(path)) and link(descriptor, path)  # noqa: PTH120
    finally:
        if not linked:
            saved.close()
    return saved if linked else None


def become_new(descriptor: int, folder: str) -> bool:
    """Give a temporary file the mode of a new file in the folder.

    Return False if a new file there would have another owner, group or access list, or if this
    file has a name already.
    """
    try:
        # Make a new file to find out: the umask, the folder and its access list decide together.
        new = os.open(folder or ".", os.O_WRONLY | os.O_TMPFILE, 0o666)
    except (AttributeError, OSError):
        return False
    try:
        if describe(new) != describe(descriptor):
            return False
        os.fchmod(descriptor, stat.S_IMODE(os.fstat(new).st_mode))
    except (AttributeError, OSError):  # not every system tells the attributes
        return False
    finally:
        os.close(new)
    return True


def describe(descriptor: int) -> tuple[object, ...]:
    status = os.fstat(descriptor)
    return status.st_nlink, status.st_uid, status.st_gid, sorted(os.listxattr(descriptor))


def link(descriptor: int, path: str) -> bool:
    """Give an open file a name. Return False if it cannot have it."""
    try:
        # `os.link` follows the link in /proc only if it gets the descriptor of a folder.
        os.link(f"/proc/self/fd/{descriptor}", path, src_dir_fd=descriptor)
    except FileExistsError as error:
        raise FileExistsError(error.errno, error.strerror, path) from None
    except (OSError, NotImplementedError):
        return False
    return True


def copy(file: UploadedFile, path: str) -> None:
    """Copy the content to a new file. Delete this file after an error."""
    with open(path, "xb") as target:  # noqa: PTH123
        try:
            copy_content(file, target)
            target.flush()
        except BaseException:
            with suppress(OSError):
                os.unlink(path)  # noqa: PTH108
            raise


def copy_content(file: UploadedFile, target: IO[bytes]) -> None:
    position = file.tell()
    file.seek(0)
    try:
        shutil.copyfileobj(file, target, PIECE)
    finally:
        file.seek(position)
