"""The target of an access log: a path, a descriptor, or a stream."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from typing import Any, Final, Protocol

from ..callables import refuse_async
from .descriptor import LineFile
from .streams import StreamFile

__all__ = ["File", "SupportsWrite", "Target", "is_path", "opener_of"]


class SupportsWrite(Protocol):
    """A stream of text or of bytes; a socket works too."""

    def write(self, data: Any, /) -> object:
        """Write."""
        ...


File = LineFile | StreamFile

Target = str | os.PathLike[str] | int | SupportsWrite | None
"""A path, an open descriptor, or a stream; None for the standard output."""

# With O_NONBLOCK, a FIFO without a reader is an error (ENXIO). Without it, `open` waits for a
# reader, and a reopened FIFO would block the event loop.
APPEND: Final = (
    os.O_WRONLY
    | os.O_APPEND
    | os.O_CREAT
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NONBLOCK", 0)
)

HIGHEST: Final = 2**31 - 1
"""The highest descriptor: descriptors are C ints."""

# The same mode as in `open`: the umask removes permissions.
MODE: Final = 0o666


def opener_of(target: Any) -> Callable[[], File]:
    """Return a function that opens a target.

    Raises:
        ValueError: the target is something else.
    """
    if target is None:
        return lambda: opened(sys.stdout)
    if is_path(target) and names_a_file(target):
        path = os.path.abspath(os.fspath(target))  # noqa: PTH100 - keeps links, as they may change
        return lambda: LineFile(lambda: os.open(path, APPEND, MODE))
    if isinstance(target, int) and not isinstance(target, bool) and 0 <= target <= HIGHEST:
        return lambda: LineFile(lambda: os.dup(target))
    if hasattr(target, "write") or hasattr(target, "fileno"):
        for method in ("write", "flush", "fileno"):
            refuse_async(getattr(target, method, None), f"`target.{method}`")
        return lambda: opened(target)
    raise ValueError(
        f"`target` is a path, a descriptor or a stream such as `sys.stdout`, not {target!r}"
    )


def names_a_file(path: Any) -> bool:
    """Tell whether a text can be a path on this system."""
    try:
        return b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        return False


def is_path(target: Target) -> bool:
    """Tell whether a target is a path, which can be reopened."""
    return isinstance(target, str | os.PathLike) and bool(os.fspath(target))


def opened(stream: Any) -> File:
    """Return a writer to a stream, or to its descriptor if it has one."""
    try:
        fd = stream.fileno()
    except (AttributeError, io.UnsupportedOperation):
        return StreamFile(stream)
    return LineFile(lambda: os.dup(fd))
