"""How far the peer has read."""

import asyncio
import contextlib
import socket
import struct
import sys

__all__ = ["taken"]

# The places in `struct tcp_info` of Linux: the bytes that the peer has confirmed, and those that
# could not be sent, because it does not read.
CONFIRMED = struct.Struct("@120xQ16xI")


def taken(transport: asyncio.Transport) -> int | None:
    """Return a number that grows as the peer reads. Return None if nothing waits for it.

    The system buffers megabytes for a slow peer, and over TLS only the system counts them. If the
    system does not report them, the number comes from the buffer of the transport.
    """
    size = transport.get_write_buffer_size()
    confirmed, unsent = told(transport)
    return confirmed or -size if size or unsent else None


def told(transport: asyncio.Transport) -> tuple[int, int]:
    """Return the bytes that the system reports as confirmed and as not yet sent, or zeros."""
    if sys.platform != "linux":  # other systems have another structure of that name
        return 0, 0
    sock = transport.get_extra_info("socket")
    with contextlib.suppress(AttributeError, OSError, ValueError, struct.error):
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, CONFIRMED.size)
        confirmed, unsent = CONFIRMED.unpack(info)
        return confirmed, unsent
    return 0, 0
