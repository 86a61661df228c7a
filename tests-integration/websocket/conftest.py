"""Raw clients of websocket routes, on either event loop."""

import asyncio
import socket
import struct

import pytest

from roll import Roll

try:
    import uvloop
except ImportError:
    LOOPS = {"asyncio": asyncio.new_event_loop}
else:
    LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}

# A hang guard in seconds: nothing waits that long when all is well.
PATIENCE = 20

HANDSHAKE = {
    "Host": "localhost",
    "Connection": "keep-alive, Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


def pytest_asyncio_loop_factories(config, item):
    return LOOPS


def head(path="/", method="GET", version="1.1", fields=None):
    """A handshake; `fields` replace or (None) leave out those it should have."""
    lines = [f"{method} {path} HTTP/{version}"]
    for name, value in (HANDSHAKE | (fields or {})).items():
        if value is not None:
            lines += [f"{name}: {one}" for one in ([value] if isinstance(value, str) else value)]
    return "\r\n".join([*lines, "", ""]).encode()


def frame(opcode, payload=b"", first=None):
    """A short frame of a client, masked with zeros."""
    return (
        bytes([0x80 | opcode if first is None else first, 0x80 | len(payload)])
        + bytes(4)
        + payload
    )


class Answer:
    """The head of an answer, and its body."""

    def __init__(self, data):
        start, _, self.body = data.partition(b"\r\n\r\n")
        lines = start.decode("latin-1").split("\r\n")
        self.status = int(lines[0].split(" ")[1])
        self.fields = [tuple(line.split(": ", 1)) for line in lines[1:]]

    def all(self, name):
        return [value for key, value in self.fields if key.lower() == name.lower()]


class Raw:
    """A client on a plain socket."""

    def __init__(self, reader, writer):
        self.reader = reader
        self.writer = writer

    def send(self, data):
        self.writer.write(data)

    async def answer(self):
        """The next answer, with the body its length says."""
        async with asyncio.timeout(PATIENCE):
            answer = Answer(await self.reader.readuntil(b"\r\n\r\n"))
            if answer.status != 101:
                answer.body = await self.reader.readexactly(int(answer.all("Content-Length")[0]))
            return answer

    async def frame(self):
        """First byte and payload of the next frame; (None, b"") at the end."""
        async with asyncio.timeout(PATIENCE):
            try:
                first, size = await self.reader.readexactly(2)
            except asyncio.IncompleteReadError:
                return None, b""
            if size == 126:
                size = int.from_bytes(await self.reader.readexactly(2))
            elif size == 127:
                size = int.from_bytes(await self.reader.readexactly(8))
            return first, await self.reader.readexactly(size)

    async def close(self):
        """Reads up to the close frame and answers it; its code and reason."""
        first = payload = None
        while first != 0x88:
            first, payload = await self.frame()
        self.send(frame(8, payload))
        return int.from_bytes(payload[:2]), payload[2:].decode()

    async def rest(self):
        """Return the remaining bytes, then close this side too."""
        async with asyncio.timeout(PATIENCE):
            data = await self.reader.read()
        self.writer.close()
        return data

    def reset(self):
        """Reset the connection without a close frame."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


@pytest.fixture
def app():
    return Roll()


@pytest.fixture
async def dial(liveclient):
    """Opens raw connections: `dial()`, or past the handshake `dial("/path", field=...)`."""
    opened = []

    async def open_one(path=None, after=b"", **fields):
        raw = Raw(*await asyncio.open_connection("127.0.0.1", liveclient.port))
        opened.append(raw)
        if path is not None:
            named = {name.replace("_", "-"): value for name, value in fields.items()}
            raw.send(head(path, fields=named) + after)
            assert (await raw.answer()).status == 101
        return raw

    yield open_one
    for raw in opened:
        raw.writer.transport.abort()


@pytest.fixture
def speak():
    """`head` and `frame`, for tests that write their own bytes."""

    class Speak:
        pass

    Speak.head = staticmethod(head)
    Speak.frame = staticmethod(frame)
    return Speak


@pytest.fixture
def until():
    """Waits until something holds."""

    async def wait(condition):
        async with asyncio.timeout(PATIENCE):
            while not condition():
                await asyncio.sleep(0)

    return wait
