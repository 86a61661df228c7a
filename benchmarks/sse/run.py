"""Events to many clients: what the server spends on each, and what an idle client costs it.

    python run.py [--clients 1000] [--idle 10000] [--loop uvloop asyncio] [--server NAME ...]

Each server is a process on one core, the clients are another on the other core; the servers take
turns. The time is what the processor spent on the server, user and system, divided by the events
that arrived. The memory is that of the last half of the idle clients, which have had one event.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import selectors
import socket
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import cast

sys.path.insert(0, str(Path(__file__).parents[1]))

from harness.processes import anonymous_memory, cpu_time

NAMES = ["bare", "roll", "sse-starlette", "sanic"]
EVENTS = 50
"""To each client, in a round."""
MARK = b"data: x"
PUBLISH = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"


@contextmanager
def started(name: str, loop: str) -> Iterator[tuple[int, int]]:
    """Process and port of a server."""
    command = [sys.executable, str(Path(__file__).with_name("servers.py")), name, loop]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    os.sched_setaffinity(process.pid, {0})  # the clients have the other cores
    assert process.stdout is not None
    try:
        yield process.pid, int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()


class Clients:
    """Many clients in one thread, which count the events that come."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.sockets: list[socket.socket] = []
        self.selector = selectors.DefaultSelector()

    def add(self, count: int) -> None:
        """Connect more clients, and wait for their answers' heads."""
        for _ in range(count):
            sock = socket.create_connection(("127.0.0.1", self.port), timeout=60)
            sock.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            if not sock.recv(65536).startswith(b"HTTP/1.1 200"):
                raise ConnectionError("A client was not answered")
            self.sockets.append(sock)
            self.selector.register(sock, selectors.EVENT_READ)

    def publish(self, count: int) -> None:
        """Have events sent to all, each once the one before has come everywhere."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as publisher:
            for _ in range(count):
                publisher.sendall(PUBLISH)
                self._read()
                if not publisher.recv(65536).startswith(b"HTTP/1.1 20"):
                    raise ConnectionError("The publisher was not answered")

    def _read(self) -> None:
        came = 0
        while came < len(self.sockets):
            ready = self.selector.select(60)
            if not ready:
                raise TimeoutError("An event has not come everywhere")
            for key, _ in ready:
                came += cast(socket.socket, key.fileobj).recv(65536).count(MARK)

    def close(self) -> None:
        self.selector.close()
        for sock in self.sockets:
            sock.close()


def times_of(names: list[str], loop: str, count: int, rounds: int) -> dict[str, list[float]]:
    """Microseconds of an event, of each round; the servers take turns."""
    found: dict[str, list[float]] = {name: [] for name in names}
    with ExitStack() as stack:
        servers = [(name, *stack.enter_context(started(name, loop))) for name in names]
        clients = {name: Clients(port) for name, _, port in servers}
        for one in clients.values():
            stack.callback(one.close)
            one.add(count)
            one.publish(1)
        for number in range(rounds):
            for name, pid, _ in (
                servers[number % len(servers) :] + servers[: number % len(servers)]
            ):
                before = cpu_time(pid)
                clients[name].publish(EVENTS)
                found[name].append((cpu_time(pid) - before) / (count * EVENTS) * 1e6)
    return found


def memory_of(name: str, loop: str, count: int) -> float:
    """KiB of an idle client."""
    with started(name, loop) as (pid, port):
        clients = Clients(port)
        clients.add(count // 2)
        clients.publish(1)
        before = anonymous_memory(pid)
        clients.add(count // 2)
        clients.publish(1)
        grown = anonymous_memory(pid) - before
        clients.close()
    return grown / (count // 2) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--server", nargs="*", default=NAMES)
    parser.add_argument("--loop", nargs="*", default=["uvloop", "asyncio"])
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--idle", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=15)
    args = parser.parse_args()
    os.sched_setaffinity(0, os.sched_getaffinity(0) - {0})
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    print(f"Python {platform.python_version()}")
    for loop in args.loop:
        print(
            f"\n## {loop}\n\n| server | µs an event, {args.clients} clients: median | least |",
            end="",
        )
        print(f" KiB an idle client, of {args.idle} |\n|---|---:|---:|---:|")
        times = times_of(args.server, loop, args.clients, args.rounds)
        for name in args.server:
            memory = memory_of(name, loop, args.idle) if args.idle else float("nan")
            median, least = statistics.median(times[name]), min(times[name])
            print(f"| {name} | {median:.2f} | {least:.2f} | {memory:.1f} |", flush=True)


if __name__ == "__main__":
    main()
