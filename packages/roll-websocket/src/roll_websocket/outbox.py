"""Frames to the transport, in the order in which they were sent."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from roll_websocket.errors import ConnectionClosed

__all__ = ["Outbox"]

# Frames in a row that are written without yielding to the event loop.
FRAMES_PER_TURN = 64


class Outbox:
    """The turns of the tasks that send: whoever called first writes first.

    A frame is written at once when nothing waits and the peer reads. Otherwise its task waits
    here, with what writes the frame.
    """

    __slots__ = ("backlog", "ended", "loop", "paused", "row", "scheduled", "transport", "waiting")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self.transport = transport
        self.loop = loop
        self.waiting: OrderedDict[asyncio.Future[Any], Callable[[], object]] | None = None
        """None while nobody waits: most connections never need it."""
        self.row = 0
        self.backlog = 0
        """Bytes that wait for no task."""
        self.paused = False
        self.ended = False
        self.scheduled = False

    @property
    def free(self) -> bool:
        """Whether the peer reads, and nothing waits."""
        return not (self.paused or self.ended or self.waiting or self.transport.is_closing())

    def ready(self) -> bool:
        """Whether the caller may write a frame at once."""
        self.row += 1
        return self.row < FRAMES_PER_TURN and not (
            self.paused or self.ended or self.waiting or self.transport.is_closing()
        )

    async def turn(self, write: Callable[[], object]) -> Any:
        """Call `write` after all that was sent before, once the peer reads; return its result.

        A cancelled call writes nothing, and does not hold up those behind it. Raises
        ConnectionClosed when the connection ends before.
        """
        waiter = self.wait_for(write)
        try:
            return await waiter
        finally:
            if self.waiting is not None:
                self.waiting.pop(waiter, None)

    def post(self, write: Callable[[], object], size: int) -> None:
        """Call `write`, of so many bytes, after all that was sent before; nobody waits for it."""

        def post() -> None:
            self.backlog -= size
            write()

        self.backlog += size
        self.wait_for(post)

    def wait_for(self, write: Callable[[], object]) -> asyncio.Future[Any]:
        """Let `write` wait for its turn."""
        if self.waiting is None:
            self.waiting = OrderedDict()
        waiter = self.loop.create_future()
        self.waiting[waiter] = write
        self.schedule()
        return waiter

    def pause(self) -> None:
        """The peer does not read."""
        self.paused = True

    def resume(self) -> None:
        """The peer reads again."""
        self.paused = False
        self.schedule()

    def schedule(self) -> None:
        """Write what waits when other callbacks have run."""
        if self.waiting and not (self.scheduled or self.paused):
            self.scheduled = True
            self.loop.call_soon(self.drain)

    def drain(self) -> None:
        """Write what waits, as far as the peer reads.

        All of it: as each task waits for one frame at most, none can hold up the others.
        """
        self.scheduled = False
        self.row = 0
        while self.waiting and not (self.paused or self.transport.is_closing()):
            self.write_next()
        if not self.waiting:
            self.waiting = None

    def flush(self) -> None:
        """Write all that waits, whether the peer reads or not: a close frame comes next."""
        while self.waiting and not self.transport.is_closing():
            self.write_next()

    def write_next(self) -> None:
        """Write what has waited longest; its task gets what that raises."""
        assert self.waiting
        waiter, write = self.waiting.popitem(last=False)
        if waiter.done():
            return
        try:
            result = write()
        except Exception as error:  # noqa: BLE001 - raised where the frame was sent
            fail(waiter, error)
        else:
            waiter.set_result(result)

    def end(self, code: int, reason: str) -> None:
        """Nothing is written any more."""
        self.ended = True
        waiting, self.waiting = self.waiting, None
        for waiter in waiting or ():
            if not waiter.done():
                fail(waiter, ConnectionClosed(code, reason))


def fail(waiter: asyncio.Future[Any], error: Exception) -> None:
    """Raise an error where this is awaited; unless its task is cancelled meanwhile."""
    waiter.set_exception(error)
    waiter.exception()  # Else asyncio logs it when nobody awaits it any more.
