"""A transport without a socket: what is written stays, to be looked at."""

from __future__ import annotations

import asyncio
from typing import Any

__all__ = ["Transport"]


class Transport(asyncio.Transport):
    """What a protocol writes to, in tests; `data` has all of it, `closed` is set at its end."""

    def __init__(self, protocol: asyncio.BaseProtocol | None = None) -> None:
        super().__init__({"peername": ("127.0.0.1", 65000), "sockname": ("127.0.0.1", 80)})
        self.data = b""
        self.closed = asyncio.Event()
        self._protocol = protocol

    def write(self, data: Any) -> None:
        """Keep what is sent; nothing is, once it is closed."""
        if not self.closed.is_set():
            self.data += bytes(data)

    def close(self) -> None:
        """Note the end."""
        self.closed.set()

    def abort(self) -> None:
        """Note the end."""
        self.closed.set()

    def is_closing(self) -> bool:
        """Tell whether it has been closed."""
        return self.closed.is_set()

    def can_write_eof(self) -> bool:
        """Tell that closing is all that can be done."""
        return False

    def get_write_buffer_size(self) -> int:
        """Tell that everything has been sent."""
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Do nothing: what is written never waits."""

    def pause_reading(self) -> None:
        """Do nothing: all has been given already."""

    def resume_reading(self) -> None:
        """Do nothing: all has been given already."""

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Take the protocol that the connection has switched to."""
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Return the protocol that has it now; raises `RuntimeError` before there is one."""
        if self._protocol is None:
            raise RuntimeError("No protocol has this transport yet")
        return self._protocol
