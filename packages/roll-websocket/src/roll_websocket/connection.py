"""A transport and the wire on it: flow both ways, turns, pings and the end."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar, cast

from websockets.frames import Close, CloseCode
from websockets.protocol import SEND_EOF, State

from roll_websocket.flow import taken
from roll_websocket.keepalive import Keepalive
from roll_websocket.outbox import Outbox
from roll_websocket.pings import Pings
from roll_websocket.shared import Shared
from roll_websocket.waiting import LOST, Waiting, wake
from roll_websocket.wire import Wire

__all__ = ["Connection"]

LOGGER = logging.getLogger("roll_websocket")

P = ParamSpec("P")
R = TypeVar("R")

# How many times as much may wait for `recv` while a handler awaits a pong.
PONG_ROOM = 4


def guarded(
    callback: Callable[Concatenate["Connection", P], R],
) -> Callable[Concatenate["Connection", P], R | None]:
    """End the connection, and no other, for whatever a callback of it raises."""

    def guard(self: "Connection", /, *args: P.args, **kwargs: P.kwargs) -> R | None:
        try:
            return callback(self, *args, **kwargs)
        except Exception:  # noqa: BLE001 - logged there
            self.break_off()
            return None

    guard.__doc__ = callback.__doc__
    return guard


class Connection(Waiting):
    """An open connection, from the 101 to the end of the transport."""

    TIMEOUT: float = 5
    """Seconds the peer has to answer a close it has read, before the connection is aborted."""
    MAX_QUEUE: int = 64
    """Messages that may wait for `recv` before reading is paused; at least one may."""
    READ_LIMIT: int = 2**16
    """Bytes that may wait for `recv` before reading is paused; one message may pass it."""
    WRITE_LIMIT: int = 2**16
    """Bytes that may wait for the peer to read before `send` waits."""
    BACKLOG_LIMIT: int = 2**20
    """Bytes of broadcasts that may wait beside these; one message may pass it."""

    on_lost: Callable[[], object] | None = None
    """Called when the connection is lost, unless this side has closed it."""

    _wire: Wire
    _pings: Pings

    _abort: asyncio.TimerHandle | None = None
    _keepalive: Keepalive | None = None
    _taken: int | None = None
    _heard = False
    _reading = True
    _scheduled = False
    _broken = False

    def _open(self, wire: Wire, interval: float | None, timeout: float | None) -> None:
        """Keep what the handshake has settled until there is a transport."""
        self._wire = wire
        self._interval = interval
        self._patience = timeout

    # Called by asyncio.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport over, after the head of the 101 has been written to it."""
        self._transport = cast(asyncio.Transport, transport)
        self._loop = asyncio.get_running_loop()
        self._gone = self._loop.create_future()
        self._outbox = Outbox(self._transport, self._loop)
        self._pings = Pings()
        self._begin()

    @guarded
    def _begin(self) -> None:
        """Set the limits, and the clock."""
        self._transport.set_write_buffer_limits(high=self.WRITE_LIMIT)
        self._bound()
        if self._interval is not None:
            self._keepalive = Keepalive(self, self._interval, self._patience)

    def data_received(self, data: bytes) -> None:
        """Take bytes of the peer."""
        self._heard = True
        wire = self._wire
        try:
            if wire.held:
                # Not before now: most holds end before anything more comes.
                wire.reader.feed_data(data)
                self._pause_reading()
            elif wire.take(data):
                wake(self._receiver)
            else:
                wire.receive_data(data)
                self._advance()
        except Exception:  # noqa: BLE001 - as `guarded`, without its cost
            self.break_off()

    @guarded
    def eof_received(self) -> bool:
        """The peer sends nothing more. True keeps the transport for the messages that wait."""
        self._wire.receive_eof()
        self._advance()
        return self._wire.held and self._transport.can_write_eof()

    def connection_lost(self, exc: Exception | None) -> None:
        """The transport is gone: the end, but for the messages that wait."""
        wake(self._gone)
        self._settle()
        if self.on_lost is not None:
            self._tell_owner(self.on_lost)

    @guarded
    def _settle(self) -> None:
        """End what the loss of the transport ends."""
        if self._end is None:
            self._outbox.paused = False
            self._tell()
            self._wire.receive_eof()
            self._advance()
        elif self._abort is not None:
            self._abort.cancel()

    @guarded
    def _tell_owner(self, on_lost: Callable[[], object]) -> None:
        """Tell who owns the connection that it is lost."""
        on_lost()

    @guarded
    def pause_writing(self) -> None:
        """The peer does not read: take nothing of it either, it could be made of pings."""
        self._outbox.pause()
        self._wire.hold()

    @guarded
    def resume_writing(self) -> None:
        """The peer reads again, which is as good as a word."""
        self._heard = True
        self._outbox.resume()
        self._schedule()

    def break_off(self) -> None:
        """End the connection for the exception being handled, which is logged once.

        For a fault of our own, as any callback may raise: no other connection, nor the clock
        that all share, may hear of it.
        """
        if not self._broken:
            self._broken = True
            LOGGER.exception("A WebSocket connection failed")
        if self._end is None:
            self._end = LOST
        self._transport.abort()
        self._tell()
        wake(self._receiver)

    # Called by the keep-alive.

    def heard(self) -> bool:
        """Whether the peer sent anything since the last call, or took any of what waits for it.

        One that could not send is excused, unless nothing was read for it does not read.
        """
        reading = self._outbox.paused or (self._reading and not self._wire.reader.eof)
        heard, self._heard = self._took() or self._heard or not reading, False
        return heard

    def probe(self) -> None:
        """Send a ping whose pong nobody awaits."""
        self._wire.send_ping(b"")
        self._flush()

    def give_up(self, silence: float) -> None:
        """The peer has vanished."""
        self._wire.fail(CloseCode.INTERNAL_ERROR, f"No answer to a ping in {silence:g} seconds.")
        self._advance()

    def _took(self) -> bool:
        """Whether the peer took any of what waited for it at the last call."""
        before, self._taken = self._taken, taken(self._transport)
        return before is not None and (self._taken is None or self._taken > before)

    # Called by a broadcast.

    def post(self, message: Shared) -> bool:
        """Send a message that others send too, without waiting; False when the peer is slow."""
        if not hasattr(self, "_outbox") or self._outbox.ended or self._transport.is_closing():
            return True
        outbox = self._outbox
        if outbox.backlog >= self.BACKLOG_LIMIT:
            return False
        try:
            self._post(outbox, message)
        except Exception:  # noqa: BLE001 - the others get the message all the same
            self.break_off()
        return True

    def _post(self, outbox: Outbox, message: Shared) -> None:
        """Write a message, or let it wait for its turn."""
        deflate = self._wire.deflate
        frame = message.frame(deflate)

        def write() -> None:
            if deflate is not None:
                deflate.restart()
            self._transport.write(frame)

        if outbox.free:
            write()
        else:
            outbox.post(write, len(frame))

    def give_up_slow(self) -> None:
        """The peer does not read what is broadcast."""
        self._begin_close(CloseCode.TRY_AGAIN_LATER, "Too slow for what is sent.")

    # What moves it.

    def _advance(self) -> None:
        """Follow up whatever the wire has just done."""
        wire = self._wire
        if wire.writes:
            self._flush()
        if wire.pongs:
            self._answer_pings()
        if wire.state is not State.OPEN:
            self._finish(wire.end())
        elif wire.inbox.messages:
            wake(self._receiver)
        if wire.held:
            self._schedule()

    def _flush(self) -> None:
        """Write what the wire has, in one go: many small writes to a slow peer are dear."""
        writes = self._wire.data_to_send()
        if not writes or self._transport.is_closing():
            return
        self._transport.write(writes[0] if len(writes) == 1 else b"".join(writes))
        if writes[-1] == SEND_EOF:
            self._send_eof()

    def _send_eof(self) -> None:
        """Say that nothing more comes; TLS cannot say it without closing."""
        if self._wire.reader.eof or not self._transport.can_write_eof():
            self._transport.close()
            return
        # The peer may have reset the connection already: the system says so here, and asyncio
        # tells of the loss later.
        with contextlib.suppress(OSError):
            self._transport.write_eof()

    def _bound(self) -> None:
        """Say how much may wait: more while a pong is awaited, which could be behind it."""
        inbox = self._wire.inbox
        inbox.most, inbox.limit = max(self.MAX_QUEUE, 1), max(self.READ_LIMIT, 1)
        if self._pings:
            inbox.most *= PONG_ROOM
            inbox.limit = inbox.limit * PONG_ROOM + (self._wire.limit or 0)

    def _send_ping(self, payload: bytes) -> asyncio.Future[None]:
        """Send a ping, and look for its pong, behind messages that wait too."""
        if payload in self._pings:
            raise ValueError(f"This ping awaits its pong already: {payload!r}")
        self._wire.send_ping(payload)
        self._flush()
        waiter = self._pings[payload] = self._loop.create_future()
        self._bound()
        if self._wire.held:
            self._schedule()
        return waiter

    def _send_pong(self, payload: bytes) -> None:
        """Send a pong."""
        self._wire.send_pong(payload)
        self._flush()

    def _answer_pings(self) -> None:
        """Tell who awaits them of the pongs that came."""
        pongs, self._wire.pongs = self._wire.pongs, []
        self._pings.answer(pongs)
        self._bound()
        if self._wire.inbox.full:
            self._wire.hold()

    def _read_on(self) -> None:
        """The handler has taken a message: let more come."""
        if not self._outbox.paused and self._wire.release():
            self._resume_reading()
        else:
            self._schedule()

    def _schedule(self) -> None:
        """Parse what is held, if it is wanted, when others have had their turn."""
        if not (self._scheduled or self._outbox.paused or self._wire.inbox.full):
            self._scheduled = True
            self._loop.call_soon(self._step)

    @guarded
    def _step(self) -> None:
        """Parse what was held, then read on if that was all."""
        self._scheduled = False
        if self._outbox.paused or (self._gone.done() and self._end is not None):
            return
        self._wire.step()
        self._advance()
        if not self._wire.held:
            self._resume_reading()

    def _pause_reading(self) -> None:
        """Let the peer send nothing more for a while."""
        self._reading = False
        if not self._transport.is_closing():
            self._transport.pause_reading()

    def _resume_reading(self) -> None:
        """Let the peer send again, and do not blame it for what it could not say."""
        if not self._reading and not self._gone.done():
            self._reading = self._heard = True
            if not self._transport.is_closing():
                self._transport.resume_reading()

    # Its end.

    @guarded
    def _begin_close(self, code: int, reason: str) -> None:
        """Send a close frame, unless the connection has ended."""
        self.on_lost = None
        if self._end is not None:
            return
        self._wire.inbox.drop()
        if self._gone.done():
            self._finish(LOST)
            return
        self._outbox.flush()
        self._wire.send_close(code, reason)
        self._advance()
        # What is held is read on, for the peer's own close frame.
        self._schedule()

    def _finish(self, end: Close) -> None:
        """Tell everyone who waits that it is over; the peer has `TIMEOUT` to go."""
        if self._end is not None:
            return
        self._end = end
        self._tell()
        wake(self._receiver)
        if not self._gone.done():
            self._took()
            self._abort = self._loop.call_later(self.TIMEOUT, self._expire)

    @guarded
    def _expire(self) -> None:
        """Abort, but for a peer that still reads what comes before the close."""
        if self._took():
            self._abort = self._loop.call_later(self.TIMEOUT, self._expire)
        else:
            self._transport.abort()

    def _tell(self) -> None:
        """Tell those who wait for the peer that it is over."""
        if self._keepalive is not None:
            self._keepalive.stop()
        end = self._end or LOST
        self._outbox.end(int(end.code), end.reason)
        self._pings.fail(int(end.code), end.reason)
