"""The client's side of a connection: in process, or over a socket."""

from __future__ import annotations

import asyncio
from typing import Any, Final, Protocol

from ..observe import when_answered
from ..server import AppServer
from .transport import Transport

__all__ = ["Connection", "InProcess", "OverSocket", "settle"]

PATIENCE: Final = 1.0
"""Seconds that a handler has to end after its client has disconnected; then it is cancelled."""


class Connection(Protocol):
    """The methods of a connection that streams and websockets of tests use."""

    reader: asyncio.StreamReader

    def write(self, data: bytes) -> None:
        """Send bytes."""
        ...

    async def drain(self) -> None:
        """Wait while the server does not read."""
        ...

    async def leave(self) -> None:
        """End the connection."""
        ...


class OverSocket:
    """A connection of `asyncio.open_connection` to a server of this process."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, server: AppServer | None
    ) -> None:
        self.reader = reader
        self._writer = writer
        self._server = server

    def write(self, data: bytes) -> None:
        """Send bytes."""
        self._writer.write(data)

    async def drain(self) -> None:
        """Wait while the server does not read."""
        await self._writer.drain()

    async def leave(self) -> None:
        """End the connection, and wait until its handler has ended; cancel one that is slow."""
        protocol = self._served()
        answered = None if protocol is None else when_over(protocol)
        self._writer.transport.abort()
        if protocol is not None and answered is not None:
            await see_out(protocol, answered)

    def _served(self) -> Any:
        """Return the protocol of the server, if it answers a request."""
        address = self._writer.get_extra_info("sockname")
        connections = () if self._server is None else self._server.connections
        ours = (each for each in connections if each.peer == address and each.request is not None)
        return next(ours, None)


class InProcess:
    """A connection without a socket: the protocol of the server has a transport in memory."""

    def __init__(self, protocol: Any) -> None:
        self.protocol = protocol
        self.transport = Duplex(protocol)
        self.reader = self.transport.reader
        self._answered = when_over(protocol)
        protocol.connection_made(self.transport)

    def write(self, data: bytes) -> None:
        """Send bytes, in the next turn of the loop."""
        asyncio.get_running_loop().call_soon(self.transport.receive, data)

    async def drain(self) -> None:
        """Wait while the server does not read."""
        await asyncio.sleep(0)  # the server receives the bytes
        await self.transport.readable.wait()

    async def leave(self) -> None:
        """End the connection, and wait until its handler has ended; cancel one that is slow."""
        self.transport.lose()
        await see_out(self.protocol, self._answered)


def when_over(protocol: Any) -> asyncio.Future[None]:
    """Return a future that is done when a connection has answered, or cannot report it."""
    answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    if hasattr(type(protocol), "on_answered"):
        when_answered(protocol, lambda *_: settle(answered, None))
    else:
        settle(answered, None)
    return answered


def settle(future: asyncio.Future[Any], value: Any) -> None:
    """Give a future its result, unless it is done: the bytes of a test may be several requests."""
    if not future.done():
        future.set_result(value)


async def see_out(protocol: Any, answered: asyncio.Future[None]) -> None:
    """Wait for the end of a handler whose client has disconnected; cancel a slow one."""
    await asyncio.wait([answered], timeout=PATIENCE)
    if not answered.done():
        protocol.cancel()
        await asyncio.wait([answered], timeout=PATIENCE)


class Duplex(Transport):
    """A transport with backpressure in both directions, between a client and the server."""

    def __init__(self, protocol: asyncio.BaseProtocol) -> None:
        super().__init__(protocol)
        self.reader = asyncio.StreamReader()
        self.reader.set_transport(ServersWriting(self))
        self.readable = asyncio.Event()
        """Set while the server reads."""
        self.readable.set()
        self._unread: list[bytes] = []

    # The server's side.

    def write(self, data: Any) -> None:
        """Send bytes to the client."""
        if not self.closed.is_set() and data:
            self.reader.feed_data(bytes(data))

    def write_eof(self) -> None:
        """Tell the client that the data have ended."""
        self.reader.feed_eof()

    def close(self) -> None:
        """End the connection."""
        super().close()
        self.reader.feed_eof()

    def pause_reading(self) -> None:
        """Stop reading: keep the data that the client sends."""
        self.readable.clear()

    def resume_reading(self) -> None:
        """Read again: deliver the kept data in the next turn of the loop."""
        if not self.readable.is_set():
            self.readable.set()
            asyncio.get_running_loop().call_soon(self._deliver)

    # The client's side.

    def receive(self, data: bytes) -> None:
        """Send bytes to the server, or keep them while it does not read."""
        self._unread.append(data)
        self._deliver()

    def _deliver(self) -> None:
        while self._unread and self.readable.is_set() and not self.closed.is_set():
            receiver: Any = self.get_protocol()
            receiver.data_received(self._unread.pop(0))


class ServersWriting(asyncio.Transport):
    """The transport of a reader: it pauses the server's writes while the test does not read."""

    def __init__(self, duplex: Duplex) -> None:
        super().__init__()
        self._duplex = duplex

    def pause_reading(self) -> None:
        """Pause the server's writes."""
        receiver: Any = self._duplex.get_protocol()
        receiver.pause_writing()

    def resume_reading(self) -> None:
        """Resume the server's writes."""
        if not self._duplex.closed.is_set():
            receiver: Any = self._duplex.get_protocol()
            receiver.resume_writing()
