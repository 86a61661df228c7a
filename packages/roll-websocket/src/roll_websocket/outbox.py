"""Frames to the transport, in the order in which they were sent."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from roll_websocket.errors import ConnectionClosed

__all__ = ["WITHIN", "Outbox"]

# Frames in a row that are written without yielding to the event loop.
FRAMES_PER_TURN = 64

# The bytes that a waiting broadcast takes besides its frame (measured). Without them, many short
# broadcasts would take 300 MB before their frames reach 1 MiB.
POST_COST = 800

Write = Callable[[], object]

WITHIN = (
    "The pieces of a message cannot send another message, which waits for their end: yield its"
    " text as a piece, or send it from another task"
)


class Sender(Protocol):
    """A message that is sent in pieces."""

    task: asyncio.Task[Any] | None
    """The task that sends it, and runs its iterator."""
    open: bool
    """Whether pieces were sent, but not the last one."""


class Outbox:
    """The queue of the tasks that send: the first to call is the first to write.

    A frame is written at once when nothing waits and the peer reads. Otherwise its task waits
    here, with what writes the frame. While a message is sent in pieces, other messages wait for
    its end; its own pieces and control frames do not (RFC 6455 5.4).
    """

    __slots__ = (
        "backlog",
        "clear",
        "ended",
        "held",
        "loop",
        "paused",
        "row",
        "scheduled",
        "sender",
        "transport",
        "waiting",
    )

    def __init__(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        self.loop = asyncio.get_running_loop()
        self.waiting: OrderedDict[asyncio.Future[Any], tuple[Write, bool]] | None = None
        """Calls that wait for the peer to read, and whether each is a message; None for none."""
        self.held: OrderedDict[asyncio.Future[Any], tuple[Write, bool]] | None = None
        """Messages that wait for the end of a message in pieces; None for none."""
        self.row = 0
        self.backlog = 0
        """Bytes that the broadcasts that wait take."""
        self.paused = False
        self.ended = False
        self.sender: Sender | None = None
        """The message in pieces that is sent now; None for none."""
        self.clear = True
        """Whether a message may be written, unless the transport is closing."""
        self.scheduled = False

    def update(self) -> None:
        """Set `clear` from the other attributes."""
        self.clear = not (self.paused or self.ended or self.waiting or self.sender is not None)

    def free(self) -> bool:
        """Whether a message may be written at once."""
        return self.clear and not self.transport.is_closing()

    def ready(self) -> bool:
        """Whether the caller may write a message at once; not too often in a row."""
        self.row += 1
        return self.row < FRAMES_PER_TURN and self.clear and not self.transport.is_closing()

    def ready_for_control(self) -> bool:
        """Whether the caller may write a control frame, or the next piece of a message."""
        if self.sender is None:
            return self.ready()
        self.row += 1
        blocked = self.paused or self.ended or self.waiting or self.transport.is_closing()
        return self.row < FRAMES_PER_TURN and not blocked

    async def turn(self, write: Write, message: bool) -> Any:
        """Call `write` in its turn, when the peer reads, and return its result.

        A cancelled call writes nothing, and does not delay the calls after it. Raises
        ConnectionClosed when the connection ends before.
        """
        waiter = self.wait_for(write, message)
        try:
            return await waiter
        finally:
            for waiting in (self.waiting, self.held):
                if waiting is not None:
                    waiting.pop(waiter, None)
            self.update()
            # An error of the future refers to this frame: a cycle would keep the connection.
            del waiter

    def post(self, write: Write, size: int) -> None:
        """Call `write`, for a frame of `size` bytes, in its turn. No task waits for it."""
        size += POST_COST
        self.backlog += size
        self.wait_for(partial(self.write_posted, write, size), True)

    def write_posted(self, write: Write, size: int) -> None:
        """Write a posted frame, which then no longer waits."""
        self.backlog -= size
        write()

    def wait_for(self, write: Write, message: bool) -> asyncio.Future[Any]:
        """Queue `write`, and return the future of its result."""
        waiter: asyncio.Future[Any] = self.loop.create_future()
        if message and self.sender is not None:
            self.held = OrderedDict() if self.held is None else self.held
            self.held[waiter] = write, message
        else:
            self.waiting = OrderedDict() if self.waiting is None else self.waiting
            self.waiting[waiter] = write, message
            self.schedule()
        self.clear = False
        return waiter

    def holds(self, task: asyncio.Task[Any] | None) -> bool:
        """Whether a message of `task` waits for the end of a message in pieces.

        The iterator of these pieces may send messages before its first piece: they go out first.

        Raises RuntimeError if it sends one later, which would wait for its own end.
        """
        sender = self.sender
        if sender is None or sender.task is not task:
            return True
        if sender.open:
            raise RuntimeError(WITHIN)
        return False

    def begin_message(self, sender: Sender) -> None:
        """Hold other messages back until a message in pieces has ended."""
        self.sender = sender
        self.clear = False
        entries = list((self.waiting or {}).items())
        self.held = OrderedDict(entry for entry in entries if entry[1][1])
        self.waiting = OrderedDict(entry for entry in entries if not entry[1][1])

    def end_message(self, sender: Sender) -> None:
        """Release the other messages: the last piece was sent, or the message was given up."""
        if self.sender is not sender:
            return  # it has not begun
        self.sender = None
        held, self.held = self.held, None
        if held:
            self.waiting = OrderedDict() if self.waiting is None else self.waiting
            self.waiting.update(held)
            self.schedule()
        self.update()

    def pause(self) -> None:
        """Stop writing: the peer does not read."""
        self.paused = True
        self.clear = False

    def resume(self) -> None:
        """Resume writing."""
        self.paused = False
        self.update()
        self.schedule()

    def schedule(self) -> None:
        """Schedule the writing of waiting data, after other callbacks."""
        if self.waiting and not (self.scheduled or self.paused):
            self.scheduled = True
            self.loop.call_soon(self.drain)

    def drain(self) -> None:
        """Write what waits, while the peer reads.

        It writes all of it: a task waits for one frame at most, so none can delay the others.
        """
        self.scheduled = False
        self.row = 0
        while self.waiting and not (self.paused or self.transport.is_closing()):
            self.write_next()
        if not self.waiting:
            self.waiting = None
            self.update()

    def flush(self) -> None:
        """Write all that waits, even if the peer does not read: a close frame comes next."""
        while self.waiting and not self.transport.is_closing():
            self.write_next()

    def write_next(self) -> None:
        """Write the oldest entry; its task gets the result or the exception."""
        assert self.waiting
        waiter, (write, _) = self.waiting.popitem(last=False)
        if waiter.done():
            return
        try:
            result = write()
        except Exception as error:  # noqa: BLE001 - raised where the frame was sent
            fail(waiter, error)
        else:
            waiter.set_result(result)

    def end(self, code: int, reason: str) -> None:
        """Write nothing more, and fail the calls that wait."""
        self.ended = True
        self.clear = False
        entries = [*(self.waiting or ()), *(self.held or ())]
        self.waiting = self.held = None
        for waiter in entries:
            if not waiter.done():
                fail(waiter, ConnectionClosed(code, reason))


def fail(waiter: asyncio.Future[Any], error: Exception) -> None:
    """Let a waiting call raise an error, unless its task was cancelled."""
    waiter.set_exception(error)
    waiter.exception()  # Otherwise asyncio logs an exception that nobody awaits.
