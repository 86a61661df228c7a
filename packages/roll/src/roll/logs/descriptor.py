"""A descriptor for lines, which never blocks the event loop."""

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
"""Maximum bytes that are kept for a slow reader; further lines are lost."""

# A writable pipe takes this number of bytes without blocking, and does not mix them with those of
# other writers.
PIECE: Final = getattr(select, "PIPE_BUF", 512)  # not known on Windows

AT_ONCE: Final = getattr(socket, "MSG_DONTWAIT", 0)

WAITS: Final = {errno.EAGAIN, errno.EWOULDBLOCK}


class LineFile:
    """A writer of lines to a descriptor, which never waits for a slow reader.

    A file takes all lines. A pipe, a socket or a terminal with a slow reader takes a part; the
    rest waits for the next `write`. Several processes may write to one descriptor: their lines are
    not mixed if no line is longer than `PIPE_BUF`. Lines that cannot be written are lost. The
    logger `roll` reports this once, until lines can be written again.
    """

    def __init__(self, make: Callable[[], int]) -> None:
        """Open the descriptor with `make`, which returns a new one each time; raise `OSError`."""
        self._make = make
        self._waiting = bytearray()
        self._failed = False  # and the failure was logged
        self._torn = False  # only a part of the last line was written
        self._use(make())

    @property
    def waits(self) -> bool:
        """Whether lines wait to be written."""
        return bool(self._waiting)

    def write(self, data: bytes) -> None:
        """Write whole lines, after the waiting ones."""
        self._waiting += data
        try:
            while self._waiting and self._write_some():
                pass
        except OSError as error:
            self._tell(error.strerror or error)
            self._drop_behind(0)
        # Check the limit last: a file takes all lines, however many arrive at once.
        if len(self._waiting) > MOST:
            self._tell("nobody reads it")
            self._drop_behind(self._waiting.rfind(b"\n", 0, MOST) + 1)

    def _drop_behind(self, end: int) -> None:
        """Drop the lines that begin after `end`; the next line then begins a line of the file."""
        del self._waiting[end:]
        if not self._waiting and self._torn:
            self._waiting += b"\n"

    def _write_some(self) -> bool:
        """Write as much as possible without blocking; return False if the reader is too slow."""
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
        """Open the descriptor again: its file may have been moved. On failure keep the old one."""
        try:
            made = self._make()
        except OSError as error:
            logger.error("The access log cannot be opened again: %s", error)  # noqa: TRY400 - the text is enough
            return
        self.write(b"")
        self._release()
        self._use(made)
        self._failed = self._torn = False

    def close(self, patience: float = 0) -> None:
        """Write the waiting lines, and close; a slow reader has `patience` seconds."""
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
        """Return the whole lines that a pipe takes at once, or a part of a long line."""
        end = len(self._waiting)
        if end > PIECE:
            end = self._waiting.rfind(b"\n", 0, PIECE) + 1 or PIECE
        return self._waiting[:end]

    def _write(self, data: bytearray) -> int:
        if self._socket is not None:
            return self._socket.send(data, AT_ONCE)
        return os.write(self._fd, data) if self._is_file or self._poll(0) else 0

    def _poll(self, seconds: float) -> bool:
        """Wait up to this number of seconds; return whether the reader takes something.

        If the system cannot tell, return True: then the write waits for the reader.
        """
        if not hasattr(select, "poll"):
            return True
        poll = select.poll()
        poll.register(self._fd, select.POLLOUT)
        return bool(poll.poll(seconds * 1000))
