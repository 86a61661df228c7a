"""The websocket of a handler over ASGI, which replaces `WSProtocol`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterable, AsyncIterator, Callable, Coroutine, Iterable
from typing import Any, Final, Protocol

from roll_http.body import again
from roll_http.connection.closing import close_stream
from roll_websocket import ConnectionClosed, InvalidMessage
from roll_websocket.codec import StrictJSON
from roll_websocket.errors import consists_of
from roll_websocket.outbox import WITHIN
from roll_websocket.protocol import check_close

from .origins import check_origin

__all__ = ["ASGIWebsocket"]

logger = logging.getLogger("roll")

QUIET: Final = frozenset({1000, 1001})
"""The codes that end an iteration over messages without an error."""

WAITING: Final = 64
"""The number of messages that may wait for the handler; then receiving pauses."""

NO_CODE: Final = 1005
"""The code of an end without a code (RFC 6455 7.1.5)."""

LOST: Final = 1006
"""The code of an end without a close frame."""

REPORT_SECONDS: Final = 1.0
"""Seconds to wait for the server's report of a disconnect, after `send` has failed."""


class Connection(Protocol):
    """The part of a connection that the websocket uses."""

    unclosed: Exception | None


class ASGIWebsocket:
    """A websocket of another server, with the methods of a `WSProtocol`.

    The server sends the pings and limits the size of messages.
    """

    JSON: Any = StrictJSON()
    subprotocol: str | None = None
    on_lost: Callable[[], object]
    """A function, called when the client has disconnected, unless this side has closed."""

    def __init__(self, request: Any, receive: Any, send: Any, connection: Connection) -> None:
        self.request = request
        self._connection = connection
        self._receive = receive
        self._send = send
        self._fields: list[tuple[bytes, bytes]] = []
        self._messages: asyncio.Queue[str | bytes | None] = asyncio.Queue(WAITING)
        self._listener: asyncio.Future[None] | None = None  # while the handler runs
        self._sending = asyncio.Lock()  # keeps the order of the calls
        self._gathering: asyncio.Task[Any] | None = None  # runs the iterator of a message
        self._begun = False  # whether that has given a piece
        self._close: tuple[int, str] | None = None
        self._closing = False
        self._stopping = False
        self.bytes_sent = 0
        """The number of bytes of the messages that were sent."""

    # The application's side.

    def handshake(self, headers: Iterable[tuple[str, str]] = (), **settings: Any) -> bytes:
        """Check the origin, choose the subprotocol, and keep the fields of the response.

        Raises HandshakeError 403 for an origin that is not allowed.
        """
        check_origin(self.request.headers.get("ORIGIN"), settings.get("origins"))
        offered = self.request.headers.get("SEC-WEBSOCKET-PROTOCOL", "")
        known = settings.get("subprotocols", ())
        known = [known] if isinstance(known, str) else known
        names = (name.strip(" \t") for name in offered.split(","))
        self.subprotocol = next((name for name in names if name in known), None)
        # Each character of a value stands for a byte, see `fields_of`.
        self._fields = [(name.lower().encode(), text.encode("latin-1")) for name, text in headers]
        return b""

    async def run(self, handler: Coroutine[Any, Any, object]) -> None:
        """Accept the websocket, run the handler, and close, as `WSProtocol.run` does."""
        try:
            await self._accept()
        except BaseException:
            handler.close()  # it will not be awaited
            raise
        listener = self._listener = asyncio.ensure_future(self._listen())
        code, reason = 1011, "Handler died prematurely."
        try:
            await handler
            code, reason = 1000, ""
        except (ConnectionClosed, InvalidMessage, ExceptionGroup) as error:
            if consists_of(InvalidMessage, error):
                code, reason = 1007, "The message is invalid."
            elif self._close is None or not consists_of(ConnectionClosed, error):
                raise
        except asyncio.CancelledError:
            code, reason = 1001, "Handler cancelled."
            raise
        finally:
            self._listener = None  # it refers to this websocket
            await self._end(code, reason)
            listener.cancel()

    async def _accept(self) -> None:
        await self._send(
            {"type": "websocket.accept", "subprotocol": self.subprotocol, "headers": self._fields}
        )

    async def _listen(self) -> None:
        try:
            close = await self._take_messages()
        except Exception:
            logger.exception("The server failed to give the next message of a websocket")
            close = LOST, ""
        self._close = self._close or close
        if not self._closing:
            self.on_lost()
        await self._messages.put(None)

    async def _take_messages(self) -> tuple[int, str]:
        """Take messages until the disconnect; return its code and reason."""
        while True:
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                return message.get("code") or NO_CODE, message.get("reason") or ""
            text = message.get("text")
            await self._messages.put(message["bytes"] if text is None else text)

    async def _end(self, code: int, reason: str) -> None:
        if self._close is None:
            self._close, self._closing = (code, reason), True
            try:
                await self._send({"type": "websocket.close", "code": code, "reason": reason})
            except OSError:  # the client has gone, and the server has not reported that yet
                return
            except Exception as error:
                self._connection.unclosed = again(error)
                raise

    # The state of the connection.

    @property
    def path(self) -> str:
        """The path of the request, percent-decoded."""
        path: str = self.request.path
        return path

    @property
    def query_string(self) -> str:
        """The query string of the request, not decoded."""
        query: str = self.request.query_string
        return query

    @property
    def headers(self) -> Any:
        """The fields of the request, with names in upper case."""
        return self.request.headers

    @property
    def client(self) -> tuple[str, int] | None:
        """The host and the port of the peer; None over a Unix socket."""
        client: tuple[str, int] | None = self.request.client
        return client

    @property
    def latency(self) -> float | None:
        """None: the server sends the pings."""
        return None

    @property
    def closed(self) -> bool:
        """Whether the connection has ended: nothing can be sent or received."""
        return self._close is not None

    @property
    def close_code(self) -> int | None:
        """The close code; None while the connection is open."""
        return None if self._close is None else self._close[0]

    @property
    def close_reason(self) -> str | None:
        """The close reason; None while the connection is open."""
        return None if self._close is None else self._close[1]

    def _ended(self) -> ConnectionClosed:
        code, reason = self._close or (LOST, "")
        return ConnectionClosed(code, reason)

    # The handler's side.

    async def recv(self) -> str | bytes:
        """Return the next message: str for text, bytes for binary; raise ConnectionClosed."""
        if self._closing:
            raise self._ended()
        message = await self._messages.get()
        if message is None:
            self._messages.put_nowait(None)  # so that the next call raises too
            raise self._ended()
        return message

    async def stream(self) -> AsyncIterator[str | bytes]:
        """Iterate over the next message: it is one piece, because the server has joined them."""
        yield await self.recv()

    def __aiter__(self) -> ASGIWebsocket:
        """Iterate over the messages until either side closes with 1000 or 1001."""
        return self

    async def __anext__(self) -> str | bytes:
        try:
            return await self.recv()
        except ConnectionClosed as error:
            if error.code in QUIET:
                raise StopAsyncIteration from None
            raise

    async def send(self, data: Any) -> None:
        """Send a message; the pieces of an async iterator are joined to one message first."""
        task = asyncio.current_task()
        if self._gathering is task:
            if self._begun or isinstance(data, AsyncIterable):
                raise RuntimeError(WITHIN)
            await self._send_message(data)  # before the first piece, as `WSProtocol` does
            return
        async with self._sending:
            if isinstance(data, AsyncIterable):
                self._gathering, self._begun = task, False
                try:
                    data = await self._gathered(data)
                finally:
                    self._gathering = None
                if data is None:
                    return
            await self._send_message(data)

    async def _send_message(self, data: Any) -> None:
        if not isinstance(data, (str, bytes, bytearray, memoryview)):
            raise TypeError(f"A message is str or bytes, not {type(data).__name__}")
        kind, payload = ("text", data) if isinstance(data, str) else ("bytes", bytes(data))
        if self._close is not None:
            raise self._ended()
        self.bytes_sent += len(payload if isinstance(payload, bytes) else payload.encode())
        try:
            await self._send({"type": "websocket.send", kind: payload})
        except OSError:
            await self._find_end()
            raise self._ended() from None

    async def _find_end(self) -> None:
        """Wait for the report of a disconnect that a failed `send` has shown (ASGI 2.4)."""
        if self._listener is not None:
            await asyncio.wait({self._listener}, timeout=REPORT_SECONDS)
        self._close = self._close or (LOST, "")

    async def _gathered(self, pieces: AsyncIterable[Any]) -> Any:
        """Return the pieces as one message; None for no piece.

        Stop when the client has gone, or when the application stops.
        """
        found = []
        iterator = aiter(pieces)
        async for piece in iterator:
            if self._close is not None or self._stopping:
                await close_stream(iterator)
                raise self._ended()
            self._begun = True
            found.append(piece)
        if not found:
            return None
        return "".join(found) if isinstance(found[0], str) else b"".join(found)

    async def ping(self, data: str | bytes | None = None) -> asyncio.Future[float]:
        """Raise NotImplementedError: the server sends the pings, and does not report pongs."""
        raise NotImplementedError("ASGI has no pings: the server sends them by itself")

    async def pong(self, data: str | bytes = b"") -> None:
        """Do nothing: the server answers pings."""

    async def send_json(self, value: Any) -> None:
        """Send a value as JSON, in a text message."""
        text = self.JSON.dumps(value)
        await self.send(text if isinstance(text, str) else text.decode())

    async def recv_json(self) -> Any:
        """Return the value of the next message; raise InvalidMessage if it is not JSON."""
        message = await self.recv()
        try:
            return self.JSON.loads(message.encode() if isinstance(message, str) else message)
        except (ValueError, RecursionError) as error:
            raise InvalidMessage("The message is not JSON.") from error

    async def iter_json(self) -> AsyncIterator[Any]:
        """Iterate over the values of JSON messages, as the iteration over messages does."""
        while True:
            try:
                value = await self.recv_json()
            except ConnectionClosed as error:
                if error.code in QUIET:
                    return
                raise
            yield value

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the connection."""
        check_close(code, reason)
        async with self._sending:
            await self._end(code, reason)

    def shutdown(self) -> None:
        """Close with 1001, because the application stops."""
        self._stopping = True  # `close` waits for a message that is being made
        asyncio.ensure_future(self.close(1001))  # noqa: RUF006 - the server ends the task
