"""The memory of a keep-alive connection that waits for its next request."""

from __future__ import annotations

import resource
import socket
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from .processes import anonymous_memory, open_files
from .servers import Running, Server, running

__all__ = ["measure_idle"]

REQUEST = b"GET /plain HTTP/1.1\r\nHost: localhost\r\n\r\n"
SETTLE = 0.2


def measure_idle(
    servers: Sequence[Server], files: Path, rounds: int, connections: int
) -> dict[str, list[float]]:
    """Bytes per connection, of each round.

    Each connection has had one answer. Memory is compared between `connections` and twice as
    many, so that what the first ones made the server allocate for good is not counted; and in
    processes started for it, because memory that was freed would be used again.
    """
    _allow_files(3 * connections)
    results: dict[str, list[float]] = {server.name: [] for server in servers}
    for _ in range(rounds):
        for server in servers:
            with running([server], files) as [one]:
                try:
                    results[server.name].append(_bytes_per_connection(one, connections))
                except OSError as error:
                    print(
                        f"! {server.name}: {connections} idle connections: {error!r}", flush=True
                    )
    return {name: found for name, found in results.items() if found}


def _allow_files(count: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(count, hard), hard))


def _bytes_per_connection(one: Running, connections: int) -> float:
    with ExitStack() as stack:
        _open(stack, one.port, connections)
        memory, files = anonymous_memory(one.pid), open_files(one.pid)
        _open(stack, one.port, connections)
        grown = anonymous_memory(one.pid) - memory
        if open_files(one.pid) - files != connections:
            raise ConnectionError("Some connections were closed")
        return grown / connections


def _open(stack: ExitStack, port: int, count: int) -> None:
    for _ in range(count):
        sock = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
        sock.sendall(REQUEST)
        if not sock.recv(65536).startswith(b"HTTP/1.1 200"):
            raise ConnectionError("A connection was not answered")
    time.sleep(SETTLE)
