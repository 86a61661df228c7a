"""What an owner of transports and a handler of messages see of a connection."""

import asyncio
import os
from collections.abc import (
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Iterable,
    Mapping,
    Sequence,
)
from functools import partial
from typing import Any, Self, cast

from websockets.exceptions import ProtocolError
from websockets.frames import Close, CloseCode

from roll_websocket.codec import Codec, StrictJSON
from roll_websocket.connection import Connection
from roll_websocket.errors import ConnectionClosed, InvalidMessage, is_closing
from roll_websocket.frames import WHOLE, Message, message_frame
from roll_websocket.handshake import HandshakeRequest, Origins, accept
from roll_websocket.options import check_options
from roll_websocket.streams import Stream, receive, receive_whole, send_pieces
from roll_websocket.wire import MAX_CONTROL, Wire

__all__ = ["WSProtocol"]

# RFC 6455 7.4.1: iteration ends quietly on these.
QUIET = {CloseCode.NORMAL_CLOSURE, CloseCode.GOING_AWAY}


class WSProtocol(asyncio.Protocol):
    """A WebSocket connection of a server (RFC 6455).

    Whoever owns the transport calls `handshake()`, writes what it returns, hands the transport
    over (`transport.set_protocol(ws)`, `ws.connection_made(transport)`), passes on by
    `ws.data_received(data)` what followed the request, and awaits `ws.run(handler)`.

    The constants, `TIMEOUT` and the like, are read when used: they can be set on a subclass.
    """

    TIMEOUT: float = 5
    """Seconds the peer has to answer a close it has read, before the connection is aborted."""
    MAX_SIZE: int | None = 2**20
    """Bytes of a message received, or of a piece of one; None for no limit."""
    MAX_QUEUE: int = 64
    """Messages that may wait for `recv` before reading is paused; at least one may."""
    READ_LIMIT: int = 2**16
    """Bytes that may wait for `recv` before reading is paused; one message may pass it."""
    WRITE_LIMIT: int = 2**16
    """Bytes that may wait for the peer to read before `send` waits."""
    BACKLOG_LIMIT: int = 2**20
    """Bytes of broadcasts that may wait beside these; one message may pass it."""
    JSON: Codec = StrictJSON()
    """The codec of JSON messages: `dumps(value)` gives text or bytes, `loads` takes bytes."""

    subprotocol: str | None = None
    """The subprotocol that was agreed on."""

    _connection: Connection
    _wire: Wire
    _times: tuple[float | None, float | None]
    _on_lost: Callable[[], object] | None = None

    def __init__(self, request: HandshakeRequest) -> None:
        self.request = request

    # The owner's side.

    def handshake(
        self,
        headers: Iterable[tuple[str, str]] = (),
        *,
        origins: Origins = None,
        subprotocols: Sequence[str] = (),
        compression: bool = True,
        ping_interval: float | None = 20,
        ping_timeout: float | None = 20,
        max_size: int | None = None,
    ) -> bytes:
        """Check the request (RFC 6455 4.2.1); returns the head of the 101 to send.

        `headers` go out with it. `origins` are the only values of Origin let through, if any
        are given. `subprotocol` becomes the first of the client's that is in `subprotocols`;
        of both, a str is one.
        `compression` allows permessage-deflate (RFC 7692). A ping goes out every
        `ping_interval` seconds (None: never), and a peer silent for `ping_timeout` seconds
        after it (None: for ever) is given up. `max_size` is for this connection what
        `MAX_SIZE` is for all.

        Raises HandshakeError when the request is refused, and ValueError for a header that
        cannot be sent and for an option that cannot be used.
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
        """Take the transport over, after the head of the 101 has been written to it."""
        transport = cast(asyncio.Transport, transport)
        self._connection = Connection(self._wire, transport, type(self), self._on_lost)
        self._connection.start(*self._times)
        del self._wire, self._times

    def data_received(self, data: bytes) -> None:
        """Take bytes of the peer."""
        self._connection.data_received(data)

    def eof_received(self) -> bool | None:
        """The peer sends nothing more. True keeps the transport for the messages that wait."""
        return self._connection.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """The transport is gone."""
        self._connection.connection_lost()

    def pause_writing(self) -> None:
        """The peer does not read."""
        self._connection.pause_writing()

    def resume_writing(self) -> None:
        """The peer reads again."""
        self._connection.resume_writing()

    async def run(self, handler: Awaitable[object]) -> None:
        """Run the handler to its end, then close: 1000, or 1011 when it raised.

        What it raised is raised again, but for the ConnectionClosed, or a group of such, of a
        connection that has ended, and for InvalidMessage, which closes with 1007. Cancelled, it
        is cancelled with its handler and closes with 1001. The connection is gone when it comes
        back: cancelling it once more aborts it.
        """
        code, reason = 1011, "Handler died prematurely."
        ending = self._connection.ending
        try:
            await handler
            code, reason = 1000, ""
        except InvalidMessage as error:
            code, reason = 1007, shortened(str(error))
        except (ConnectionClosed, ExceptionGroup) as error:
            ended = ending.close is not None or ending.gone.done()
            if not (ended and is_closing(error)):
                raise
        except asyncio.CancelledError:
            code, reason = 1001, "Handler cancelled."
            raise
        finally:
            self._connection.begin_close(code, reason)
            await ending.until_gone()

    def shutdown(self) -> None:
        """The server is going away: close with 1001. The handler gets ConnectionClosed."""
        self._connection.begin_close(1001, "")

    @property
    def on_lost(self) -> Callable[[], object] | None:
        """Called when the connection is lost, unless this side has closed it."""
        return self._on_lost

    @on_lost.setter
    def on_lost(self, call: Callable[[], object] | None) -> None:
        self._on_lost = call
        if hasattr(self, "_connection"):
            self._connection.on_lost = call

    # What anybody may ask.

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
        """Seconds that the last pong took; None before the first."""
        return self._connection.pings.latency

    @property
    def closed(self) -> bool:
        """Whether the connection has ended: nothing is sent any more, nor comes."""
        return self._close is not None

    @property
    def close_code(self) -> int | None:
        """What `ConnectionClosed.code` is after the end; None before."""
        return None if self._close is None else int(self._close.code)

    @property
    def close_reason(self) -> str | None:
        """What `ConnectionClosed.reason` is after the end; None before."""
        return None if self._close is None else self._close.reason

    @property
    def _close(self) -> Close | None:
        connection = getattr(self, "_connection", None)
        return None if connection is None else connection.ending.close

    # The handler's side.

    def recv(self) -> Coroutine[Any, Any, str | bytes]:
        """The next message: str for text, bytes for binary. A cancelled call loses none.

        Raises ConnectionClosed once the connection is closed and no message waits, and
        RuntimeError when another task awaits a message already.
        """
        connection = self._connection
        # No coroutine around another: it would take 0.22 KiB of each connection that waits.
        if connection.stream is not None:
            return receive_whole(connection)
        return cast("Coroutine[Any, Any, str | bytes]", receive(connection))

    def stream(self) -> Stream:
        """Iterate over the pieces of the next message, as its frames come.

        A message of a single frame is one piece. `max_size` is then the limit of each piece, and
        the message may be of any length. What is not read of it is passed over by the next
        `recv` or `stream`. Raises what `recv` raises, before the message and within it.
        """
        return Stream(self._connection)

    def __aiter__(self) -> Self:
        """The messages, until the peer or the server closes with 1000 or 1001.

        Raises ConnectionClosed on any other end; 1005, of a browser's `close()` without a code,
        is one.
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
        """Send a message, text for a str, binary for bytes; waits while the peer does not read.

        An async iterator is one message too, of a frame for each str or bytes that it gives; one
        that gives nothing sends nothing. When it fails, so does the connection, with 1011.

        Messages, pings and pongs go out in the order of the calls, whichever tasks call. What
        is cancelled while it waits is not sent.
        Raises ConnectionClosed, or TypeError for data of another type.
        """
        if not isinstance(data, WHOLE) and isinstance(data, AsyncIterable):
            await send_pieces(self._connection, data)
            return
        opcode, payload = message_frame(data)
        connection = self._connection
        if connection.outbox.ready():
            connection.transport.write(connection.wire.pack(opcode, payload))
        else:
            await connection.turn(partial(connection.send_message, opcode, payload), True)

    async def ping(self, data: str | bytes | None = None) -> asyncio.Future[float]:
        """Send a ping; returns a future of the seconds that its pong took, once it comes.

        `data` has 125 bytes at most and is random by default. The future raises
        ConnectionClosed when the connection ends before. Raises ConnectionClosed, or
        ValueError when data is too long or awaits its pong already.
        """
        payload = os.urandom(4) if data is None else control(data)
        connection = self._connection
        if connection.outbox.ready_for_control():
            return connection.send_ping(payload)
        pong = await connection.turn(partial(connection.send_ping, payload), False)
        return cast("asyncio.Future[float]", pong)

    async def pong(self, data: str | bytes = b"") -> None:
        """Send a pong nobody asked for (RFC 6455 5.5.3); pings are answered without it.

        Raises ConnectionClosed, or ValueError when data has more than 125 bytes.
        """
        payload = control(data)
        connection = self._connection
        if connection.outbox.ready_for_control():
            connection.send_pong(payload)
        else:
            await connection.turn(partial(connection.send_pong, payload), False)

    async def send_json(self, value: Any) -> None:
        """Send a value as JSON, in a text message.

        Raises what `send` raises, and what `JSON.dumps` does, TypeError mostly.
        """
        text = self.JSON.dumps(value)
        await self.send(text if isinstance(text, str) else text.decode())

    async def recv_json(self) -> Any:
        """The value of the next message, which is JSON, in UTF-8 where it is binary.

        Raises what `recv` raises, and InvalidMessage for a message that is no JSON: where the
        handler does not catch it, the connection is closed with 1007.
        """
        message = await self.recv()
        try:
            return self.JSON.loads(message.encode() if isinstance(message, str) else message)
        except (ValueError, RecursionError) as error:
            raise InvalidMessage("The message is no JSON.") from error

    async def iter_json(self) -> AsyncIterator[Any]:
        """Iterate over the values of messages, until either side closes with 1000 or 1001."""
        while True:
            try:
                value = await self.recv_json()
            except ConnectionClosed as error:
                if error.code in QUIET:
                    return
                raise
            yield value

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the connection; returns when it is gone, after `TIMEOUT` seconds at the latest.

        What waits to be sent goes out before the close frame; messages not yet received are
        dropped. The connection stays open when it raises:
        ValueError for a code that may not be sent (RFC 6455 7.4) and a reason over 123 bytes,
        TypeError where the code is no int or the reason no str.
        """
        check_close(code, reason)
        self._connection.begin_close(code, reason)
        await self._connection.ending.until_gone()


def shortened(reason: str) -> str:
    """What of a reason a close frame takes."""
    return reason.encode()[: MAX_CONTROL - 2].decode(errors="ignore")


def control(data: str | bytes) -> bytes:
    """The payload of a control frame (RFC 6455 5.5)."""
    payload = data.encode() if isinstance(data, str) else bytes(data)
    if len(payload) > MAX_CONTROL:
        raise ValueError(f"A control frame takes 125 bytes, not {len(payload)}")
    return payload


def check_close(code: int, reason: str) -> None:
    """Raise ValueError for what a close frame cannot say (RFC 6455 5.5.1, 7.4), or TypeError."""
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
