"""One message to many peers: time and memory of the server, side by side.

    python broadcast.py [--peers 1000 10000] [--loop uvloop asyncio] [--server NAME ...]

Each server runs in a process of its own and sends to all of its peers, which one client process
reads. Time is that of the call that sends, per peer, by the processor, the median of the rounds.
`bare` calls `transport.write` of the same frame for each. For the memory, the peers read nothing,
from sockets with the smallest buffers: what grows is what the process holds for them, all in all.
"""

import argparse
import asyncio
import gc
import json
import platform
import re
import resource
import selectors
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

NAMES = ["bare", "roll-websocket", "websockets"]
SIZES = {"100 B": 100, "64 KiB": 65536}
HEAD = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
OFFER = b"Sec-WebSocket-Extensions: permessage-deflate\r\n"

Send = Callable[[str], None]
Peers = list[Any]


# The servers, each in its process: what starts one, and sends a message to its peers.


async def bare(sock: socket.socket, peers: Peers, deflate: bool) -> Send:
    from websockets.frames import Opcode

    from roll_websocket.frames import plain_frame

    class Bare(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = cast(asyncio.Transport, transport)

        def data_received(self, data: bytes) -> None:
            self.transport.write(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
            peers.append(self.transport)

    def send(message: str) -> None:
        frame = plain_frame(Opcode.TEXT, message.encode())
        for transport in peers:
            transport.write(frame)

    await asyncio.get_running_loop().create_server(Bare, sock=sock)
    return send


async def roll_websocket(sock: socket.socket, peers: Peers, deflate: bool) -> Send:
    from roll_websocket import Listener, broadcast

    async def handler(_: Any, ws: Any) -> None:
        peers.append(ws)
        await ws.recv()

    listener = Listener(handler, compression=deflate, ping_interval=None)
    await asyncio.get_running_loop().create_server(listener, sock=sock)
    return lambda message: broadcast(peers, message)


async def websockets(sock: socket.socket, peers: Peers, deflate: bool) -> Send:
    from websockets.asyncio.server import broadcast, serve

    async def handler(ws: Any) -> None:
        peers.append(ws)
        await ws.recv()

    await serve(handler, sock=sock, compression="deflate" if deflate else None, ping_interval=None)
    return lambda message: broadcast(peers, message)


SERVERS = {"bare": bare, "roll-websocket": roll_websocket, "websockets": websockets}


async def serve(name: str, count: int, size: int, rounds: int) -> None:
    """Print the port, then, once all peers are there and at a line of the input, the figures."""
    sock = socket.create_server(("127.0.0.1", 0), backlog=4096)
    if rounds == 1:  # Of memory.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    peers: Peers = []
    send = await SERVERS[name.removesuffix("+deflate")](sock, peers, name.endswith("+deflate"))
    print(sock.getsockname()[1], flush=True)
    while len(peers) < count:  # noqa: ASYNC110 - each server knows its peers in its own way
        await asyncio.sleep(0.01)
    gc.collect()
    gc.freeze()
    before = resident()
    message = "x" * size
    times = []
    for _ in range(rounds):
        await asyncio.sleep(0.3 if rounds > 1 else 0)
        start = time.process_time()
        send(message)
        times.append((time.process_time() - start) / count * 1e6)
    await asyncio.sleep(0.5)
    print(json.dumps([statistics.median(times), (resident() - before) / 2**20]), flush=True)


def resident() -> int:
    """Bytes of memory of this process."""
    text = Path("/proc/self/smaps_rollup").read_text()
    return sum(int(kib) for kib in re.findall(r"Private_\w+:\s+(\d+)", text)) * 1024


# The client.


class Drain(threading.Thread):
    """Reads from all peers, and keeps nothing."""

    def __init__(self, sockets: list[socket.socket]) -> None:
        super().__init__(daemon=True)
        self.selector = selectors.DefaultSelector()
        for sock in sockets:
            sock.setblocking(False)
            self.selector.register(sock, selectors.EVENT_READ)
        self.ended = False

    def run(self) -> None:
        while not self.ended:
            for key, _ in self.selector.select(0.1):
                cast(socket.socket, key.fileobj).recv(2**18)
        self.selector.close()


def connect(port: int, count: int, small: bool, offer: bytes) -> Iterator[socket.socket]:
    for _ in range(count):
        sock = socket.socket()
        if small:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.connect(("127.0.0.1", port))
        sock.sendall(HEAD + offer + b"\r\n")
        sock.recv(4096)
        yield sock


@contextmanager
def started(*args: object) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, __file__, "--serve", *map(str, args)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def measure(name: str, loop: str, count: int, size: int, rounds: int) -> tuple[float, float]:
    """Microseconds a peer, and MiB that the process has grown."""
    with started(name, loop, count, size, rounds) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        offer = OFFER if name.endswith("+deflate") else b""
        sockets = list(connect(port, count, rounds == 1, offer))
        drain = Drain(sockets)
        if rounds > 1:
            drain.start()
        spent, grown = json.loads(process.stdout.readline())
        drain.ended = True
        if rounds > 1:
            drain.join()
        for sock in sockets:
            sock.close()
    return spent, grown


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", nargs="*", default=NAMES)
    parser.add_argument("--loop", nargs="*", default=["uvloop", "asyncio"])
    parser.add_argument("--peers", nargs="*", type=int, default=[1000, 10_000])
    parser.add_argument("--rounds", type=int, default=15)
    args = parser.parse_args()
    print(f"Python {platform.python_version()}")
    for loop in args.loop:
        for count in args.peers:
            print(
                f"\n## {loop}, {count} peers\n\n| server | 100 B, µs a peer | 64 KiB, MiB grown |"
            )
            print("|---|---:|---:|")
            for name in args.server:
                spent, _ = measure(name, loop, count, SIZES["100 B"], args.rounds)
                row = f"| {name} | {spent:.2f} |"
                if count <= 1000:
                    row += f" {measure(name, loop, count, SIZES['64 KiB'], 1)[1]:.1f} |"
                print(row, flush=True)


if __name__ == "__main__":
    resource.setrlimit(
        resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2
    )
    if sys.argv[1:2] == ["--serve"]:
        name, loop, *numbers = sys.argv[2:]
        task = serve(name, *map(int, numbers))
        if loop == "uvloop":
            import uvloop

            uvloop.run(task)
        else:
            asyncio.run(task)
    else:
        main()
