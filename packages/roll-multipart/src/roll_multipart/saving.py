"""Temporary files, and where they are saved for good."""

from __future__ import annotations

import io
import os
import shutil
import tempfile
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from typing import Protocol

    Path = str | os.PathLike[str]

    class UploadedFile(Protocol):
        """An uploaded file, as saving sees it."""

        def fileno(self) -> int: ...
        def flush(self) -> None: ...
        def read(self, size: int = -1, /) -> bytes: ...
        def seek(self, position: int, /) -> int: ...
        def tell(self) -> int: ...
        def _go_on_with(self, path: Path) -> None: ...


__all__ = ["open_temporary", "save"]

# Bytes; so that chunks of 16 KiB and more, as servers read them, go past the buffer.
BUFFER: Final = 15 * 2**10
# Bytes that are copied at once.
PIECE: Final = 2**20


def open_temporary(directory: str | None) -> io.BufferedRandom:
    """Open a file that has no name, and that `save` can give one where the system has that."""
    directory = directory or tempfile.gettempdir()
    try:
        # `tempfile` does the same, but with O_EXCL: then it never can have a name. Nobody else
        # sees it before, so that its mode may be that of a new file.
        descriptor = os.open(directory, os.O_RDWR | os.O_TMPFILE | os.O_CLOEXEC, 0o666)
    except (AttributeError, OSError):  # another system, or file system
        file = tempfile.TemporaryFile(buffering=BUFFER, dir=directory)  # noqa: SIM115
        return cast("io.BufferedRandom", file)  # or, on Windows, what stands for one
    raw = io.FileIO(descriptor, "w+b")
    return io.BufferedRandom(raw, BUFFER)


def reopen(path: Path, position: int) -> io.BufferedRandom:
    """Open a file that was saved."""
    file = io.BufferedRandom(io.FileIO(path, "r+b"), BUFFER)
    file.seek(position)
    return file


def save(file: UploadedFile, path: Path, *, overwrite: bool) -> None:
    """Save a file as `UploadedFile.save` says."""
    if not overwrite:
        save_new(file, path)
        return
    partial = os.path.join(os.path.dirname(path), f".{os.urandom(8).hex()}.part")  # noqa: PTH118, PTH120
    save_new(file, partial)
    try:
        os.replace(partial, path)  # noqa: PTH105
    finally:
        # It is still there after an error, and where both were names of the same file.
        with suppress(FileNotFoundError):
            os.unlink(partial)  # noqa: PTH108


def save_new(file: UploadedFile, path: Path) -> None:
    if not link(file, path):
        copy(file, path)
        # As if it had been moved. To delete a large file takes long: here, that is in the thread
        # that `save_async` has for it.
        file._go_on_with(path)  # noqa: SLF001 - the other half of `save`


def link(file: UploadedFile, path: Path) -> bool:
    """Give a temporary file a name; False if there is none, or it cannot have this one."""
    try:
        file.flush()
        descriptor = file.fileno()
        # With a descriptor of a folder, needed or not, `os.link` follows the link in /proc.
        os.link(f"/proc/self/fd/{descriptor}", path, src_dir_fd=descriptor)
    except FileExistsError:
        raise
    except (OSError, NotImplementedError):
        return False
    return True


def copy(file: UploadedFile, path: Path) -> None:
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
