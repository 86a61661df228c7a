"""A transport without a socket: what is written stays, to be looked at."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

from .responses import MAX_LINE, LiveResponse, read_response

__all__ = ["Transport"]


class Transport(asyncio.Transport):
    """What a protocol writes to, in tests; `data` has all of it.

    The event `switched` is set when another protocol takes it over, `closed` at its end.
    """

    def __init__(self, protocol: asyncio.BaseProtocol | None = None) -> None:
        super().__init__({"peername": ("127.0.0.1", 65000), "sockname": ("127.0.0.1", 80)})
        self.data = b""
        self.closed = asyncio.Event()
        self.switched = asyncio.Event()
        self._lost = False
        self._reader: asyncio.StreamReader | None = None
        self._protocol = protocol

    def write(self, data: Any) -> None:
        """Keep what is sent; nothing is, once it is closed."""
        if not self.closed.is_set():
            self.data += bytes(data)
            if self._reader is not None:
                self._reader.feed_data(data)

    def read_response(self, method: str) -> Awaitable[LiveResponse]:
        """Return what waits for the whole response to a request with that method.

        To be called before anything is written.
        """
        self._reader = asyncio.StreamReader(limit=MAX_LINE)
        return read_response(self._reader, method)

    def close(self) -> None:
        """End the connection; its protocol is told in the loop's next turn."""
        if not self.closed.is_set():
            self.closed.set()
            if self._protocol is not None:
                asyncio.get_running_loop().call_soon(self.lose)

    def abort(self) -> None:
        """End the connection, as `close` does: what is written never waits."""
        self.close()

    def lose(self) -> None:
        """Tell the protocol now, and once only, that the connection has ended."""
        self.closed.set()
        if self._protocol is not None and not self._lost:
            self._lost = True
            self._protocol.connection_lost(None)

    def is_closing(self) -> bool:
        """Tell whether it has been closed."""
        return self.closed.is_set()

    def can_write_eof(self) -> bool:
        """Tell that the end of what is sent can be told."""
        return True

    def write_eof(self) -> None:
        """End the connection: a client that has all goes, and nobody waits for it."""
        self.close()

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
        self.switched.set()

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Return the protocol that has it now; raises `RuntimeError` before there is one."""
        if self._protocol is None:
            raise RuntimeError("No protocol has this transport yet")
        return self._protocol
