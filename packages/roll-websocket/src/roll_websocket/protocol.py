"""The public API of a connection, for the owner of its transport and for its handler."""

import asyncio
import os
from collections.abc import (
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Mapping,
    Sequence,
)
from functools import partial
from typing import Any, Self, cast

from websockets.exceptions import ProtocolError
from websockets.frames import Close, CloseCode

from roll_websocket.codec import Codec, StrictJSON, refuse_unrun
from roll_websocket.connection import Connection
from roll_websocket.errors import ConnectionClosed, InvalidMessage, consists_of
from roll_websocket.frames import WHOLE, Message, message_frame
from roll_websocket.handshake import Fields, HandshakeRequest, Origins, accept
from roll_websocket.options import check_options
from roll_websocket.streams import Stream, receive, receive_whole, send_pieces
from roll_websocket.wire import MAX_CONTROL, Wire

__all__ = ["WSProtocol"]

# RFC 6455 7.4.1: iteration ends quietly on these.
QUIET = {CloseCode.NORMAL_CLOSURE, CloseCode.GOING_AWAY}


class WSProtocol(asyncio.Protocol):
    """A WebSocket connection of a server (RFC 6455).

    The server that owns the transport calls `handshake()` and writes its result. Then it hands
    the transport over (`transport.set_protocol(ws)`, `ws.connection_made(transport)`), passes the
    bytes that followed the request to `ws.data_received(data)`, and awaits `ws.run(handler)`.

    Constants such as `TIMEOUT` are read when they are used: a subclass can set them.
    """

    TIMEOUT: float = 5
    """Seconds until the connection is aborted, if the peer does not answer a close frame."""
    MAX_SIZE: int | None = 2**20
    """The bytes of a message for `recv`, of a frame for `stream`; None for no limit."""
    MAX_QUEUE: int = 64
    """The number of messages that wait for `recv` before reading is paused; at least one."""
    READ_LIMIT: int = 2**16
    """The bytes that wait for `recv` before reading is paused; one message may exceed it."""
    WRITE_LIMIT: int = 2**16
    """The bytes that wait for the peer to read before `send` waits."""
    BACKLOG_LIMIT: int = 2**20
    """The bytes of broadcasts that wait besides `WRITE_LIMIT`, 800 more for each message; one
    message may exceed it."""
    JSON: Codec = StrictJSON()
    """The codec of JSON messages: `dumps(value)` returns text or bytes, `loads` takes bytes."""

    subprotocol: str | None = None
    """The negotiated subprotocol, or None."""

    _connection: Connection
    _wire: Wire
    _times: tuple[float | None, float | None]
    _on_lost: Callable[[], object] | None = None

    def __init__(self, request: HandshakeRequest) -> None:
        self.request = request

    # The owner's side.

    def handshake(
        self,
        headers: Fields = (),
        *,
        origins: Origins = None,
        subprotocols: Sequence[str] = (),
        compression: bool = True,
        ping_interval: float | None = 20,
        ping_timeout: float | None = 20,
        max_size: int | None = None,
    ) -> bytes:
        """Check the request (RFC 6455 4.2.1) and return the head of the 101 response.

        `headers`, a mapping or pairs, are added to the response, except the fields that only the
        handshake sets. If `origins` are given, other values of Origin are refused. `subprotocol`
        becomes the first of the client's list that is in `subprotocols`. Both options take a list,
        or a str for a single value.
        `compression` allows permessage-deflate (RFC 7692). The connection sends a ping every
        `ping_interval` seconds (None: never) and closes with 1011 if the peer stays silent for
        `ping_timeout` seconds after it (None: never). `max_size` replaces `MAX_SIZE` for this
        connection.

        Raises HandshakeError if the request is refused, and ValueError for a field that cannot be
        sent or an option that cannot work.
        """
        check_options(
            {
                "origins": origins,
                "subprotocols": subprotocols,
                "compression": compression,
                "ping_interval": ping_interval,
                "ping_timeout": ping_timeout,
                "max_size": max_size,
            }
        )
        wire = Wire(
            max_size=self.MAX_SIZE if max_size is None else max_size,
            compression=compression,
            origins=origins,
            subprotocols=subprotocols,
        )
        head = accept(wire, self.request, headers)
        self.subprotocol = wire.subprotocol
        self._wire = wire
        self._times = ping_interval, ping_timeout
        return head

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take over the transport; the head of the 101 response has been written."""
        transport = cast(asyncio.Transport, transport)
        self._connection = Connection(self._wire, transport, type(self), self._on_lost)
        self._connection.start(*self._times)
        del self._wire, self._times

    def data_received(self, data: bytes) -> None:
        """Process bytes from the peer."""
        self._connection.data_received(data)

    def eof_received(self) -> bool | None:
        """Process the end of input; return True to keep the transport for waiting messages."""
        return self._connection.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """Process the loss of the transport."""
        self._connection.connection_lost()

    def pause_writing(self) -> None:
        """Stop writing and reading: the peer does not read."""
        self._connection.pause_writing()

    def resume_writing(self) -> None:
        """Resume writing and reading."""
        self._connection.resume_writing()

    async def run(self, handler: Awaitable[object]) -> None:
        """Run the handler, then close the connection and wait until it is gone.

        The close code is 1000, or 1011 if the handler raised, 1007 if it raised InvalidMessage,
        and 1001 if it was cancelled. An exception of the handler is raised again, except
        InvalidMessage, and ConnectionClosed of a connection that has ended. A second cancellation
        aborts the connection.
        """
        code, reason = 1011, "Handler died prematurely."
        ending = self._connection.ending
        try:
            await handler
            code, reason = 1000, ""
        except (ConnectionClosed, InvalidMessage, ExceptionGroup) as error:
            ended = ending.close is not None or ending.gone.done()
            if consists_of(InvalidMessage, error):
                code, reason = 1007, "The message is invalid."
            elif not (ended and consists_of(ConnectionClosed, error)):
                raise
        except asyncio.CancelledError:
            code, reason = 1001, "Handler cancelled."
            raise
        finally:
            self._connection.begin_close(code, reason)
            await ending.until_gone()

    def shutdown(self) -> None:
        """Close with 1001, because the server stops. The handler gets ConnectionClosed."""
        self._connection.begin_close(1001, "")

    @property
    def on_lost(self) -> Callable[[], object] | None:
        """The function to call when the connection is lost, unless this side closed it.

        Raises TypeError if it is set to an object that is neither None nor callable.
        """
        return self._on_lost

    @on_lost.setter
    def on_lost(self, call: Callable[[], object] | None) -> None:
        """Set it at any time."""
        if call is not None and not callable(call):
            raise TypeError(f"`on_lost` is a function, or None, not {call!r}")
        self._on_lost = call
        if hasattr(self, "_connection"):
            self._connection.on_lost = call

    # The state of the connection.

    @property
    def path(self) -> str:
        """The path of the request, percent-decoded."""
        return self.request.path

    @property
    def query_string(self) -> str:
        """The query string of the request, not decoded."""
        return self.request.query_string

    @property
    def headers(self) -> Mapping[str, str]:
        """The fields of the request: names in upper case."""
        return self.request.headers

    @property
    def client(self) -> tuple[str, int] | None:
        """The address of the peer, host and port; None over a Unix socket."""
        return self.request.client

    @property
    def latency(self) -> float | None:
        """The round-trip time of the last answered ping, in seconds; None before the first."""
        return self._connection.pings.latency

    @property
    def bytes_sent(self) -> int:
        """The bytes of all frames that were sent, control frames included; 0 before the first."""
        connection = getattr(self, "_connection", None)
        return 0 if connection is None else connection.sent

    @property
    def closed(self) -> bool:
        """Whether the connection has ended: nothing can be sent or received."""
        return self._close is not None

    @property
    def close_code(self) -> int | None:
        """The close code, as in `ConnectionClosed.code`; None while the connection is open."""
        return None if self._close is None else int(self._close.code)

    @property
    def close_reason(self) -> str | None:
        """The close reason, as in `ConnectionClosed.reason`; None while the connection is open."""
        return None if self._close is None else self._close.reason

    @property
    def _close(self) -> Close | None:
        connection = getattr(self, "_connection", None)
        return None if connection is None else connection.ending.close

    # The handler's side.

    def recv(self) -> Coroutine[Any, Any, str | bytes]:
        """Return the next message: str for text, bytes for binary.

        A cancelled call loses no message. Raises ConnectionClosed if the connection has ended and
        no message waits, and RuntimeError if another task already waits for a message.
        """
        connection = self._connection
        # A coroutine around another would take 0.22 KiB of each connection that waits.
        begun = connection.stream is not None
        receiving = receive_whole(connection) if begun else receive(connection, True)
        return cast("Coroutine[Any, Any, str | bytes]", receiving)

    def stream(self) -> Stream:
        """Return an async iterator over the pieces of the next message.

        A piece is a frame, or all that arrived before the first piece was requested: str for text,
        bytes for binary. The cuts between pieces mean nothing (RFC 6455 5.4). `max_size` limits
        each frame, and the message may have any length. A message that `recv` would refuse waits
        until `recv` or `stream` is called. The next `recv` or `stream` skips unread pieces.
        Raises the exceptions of `recv`, also in the middle of a message.
        """
        return Stream(self._connection)

    def __aiter__(self) -> Self:
        """Iterate over the messages until either side closes with 1000 or 1001.

        Raises ConnectionClosed for any other code, also for 1005: a browser's `close()` without a
        code.
        """
        return self

    async def __anext__(self) -> str | bytes:
        try:
            return await self.recv()
        except ConnectionClosed as error:
            if error.code in QUIET:
                raise StopAsyncIteration from None
            raise

    async def send(self, data: Message | AsyncIterable[Message]) -> None:
        """Send a message: text for str, binary for bytes. Wait while the peer does not read.

        An async iterator is sent as one message, each of its items as a frame; without items,
        nothing is sent. If it raises after the first item, the connection is closed with 1011.

        Messages are sent in the order of the calls, whichever tasks call: those that follow an
        iterator wait for its last item. A call that is cancelled while it waits sends nothing.
        Raises ConnectionClosed, TypeError for data of another type, and RuntimeError if an
        iterator calls this after its first item, because it would wait for its own end.
        """
        if not isinstance(data, WHOLE) and isinstance(data, AsyncIterable):
            await send_pieces(self._connection, data)
            return
        opcode, payload = message_frame(data)
        connection = self._connection
        if connection.outbox.ready():
            connection.write(connection.wire.pack(opcode, payload))
        else:
            await connection.turn(partial(connection.send_message, opcode, payload), True)

    async def ping(self, data: str | bytes | None = None) -> asyncio.Future[float]:
        """Send a ping. Return a future of the seconds until its pong.

        `data` has at most 125 bytes and is random by default. The future raises ConnectionClosed
        if the connection ends first. Raises ConnectionClosed, ValueError if `data` is too long or
        another ping with the same data waits for its pong, and TypeError for another type.
        """
        payload = os.urandom(4) if data is None else control(data)
        connection = self._connection
        if connection.outbox.ready_for_control():
            return connection.send_ping(payload)
        pong = await connection.turn(partial(connection.send_ping, payload), False)
        return cast("asyncio.Future[float]", pong)

    async def pong(self, data: str | bytes = b"") -> None:
        """Send an unsolicited pong (RFC 6455 5.5.3). Pings are answered automatically.

        Raises ConnectionClosed, ValueError if `data` has more than 125 bytes, and TypeError for
        another type.
        """
        payload = control(data)
        connection = self._connection
        if connection.outbox.ready_for_control():
            connection.send_pong(payload)
        else:
            await connection.turn(partial(connection.send_pong, payload), False)

    async def send_json(self, value: Any) -> None:
        """Send a value as JSON, in a text message.

        Raises the exceptions of `send` and of `JSON.dumps`: TypeError or ValueError.
        """
        text = self.JSON.dumps(value)
        await self.send(text if isinstance(text, str) else text.decode())

    async def recv_json(self) -> Any:
        """Return the value of the next message, which is JSON: text, or binary in UTF-8.

        Raises the exceptions of `recv`, and InvalidMessage for a message that is not JSON. If the
        handler does not catch InvalidMessage, the connection is closed with 1007.
        """
        message = await self.recv()
        try:
            value = self.JSON.loads(message.encode() if isinstance(message, str) else message)
        except (ValueError, RecursionError) as error:
            raise InvalidMessage("The message is not JSON.") from error
        refuse_unrun(value)
        return value

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
        """Close the connection and wait until it is gone, at most `TIMEOUT` seconds.

        Messages that wait to be sent are sent before the close frame. Messages that were not
        received are dropped. Raises ValueError for a code that must not be sent (RFC 6455 7.4) and
        for a reason over 123 bytes. Raises TypeError if the code is not an int or the reason is
        not a str. After these errors, the connection is still open.
        """
        check_close(code, reason)
        self._connection.begin_close(code, reason)
        await self._connection.ending.until_gone()


def control(data: str | bytes) -> bytes:
    """Return the payload of a control frame (RFC 6455 5.5)."""
    if not isinstance(data, WHOLE):
        raise TypeError(f"A control frame takes str or bytes, not {type(data).__name__}")
    _, payload = message_frame(data)
    if len(payload) > MAX_CONTROL:
        raise ValueError(f"A control frame takes 125 bytes, not {len(payload)}")
    return payload


def check_close(code: int, reason: str) -> None:
    """Raise ValueError or TypeError for an invalid close code or reason (RFC 6455 5.5.1, 7.4)."""
    if not isinstance(code, int):
        raise TypeError(f"A close code is an int, not {type(code).__name__}")
    if not isinstance(reason, str):
        raise TypeError(f"A close reason is a str, not {type(reason).__name__}")
    try:
        data = Close(code, reason).serialize()
    except ProtocolError as error:
        raise ValueError(f"A close frame cannot have this code: {code}") from error
    if len(data) > MAX_CONTROL:
        raise ValueError(f"A close reason takes 123 bytes, not {len(data) - 2}")
