"""Input of the peer, read and parsed as fast as the handler takes it."""

from collections.abc import Callable

from roll_websocket.outbox import Outbox
from roll_websocket.wire import Wire

__all__ = ["Intake"]


class Intake:
    """Decides whether the transport is read, and when waiting input is parsed."""

    __slots__ = ("heard", "loop", "outbox", "reading", "scheduled", "transport", "wire")

    def __init__(self, wire: Wire, outbox: Outbox) -> None:
        self.wire = wire
        self.outbox = outbox
        self.transport = outbox.transport
        self.loop = outbox.loop
        self.heard = False
        """Whether input arrived since the keep-alive last looked."""
        self.reading = True
        self.scheduled = False

    def read_on(self, step: Callable[[], object]) -> None:
        """Read on, or parse waiting input by `step`: the handler wants more."""
        if not self.outbox.paused and self.wire.release():
            self.resume()
        else:
            self.schedule(step)

    def schedule(self, step: Callable[[], object]) -> None:
        """Schedule a `step` that parses waiting input, if the handler wants more."""
        if not (self.scheduled or self.outbox.paused or self.wire.stalled):
            self.scheduled = True
            self.loop.call_soon(step)

    def pause(self) -> None:
        """Stop reading from the transport."""
        self.reading = False
        if not self.transport.is_closing():
            self.transport.pause_reading()

    def resume(self) -> None:
        """Resume reading; the peer could not answer pings meanwhile, so it counts as heard."""
        if not self.reading:
            self.reading = self.heard = True
            if not self.transport.is_closing():
                self.transport.resume_reading()

    def listens(self) -> bool:
        """Whether the peer is responsible for its silence: it could send, or does not read."""
        return self.outbox.paused or (self.reading and not self.wire.reader.eof)
