"""A listener on a real socket, the `websockets` client, and a client that can break every rule.

Every asynchronous test runs on asyncio, and on uvloop where that is installed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode

from roll_websocket import Listener, WSProtocol

try:
    import uvloop
except ImportError:
    LOOPS = {"asyncio": asyncio.new_event_loop}
else:
    LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}

PATIENCE = 10  # Seconds after which a test that waits for something has failed.

HANDSHAKE = {
    "Host": "localhost",
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


def pytest_asyncio_loop_factories(config: Any, item: Any) -> Any:
    return LOOPS


def head(*extra: str, line: str = "GET / HTTP/1.1", **changes: str | None) -> bytes:
    """A handshake; `changes` replace or (None) leave out fields, `_` standing for `-`."""
    named = {name.replace("_", "-").lower(): value for name, value in changes.items()}
    fields = {name: named.get(name.lower(), value) for name, value in HANDSHAKE.items()}
    lines = [f"{name}: {value}" for name, value in fields.items() if value is not None]
    return "\r\n".join([line, *lines, *extra, "", ""]).encode()


class Raw:
    """A client on a plain socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def frame(self) -> tuple[int, bytes]:
        """The next frame: its first byte and its payload."""
        async with asyncio.timeout(PATIENCE):
            first, size = await self.reader.readexactly(2)
            if size == 126:
                size = int.from_bytes(await self.reader.readexactly(2))
            elif size == 127:
                size = int.from_bytes(await self.reader.readexactly(8))
            return first, await self.reader.readexactly(size)

    async def close_code(self) -> int:
        """Reads up to the close frame and returns its code."""
        while True:
            first, payload = await self.frame()
            if first == 0x88:
                return int.from_bytes(payload[:2])

    async def rest(self) -> bytes:
        """Everything up to the end of the connection, which is then closed here too."""
        async with asyncio.timeout(PATIENCE):
            data = await self.reader.read()
        self.writer.close()
        return data

    def reset(self) -> None:
        """Reset the connection (RST)."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


class Site:
    """A running listener."""

    def __init__(self, listener: Listener, port: int, secure: ssl.SSLContext | None) -> None:
        self.listener = listener
        self.port = port
        self.secure = secure
        self.opened: list[Any] = []
        self.ws: list[WSProtocol] = []
        self.ends: list[BaseException | None] = []

    async def connect(self, **options: Any) -> ClientConnection:
        scheme = "wss" if self.secure else "ws"
        options.setdefault("ssl", self.secure)
        client = await connect(f"{scheme}://127.0.0.1:{self.port}", proxy=None, **options)
        self.opened.append(client)
        return client

    async def socket(self) -> Raw:
        raw = Raw(*await asyncio.open_connection("127.0.0.1", self.port, ssl=self.secure))
        self.opened.append(raw.writer)
        return raw

    async def raw(self, *extra: str, after: bytes = b"", **changes: str) -> Raw:
        """A raw client whose handshake has been accepted."""
        raw = await self.socket()
        raw.send(head(*extra, **changes) + after)
        async with asyncio.timeout(PATIENCE):
            answer = await raw.reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 101 ")
        return raw

    async def ended(self, count: int = 1) -> list[BaseException | None]:
        """The results of the first `count` handlers."""
        await until(lambda: len(self.ends) >= count)
        return self.ends


async def until(condition: Callable[[], object]) -> None:
    """Let the loop run until something holds."""
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0)


def mask(
    opcode: int, payload: bytes = b"", *, first: int | None = None, masked: bool = True
) -> bytes:
    """A frame as a client sends it; `first` is its first byte where FIN alone will not do."""
    size = len(payload)
    flag = 0x80 if masked else 0
    start = bytes([0x80 | opcode if first is None else first])
    if size < 126:
        start += bytes([flag | size])
    elif size < 65536:
        start += struct.pack("!BH", flag | 126, size)
    else:
        start += struct.pack("!BQ", flag | 127, size)
    if not masked:
        return start + payload
    key = b"\x37\xfa\x21\x3d"
    return start + key + bytes(byte ^ key[index % 4] for index, byte in enumerate(payload))


async def echo(request: Any, ws: WSProtocol) -> None:
    async for message in ws:
        await ws.send(message)


@pytest.fixture
def wire() -> SimpleNamespace:
    """The wire format that raw clients use."""
    return SimpleNamespace(
        head=head,
        frame=mask,
        until=until,
        echo=echo,
        Frame=Frame,
        Opcode=Opcode,
        Client=ClientProtocol,
    )


@pytest.fixture
async def serve() -> AsyncIterator[Callable[..., Awaitable[Site]]]:
    """Starts listeners: `serve(handler, constants={}, ssl=..., **options)`."""
    sites: list[tuple[Site, asyncio.Server]] = []

    async def start(
        handler: Any = echo,
        *,
        constants: dict[str, Any] | None = None,
        tls: tuple[ssl.SSLContext, ssl.SSLContext] | None = None,
        **options: Any,
    ) -> Site:
        async def watched(request: Any, ws: WSProtocol) -> None:
            site.ws.append(ws)
            end: BaseException | None = None
            try:
                await handler(request, ws)
            except BaseException as error:
                end = error
                raise
            finally:
                site.ends.append(end)

        protocol = type("Tuned", (WSProtocol,), constants or {})
        listener = Listener(watched, protocol=protocol, **options)
        server = await asyncio.get_running_loop().create_server(
            listener, "127.0.0.1", 0, ssl=tls[0] if tls else None
        )
        site = Site(listener, server.sockets[0].getsockname()[1], tls[1] if tls else None)
        sites.append((site, server))
        return site

    yield start
    for site, server in sites:
        for opened in site.opened:
            opened.transport.abort()
        server.close()
        with contextlib.suppress(ConnectionError):
            await site.listener.stop(grace=0)
        await server.wait_closed()


def anonymous(side: int) -> ssl.SSLContext:
    """TLS without a certificate: enough for a transport that cannot half-close."""
    context = ssl.SSLContext(side)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("aNULL:@SECLEVEL=0")
    return context


@pytest.fixture
def tls() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """The contexts of a server and of its clients."""
    return anonymous(ssl.PROTOCOL_TLS_SERVER), anonymous(ssl.PROTOCOL_TLS_CLIENT)


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """The errors that the package logs."""
    caplog.set_level(logging.ERROR, "roll_websocket")
    return caplog
