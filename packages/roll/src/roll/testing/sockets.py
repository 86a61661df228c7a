"""The client's side of a websocket, which `client.websocket` returns."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from email.message import Message
from http import HTTPStatus
from typing import Any, Final, cast

from websockets.client import ClientProtocol
from websockets.datastructures import Headers
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import State
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from roll_http import SpeaksJSON
from roll_websocket import ConnectionClosed

from .connection import PATIENCE, Connection
from .encoding import encode_head
from .responses import LiveResponse, read_response

__all__ = ["ClientSocket", "WebsocketRefused", "open_socket"]

MOST: Final = 64
"""The number of messages that may wait; with more, backpressure stops the server."""

PIECE: Final = 64 * 1024

ENDINGS: Final = {1000, 1001}
"""The close codes that end an iteration over messages without an error, as in a handler."""

DATA: Final = {Opcode.TEXT, Opcode.BINARY, Opcode.CONT}


class WebsocketRefused(Exception):
    """An error: the handshake was answered with `response` instead of a 101."""

    def __init__(self, response: LiveResponse) -> None:
        super().__init__(response)
        self.response: Final = response

    def __str__(self) -> str:
        """Return the status and the text of the response."""
        return f"{self.response.status} {self.response.reason}: {self.response.text}"


class ClientSocket:
    """The client's side of a websocket."""

    def __init__(
        self, connection: Connection, protocol: ClientProtocol, headers: Message, codec: SpeaksJSON
    ) -> None:
        self.headers: Message = headers
        """The header fields of the 101."""
        self._connection = connection
        self._protocol = protocol
        self._codec = codec
        self._messages: deque[str | bytes] = deque()
        self._begun: list[bytes] = []
        """The frames of a message that has not ended."""
        self._is_text = False
        self._changed = asyncio.Condition()
        self._leaving = False
        self._reading = asyncio.ensure_future(self._read())

    @property
    def subprotocol(self) -> str | None:
        """The subprotocol that the server has chosen."""
        return self._protocol.subprotocol

    @property
    def closed(self) -> bool:
        """Whether the connection has ended and all messages were received."""
        return self._reading.done() and not self._messages

    @property
    def close_code(self) -> int | None:
        """The close code; 1006 if the connection was lost, None before the end."""
        return self._protocol.close_code if self._reading.done() else None

    @property
    def close_reason(self) -> str | None:
        """The close reason; None before the end."""
        return self._protocol.close_reason if self._reading.done() else None

    async def send(self, message: str | bytes) -> None:
        """Send a message; wait while the server does not read.

        Raises:
            ConnectionClosed: the websocket was closed.
        """
        if self._protocol.state is not State.OPEN:
            raise self._closed()
        if isinstance(message, str):
            self._protocol.send_text(message.encode())
        else:
            self._protocol.send_binary(message)
        self._flush()
        await self._connection.drain()

    async def send_json(self, value: Any) -> None:
        """Send a value as JSON, by the codec of the application."""
        text = self._codec.dumps(value)
        await self.send(text if isinstance(text, str) else text.decode())

    async def recv(self) -> str | bytes:
        """Return the next message.

        Raises:
            ConnectionClosed: the websocket was closed, and no message is left.
        """
        async with self._changed:
            await self._changed.wait_for(lambda: self._messages or self._reading_is_over)
            if not self._messages:
                raise self._closed()
            self._changed.notify_all()
            return self._messages.popleft()

    async def recv_json(self) -> Any:
        """Return the next message, decoded from JSON by the codec of the application."""
        message = await self.recv()
        return self._codec.loads(message.encode() if isinstance(message, str) else message)

    async def __aiter__(self) -> AsyncIterator[str | bytes]:
        """Yield messages until a side closes with 1000 or 1001; raise for other codes."""
        try:
            while True:
                yield await self.recv()
        except ConnectionClosed as closed:
            if closed.code not in ENDINGS:
                raise

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the websocket, and wait until the server closes too; drop messages until then."""
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(code, reason)
            self._flush()
        async with self._changed:
            self._leaving = True
            self._changed.notify_all()
        await asyncio.wait([self._reading], timeout=PATIENCE)

    async def leave(self) -> None:
        """Close the websocket, and end the connection."""
        await self.close()
        await self._connection.leave()
        self._reading.cancel()
        await asyncio.wait([self._reading])

    # A task reads: it answers pings and close frames while the test does other things.

    _reading_is_over = False

    async def _read(self) -> None:
        try:
            while self._protocol.state is not State.CLOSED:
                data = await self._connection.reader.read(PIECE)
                if data:
                    self._protocol.receive_data(data)
                else:
                    self._protocol.receive_eof()
                await self._take(self._protocol.events_received())
                self._flush()
        except ConnectionError:
            self._protocol.receive_eof()
        finally:
            self._reading_is_over = True
            async with self._changed:
                self._changed.notify_all()

    async def _take(self, events: Iterable[Any]) -> None:
        for message in self._messages_of(events):
            async with self._changed:
                await self._changed.wait_for(lambda: len(self._messages) < MOST or self._leaving)
                if not self._leaving:
                    self._messages.append(message)
                self._changed.notify_all()

    def _messages_of(self, frames: Iterable[Frame]) -> Iterable[str | bytes]:
        for frame in frames:
            if frame.opcode in DATA:
                if frame.opcode is not Opcode.CONT:
                    self._is_text = frame.opcode is Opcode.TEXT
                self._begun.append(bytes(frame.data))
                if frame.fin:
                    whole, self._begun = b"".join(self._begun), []
                    yield whole.decode() if self._is_text else whole

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:  # empty data end the output: the server ends the connection
                self._connection.write(data)

    def _closed(self) -> ConnectionClosed:
        return ConnectionClosed(
            self._protocol.close_code or 1006, self._protocol.close_reason or ""
        )


async def open_socket(
    connection: Connection,
    path: str,
    fields: Mapping[str, Any],
    subprotocols: Sequence[str],
    codec: SpeaksJSON,
) -> ClientSocket:
    """Make the handshake; return the websocket.

    Raises:
        WebsocketRefused: the server has answered with another status than 101.
    """
    wanted = [cast("Subprotocol", name) for name in subprotocols] or None
    uri = parse_uri("ws://localhost/")  # the real host and path are not needed
    protocol = ClientProtocol(uri, subprotocols=wanted, max_size=None, state=State.OPEN)
    given = {name.lower() for name in fields}
    own = {
        name: value
        for name, value in protocol.connect().headers.raw_items()
        if name.lower() not in given
    }
    connection.write(encode_head("GET", path, own | dict(fields)))
    response = await read_response(connection.reader, "GET", codec)
    if response.status != HTTPStatus.SWITCHING_PROTOCOLS:
        raise WebsocketRefused(response)
    headers = Headers(response.headers.items())
    protocol.process_response(Response(response.status, response.reason, headers))
    return ClientSocket(connection, protocol, response.headers, codec)
