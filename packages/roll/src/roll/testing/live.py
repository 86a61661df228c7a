"""A client of a real server, on a free port."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress
from email.message import Message
from types import TracebackType
from typing import Any, Self

from ..application import Roll
from ..server import AppServer
from .asked import Asked
from .connection import OverSocket
from .encoding import encode_head
from .exchanges import Exchanges
from .responses import LiveResponse, read_response
from .unexpected import Seen, observed

__all__ = ["LiveClient"]

HOST = "127.0.0.1"

Body = bytes | str | Iterable[bytes] | None


class LiveClient(Exchanges):
    """A client that serves an application and sends requests over real connections.

    `async with LiveClient(app) as client` starts and stops the server.
    """

    def __init__(self, app: Roll) -> None:
        super().__init__(app)
        self.server: AppServer | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.port = 0
        self.url = ""
        """The URL for HTTP, without a slash at its end."""
        self.wsl = ""
        """The URL for websockets, without a slash at its end."""
        self._seen = Seen()
        """The unexpected exceptions of all connections."""

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Send the event `startup`, and listen.

        Raises:
            RuntimeError: the server runs already.
        """
        if self.server is not None:
            raise RuntimeError("The server of this client runs already: stop it first")
        self._loop = asyncio.get_running_loop()
        await self.app.startup()
        self.server = AppServer(self.app)
        try:
            with observed(self._seen):  # connections copy the context of their server
                await self.server.listen(HOST, 0)
        except BaseException:
            await self.stop()
            raise
        self.port = self.server.sockets[0].getsockname()[1]
        self.url = f"http://{HOST}:{self.port}"
        self.wsl = f"ws://{HOST}:{self.port}"

    async def stop(self) -> None:
        """Let the running requests finish, and send the event `shutdown`."""
        if self.server is not None:
            await self.server.stop()
            self.server = None
            await self.app.shutdown()

    @property
    def _host(self) -> str:
        return f"{HOST}:{self.port}"

    @property
    def _unexpected(self) -> Seen:
        return self._seen

    async def _exchange(self, asked: Asked, seen: Seen) -> tuple[LiveResponse, Message]:
        response = await self.query(asked.method, asked.path, asked.fields, asked.content or None)
        return response, response.headers

    async def _connect(self, seen: Seen) -> OverSocket:
        self._check_loop()
        return OverSocket(*await asyncio.open_connection(HOST, self.port), self.server)

    async def query(
        self,
        method: str,
        uri: str,
        headers: Mapping[str, Any] | None = None,
        body: Body | bytearray | memoryview = None,
    ) -> LiveResponse:
        """Send a request on a new connection; an iterable body is sent chunked.

        `method` may be in any case.

        Raises:
            RuntimeError: the server was started in another event loop, which does not run now.
        """
        self._check_loop()
        method = method.upper()
        if isinstance(body, bytearray | memoryview):
            body = bytes(body)
        head = request_head(method, uri, headers or {}, body, self.port)
        reader, writer = await asyncio.open_connection(HOST, self.port)
        # Send and read together: the answer may arrive before the body is sent; the rest is
        # dropped.
        sending = asyncio.ensure_future(send(writer, head, body))
        reading = asyncio.ensure_future(read_response(reader, method, self.app.JSON))
        try:
            await asyncio.wait({sending, reading}, return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                sending.result()
            return await reading
        finally:
            sending.cancel()
            reading.cancel()
            writer.transport.abort()

    def _check_loop(self) -> None:
        """Raise if the loop of the server does not run: no answer would arrive."""
        if self.server is not None and asyncio.get_running_loop() is not self._loop:
            raise RuntimeError(
                "The server was started in another event loop than the one that runs now: "
                "fixtures and tests must share a loop (one plugin for both, one loop scope; for "
                "tests with the mark of anyio in auto mode, pytest-asyncio 1.4 or later)"
            )


async def send(writer: asyncio.StreamWriter, head: bytes, body: Body) -> None:
    with suppress(ConnectionError):  # the task that reads the answer raises it
        writer.write(head)
        for part in encoded(body):
            writer.write(part)
            await writer.drain()


def request_head(
    method: str, uri: str, headers: Mapping[str, Any], body: Body, port: int
) -> bytes:
    fields = {"Host": f"{HOST}:{port}", "Connection": "close"}
    if isinstance(body, str):
        fields["Content-Length"] = str(len(body.encode()))
    elif isinstance(body, bytes):
        fields["Content-Length"] = str(len(body))
    elif body is not None:
        fields["Transfer-Encoding"] = "chunked"
    given = {name.lower() for name in headers}
    kept = {name: value for name, value in fields.items() if name.lower() not in given}
    return encode_head(method, uri, {**kept, **headers})


def encoded(body: Body) -> Iterable[bytes]:
    if body is None:
        return
    if isinstance(body, bytes | str):
        yield body.encode() if isinstance(body, str) else body
        return
    for chunk in body:
        if chunk:  # an empty chunk would end the body
            yield b"%x\r\n%b\r\n" % (len(chunk), chunk)
    yield b"0\r\n\r\n"
