"""Writing to the socket of a transport directly."""

from __future__ import annotations

import asyncio
import contextlib
import os
import struct

__all__ = ["RawSocket", "unacknowledged"]


def unacknowledged(transport: asyncio.Transport) -> int:
    """The bytes that the system holds for the peer, sent or not, until it has confirmed them.

    Linux takes megabytes for a slow one and tells nobody, while it reads, that there is room
    again. 0 where this can't be known.
    """
    sock = transport.get_extra_info("socket")
    with contextlib.suppress(AttributeError, ImportError, OSError, ValueError):
        from fcntl import ioctl  # noqa: PLC0415 - not on every system
        from termios import TIOCOUTQ  # noqa: PLC0415

        (size,) = struct.unpack("i", ioctl(sock.fileno(), TIOCOUTQ, bytes(struct.calcsize("i"))))
        return int(size)
    return 0


class RawSocket:
    """The socket of a transport, written to while the transport holds nothing.

    A transport joins the parts that it is given, which for large ones is a third of the cost of
    sending them, and has no way to send a file that can be watched (or none at all, in uvloop).
    """

    __slots__ = ("_transport", "fd")

    def __init__(self, transport: asyncio.Transport, fd: int) -> None:
        self._transport = transport
        self.fd = fd

    @classmethod
    def of(cls, transport: asyncio.Transport) -> RawSocket | None:
        """None where all has to go through the transport."""
        sock = transport.get_extra_info("socket")
        if sock is None or transport.get_extra_info("sslcontext") or not hasattr(os, "sendfile"):
            return None
        return cls(transport, sock.fileno())

    def write(self, before: bytes, data: bytes | memoryview, after: bytes) -> None:
        """Write three parts, one after another."""
        parts = (before, data, after)
        transport = self._transport
        # Once it is closing, the descriptor may soon be another connection's.
        waits = transport.get_write_buffer_size() or transport.is_closing()
        try:
            sent = 0 if waits else os.writev(self.fd, parts)
        except OSError:  # the transport will find out
            sent = 0
        if sent < len(before) + len(data) + len(after):
            # Not by `writelines`, which lets its buffer grow without a word in Python 3.12.0 to
            # 3.13.1 (CVE-2024-12254).
            transport.write(b"".join(parts)[sent:])

    def send_file(self, file: int, start: int, size: int) -> int:
        """Send a part of an open file; gives how many bytes were sent, none where that can't be.

        Raises `BlockingIOError` when the client has to read first.
        """
        try:
            return os.sendfile(self.fd, file, start, size)
        except BlockingIOError:
            raise
        except OSError:  # not this file, or no client
            return 0
