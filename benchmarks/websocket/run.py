"""Server CPU per echoed message, and memory per idle connection, side by side.

    python run.py [--server NAME ...] [--loop uvloop asyncio] [--old PYTHON]

Every server runs in a process of its own; one client process drives them all, each server a
little at a time in turn, so that a change of the machine's pace falls on all. CPU is that of
the server's process (user and system, from the scheduler); the figure is the median of the
rounds, with the quotient to `bare` beside it. PYTHON is one that has another Roll installed.
"""

import argparse
import asyncio
import contextlib
import os
import platform
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from client import Client

HERE = Path(__file__).parent
OLD = "roll before"
NAMES = ["bare", "roll-websocket", "websockets", "uvicorn", "aiohttp", "roll"]
SIZES = {"32 B": 32, "64 KiB": 65536}
OFFER = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"


class Server:
    """A server process."""

    old = ""  # The interpreter of another Roll.

    def __init__(self, name: str, loop: str, python: str, script: str = "servers.py") -> None:
        self.name = name
        command = [python, str(HERE / script), name.replace(OLD, "roll"), loop]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline() or 0)

    def cpu(self) -> float:
        """Seconds of CPU so far."""
        return int(Path(f"/proc/{self.process.pid}/schedstat").read_text().split()[0]) / 1e9

    def memory(self) -> int:
        """Bytes of memory of its own (private pages)."""
        text = Path(f"/proc/{self.process.pid}/smaps_rollup").read_text()
        return sum(int(kib) for kib in re.findall(r"Private_\w+:\s+(\d+)", text)) * 1024

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


async def connect(server: Server, count: int, size: int = 0, offer: str = "") -> list[Client]:
    loop = asyncio.get_running_loop()
    clients = []
    for _ in range(count):
        _, client = await loop.create_connection(
            lambda: Client(size, offer), "127.0.0.1", server.port
        )
        await client.ready
        clients.append(client)
    return clients


async def speed(servers: list[Server], size: int, args: argparse.Namespace) -> dict[str, float]:
    """Median microseconds of CPU per message, by server."""
    costs: dict[str, list[float]] = {server.name: [] for server in servers}
    count = args.messages if size < 1024 else max(args.messages // 4, 1)
    clients = {server.name: await connect(server, args.connections, size) for server in servers}
    for number in range(args.rounds + 1):
        for server in servers:
            before = server.cpu()
            await asyncio.gather(*(client.burst(count) for client in clients[server.name]))
            if number:  # The first round warms up.
                spent = server.cpu() - before
                costs[server.name].append(spent / count / args.connections * 1e6)
    for group in clients.values():
        for client in group:
            client.transport.abort()
    return {name: statistics.median(values) for name, values in costs.items()}


async def memory(server: Server, offer: str, count: int) -> float:
    """KiB per idle connection."""
    warm = await connect(server, 50, offer=offer)
    before = server.memory()
    clients = await connect(server, count, offer=offer)
    after = server.memory()
    for client in warm + clients:
        client.transport.abort()
    return (after - before) / count / 1024


def started(name: str, loop: str) -> Server:
    python = Server.old if name.startswith(OLD) else sys.executable
    return Server(name, loop, python)


@contextlib.contextmanager
def running(names: list[str], loop: str) -> Iterator[list[Server]]:
    servers = [started(name, loop) for name in names]
    try:
        yield [server for server in servers if server.port]
    finally:
        for server in servers:
            server.stop()


def machine() -> str:
    cpu = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    parts = [cpu.group(1) if cpu else platform.processor(), f"{os.cpu_count()} CPUs"]
    parts.append(f"Python {platform.python_version()}")
    for name in ["uvloop", "websockets", "uvicorn", "aiohttp", "roll-websocket", "roll"]:
        with contextlib.suppress(PackageNotFoundError):
            parts.append(f"{name} {version(name)}")
    return ", ".join(parts)


async def measure(loop: str, args: argparse.Namespace) -> None:
    print(f"\n## {loop}: server CPU per echoed message, {args.connections} connections\n")
    print("| server |" + "".join(f" {size} µs | to bare |" for size in args.sizes))
    print("|---|" + "---:|---:|" * len(args.sizes))
    results = {}
    for label, size in args.sizes.items():
        with running(args.server, loop) as servers:
            results[label] = await speed(servers, size, args)
    for name in next(iter(results.values())):
        row = ""
        for column in results.values():
            floor = column.get("bare", column[name])
            row += f" {column[name]:.1f} | {column[name] / floor:.2f} |"
        print(f"| {name} |{row}")


async def weigh(loop: str, args: argparse.Namespace) -> None:
    print(f"\n## {loop}: memory per idle connection, {args.idle} connections\n")
    print("| server | KiB | with compression offered, KiB |\n|---|---:|---:|")
    for name in args.server:
        cells = []
        for offer in ["", OFFER]:
            with running([f"{name}+deflate" if offer else name], loop) as servers:
                cells += [f"{await memory(server, offer, args.idle):.1f}" for server in servers]
        print(f"| {name} | {' | '.join(cells)} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", nargs="*", default=NAMES, choices=NAMES)
    parser.add_argument("--loop", nargs="*", default=["uvloop", "asyncio"])
    parser.add_argument("--connections", type=int, default=100)
    parser.add_argument("--messages", type=int, default=100, help="per connection and round")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--idle", type=int, default=1000)
    parser.add_argument("--old", help="a Python that has another Roll installed")
    parser.add_argument("--no-memory", action="store_true")
    parser.add_argument("--size", nargs="*", default=list(SIZES), choices=SIZES)
    args = parser.parse_args()
    if args.old:
        Server.old = args.old
        args.server.append(OLD)
    args.sizes = {label: SIZES[label] for label in args.size}
    print(machine())
    for loop in args.loop:
        asyncio.run(measure(loop, args))
        if not args.no_memory:
            asyncio.run(weigh(loop, args))


if __name__ == "__main__":
    main()
