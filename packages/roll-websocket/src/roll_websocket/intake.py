"""What comes of the peer, parsed as fast as it is wanted."""

from collections.abc import Callable

from roll_websocket.outbox import Outbox
from roll_websocket.wire import Wire

__all__ = ["Intake"]


class Intake:
    """Whether the transport is read, and when what is held is parsed."""

    __slots__ = ("heard", "loop", "outbox", "reading", "scheduled", "transport", "wire")

    def __init__(self, wire: Wire, outbox: Outbox) -> None:
        self.wire = wire
        self.outbox = outbox
        self.transport = outbox.transport
        self.loop = outbox.loop
        self.heard = False
        """Whether anything came since this was last looked at."""
        self.reading = True
        self.scheduled = False

    def read_on(self, step: Callable[[], object]) -> None:
        """The handler wants more: let it come, by a `step` of the parser."""
        if not self.outbox.paused and self.wire.release():
            self.resume()
        else:
            self.schedule(step)

    def schedule(self, step: Callable[[], object]) -> None:
        """Parse what is held, if it is wanted, when others have had their turn: call `step`."""
        if not (self.scheduled or self.outbox.paused or self.wire.stalled):
            self.scheduled = True
            self.loop.call_soon(step)

    def pause(self) -> None:
        """Let the peer send nothing more for a while."""
        self.reading = False
        if not self.transport.is_closing():
            self.transport.pause_reading()

    def resume(self) -> None:
        """Let the peer send again, and do not blame it for what it could not say."""
        if not self.reading:
            self.reading = self.heard = True
            if not self.transport.is_closing():
                self.transport.resume_reading()

    def listens(self) -> bool:
        """Whether silence is the peer's own: it may send, and reads what is sent."""
        return self.outbox.paused or (self.reading and not self.wire.reader.eof)
