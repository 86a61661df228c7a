"""A transport with its protocol state: the callbacks of asyncio, the clock and broadcasts."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any

from websockets.frames import Close, CloseCode, Opcode
from websockets.protocol import SEND_EOF, State

from roll_websocket.ending import LOST, Ending, Limits
from roll_websocket.guard import guarded
from roll_websocket.intake import Intake
from roll_websocket.keepalive import Keepalive
from roll_websocket.outbox import Outbox
from roll_websocket.pings import Pings
from roll_websocket.shared import Shared
from roll_websocket.wire import Wire

if TYPE_CHECKING:
    from roll_websocket.deflate import Deflate

__all__ = ["Connection"]

LOGGER = logging.getLogger("roll_websocket")

# The bytes that asyncio reads at once. For each read it allocates a block of that size, 256 KiB by
# default, which glibc gets from the system and returns: 11 us of the 28 of an echo of 32 bytes.
READ_SIZE = 120 * 1024

# How many times as much may wait for `recv` while a handler awaits a pong.
PONG_ROOM = 4


class Connection:
    """A connection from the 101 response to the loss of its transport."""

    __slots__ = (
        "broken",
        "deflate",
        "ending",
        "intake",
        "keepalive",
        "limits",
        "loop",
        "on_lost",
        "outbox",
        "pings",
        "sent",
        "stream",
        "transport",
        "wire",
    )

    def __init__(
        self,
        wire: Wire,
        transport: asyncio.Transport,
        limits: type[Limits],
        on_lost: Callable[[], object] | None,
    ) -> None:
        self.wire = wire
        self.deflate = wire.deflate
        self.transport = transport
        self.limits = limits
        self.on_lost = on_lost
        self.loop = asyncio.get_running_loop()
        self.ending = Ending(transport, limits)
        self.outbox = Outbox(transport)
        self.pings = Pings()
        self.intake = Intake(wire, self.outbox)
        self.keepalive: Keepalive | None = None
        self.broken = False
        self.sent = 0
        """Bytes of the frames that were written."""
        self.stream: object | None = None
        """The stream whose message was not read to its end."""

    @guarded
    def start(self, interval: float | None, patience: float | None) -> None:
        """Set the limits and start the keep-alive."""
        self.transport.set_write_buffer_limits(high=self.limits.WRITE_LIMIT)
        if hasattr(self.transport, "max_size"):  # of asyncio, not of uvloop
            self.transport.max_size = READ_SIZE
        self.bound()
        if interval is not None:
            self.keepalive = Keepalive(self, interval, patience)

    # Called by asyncio.

    def data_received(self, data: bytes) -> None:
        """Process bytes from the peer."""
        intake, wire = self.intake, self.wire
        intake.heard = True
        try:
            if wire.held:
                # Pause here, not earlier: most holds end before more input arrives.
                wire.reader.feed_data(data)
                intake.pause()
            elif wire.take(data):
                wire.inbox.wake()
            else:
                wire.receive_data(data)
                self.advance()
        except Exception:  # noqa: BLE001 - as `guarded`, without its cost
            self.break_off()

    @guarded
    def eof_received(self) -> bool:
        """Process the end of input; return True to keep the transport for waiting messages."""
        self.wire.receive_eof()
        self.advance()
        return self.wire.held and self.transport.can_write_eof()

    def connection_lost(self) -> None:
        """Process the loss of the transport; waiting messages can still be received."""
        self.ending.lost()
        self.settle()
        if self.on_lost is not None:
            self.tell_owner(self.on_lost)

    @guarded
    def settle(self) -> None:
        """End the connection, unless it has ended."""
        if self.ending.close is None:
            self.outbox.paused = False
            self.tell()
            self.wire.receive_eof()
            self.advance()

    @guarded
    def tell_owner(self, on_lost: Callable[[], object]) -> None:
        """Call the owner's function."""
        on_lost()

    @guarded
    def pause_writing(self) -> None:
        """Stop writing, and reading too: a peer that only sends pings would fill the memory."""
        self.outbox.pause()
        self.wire.hold()

    @guarded
    def resume_writing(self) -> None:
        """Resume writing and reading; the peer has read, so it counts as heard."""
        self.intake.heard = True
        self.outbox.resume()
        self.intake.schedule(self.step)

    @guarded
    def step(self) -> None:
        """Parse waiting input, then resume reading if all of it was parsed."""
        self.intake.scheduled = False
        if self.outbox.paused or (self.ending.gone.done() and self.ending.close is not None):
            return
        self.wire.step()
        self.advance()
        if not self.wire.held:
            self.intake.resume()

    # Called by the keep-alive.

    def heard(self) -> bool:
        """Return whether the peer has sent or read anything since the last call.

        A peer whose input was not read counts as heard, unless the peer itself does not read.
        """
        intake = self.intake
        heard = self.ending.took() or intake.heard or not intake.listens()
        intake.heard = False
        return heard

    def probe(self) -> None:
        """Send a ping of the keep-alive."""
        self.pings.probed = perf_counter()
        self.wire.send_ping(b"")
        self.flush()

    def give_up(self, silence: float) -> None:
        """Close with 1011: the peer did not answer."""
        self.wire.fail(CloseCode.INTERNAL_ERROR, f"No answer to a ping in {silence:g} seconds.")
        self.advance()

    def break_off(self) -> None:
        """End the connection because of the exception being handled, and log that once.

        A fault in one connection must not reach other connections or the shared clock.
        """
        if not self.broken:
            self.broken = True
            LOGGER.exception("A WebSocket connection failed")
        if self.ending.close is None:
            self.ending.close = LOST
        self.transport.abort()
        self.tell()
        self.wire.inbox.wake()

    # Called by a broadcast.

    def post(self, message: Shared) -> bool:
        """Send a broadcast message without waiting; return False if the peer is slow."""
        if self.outbox.ended or self.transport.is_closing():
            return True
        if self.outbox.backlog >= self.limits.BACKLOG_LIMIT:
            return False
        deflate = self.deflate
        frame = message.frame(deflate)
        if self.outbox.free():
            self.write_shared(frame, deflate)
        else:
            # In Python 3.14, a closure takes 370 bytes more, because each has its own annotations.
            self.outbox.post(partial(self.write_shared, frame, deflate), len(frame))
        return True

    def write_shared(self, frame: bytes, deflate: "Deflate | None") -> None:
        """Write the frame of a broadcast, which refers to no earlier compressed message."""
        if deflate is not None:
            deflate.restart()
        self.write(frame)

    # What moves it.

    def advance(self) -> None:
        """Write, wake and finish as the protocol state requires."""
        wire = self.wire
        if wire.writes:
            self.flush()
        if wire.pongs:
            self.answer_pings()
        if wire.state is not State.OPEN:
            self.finish(wire.end())
        elif wire.inbox.messages:
            wire.inbox.wake()
        if wire.held:
            self.intake.schedule(self.step)

    def flush(self) -> None:
        """Write all frames of the protocol in one call: many small writes are slow."""
        writes = self.wire.data_to_send()
        if not writes or self.transport.is_closing():
            return
        self.write(writes[0] if len(writes) == 1 else b"".join(writes))
        if writes[-1] == SEND_EOF:
            self.send_eof()

    def send_eof(self) -> None:
        """Half-close the transport; close it over TLS, which cannot be half-closed."""
        if self.wire.reader.eof or not self.transport.can_write_eof():
            self.transport.close()
            return
        # The peer may have reset the connection already: the system says so here, and asyncio
        # tells of the loss later.
        with contextlib.suppress(OSError):
            self.transport.write_eof()

    def write(self, data: bytes) -> None:
        """Write frames to the transport."""
        self.sent += len(data)
        self.transport.write(data)

    async def turn(self, write: Callable[[], object], message: bool) -> Any:
        """Call `write` in its turn; raise ConnectionClosed if the connection has ended.

        Raises RuntimeError for a message within the pieces of another one of the same task.
        """
        ending = self.ending
        if ending.close is None and self.transport.is_closing():
            await ending.until_gone()
        if ending.close is not None or ending.gone.done():
            # Yield here too: a task may send in a loop and ignore the exception.
            await asyncio.sleep(0)
            raise ending.exception
        message = message and self.outbox.holds(asyncio.current_task())
        return await self.outbox.turn(write, message)

    def send_message(self, opcode: Opcode, payload: bytes) -> None:
        """Send a whole message."""
        self.write(self.wire.pack(opcode, payload))

    # Pings.

    def bound(self) -> None:
        """Set how much may wait. It is more while a pong is awaited, which may come after it."""
        inbox = self.wire.inbox
        inbox.most, inbox.limit = max(self.limits.MAX_QUEUE, 1), max(self.limits.READ_LIMIT, 1)
        if self.pings.waiters:
            inbox.most *= PONG_ROOM
            inbox.limit = inbox.limit * PONG_ROOM + (self.wire.limit or 0)

    def send_ping(self, payload: bytes) -> asyncio.Future[float]:
        """Send a ping, and parse waiting input for its pong."""
        if self.pings.waiters and payload in self.pings.waiters:
            raise ValueError(f"This ping awaits its pong already: {payload!r}")
        self.wire.send_ping(payload)
        self.flush()
        waiter = self.pings.add(payload, perf_counter())
        self.bound()
        if self.wire.held:
            self.intake.schedule(self.step)
        return waiter

    def send_pong(self, payload: bytes) -> None:
        """Send a pong."""
        self.wire.send_pong(payload)
        self.flush()

    def answer_pings(self) -> None:
        """Set the futures of the pongs that arrived."""
        pongs, self.wire.pongs = self.wire.pongs, []
        self.pings.answer(pongs, perf_counter())
        self.bound()
        if self.wire.inbox.full:
            self.wire.hold()

    def check_size(self, size: int) -> None:
        """Fail the connection if a message exceeds the limit."""
        if self.wire.limit is not None and size > self.wire.limit:
            self.wire.fail(CloseCode.MESSAGE_TOO_BIG)
            self.wire.inbox.drop()  # The rest of that message.
            self.advance()
            raise self.ending.exception

    # Its end.

    @guarded
    def begin_close(self, code: int, reason: str) -> None:
        """Send a close frame, unless the connection has ended."""
        self.on_lost = None
        if self.ending.close is not None:
            return
        self.wire.inbox.drop()
        if self.ending.gone.done():
            self.finish(LOST)
            return
        self.outbox.flush()
        self.wire.send_close(code, reason)
        self.advance()
        # Continue to read the held input, for the close frame of the peer.
        self.intake.schedule(self.step)

    def finish(self, close: Close) -> None:
        """End all waiting calls. The peer has `TIMEOUT` seconds."""
        if self.ending.close is None:
            self.ending.begin(close)
            self.tell()
            self.wire.inbox.wake()

    def tell(self) -> None:
        """Stop the keep-alive, and fail waiting sends and pings."""
        if self.keepalive is not None:
            self.keepalive.stop()
            self.keepalive = None  # The function may hold this object.
        close = self.ending.told
        self.outbox.end(int(close.code), close.reason)
        self.pings.fail(int(close.code), close.reason)
