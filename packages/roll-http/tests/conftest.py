"""A server on a real socket, and a client that sends exact bytes.

Every asynchronous test runs on asyncio, and on uvloop where that is installed.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from types import SimpleNamespace
from typing import Any
from weakref import WeakKeyDictionary

import pytest

from roll_http import Cookies, HTTPProtocol, Limits, Request, Response, Server, _core
from roll_http._core import ConnectionBase
from roll_http.h1.head import Head, RequestError
from roll_http.h1.head_parser import HeadParser
from roll_http.h1.state import IllegalTransition, check

try:
    import uvloop
except ImportError:
    LOOPS = {"asyncio": asyncio.new_event_loop}
else:
    LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}

Handler = Callable[[Any, Any], Awaitable[Any]]

PATIENCE = 10  # seconds after which a test that waits for the server has failed


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> dict[str, Any]:
    return LOOPS


class App:
    """The smallest application: one handler, and a list of what it was asked."""

    Request: Any = Request
    Response: Any = Response
    Cookies: Any = Cookies

    def __init__(self, handler: Handler, limits: Limits) -> None:
        self.handler = handler
        self.limits = limits
        self.seen: list[str] = []

    async def __call__(self, request: Any, response: Any) -> Any:
        self.seen.append(f"{request.method} {request.path}")
        return await self.handler(request, response) or response


class Connection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    def send_eof(self) -> None:
        self.writer.write_eof()

    async def unsent(self) -> int:
        """How many bytes the server does not take, once it takes no more."""
        transport = self.writer.transport
        before = -1
        while before != (before := transport.get_write_buffer_size()):
            for _ in range(50):
                await asyncio.sleep(0)
        return before

    async def rest(self) -> bytes:
        """Everything up to the end of the connection."""
        async with asyncio.timeout(PATIENCE):
            return await self.reader.read()

    async def until(self, end: bytes) -> bytes:
        async with asyncio.timeout(PATIENCE):
            return await self.reader.readuntil(end)

    async def exactly(self, size: int) -> bytes:
        async with asyncio.timeout(PATIENCE):
            return await self.reader.readexactly(size)

    async def head(self) -> str:
        return (await self.until(b"\r\n\r\n")).decode()

    def abort(self) -> None:
        """Leave with a reset."""
        sock = self.writer.get_extra_info("socket")
        if not self.writer.is_closing():
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


class Peer:
    """A running server, as its clients see it."""

    def __init__(self, app: App, server: Server) -> None:
        self.app = app
        self.server = server
        self.connections: list[Connection] = []
        self.address: tuple[str, int] = server.sockets[0].getsockname()[:2]

    async def connect(self, **options: Any) -> Connection:
        connection = Connection(*await asyncio.open_connection(*self.address, **options))
        self.connections.append(connection)
        return connection

    async def exchange(self, data: bytes) -> str:
        """Send bytes, and read to the end of the connection."""
        connection = await self.connect()
        connection.send(data)
        answer = await connection.rest()
        return answer.decode("latin-1")


@pytest.fixture(autouse=True)
def transitions(monkeypatch: pytest.MonkeyPatch) -> Iterator[WeakKeyDictionary[Any, list[int]]]:
    """The states that each connection of the test went through; all obey the table."""
    slot: Any = ConnectionBase.state
    passed: WeakKeyDictionary[Any, list[int]] = WeakKeyDictionary()
    illegal: list[IllegalTransition] = []

    def enter(connection: Any, state: int) -> None:
        states = passed.setdefault(connection, [])
        try:
            if states:
                check(states[-1], state)
        except IllegalTransition as error:
            illegal.append(error)
            raise
        states.append(state)
        slot.__set__(connection, state)

    monkeypatch.setattr(HTTPProtocol, "state", property(slot.__get__, enter), raising=False)
    _watch_core(enter)
    yield passed
    _watch_core(None)
    assert illegal == []


def _watch_core(enter: Callable[[Any, int], None] | None) -> None:
    """The core sets states without the class's attribute, unless it is asked to call this."""
    if _core.is_native:
        _core.native.watch_states(enter)


async def _hello(request: Any, response: Any) -> None:
    response.body = "hello"


@pytest.fixture
def hello() -> App:
    """An application that greets."""
    return App(_hello, Limits())


@pytest.fixture
async def serve() -> AsyncIterator[Callable[..., Awaitable[Peer]]]:
    """`await serve(handler, **limits)` starts a server for the time of the test."""
    peers: list[Peer] = []

    async def start(handler: Handler = _hello, tls: Any = None, **limits: Any) -> Peer:
        app = App(handler, Limits(**limits))
        server = Server(lambda: HTTPProtocol(app), app.limits, tls)
        await server.listen("127.0.0.1", 0)
        peers.append(Peer(app, server))
        return peers[-1]

    yield start
    for peer in peers:
        for connection in peer.connections:
            connection.abort()
        await peer.server.stop(0.5)


@pytest.fixture
def parse() -> Callable[..., Head]:
    """Parse the head that begins the bytes given."""

    def parse_head(data: bytes, **limits: Any) -> Head:
        head, _ = HeadParser(Limits(**limits)).parse(data, 0)
        assert head is not None
        return head

    return parse_head


@pytest.fixture
def refusal() -> Callable[..., int]:
    """The status with which bytes are refused."""

    def refuse(data: bytes, **limits: Any) -> int:
        with pytest.raises(RequestError) as caught:
            HeadParser(Limits(**limits)).parse(data, 0)
        return caught.value.status

    return refuse


@pytest.fixture
def answering() -> SimpleNamespace:
    """A request and a response without a connection."""
    request = Request(None, None)
    request.method = "GET"
    return SimpleNamespace(request=request, response=Response(None, None))


@pytest.fixture(scope="session")
def tls(tmp_path_factory):
    """Contexts of a server and of a client that trusts it."""
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "cert.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    try:
        subprocess.run([*command.split(), *names, *files], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl, which makes the certificate, is not installed")
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(certificate, key)
    client = ssl.create_default_context(cafile=str(certificate))
    return server, client
