"""Pings that detect vanished peers."""

import asyncio
import gc
import math
import sys
from typing import Any

import pytest

from roll_websocket import WSProtocol
from roll_websocket.flow import taken
from roll_websocket.keepalive import LONGEST_SLOT, Clock, Keepalive


class Sleeper:
    def __init__(self) -> None:
        self.woken = 0

    def on_alarm(self) -> None:
        self.woken += 1


class Peer:
    """A peer that has been heard or not."""

    def __init__(self) -> None:
        self.said = False
        self.probes = 0
        self.silence: float | None = None

    def heard(self) -> bool:
        said, self.said = self.said, False
        return said

    def probe(self) -> None:
        self.probes += 1

    def give_up(self, silence: float) -> None:
        self.silence = silence


class Time:
    """The hours of a clock under test."""

    def __init__(self, keepalive: Keepalive) -> None:
        self.keepalive = keepalive
        self.now = self.start = keepalive.next - keepalive.interval
        keepalive.loop = self  # type: ignore[assignment]  # only asked for its time

    def time(self) -> float:
        return self.now

    def at(self, seconds: float) -> None:
        self.now = self.start + seconds
        self.keepalive.stop()
        self.keepalive.on_alarm()


async def test_connection_of_a_vanished_peer_is_closed(serve: Any) -> None:
    site = await serve(ping_interval=0.02, ping_timeout=0.02)
    raw = await site.raw()
    assert await raw.frame() == (0x89, b"")
    assert await raw.close_code() == 1011
    (error,) = await site.ended()
    assert (error.code, error.reason) == (1011, "No answer to a ping in 0.02 seconds.")


async def test_a_peer_that_answers_is_kept(serve: Any, wire: Any) -> None:
    raw = await (await serve(ping_interval=0.01, ping_timeout=1000)).raw()
    for _ in range(5):
        assert await raw.frame() == (0x89, b"")
        raw.send(wire.frame(10))
    raw.send(wire.frame(8, b"\x03\xe8"))
    assert await raw.close_code() == 1000


async def test_pings_can_be_off(serve: Any, wire: Any) -> None:
    site = await serve(ping_interval=None)
    client = await site.connect()
    await wire.until(lambda: site.ws)
    assert site.ws[0]._connection.keepalive is None
    await client.close()


async def test_a_peer_that_is_not_let_send_is_not_blamed(serve: Any, wire: Any) -> None:
    """Measure from the message over the limit until reading resumes."""

    async def handler(request: Any, ws: WSProtocol) -> None:
        await wire.until(lambda: not ws._connection.intake.reading)
        assert [ws._connection.heard(), ws._connection.heard()] == [True, True]
        for _ in range(2):
            await ws.recv()
            assert not ws._connection.wire.inbox.full
            assert [ws._connection.heard(), ws._connection.heard()] == [True, True]
        await ws.recv()
        await wire.until(lambda: ws._connection.intake.reading)
        assert [ws._connection.heard(), ws._connection.heard()] == [True, False]

    site = await serve(handler, constants={"MAX_QUEUE": 5})
    raw = await site.raw()
    await wire.until(lambda: site.ws)
    for number in range(5):
        raw.send(wire.frame(1, b"x"))
        await wire.until(
            lambda count=number: len(site.ws[0]._connection.wire.inbox.messages) > count
        )
    raw.send(wire.frame(10))
    assert await site.ended() == [None]


async def test_ping_timeout_only_counts_while_the_peer_could_send(serve: Any, wire: Any) -> None:
    """Were a full inbox enough, one that vanished would stay as long as its handler is busy."""

    async def handler(request: Any, ws: WSProtocol) -> None:
        await wire.until(lambda: ws._connection.wire.inbox.full)
        assert [ws._connection.heard(), ws._connection.heard()] == [True, False]

    site = await serve(handler, constants={"MAX_QUEUE": 2})
    raw = await site.raw()
    raw.send(wire.frame(1, b"x") * 2)
    assert await site.ended() == [None]


@pytest.mark.parametrize("secure", [False, True])
async def test_a_peer_that_reads_a_long_message_is_not_blamed(
    serve: Any, wire: Any, tls: Any, secure: bool
) -> None:
    """It answers no ping before the end of it."""

    async def handler(request: Any, ws: WSProtocol) -> None:
        await ws.send(bytes(16 * 2**20))
        await wire.until(ws._connection.ending.gone.done)

    site = await serve(handler, compression=False, tls=tls if secure else None)
    raw = await site.raw()
    (ws,) = site.ws
    await wire.until(
        lambda: not ws._connection.heard() and ws._connection.ending.taken is not None
    )
    for _ in range(3):
        await raw.reader.readexactly(2**20)
        await wire.until(ws._connection.heard)
        await wire.until(lambda: not ws._connection.heard())
    await raw.reader.readexactly(13 * 2**20)
    await wire.until(ws._connection.heard)
    await wire.until(lambda: ws._connection.ending.taken is None)
    assert not ws._connection.heard()


class Holding:
    """A transport of a system that tells nothing."""

    size = 0

    def get_write_buffer_size(self) -> int:
        return self.size

    def get_extra_info(self, name: str) -> None:
        return None


@pytest.mark.parametrize("platform", [sys.platform, "freebsd14"])
def test_progress_of_the_peer_is_read_from_the_transport_without_system_support(
    monkeypatch: pytest.MonkeyPatch, platform: str
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    transport: Any = Holding()
    assert taken(transport) is None
    numbers = []
    for transport.size in (300, 200, 200, 100):
        numbers.append(taken(transport))
    assert numbers == sorted(numbers)
    assert numbers[1] == numbers[2] < numbers[3]


async def test_a_ping_goes_out_every_interval_while_answers_come() -> None:
    peer = Peer()
    time = Time(Keepalive(peer, 20, 20))
    for number in range(1, 4):
        time.at(20 * number)
        assert peer.probes == number
        peer.said = True
    assert peer.silence is None


async def test_silence_is_counted_from_the_first_ping_unanswered() -> None:
    peer = Peer()
    time = Time(Keepalive(peer, 5, 12))
    time.at(5)
    time.at(10)
    time.at(15)
    assert (peer.probes, peer.silence) == (3, None)
    time.at(17)
    assert (peer.probes, peer.silence) == (3, 12)


async def test_a_short_patience_ends_between_two_pings() -> None:
    peer = Peer()
    time = Time(Keepalive(peer, 20, 5))
    time.at(20)
    assert time.keepalive.gone() == time.start + 25
    peer.said = True
    time.at(25)
    assert (peer.probes, peer.silence) == (1, None)
    time.at(40)
    time.at(45)
    assert (peer.probes, peer.silence) == (2, 5)


async def test_without_a_timeout_pings_continue_for_ever() -> None:
    peer = Peer()
    time = Time(Keepalive(peer, 20, None))
    for number in range(1, 5):
        time.at(20 * number)
    assert (peer.probes, peer.silence) == (4, None)
    time.keepalive.stop()


async def test_an_alarm_before_its_time_only_sleeps_on() -> None:
    peer = Peer()
    time = Time(Keepalive(peer, 20, 20))
    time.at(19.9)
    assert peer.probes == 0


@pytest.mark.parametrize("delay", [2, 5, 20, 3600])
async def test_connections_of_the_same_second_share_few_timers(delay: float) -> None:
    clock = Clock()
    start = math.ceil(asyncio.get_running_loop().time())
    sleepers = [Sleeper() for _ in range(1000)]
    keys = {clock.wake(sleeper, start + delay + n / 1001) for n, sleeper in enumerate(sleepers)}
    assert len(keys) <= 10
    assert all(start + delay <= key <= start + delay + 1 + LONGEST_SLOT for key in keys)
    assert len(clock.slots) == len(keys)


async def test_removed_connection_is_not_woken() -> None:
    class Killer(Sleeper):
        def on_alarm(self) -> None:
            super().on_alarm()
            for other in killers:
                clock.forget(other, key)

    clock = Clock()
    killers = [Killer(), Killer()]
    early = Sleeper()
    when = asyncio.get_running_loop().time() + 100
    (key,) = {clock.wake(sleeper, when) for sleeper in (*killers, early)}
    clock.forget(early, key)
    clock.ring(key)
    assert sorted(killer.woken for killer in killers) == [0, 1]
    assert early.woken == 0


async def test_loop_has_one_clock_while_it_is_referenced() -> None:
    loop = asyncio.get_running_loop()
    clock = Clock.of(loop)
    assert Clock.of(loop) is clock
    clock.slots["mark"] = set()  # type: ignore[index]  # tells this clock from the next
    del clock
    gc.collect()
    assert "mark" not in Clock.of(loop).slots


@pytest.mark.parametrize("delay", [0, -1])
async def test_a_time_that_has_passed_is_soon(delay: float) -> None:
    clock = Clock()
    now = asyncio.get_running_loop().time()
    assert now + delay <= clock.wake(Sleeper(), now + delay) <= now + LONGEST_SLOT
