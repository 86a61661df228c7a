"""Messages through Redis to the websockets of two workers: Roll's rooms beside bare redis-py.

    python run.py [--clients 1000] [--messages 500] [--rounds 3] [--loop uvloop asyncio]

Starts a `redis-server`, two workers, and that many clients, half of them at each worker. One
process publishes messages of 100 bytes, one after the other, and waits until every client has read
all of them. `bare` is a loop over redis-py's pub/sub that calls `transport.write` of one frame for
each client, after a handshake that checks nothing, and is published to by redis-py. `memory` is a
room without Redis in one worker, which sends from a handler; beside it, `bare memory` calls
`transport.write`. The CPU is that of the workers, for each message to each client.
"""

import argparse
import asyncio
import json
import platform
import selectors
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, cast

KINDS = ["bare", "roll", "bare memory", "memory"]
SIZE = 100
FRAME = SIZE + 2  # as a server sends a short message (RFC 6455 5.2)
HEAD = (
    b"GET /room HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
CHANNEL = "bench"


# The workers, each in a process of its own.


async def serve_bare(sock: socket.socket, url: str | None) -> None:
    import redis.asyncio as redis

    transports: list[asyncio.Transport] = []
    tasks = set()
    frame = bytes([0x81, SIZE]) + b"x" * SIZE

    def deliver(count: int = 1) -> None:
        for _ in range(count):
            for transport in transports:
                transport.write(frame)

    class Bare(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = cast(asyncio.Transport, transport)
            self.ready = False

        def data_received(self, data: bytes) -> None:
            if self.ready:  # the client that asks for messages, in memory
                tasks.add(asyncio.ensure_future(repeat(int(data[6:]), deliver)))
                return
            self.ready = True
            self.transport.write(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
            transports.append(self.transport)

    await asyncio.get_running_loop().create_server(Bare, sock=sock)
    if url is not None:
        subscription = redis.Redis.from_url(url).pubsub(ignore_subscribe_messages=True)
        await subscription.subscribe(CHANNEL)
        async for _ in subscription.listen():
            deliver()
    await asyncio.Event().wait()


async def repeat(count: int, deliver: Any) -> None:
    for _ in range(count):
        deliver()
        await asyncio.sleep(0)


async def serve_roll(sock: socket.socket, url: str | None) -> None:
    from roll import Roll
    from roll.extensions import rooms
    from roll_http import Server

    app = Roll()
    app.rooms = rooms(app, url)

    @app.route("/room", protocol="websocket", ping_interval=None)
    async def room(request: Any, ws: Any) -> None:
        async with app.rooms[CHANNEL].join(ws):
            async for message in ws:
                for _ in range(int(message)):
                    await app.rooms[CHANNEL].send("x" * SIZE)

    await app.startup()
    server = Server(app.factory, app.limits)
    await server.serve([sock])
    await asyncio.Event().wait()


def serve(kind: str, loop: str, url: str) -> None:
    """Print the port; then the seconds of the processor at each line of the input."""
    sock = socket.create_server(("127.0.0.1", 0), backlog=4096)
    print(sock.getsockname()[1], flush=True)
    threading.Thread(target=tell_cpu, daemon=True).start()
    worker = serve_bare if kind.startswith("bare") else serve_roll
    task = worker(sock, None if "memory" in kind else url)
    if loop == "uvloop":
        import uvloop

        uvloop.run(task)
    else:
        asyncio.run(task)


def tell_cpu() -> None:
    for _ in sys.stdin:
        print(json.dumps(time.process_time()), flush=True)


# The publisher and the clients, in this process.


async def publish(kind: str, url: str, count: int) -> None:
    if kind == "bare":
        import redis.asyncio as redis

        client = redis.Redis.from_url(url)
        for _ in range(count):
            await client.publish(CHANNEL, b"x" * SIZE)
        await client.aclose()
        return
    from roll import Roll
    from roll.extensions import rooms

    app = Roll()
    room = rooms(app, url)[CHANNEL]
    for _ in range(count):
        await room.send("x" * SIZE)
    await app.shutdown()


def ask(sock: socket.socket, count: int) -> None:
    """Have the worker of a client send messages."""
    data = b"%d" % count
    sock.sendall(bytes([0x81, 0x80 | len(data)]) + bytes(4) + data)


class Clients(threading.Thread):
    """Read from all sockets, and count the bytes."""

    def __init__(self, sockets: list[socket.socket]) -> None:
        super().__init__(daemon=True)
        self.selector = selectors.DefaultSelector()
        for sock in sockets:
            sock.setblocking(False)
            self.selector.register(sock, selectors.EVENT_READ)
        self.wanted = 0
        self.got = 0
        self.done = threading.Event()
        self.ended = False

    def run(self) -> None:
        while not self.ended:
            for key, _ in self.selector.select(0.1):
                self.got += len(cast(socket.socket, key.fileobj).recv(2**16))
            if self.wanted and self.got >= self.wanted:
                self.wanted = 0
                self.done.set()

    def expect(self, size: int) -> None:
        self.got = 0
        self.done.clear()
        self.wanted = size


def connect(port: int, count: int) -> Iterator[socket.socket]:
    for _ in range(count):
        sock = socket.create_connection(("127.0.0.1", port))
        sock.sendall(HEAD)
        while b"\r\n\r\n" not in sock.recv(4096):
            pass
        yield sock


@contextmanager
def started(*command: object) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [str(part) for part in command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def cpu(worker: subprocess.Popen[str]) -> float:
    assert worker.stdin is not None
    assert worker.stdout is not None
    worker.stdin.write("\n")
    worker.stdin.flush()
    return float(worker.stdout.readline())


def measure(kind: str, loop: str, url: str, args: argparse.Namespace) -> tuple[float, float]:
    """Messages a second to all clients, and microseconds of CPU for each of them, the medians."""
    memory = "memory" in kind
    with ExitStack() as stack:
        command = [sys.executable, __file__, "--serve", kind, loop, url]
        workers = [stack.enter_context(started(*command)) for _ in range(1 if memory else 2)]
        sockets: list[socket.socket] = []
        for worker in workers:
            assert worker.stdout is not None
            sockets += connect(int(worker.stdout.readline()), args.clients // len(workers))
        clients = Clients(sockets)
        clients.start()
        time.sleep(1)  # until all have joined
        rates, costs = [], []
        for _ in range(args.rounds):
            before = sum(map(cpu, workers))
            clients.expect(args.messages * FRAME * len(sockets))
            start = time.perf_counter()
            if memory:
                ask(sockets[0], args.messages)
            else:
                asyncio.run(publish(kind, url, args.messages))
            assert clients.done.wait(120), (clients.got, clients.wanted)
            rates.append(args.messages / (time.perf_counter() - start))
            spent = sum(map(cpu, workers)) - before
            costs.append(spent / args.messages / len(sockets) * 1e6)
        clients.ended = True
        clients.join()
        for sock in sockets:
            sock.close()
    return statistics.median(rates), statistics.median(costs)


def versions() -> str:
    from importlib.metadata import version

    names = [f"{name} {version(name)}" for name in ("redis", "uvloop", "roll")]
    command = ["redis-server", "--version"]
    redis = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[2]
    return ", ".join([f"Python {platform.python_version()}", *names, f"Redis {redis[2:]}"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kind", nargs="*", default=KINDS)
    parser.add_argument("--loop", nargs="*", default=["uvloop", "asyncio"])
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--messages", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
    options = ["--port", port, "--bind", "127.0.0.1", "--save", ""]
    print(f"{versions()}, {args.clients} clients, {args.messages} messages")
    with started("redis-server", *options) as server:
        assert server.stdout is not None
        while "Ready to accept" not in server.stdout.readline():
            pass
        for loop in args.loop:
            print(f"\n## {loop}\n\n| | messages a second | CPU of the workers, µs a delivery |")
            print("|---|---:|---:|")
            for kind in args.kind:
                rate, cost = measure(kind, loop, f"redis://127.0.0.1:{port}", args)
                print(f"| {kind} | {rate:.0f} | {cost:.2f} |", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve(*sys.argv[2:])
    else:
        sys.path[:0] = [str(Path(__file__).parent)]
        main()
