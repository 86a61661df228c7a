"""What a flood costs the server and the others: memory, and how long another client waits.

    python floods.py [--loop uvloop asyncio] [--seconds 5] [--server leaf roll]

One client floods for some seconds, on a connection of its own; meanwhile another sends a
message every 5 ms on its own and measures how long the echo takes. Memory is what the private
pages of the server's process have grown by, at most, over its state before the flood.
"""

import argparse
import asyncio
import contextlib
import statistics
import sys
import time
import zlib
from pathlib import Path
from typing import Any

from client import Client, masked
from run import Server, machine

HERE = Path(__file__).parent
PERIOD = 0.005


# The server: echoes on /, receives nothing on /deaf, only sends on /stream.


async def echo(ws: Any) -> None:
    async for message in ws:
        await ws.send(message)


async def deaf(_: Any) -> None:
    await asyncio.Event().wait()


async def stream(ws: Any) -> None:
    while True:
        await ws.send(bytes(1000))


async def serve(kind: str) -> None:
    if kind == "leaf":
        from roll_websocket import Listener

        async def handler(request: Any, ws: Any) -> None:
            await {"/deaf": deaf, "/stream": stream}.get(request.path, echo)(ws)

        factory: Any = Listener(handler)
    else:
        from roll import Roll

        app = Roll()
        for path, view in {"/": echo, "/deaf": deaf, "/stream": stream}.items():
            app.route(path, protocol="websocket")(lambda _, ws, view=view: view(ws))
        await app.startup()
        factory = app.factory
    server = await asyncio.get_running_loop().create_server(factory, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


# The floods: a path, whether the client reads, what it sends again and again.


def frame(first: int, payload: bytes) -> bytes:
    return bytes([first]) + masked(payload)[1:]


def inflating() -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return (packer.compress(bytes(2**20)) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]


FLOODS: dict[str, tuple[str, bool, bytes]] = {
    "nothing": ("/", True, b""),
    "pings, never reading": ("/", False, frame(0x89, b"p" * 125) * 1000),
    "fragments of a byte": ("/", True, frame(0x00, b"x") * 10_000),
    "messages to a deaf handler": ("/deaf", True, frame(0x82, b"x" * 30) * 2000),
    "messages echoed, never reading": ("/", False, frame(0x82, b"x" * 1000) * 100),
    "pipelined messages echoed": ("/", True, frame(0x82, b"x" * 30) * 2000),
    "sent messages never read": ("/stream", False, b""),
    "1 KiB that inflates to 1 MiB": ("/deaf", True, frame(0xC2, inflating()) * 100),
}


async def flood(port: int, path: str, reads: bool, data: bytes) -> None:
    """Send for ever."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    request = (
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
    )
    writer.write(request.encode())
    await reader.readuntil(b"\r\n\r\n")
    if not reads:
        writer.transport.pause_reading()  # type: ignore[attr-defined]  # of a socket it has
    if data[:1] == b"\x00":
        writer.write(frame(0x02, b"x"))
    try:
        sink = asyncio.ensure_future(drop(reader)) if reads else None
        while data:
            writer.write(data)
            await writer.drain()
        await asyncio.Event().wait()
    finally:
        if sink:
            sink.cancel()
        writer.transport.abort()


async def drop(reader: asyncio.StreamReader) -> None:
    while await reader.read(2**16):
        pass


async def probe(server: Server, client: Client, seconds: float) -> tuple[list[float], int]:
    """How long each echo took, in milliseconds, and the most memory."""
    took, most = [], 0
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        await client.burst(1)
        took.append((time.perf_counter() - start) * 1000)
        most = max(most, server.memory())
        await asyncio.sleep(PERIOD)
    return took, most


async def measure(kind: str, loop: str, seconds: float) -> None:
    print(f"\n## {kind} on {loop}\n")
    print("| flood | median ms | 99 % ms | longest ms | memory KiB |\n|---|---:|---:|---:|---:|")
    for name, (path, reads, data) in FLOODS.items():
        server = Server(kind, loop, sys.executable, "floods.py")
        try:
            _, client = await asyncio.get_running_loop().create_connection(
                lambda: Client(32), "127.0.0.1", server.port
            )
            await client.ready
            await probe(server, client, 0.5)
            before = server.memory()
            task = asyncio.ensure_future(flood(server.port, path, reads, data))
            took, most = await probe(server, client, seconds)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                await task
        finally:
            server.stop()
        took.sort()
        cells = [statistics.median(took), took[len(took) * 99 // 100], took[-1]]
        row = " | ".join(f"{cell:.1f}" for cell in cells)
        print(f"| {name} | {row} | {(most - before) / 1024:.0f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", nargs="*", default=["leaf", "roll"], choices=["leaf", "roll"])
    parser.add_argument("--loop", nargs="*", default=["uvloop", "asyncio"])
    parser.add_argument("--seconds", type=float, default=5)
    args = parser.parse_args()
    print(machine())
    for kind in args.server:
        for loop in args.loop:
            asyncio.run(measure(kind, loop, args.seconds))


if __name__ == "__main__":
    if sys.argv[1:2] in (["leaf"], ["roll"]):
        if sys.argv[2] == "uvloop":
            import uvloop

            uvloop.run(serve(sys.argv[1]))
        else:
            asyncio.run(serve(sys.argv[1]))
    else:
        main()
