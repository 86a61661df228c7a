"""WebSocket messages, echoed: many connections, each of which awaits its echo."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Sequence

import uvloop
from websocket.client import Client

from .endpoints import WrongAnswer
from .processes import cpu_time
from .servers import CLIENT_CORE, Running

__all__ = ["CONNECTIONS", "SIZE", "measure_echoes"]

CONNECTIONS = 64
SIZE = 32
WARM_UP = 20
# A server that does not answer, in seconds.
PATIENCE = 60


def measure_echoes(
    servers: Sequence[Running], rounds: int, messages: int
) -> dict[str, list[float]]:
    """Microseconds of the server's CPU per message, of each round; those that fail drop out.

    `messages` are sent on each connection, by turns, in another order each round.
    """
    os.sched_setaffinity(0, {CLIENT_CORE})
    results: dict[str, list[float]] = {one.server.name: [] for one in servers}
    for number in range(rounds):
        order = [one for one in servers if one.server.name in results]
        random.Random(number).shuffle(order)
        for one in order:
            try:
                results[one.server.name].append(uvloop.run(_measure(one, messages)) * 1e6)
            except (OSError, WrongAnswer) as error:
                print(f"! {one.server.name}: WebSocket echo: {error!r}", flush=True)
                del results[one.server.name]
    return results


async def _measure(one: Running, messages: int) -> float:
    async with asyncio.timeout(PATIENCE):
        clients = [await _connect(one.port) for _ in range(CONNECTIONS)]
        await _echo(clients, WARM_UP)
        if any(client.last != b"\x81%c" % SIZE + b"x" * SIZE for client in clients):
            raise WrongAnswer(f"{clients[0].last!r} is not the echo")
        before = cpu_time(one.pid)
        await _echo(clients, messages)
        used = cpu_time(one.pid) - before
    for client in clients:
        client.transport.abort()
    return used / messages / CONNECTIONS


async def _connect(port: int) -> Client:
    loop = asyncio.get_running_loop()
    _, client = await loop.create_connection(lambda: Client(SIZE, path="/ws"), "127.0.0.1", port)
    await client.ready
    return client


async def _echo(clients: Sequence[Client], messages: int) -> None:
    await asyncio.gather(*(client.burst(messages) for client in clients))
