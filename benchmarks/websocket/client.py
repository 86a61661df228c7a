"""The client of the measurements: it knows just enough of WebSockets to be cheap."""

import asyncio
import struct
from typing import cast

__all__ = ["Client", "masked"]


class Client(asyncio.Protocol):
    """Sends one masked message again and again, each when the last has come back."""

    def __init__(self, size: int = 0, offer: str = "", path: str = "/") -> None:
        self.offer = offer
        self.path = path
        self.request = masked(b"x" * size)
        self.answer = size + (2 if size < 126 else 4 if size < 65536 else 10)
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.head = b""
        self.count = self.got = 0
        self.opened = False
        transport.write(
            f"GET {self.path} HTTP/1.1\r\n"
            "Host: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            f"{self.offer}\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        if not self.opened:
            self.head += data
            if not self.head.startswith(b"HTTP/1.1 101"[: len(self.head)]):
                self.ready.set_exception(ConnectionError(f"Refused: {self.head!r}"))
                self.transport.abort()
            elif self.head.endswith(b"\r\n\r\n"):
                self.opened = True
                self.ready.set_result(None)
            return
        self.last = data
        self.got += len(data)
        while self.got >= self.answer:
            self.got -= self.answer
            self.count -= 1
            if self.count:
                self.transport.write(self.request)
            elif not self.ready.done():
                self.ready.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ready.done():
            self.ready.set_exception(exc or ConnectionError("The server has closed"))

    async def burst(self, count: int) -> None:
        """Echo `count` messages."""
        self.count = count
        self.ready = asyncio.get_running_loop().create_future()
        self.transport.write(self.request)
        await self.ready


def masked(payload: bytes) -> bytes:
    """A text frame as a client sends it; the mask is not zero, so that it costs."""
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", 0x81, 0x80 | size)
    elif size < 65536:
        head = struct.pack("!BBH", 0x81, 0x80 | 126, size)
    else:
        head = struct.pack("!BBQ", 0x81, 0x80 | 127, size)
    mask = b"\x37\xfa\x21\x3d"
    data = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
    return head + mask + data
