"""The connection: frames on a transport, an API of coroutines for the handler."""

import asyncio
import os
from collections.abc import Awaitable, Iterable, Sequence
from typing import Self, cast

from websockets.exceptions import ProtocolError
from websockets.frames import Close, CloseCode
from websockets.protocol import SEND_EOF, State

from roll_websocket.errors import ConnectionClosed
from roll_websocket.handshake import HandshakeRequest, Origins, accept
from roll_websocket.keepalive import Keepalive
from roll_websocket.wire import MAX_CONTROL, Wire

__all__ = ["WSProtocol"]

Data = str | bytes | bytearray | memoryview

# Sends in a row without waiting before others have their turn.
SENDS_PER_TURN = 64

# RFC 6455 7.4.1: iteration ends quietly on these.
QUIET = {CloseCode.NORMAL_CLOSURE, CloseCode.GOING_AWAY}


class WSProtocol(asyncio.Protocol):
    """A WebSocket connection of a server (RFC 6455).

    Whoever owns the transport calls `handshake()`, writes what it returns, hands the transport
    over (`transport.set_protocol(ws)`, `ws.connection_made(transport)`), passes on by
    `ws.data_received(data)` what followed the request, and awaits `ws.run(handler)`.

    The constants are read when used, they can be set on a subclass or an instance.
    """

    TIMEOUT: float = 5
    """Seconds the peer has to answer a close, before the connection is aborted."""
    MAX_SIZE: int | None = 2**20
    """Bytes of a message received; None for no limit."""
    MAX_QUEUE: int = 64
    """Messages that may wait for `recv` before reading is paused."""
    READ_LIMIT: int = 2**16
    """Bytes that may wait for `recv` before reading is paused; one message may pass it."""
    WRITE_LIMIT: int = 2**16
    """Bytes that may wait for the peer to read before `send` waits."""

    _wire: Wire
    _transport: asyncio.Transport
    _loop: asyncio.AbstractEventLoop
    _gone: asyncio.Future[None]

    def __init__(self, request: HandshakeRequest) -> None:
        self.request = request
        self.subprotocol: str | None = None
        self._ping: tuple[float | None, float | None] = (None, None)
        self._keepalive: Keepalive | None = None
        self._end: Close | None = None
        self._receiver: asyncio.Future[None] | None = None
        self._writable: asyncio.Future[None] | None = None
        self._pings: dict[bytes, asyncio.Future[None]] = {}
        self._abort: asyncio.TimerHandle | None = None
        self._heard = False
        self._paused = False
        self._reading = True
        self._scheduled = False
        self._sends = 0

    # The opening handshake.

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
        are given. `subprotocol` becomes the first of the client's that is in `subprotocols`.
        `compression` allows permessage-deflate (RFC 7692). A ping goes out every
        `ping_interval` seconds (None: never), and a peer silent for `ping_timeout` seconds
        after it (None: for ever) is given up. `max_size` is for this connection what
        `MAX_SIZE` is for all.

        Raises HandshakeError when the request is refused, and ValueError for a header that
        cannot be sent.
        """
        self._ping = ping_interval, ping_timeout
        self._wire = Wire(
            max_size=self.MAX_SIZE if max_size is None else max_size,
            compression=compression,
            origins=origins,
            subprotocols=subprotocols,
        )
        head = accept(self._wire, self.request, headers)
        self.subprotocol = self._wire.subprotocol
        return head

    # The handler's side.

    async def recv(self) -> str | bytes:
        """The next message: str for text, bytes for binary. A cancelled call loses none.

        Raises ConnectionClosed once the connection is closed and no message waits, and
        RuntimeError when another task awaits a message already.
        """
        wire = self._wire
        while not wire.messages:
            if self._end is not None:
                raise self._closed(self._end)
            await self._message()
        message = wire.pop()
        if wire.reader.held and wire.hungry:
            self._schedule()
        return message

    async def send(self, data: Data) -> None:
        """Send a message, text for a str, binary for bytes; waits while the peer does not read.

        Raises ConnectionClosed, or TypeError for data of another type.
        """
        if not isinstance(data, Data):
            raise TypeError(f"A message is str or bytes, not {type(data).__name__}")
        await self._turn_to_send()
        if isinstance(data, str):
            self._wire.send_text(data.encode())
        else:
            self._wire.send_binary(data)
        self._flush()

    async def ping(self, data: str | bytes | None = None) -> asyncio.Future[None]:
        """Send a ping; returns a future that is done when its pong comes.

        `data` has 125 bytes at most and is random by default. The future raises
        ConnectionClosed when the connection ends before. Raises ConnectionClosed, or
        ValueError when data is too long or awaits its pong already.
        """
        payload = os.urandom(4) if data is None else control(data)
        await self._turn_to_send()
        if payload in self._pings:
            raise ValueError(f"This ping awaits its pong already: {payload!r}")
        self._wire.send_ping(payload)
        self._flush()
        waiter = self._pings[payload] = self._loop.create_future()
        return waiter

    async def pong(self, data: str | bytes = b"") -> None:
        """Send a pong nobody asked for (RFC 6455 5.5.3); pings are answered without it.

        Raises ConnectionClosed, or ValueError when data has more than 125 bytes.
        """
        payload = control(data)
        await self._turn_to_send()
        self._wire.send_pong(payload)
        self._flush()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the connection; returns when it is gone, after `TIMEOUT` seconds at the latest.

        Messages not yet received are dropped. Raises ValueError, the connection staying open,
        for a code that may not be sent (RFC 6455 7.4) and a reason over 123 bytes.
        """
        check_close(code, reason)
        self._begin_close(code, reason)
        await self._until_gone()

    def __aiter__(self) -> Self:
        """The messages, until the peer or the server closes with 1000 or 1001.

        Raises ConnectionClosed on any other end.
        """
        return self

    async def __anext__(self) -> str | bytes:
        try:
            return await self.recv()
        except ConnectionClosed as error:
            if error.code in QUIET:
                raise StopAsyncIteration from None
            raise

    # The owner's side.

    async def run(self, handler: Awaitable[object]) -> None:
        """Run the handler to its end, then close: 1000, or 1011 when it raised.

        What it raised is raised again, but for the ConnectionClosed of a connection that has
        ended. Cancelled, it is cancelled with its handler and closes with 1001. The
        connection is gone when it comes back: cancelling it once more aborts it.
        """
        code, reason = 1011, "Handler died prematurely."
        try:
            await handler
            code, reason = 1000, ""
        except ConnectionClosed:
            if self._end is None:
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

    # asyncio's side.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport over, after the head of the 101 has been written to it."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=self.WRITE_LIMIT)
        self._loop = asyncio.get_running_loop()
        self._gone = self._loop.create_future()
        self._wire.max_queue = self.MAX_QUEUE
        self._wire.read_limit = self.READ_LIMIT
        interval, timeout = self._ping
        if interval is not None:
            self._keepalive = Keepalive(self, interval, timeout)

    def data_received(self, data: bytes) -> None:
        """Take bytes of the peer."""
        self._heard = True
        wire = self._wire
        if wire.reader.held:
            # Not before now: most holds end before anything more comes.
            wire.reader.feed_data(data)
            self._reading = False
            self._transport.pause_reading()
        else:
            wire.receive_data(data)
            self._advance()

    def eof_received(self) -> bool:
        """The peer sends nothing more. True keeps the transport for the messages that wait."""
        self._wire.receive_eof()
        self._advance()
        return self._wire.reader.held and self._transport.can_write_eof()

    def connection_lost(self, exc: Exception | None) -> None:
        """The transport is gone."""
        self._finish(self._wire.end() or Close(CloseCode.ABNORMAL_CLOSURE, ""))
        if self._abort is not None:
            self._abort.cancel()
        self._gone.set_result(None)

    def pause_writing(self) -> None:
        """The peer does not read: take nothing of it either, it could be made of pings."""
        self._paused = True
        self._wire.hold()

    def resume_writing(self) -> None:
        """The peer reads again."""
        self._paused = False
        self._release_writers()
        self._schedule()

    # Keeping alive.

    def heard(self) -> bool:
        """Whether the peer sent anything since the last call, or was not let send."""
        heard, self._heard = self._heard or self._wire.full, False
        return heard

    def probe(self) -> None:
        """Send a ping whose pong nobody awaits."""
        self._wire.send_ping(b"")
        self._flush()

    def give_up(self, silence: float) -> None:
        """The peer has vanished."""
        self._wire.fail(CloseCode.INTERNAL_ERROR, f"No answer to a ping in {silence:g} seconds.")
        self._advance()

    # What moves it.

    def _advance(self) -> None:
        """Follow up whatever the wire has just done."""
        wire = self._wire
        if wire.writes:
            self._flush()
        if wire.pongs:
            self._answer_pings()
        if self._end is None and wire.state is not State.OPEN:
            self._finish(wire.end())
        elif wire.messages:
            self._wake(self._receiver)
        if wire.reader.held and not wire.full:
            self._schedule()

    def _flush(self) -> None:
        """Write what the wire has, in one go: many small writes to a slow peer are dear."""
        writes = self._wire.data_to_send()
        if self._transport.is_closing():
            return
        self._transport.write(b"".join(writes))
        if writes[-1] == SEND_EOF:
            self._send_eof()

    def _send_eof(self) -> None:
        """Say that nothing more comes; only TLS cannot say it without closing."""
        if self._wire.reader.eof or not self._transport.can_write_eof():
            self._transport.close()
        else:
            self._transport.write_eof()

    def _schedule(self) -> None:
        """Go on parsing what is held, when others have had their turn."""
        if not self._scheduled and not self._paused:
            self._scheduled = True
            self._loop.call_soon(self._step)

    def _step(self) -> None:
        """Parse what was held, then read on if that was all."""
        self._scheduled = False
        if self._gone.done() or self._paused:
            return
        self._wire.step()
        self._advance()
        if not self._reading and not self._wire.reader.held:
            self._reading = True
            self._transport.resume_reading()

    # Its end.

    def _begin_close(self, code: int, reason: str) -> None:
        """Send a close frame, unless the connection has ended."""
        if self._end is not None:
            return
        self._wire.send_close(code, reason)
        self._wire.drop()
        self._advance()
        # What comes is read on, for the peer's own close frame.
        self._schedule()

    def _finish(self, end: Close | None) -> None:
        """Tell everyone who waits that it is over; the peer has `TIMEOUT` to go."""
        if self._end is not None:
            return
        self._end = end
        if self._keepalive is not None:
            self._keepalive.stop()
        self._abort = self._loop.call_later(self.TIMEOUT, self._transport.abort)
        self._wake(self._receiver)
        self._release_writers()
        self._fail_pings()

    async def _until_gone(self) -> None:
        """Wait until the transport is gone; a cancelled wait aborts it."""
        try:
            await asyncio.wait([self._gone])
        except asyncio.CancelledError:
            self._transport.abort()
            raise

    def _closed(self, end: Close) -> ConnectionClosed:
        """The exception that tells this end."""
        return ConnectionClosed(end.code, end.reason)

    # Waiting.

    async def _message(self) -> None:
        """Wait for a message or the end."""
        if self._receiver is not None:
            raise RuntimeError("Another task awaits the next message already")
        self._receiver = self._loop.create_future()
        try:
            await self._receiver
        finally:
            self._receiver = None

    async def _turn_to_send(self) -> None:
        """Wait until something may be sent; ConnectionClosed when nothing may be."""
        self._sends += 1
        if self._sends >= SENDS_PER_TURN:
            self._sends = 0
            await asyncio.sleep(0)
        while self._paused and self._end is None:
            await self._until_writable()
        if self._end is None and self._transport.is_closing():
            await self._until_gone()
        if self._end is not None:
            raise self._closed(self._end)

    async def _until_writable(self) -> None:
        """Wait until the peer has read enough, or the end."""
        if self._writable is None:
            self._writable = self._loop.create_future()
        await asyncio.wait([self._writable])

    def _wake(self, waiter: asyncio.Future[None] | None) -> None:
        """Let go on who awaits this."""
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def _release_writers(self) -> None:
        """Let go on who waits to send."""
        self._wake(self._writable)
        self._writable = None

    # Pings of the handler.

    def _answer_pings(self) -> None:
        """A pong answers its ping and those before it (RFC 6455 5.5.3)."""
        pongs, self._wire.pongs = self._wire.pongs, []
        for payload in pongs:
            while payload in self._pings:
                self._wake(self._pings.pop(next(iter(self._pings))))

    def _fail_pings(self) -> None:
        """No pong will come."""
        end = cast(Close, self._end)
        for waiter in self._pings.values():
            if not waiter.done():
                waiter.set_exception(self._closed(end))
                waiter.exception()  # Not awaiting it is no mistake.
        self._pings.clear()


def control(data: str | bytes) -> bytes:
    """The payload of a control frame (RFC 6455 5.5)."""
    payload = data.encode() if isinstance(data, str) else bytes(data)
    if len(payload) > MAX_CONTROL:
        raise ValueError(f"A control frame takes 125 bytes, not {len(payload)}")
    return payload


def check_close(code: int, reason: str) -> None:
    """Raise ValueError for what a close frame cannot say (RFC 6455 5.5.1, 7.4)."""
    try:
        data = Close(code, reason).serialize()
    except ProtocolError as error:
        raise ValueError(f"A close frame cannot have this code: {code}") from error
    if len(data) > MAX_CONTROL:
        raise ValueError(f"A close reason takes 123 bytes, not {len(data) - 2}")
