"""A descriptor that lines are written to, which never holds up the event loop."""

from __future__ import annotations

import errno
import logging
import os
import select
import socket
import stat
from collections.abc import Callable
from time import monotonic
from typing import Final

__all__ = ["LineFile"]

logger = logging.getLogger("roll")

MOST: Final = 2**20
"""The bytes that are kept for a reader that is slow; beyond, lines are lost."""

# What a pipe that says that it can be written to takes without waiting, and in one piece whoever
# else writes to it.
PIECE: Final = getattr(select, "PIPE_BUF", 512)  # Windows does not tell

AT_ONCE: Final = getattr(socket, "MSG_DONTWAIT", 0)

WAITS: Final = {errno.EAGAIN, errno.EWOULDBLOCK}


class LineFile:
    """Writes lines to a descriptor, as far as it takes them at once.

    A file takes all. A pipe, a socket or a terminal whose reader is slow takes a part: the rest
    waits for the next `write`. Several processes may write to it: their lines are not mixed, as
    long as none is longer than `PIPE_BUF`. What cannot be written is lost; that is told once, on
    the logger `roll`, until lines can be written again.
    """

    def __init__(self, make: Callable[[], int]) -> None:
        """Open the descriptor by `make`, which opens another one each time; raises `OSError`."""
        self._make = make
        self._waiting = bytearray()
        self._failed = False  # and that was told
        self._torn = False  # the last line was written in part
        self._use(make())

    @property
    def waits(self) -> bool:
        """Whether there is something that could not be written yet."""
        return bool(self._waiting)

    def write(self, data: bytes) -> None:
        """Write whole lines, behind what waits."""
        self._waiting += data
        try:
            while self._waiting and self._write_some():
                pass
        except OSError as error:
            self._tell(error.strerror or error)
            self._drop_behind(0)
        # Looked at last: a file takes all, however much comes at once.
        if len(self._waiting) > MOST:
            self._tell("nobody reads it")
            self._drop_behind(self._waiting.rfind(b"\n", 0, MOST) + 1)

    def _drop_behind(self, end: int) -> None:
        """Drop the lines that begin behind `end`; the next one does not begin within a line."""
        del self._waiting[end:]
        if not self._waiting and self._torn:
            self._waiting += b"\n"

    def _write_some(self) -> bool:
        """Write what can be written at once; return False when the reader has to come first."""
        try:
            size = self._write(self._waiting if self._is_file else self._piece())
        except OSError as error:
            if error.errno in WAITS:
                return False
            raise
        if size:
            self._torn = self._waiting[size - 1] != ord("\n")
            del self._waiting[:size]
            self._failed = self._failed and bool(self._waiting)
        return size > 0

    def _tell(self, reason: object) -> None:
        if not self._failed:
            self._failed = True
            logger.error("The access log cannot be written, and loses lines: %s", reason)

    def reopen(self) -> None:
        """Open the descriptor anew: its file may have been moved away. On failure keep the old."""
        try:
            made = self._make()
        except OSError as error:
            logger.error("The access log cannot be opened again: %s", error)  # noqa: TRY400 - the text says all
            return
        self.write(b"")
        self._release()
        self._use(made)
        self._failed = self._torn = False

    def close(self, patience: float = 0) -> None:
        """Write what waits, and close; a reader that is slow has `patience` seconds."""
        end = monotonic() + patience
        self.write(b"")
        while self._waiting and self._poll(max(0, end - monotonic())) and monotonic() < end:
            self.write(b"")
        self._release()

    def _release(self) -> None:
        if self._socket is not None:
            self._socket.close()
        os.close(self._fd)

    def _use(self, fd: int) -> None:
        self._fd = fd
        mode = os.fstat(fd).st_mode
        self._socket = None
        if stat.S_ISSOCK(mode):
            self._socket = socket.socket(fileno=os.dup(fd))
        self._is_file = not (stat.S_ISFIFO(mode) or os.isatty(fd))

    def _piece(self) -> bytearray:
        """Return as many whole lines as a pipe takes at once, or what it takes of a longer one."""
        end = len(self._waiting)
        if end > PIECE:
            end = self._waiting.rfind(b"\n", 0, PIECE) + 1 or PIECE
        return self._waiting[:end]

    def _write(self, data: bytearray) -> int:
        if self._socket is not None:
            return self._socket.send(data, AT_ONCE)
        return os.write(self._fd, data) if self._is_file or self._poll(0) else 0

    def _poll(self, seconds: float) -> bool:
        """Return whether the reader takes something, after so many seconds at most.

        Where the system cannot tell, say yes: a write waits for the reader.
        """
        if not hasattr(select, "poll"):
            return True
        poll = select.poll()
        poll.register(self._fd, select.POLLOUT)
        return bool(poll.poll(seconds * 1000))
