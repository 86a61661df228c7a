"""Temporary files, and where they are saved for good."""

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
        """An uploaded file, as saving sees it."""

        def read(self, size: int = -1, /) -> bytes: ...
        def seek(self, position: int, /) -> int: ...
        def tell(self) -> int: ...
        def _move(self, path: str) -> bool: ...
        def _go_on_with(self, path: str) -> None: ...


__all__ = ["move", "open_saved", "open_temporary", "save"]

# Bytes; so that chunks of 16 KiB and more, as servers read them, go past the buffer.
BUFFER: Final = 15 * 2**10
# Bytes that are copied at once.
PIECE: Final = 2**20


def open_temporary(directory: str | None) -> io.BufferedRandom:
    """Open a file that has no name, and that `move` can give one where the system has that."""
    directory = directory or tempfile.gettempdir()
    try:
        # `tempfile` does the same, but with O_EXCL: then it never can have a name.
        descriptor = os.open(directory, os.O_RDWR | os.O_TMPFILE, 0o600)
    except (AttributeError, OSError):  # another system, or file system
        file = tempfile.TemporaryFile(buffering=BUFFER, dir=directory)  # noqa: SIM115
        return cast("io.BufferedRandom", file)  # or, on Windows, what stands for one
    raw = io.FileIO(descriptor, "w+b")
    return io.BufferedRandom(raw, BUFFER)


class SavedFile(io.FileIO):
    """A file that was saved, open for reading; before the first write it becomes a copy of it."""

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
        """Go on with a temporary file of the same content, under the same descriptor."""
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
    """Open a file that was saved; who writes to what is returned does not change it."""
    file = io.BufferedRandom(SavedFile(path, directory), BUFFER)
    file.seek(position)
    return file


def save(file: UploadedFile, path: Path, *, overwrite: bool) -> None:
    """Save a file as `UploadedFile.save` says."""
    check_flag("overwrite", overwrite)
    if not isinstance(path, str | bytes | os.PathLike):
        raise wrong_type("path", "text, bytes or an os.PathLike", path)
    target = os.fsdecode(path)
    if not (replace(file, target) if overwrite else save_new(file, target)):
        # As if it had been moved. To delete a large file takes long: here, that is in the thread
        # that `save_async` has for it.
        file._go_on_with(target)  # noqa: SLF001 - the other half of `save`


def replace(file: UploadedFile, path: str) -> bool:
    """Save a file in place of what is there, once it is complete."""
    partial = os.path.join(os.path.dirname(path), f".{os.urandom(8).hex()}.part")  # noqa: PTH118, PTH120
    try:
        moved = save_new(file, partial)
        os.replace(partial, path)  # noqa: PTH105
    except OSError as error:
        if error.filename == partial:
            error.filename = path  # the one that the caller knows
            del error.filename2
        raise
    finally:
        with suppress(OSError):  # it is there after an error only
            os.unlink(partial)  # noqa: PTH108
    return moved


def save_new(file: UploadedFile, path: str) -> bool:
    """Save a file under a new name; return whether it was moved there."""
    if file._move(path):  # noqa: SLF001 - as above
        return True
    copy(file, path)
    return False


def move(file: io.BufferedRandom, path: str, directory: str | None) -> io.BufferedRandom | None:
    """Give a temporary file a name, and return a file to go on with; None if that cannot be."""
    file.flush()
    descriptor = file.fileno()
    try:
        saved = open_saved(f"/proc/self/fd/{descriptor}", file.tell(), directory)
    except OSError:  # another system
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

    Return False if a new file there would also have another owner, group or access list, or if
    this one has a name already.
    """
    try:
        # Only such a file tells: the umask, the folder and its access list decide together.
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
    """Give an open file a name; False if it cannot have this one."""
    try:
        # With a descriptor of a folder, needed or not, `os.link` follows the link in /proc.
        os.link(f"/proc/self/fd/{descriptor}", path, src_dir_fd=descriptor)
    except FileExistsError as error:
        raise FileExistsError(error.errno, error.strerror, path) from None
    except (OSError, NotImplementedError):
        return False
    return True


def copy(file: UploadedFile, path: str) -> None:
    """Copy the content to a new file, which is gone again if that fails."""
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
