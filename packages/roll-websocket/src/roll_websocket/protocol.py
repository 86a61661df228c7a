"""What an owner of transports and a handler of messages see of a connection."""

import asyncio
import os
from collections.abc import Awaitable, Iterable, Sequence
from typing import Self

from websockets.exceptions import ProtocolError
from websockets.frames import Close, CloseCode

from roll_websocket.connection import Connection
from roll_websocket.errors import ConnectionClosed, is_closing
from roll_websocket.frames import message_frame
from roll_websocket.handshake import HandshakeRequest, Origins, accept
from roll_websocket.options import check_options
from roll_websocket.wire import MAX_CONTROL, Wire

__all__ = ["WSProtocol"]

# RFC 6455 7.4.1: iteration ends quietly on these.
QUIET = {CloseCode.NORMAL_CLOSURE, CloseCode.GOING_AWAY}


class WSProtocol(Connection):
    """A WebSocket connection of a server (RFC 6455).

    Whoever owns the transport calls `handshake()`, writes what it returns, hands the transport
    over (`transport.set_protocol(ws)`, `ws.connection_made(transport)`), passes on by
    `ws.data_received(data)` what followed the request, and awaits `ws.run(handler)`.

    The constants, `TIMEOUT` and the like, are read when used: they can be set on a subclass.
    """

    MAX_SIZE: int | None = 2**20
    """Bytes of a message received; None for no limit."""

    def __init__(self, request: HandshakeRequest) -> None:
        self.request = request
        self.subprotocol: str | None = None

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
        self._open(wire, ping_interval, ping_timeout)
        return head

    async def run(self, handler: Awaitable[object]) -> None:
        """Run the handler to its end, then close: 1000, or 1011 when it raised.

        What it raised is raised again, but for the ConnectionClosed, or a group of such, of a
        connection that has ended. Cancelled, it is cancelled with its handler and closes with
        1001. The connection is gone when it comes back: cancelling it once more aborts it.
        """
        code, reason = 1011, "Handler died prematurely."
        try:
            await handler
            code, reason = 1000, ""
        except (ConnectionClosed, ExceptionGroup) as error:
            ended = self._end is not None or self._gone.done()
            if not (ended and is_closing(error)):
                raise
        except asyncio.CancelledError:
            code, reason = 1001, "Handler cancelled."
            raise
        finally:
            self._begin_close(code, reason)
            await self._until_gone()

    def shutdown(self) -> None:
        """The server is going away: close with 1001. The handler gets ConnectionClosed."""
        self._begin_close(1001, "")

    # What anybody may ask.

    @property
    def closed(self) -> bool:
        """Whether the connection has ended: nothing is sent any more, nor comes."""
        return self._end is not None

    @property
    def close_code(self) -> int | None:
        """What `ConnectionClosed.code` is after the end; None before."""
        return None if self._end is None else int(self._end.code)

    @property
    def close_reason(self) -> str | None:
        """What `ConnectionClosed.reason` is after the end; None before."""
        return None if self._end is None else self._end.reason

    # The handler's side.

    async def recv(self) -> str | bytes:
        """The next message: str for text, bytes for binary. A cancelled call loses none.

        Raises ConnectionClosed once the connection is closed and no message waits, and
        RuntimeError when another task awaits a message already.
        """
        wire = self._wire
        while not wire.inbox.messages:
            if self._end is not None:
                raise self._closed()
            await self._message()
        message = wire.inbox.pop()
        if wire.held and wire.inbox.hungry:
            self._read_on()
        return message

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

    async def send(self, data: str | bytes | bytearray | memoryview) -> None:
        """Send a message, text for a str, binary for bytes; waits while the peer does not read.

        Messages, pings and pongs go out in the order of the calls, whichever tasks call. What
        is cancelled while it waits is not sent.
        Raises ConnectionClosed, or TypeError for data of another type.
        """
        opcode, payload = message_frame(data)
        if self._outbox.ready():
            self._transport.write(self._wire.pack(opcode, payload))
        else:
            await self._turn(lambda: self._transport.write(self._wire.pack(opcode, payload)))

    async def ping(self, data: str | bytes | None = None) -> asyncio.Future[None]:
        """Send a ping; returns a future that is done when its pong comes.

        `data` has 125 bytes at most and is random by default. The future raises
        ConnectionClosed when the connection ends before. Raises ConnectionClosed, or
        ValueError when data is too long or awaits its pong already.
        """
        payload = os.urandom(4) if data is None else control(data)
        if self._outbox.ready():
            return self._send_ping(payload)
        waiter: asyncio.Future[None] = await self._turn(lambda: self._send_ping(payload))
        return waiter

    async def pong(self, data: str | bytes = b"") -> None:
        """Send a pong nobody asked for (RFC 6455 5.5.3); pings are answered without it.

        Raises ConnectionClosed, or ValueError when data has more than 125 bytes.
        """
        payload = control(data)
        if self._outbox.ready():
            self._send_pong(payload)
        else:
            await self._turn(lambda: self._send_pong(payload))

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the connection; returns when it is gone, after `TIMEOUT` seconds at the latest.

        What waits to be sent goes out before the close frame; messages not yet received are
        dropped. The connection stays open when it raises:
        ValueError for a code that may not be sent (RFC 6455 7.4) and a reason over 123 bytes,
        TypeError where the code is no int or the reason no str.
        """
        check_close(code, reason)
        self._begin_close(code, reason)
        await self._until_gone()


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
