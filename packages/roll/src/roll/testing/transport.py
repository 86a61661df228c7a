"""A transport without a socket, which keeps the bytes that are written."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

from .responses import LiveResponse, read_response

__all__ = ["Transport"]


class Transport(asyncio.Transport):
    """The transport of a protocol in tests; `data` has all bytes that were written.

    The event `switched` is set when another protocol takes the transport over, `closed` when the
    connection ends.
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
        """Keep the bytes; drop them if the transport is closed."""
        if not self.closed.is_set():
            self.data += bytes(data)
            if self._reader is not None:
                self._reader.feed_data(data)

    def read_response(self, method: str) -> Awaitable[LiveResponse]:
        """Return an awaitable for the whole response to a request with that method.

        Call this before anything is written.
        """
        self._reader = asyncio.StreamReader()
        return read_response(self._reader, method)

    def close(self) -> None:
        """End the connection; the protocol gets `connection_lost` in the next turn of the loop."""
        if not self.closed.is_set():
            self.closed.set()
            if self._protocol is not None:
                asyncio.get_running_loop().call_soon(self.lose)

    def abort(self) -> None:
        """End the connection, as `close` does: no written bytes wait."""
        self.close()

    def lose(self) -> None:
        """Call `connection_lost` of the protocol now, once only."""
        self.closed.set()
        if self._protocol is not None and not self._lost:
            self._lost = True
            self._protocol.connection_lost(None)

    def is_closing(self) -> bool:
        """Tell whether the transport is closed."""
        return self.closed.is_set()

    def can_write_eof(self) -> bool:
        """Return True: the transport supports `write_eof`."""
        return True

    def write_eof(self) -> None:
        """End the connection: the client has the whole response, and disconnects."""
        self.close()

    def get_write_buffer_size(self) -> int:
        """Return 0: everything has been sent."""
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Do nothing: no written bytes wait."""

    def pause_reading(self) -> None:
        """Do nothing: all has been given already."""

    def resume_reading(self) -> None:
        """Do nothing: all has been given already."""

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Set the protocol that the connection has switched to."""
        self._protocol = protocol
        self.switched.set()

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Return the current protocol; raise `RuntimeError` if there is none yet."""
        if self._protocol is None:
            raise RuntimeError("No protocol has this transport yet")
        return self._protocol
