"""Large bodies: uploads, chunked responses and static files, one after another."""

from __future__ import annotations

import os
import random
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from .endpoints import WrongAnswer
from .processes import cpu_time, peak_memory
from .servers import CLIENT_CORE, Running

__all__ = ["FILE_NAME", "MEBIBYTES", "TRANSFERS", "Transfer", "make_file", "measure_large"]

MIB = 1024 * 1024
MEBIBYTES = 64
SIZE = MEBIBYTES * MIB
FILE_NAME = "large.bin"
BUFFER = 256 * 1024


@dataclass(frozen=True, slots=True)
class Transfer:
    """What one round gave, or the medians of several."""

    cpu: float
    """Milliseconds of the server's CPU per transfer, user and system."""
    rate: float
    """MiB per second."""
    peak: float
    """MiB, the most that the server ever used."""

    @classmethod
    def medians(cls, rounds: Sequence[Transfer]) -> Transfer:
        """The median of each figure."""
        columns = zip(*((one.cpu, one.rate, one.peak) for one in rounds), strict=True)
        return cls(*(median(column) for column in columns))


def make_file(folder: Path) -> None:
    """The file to be served."""
    folder.mkdir(exist_ok=True)
    (folder / FILE_NAME).write_bytes(os.urandom(MIB) * MEBIBYTES)


def measure_large(
    name: str, servers: Sequence[Running], rounds: int, repeats: int
) -> dict[str, list[Transfer]]:
    """Transfer by turns, in another order each round, `repeats` times in a row.

    Linux may count CPU time by ticks of 4 ms, half of what one transfer takes: ten of them or more
    are needed to tell a tenth.
    """
    os.sched_setaffinity(0, {CLIENT_CORE})
    order = list(servers)
    results: dict[str, list[Transfer]] = {one.server.name: [] for one in servers}
    for number in range(rounds):
        random.Random(number).shuffle(order)
        for one in order:
            if one.server.name in results:
                _add(results, name, one, repeats)
    return results


def _add(results: dict[str, list[Transfer]], name: str, one: Running, repeats: int) -> None:
    try:
        results[one.server.name].append(_measure(TRANSFERS[name], one, repeats))
    except (OSError, WrongAnswer) as error:
        print(f"! {one.server.name}: {name}: {error!r}", flush=True)
        del results[one.server.name]


def _measure(transfer: Callable[[socket.socket], None], one: Running, repeats: int) -> Transfer:
    with socket.create_connection(("127.0.0.1", one.port), timeout=30) as sock:
        transfer(sock)
        begin = time.perf_counter()
        before = cpu_time(one.pid)
        for _ in range(repeats):
            transfer(sock)
        used = cpu_time(one.pid) - before
        seconds = time.perf_counter() - begin
    return Transfer(
        cpu=used / repeats * 1e3,
        rate=MEBIBYTES * repeats / seconds,
        peak=peak_memory(one.pid) / MIB,
    )


def _upload(sock: socket.socket) -> None:
    sock.sendall(
        b"POST /upload HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n" % SIZE
    )
    piece = memoryview(bytes(BUFFER))
    for _ in range(SIZE // BUFFER):
        sock.sendall(piece)
    head, body = _read_head(sock)
    length = _content_length(head)
    while len(body) < length:
        body += sock.recv(BUFFER)
    if body != b"%d" % SIZE:
        raise WrongAnswer(f"the server received {body!r} bytes of {SIZE}")


def _stream(sock: socket.socket) -> None:
    sock.sendall(b"GET /stream/%d HTTP/1.1\r\nHost: localhost\r\n\r\n" % MEBIBYTES)
    head, body = _read_head(sock)
    if b"transfer-encoding: chunked" not in head:
        raise WrongAnswer("the response is not chunked")
    received = len(body)
    tail = body[-5:]
    while tail != b"0\r\n\r\n":
        data = sock.recv(BUFFER)
        if not data:
            raise WrongAnswer("the response was cut")
        received += len(data)
        tail = (tail + data[-5:])[-5:]
    if received < SIZE:
        raise WrongAnswer(f"{received} bytes are not enough")


def _static(sock: socket.socket) -> None:
    sock.sendall(b"GET /static/%b HTTP/1.1\r\nHost: localhost\r\n\r\n" % FILE_NAME.encode())
    head, body = _read_head(sock)
    length = _content_length(head)
    if length != SIZE:
        raise WrongAnswer(f"the length is {length}, not {SIZE}")
    remaining = SIZE - len(body)
    buffer = bytearray(BUFFER)
    while remaining:
        count = sock.recv_into(buffer, min(BUFFER, remaining))
        if not count:
            raise WrongAnswer("the response was cut")
        remaining -= count


TRANSFERS: dict[str, Callable[[socket.socket], None]] = {
    "upload": _upload,
    "stream": _stream,
    "static": _static,
}


def _read_head(sock: socket.socket) -> tuple[bytes, bytes]:
    """The head in lower case, and what came after it."""
    data = b""
    while b"\r\n\r\n" not in data:
        received = sock.recv(BUFFER)
        if not received:
            raise WrongAnswer("no response")
        data += received
    head, _, body = data.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise WrongAnswer(repr(head[:40]))
    return head.lower(), body


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name == b"content-length":
            return int(value)
    raise WrongAnswer("no Content-Length")
