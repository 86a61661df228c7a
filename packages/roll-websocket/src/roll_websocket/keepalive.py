"""Keep-alive by one coarse clock for all the connections of a loop.

A timer per connection costs a heap entry each, pushed and cancelled all the time. Here the
connections whose time falls into the same slot share one timer.

roll-http has another coarse clock (`roll_http.connection.registry`), on purpose: the two packages
do not depend on each other, and they need different clocks. There, deadlines change with each
request, so all connections are scanned a few times a second. Here, a deadline lasts for many
seconds, so a timer wakes only the connections that are due.
"""

import asyncio
import logging
import math
import weakref
from typing import Protocol

__all__ = ["Clock", "Keepalive", "Peer", "Sleeper"]

LOGGER = logging.getLogger("roll_websocket")

# Seconds. A delay is lengthened by one slot at most: a second, an eighth of a short delay.
LONGEST_SLOT = 1.0
SLOTS_PER_DELAY = 8


class Sleeper(Protocol):
    """An object that can be woken."""

    def on_alarm(self) -> None:
        """Called at the time."""


class Clock:
    """Wakes sleepers, each once per call of `wake`."""

    def __init__(self) -> None:
        self.slots: dict[float, set[Sleeper]] = {}
        self.ringing: set[Sleeper] = set()

    @classmethod
    def of(cls, loop: asyncio.AbstractEventLoop) -> "Clock":
        """Return the clock of a loop; it lives as long as a connection refers to it."""
        found = CLOCKS.get(loop)
        clock = found() if found is not None else None
        if clock is None:
            clock = cls()
            CLOCKS[loop] = weakref.ref(clock)
        return clock

    def wake(self, sleeper: Sleeper, when: float) -> float:
        """Call `sleeper.on_alarm()` at `when` or a little later; return its slot."""
        loop = asyncio.get_running_loop()
        width = slot_width(when - loop.time())
        key = math.ceil(when / width) * width
        if key not in self.slots:
            self.slots[key] = set()
            loop.call_at(key, self.ring, key)
        self.slots[key].add(sleeper)
        return key

    def forget(self, sleeper: Sleeper, key: float) -> None:
        """Cancel the call of a sleeper."""
        self.slots.get(key, self.ringing).discard(sleeper)

    def ring(self, key: float) -> None:
        """Wake the sleepers of one slot, except those that another one cancels meanwhile."""
        self.ringing = self.slots.pop(key)
        while self.ringing:
            sleeper = self.ringing.pop()
            try:
                sleeper.on_alarm()
            except Exception:  # the others are woken all the same
                LOGGER.exception("A timer failed")


def slot_width(delay: float) -> float:
    """Return a power of two, so that similar delays share slots."""
    _, exponent = math.frexp(max(delay, 0) / SLOTS_PER_DELAY)
    return min(LONGEST_SLOT, 2.0 ** (exponent - 1))


# Weak both ways: a clock holds connections, and these their loop.
CLOCKS: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, weakref.ref[Clock]] = (
    weakref.WeakKeyDictionary()
)


class Peer(Protocol):
    """What the keep-alive needs of a connection."""

    def heard(self) -> bool:
        """Whether the peer has sent or read anything since the last call."""

    def probe(self) -> None:
        """Send a ping."""

    def give_up(self, silence: float) -> None:
        """Close the connection: the peer was silent for `silence` seconds after a ping."""

    def break_off(self) -> None:
        """End the connection because of the exception being handled."""


class Keepalive:
    """Pings a peer every `interval` seconds, and gives up `timeout` seconds after a ping.

    Whatever the peer sends proves that it is there: in the middle of a long message it could
    not answer a ping.
    """

    __slots__ = ("asked", "clock", "interval", "key", "loop", "next", "peer", "timeout")

    def __init__(self, peer: Peer, interval: float, timeout: float | None) -> None:
        self.peer = peer
        self.interval = interval
        self.timeout = timeout
        self.loop = asyncio.get_running_loop()
        self.clock = Clock.of(self.loop)
        self.asked: float | None = None
        self.next = self.loop.time() + interval
        self.key = self.clock.wake(self, self.next)

    def stop(self) -> None:
        """Stop the keep-alive."""
        self.clock.forget(self, self.key)

    def on_alarm(self) -> None:
        """Check the peer; end the connection if that fails."""
        try:
            self.judge()
        except Exception:  # noqa: BLE001 - the peer's fault, which others must not hear of
            self.peer.break_off()

    def judge(self) -> None:
        """Check for silence, and send a ping when it is due."""
        now = self.loop.time()
        if self.peer.heard():
            self.asked = None
        if self.timeout is not None and now >= self.gone():
            self.peer.give_up(self.timeout)
            return
        if now >= self.next:
            self.peer.probe()
            self.asked = now if self.asked is None else self.asked
            self.next = now + self.interval
        self.key = self.clock.wake(self, min(self.next, self.gone()))

    def gone(self) -> float:
        """Return the time at which the peer is given up."""
        if self.asked is None or self.timeout is None:
            return math.inf
        return self.asked + self.timeout
