"""Writing directly to the socket of a transport."""

from __future__ import annotations

import asyncio
import contextlib
import os
import struct
from collections.abc import Iterable

__all__ = ["RawSocket", "unacknowledged"]


def unacknowledged(transport: asyncio.Transport) -> int:
    """Return how many bytes the system holds for the peer until the peer confirms them.

    Linux buffers megabytes for a slow peer, so the transport's own buffer tells little about what
    the peer reads. Return 0 where the system does not tell.
    """
    sock = transport.get_extra_info("socket")
    with contextlib.suppress(AttributeError, ImportError, OSError, ValueError):
        from fcntl import ioctl  # noqa: PLC0415 - not on every system
        from termios import TIOCOUTQ  # noqa: PLC0415

        (size,) = struct.unpack("i", ioctl(sock.fileno(), TIOCOUTQ, bytes(struct.calcsize("i"))))
        return int(size)
    return 0


class RawSocket:
    """The socket of a transport, for direct writes while the transport's buffer is empty.

    A transport joins the parts of a write, which for large parts is a third of the cost of sending
    them. And it has no way to send a file whose progress can be watched (uvloop has none at all).
    """

    __slots__ = ("_transport", "fd")

    def __init__(self, transport: asyncio.Transport, fd: int) -> None:
        self._transport = transport
        self.fd = fd

    @classmethod
    def of(cls, transport: asyncio.Transport) -> RawSocket | None:
        """Return the socket of a transport; None where all data must go through the transport."""
        sock = transport.get_extra_info("socket")
        if sock is None or transport.get_extra_info("sslcontext") or not hasattr(os, "sendfile"):
            return None
        return cls(transport, sock.fileno())

    def write(self, before: bytes, data: bytes | memoryview, after: bytes) -> None:
        """Write three parts, in order."""
        transport = self._transport
        # The descriptor of a closing transport may soon belong to another connection.
        indirect = transport.get_write_buffer_size() or transport.is_closing()
        try:
            sent = 0 if indirect else os.writev(self.fd, (before, data, after))
        except OSError:  # the transport will notice it too
            sent = 0
        if sent < len(before) + len(data) + len(after):
            self._write_rest((before, data, after), sent)

    def _write_rest(self, parts: Iterable[bytes | memoryview], sent: int) -> None:
        """Give the transport what the socket has not taken.

        One by one, because to join them would copy a large part. Not with `writelines`: in Python
        3.12.0 to 3.13.1 it never calls `pause_writing`, so the buffer grows without limit
        (CVE-2024-12254).
        """
        for part in parts:
            if sent < len(part):
                self._transport.write(memoryview(part)[sent:] if sent else part)
            sent = max(0, sent - len(part))

    def send_file(self, file: int, start: int, size: int) -> int:
        """Send a part of an open file; return how many bytes were sent, 0 if that is impossible.

        Raises:
            BlockingIOError: the socket's buffer is full.
        """
        try:
            return os.sendfile(self.fd, file, start, size)
        except BlockingIOError:
            raise
        except OSError:  # the file can't be sent so, or the client has gone
            return 0
