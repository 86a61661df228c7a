"""Where the microseconds of a request go, in process: no socket, no other program.

    python benchmarks/in_process.py json
    ROLL_PURE=1 python benchmarks/in_process.py form --functions 40

Feeds requests to `roll_http.HTTPProtocol` over a transport that only counts, then again under
cProfile (which inflates small Python functions: look at its order, not at its figures). In Python
alone (`ROLL_PURE=1`), each stage is timed by itself, too. The native core has no such stages.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import gc
import itertools
import os
import pstats
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from importlib import import_module
from typing import Any

import uvloop
from harness.endpoints import ENDPOINTS, Endpoint
from harness.servers import BENCHMARKS

from roll_http import HTTPProtocol, _core
from roll_http.connection.answering import serialize_common_response, serialize_response
from roll_http.h1.head_parser import HeadParser

CONNECTIONS = 64
CALLS = 2000
REPEATS = 50


class Transport(asyncio.Transport):
    """Counts what would be sent."""

    def __init__(self) -> None:
        super().__init__()
        self.answers = 0
        self.last = b""

    def write(self, data: Any) -> None:
        self.answers += data.count(b"HTTP/1.1 ")
        self.last = data

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def is_closing(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None:
        pass

    resume_reading = close = abort = pause_reading


def raw_request(endpoint: Endpoint, number: int = 0) -> bytes:
    """What wrk sends; in its variant of that number."""
    fields = {"Host": "127.0.0.1:8000"} | endpoint.headers
    if number:
        fields["Referer"] = f"http://localhost/elsewhere?page={number}"
    if endpoint.body is not None:
        fields["Content-Length"] = str(len(endpoint.body))
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    head = f"{endpoint.method} {endpoint.path} HTTP/1.1\r\n{lines}\r\n".encode()
    return (head + (endpoint.body or b"")) * endpoint.depth


def raw_requests(endpoint: Endpoint) -> Iterator[bytes]:
    """All its variants, again and again."""
    numbers = range(1, endpoint.variants + 1) if endpoint.variants > 1 else [0]
    return itertools.cycle([raw_request(endpoint, number) for number in numbers])


class Connections:
    """Many connections, all of which get the same request again and again."""

    def __init__(self, app: Any, endpoint: Endpoint) -> None:
        self.requests = raw_requests(endpoint)
        self.depth = endpoint.depth
        self.protocols = [HTTPProtocol(app) for _ in range(CONNECTIONS)]
        self.transports = [Transport() for _ in range(CONNECTIONS)]
        for protocol, transport in zip(self.protocols, self.transports, strict=True):
            protocol.connection_made(transport)

    async def exchange(self) -> None:
        """A request and its answer, on every connection."""
        wanted = self.transports[0].answers + self.depth
        asyncio.get_running_loop().call_soon(self.receive)  # outside of any task, as a loop does
        await asyncio.sleep(0)
        # Polled, because an event would be one more thing that is measured.
        while any(one.answers < wanted for one in self.transports):  # noqa: ASYNC110
            await asyncio.sleep(0)

    def receive(self) -> None:
        """A request comes on every connection."""
        for protocol, data in zip(self.protocols, self.requests, strict=False):
            protocol.data_received(data)

    def lose(self) -> None:
        """End them."""
        for protocol in self.protocols:
            protocol.connection_lost(None)


async def whole(connections: Connections) -> float:
    """Microseconds of a request, from its bytes to those of its answer."""
    turns = CALLS // CONNECTIONS
    samples = []
    for _ in range(REPEATS):
        begin = time.process_time()
        for _ in range(turns):
            await connections.exchange()
        spent = time.process_time() - begin
        samples.append(spent / turns / CONNECTIONS / connections.depth)
    return min(samples) * 1e6


def timed(calls: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Microseconds of each call, made by turns: what slows the machine slows them all."""
    least = dict.fromkeys(calls, float("inf"))
    for _ in range(REPEATS):
        for name, call in calls.items():
            begin = time.process_time()
            for _ in range(CALLS):
                call()
            least[name] = min(least[name], (time.process_time() - begin) / CALLS)
    return {name: seconds * 1e6 for name, seconds in least.items()}


def finish(awaitable: Awaitable[Any]) -> None:
    """Run a coroutine by hand, without a loop; what it waits for is ready at once."""
    steps = awaitable.__await__()
    try:
        while True:
            next(steps)
    except StopIteration:
        pass


def stages(app: Any, endpoint: Endpoint, protocol: HTTPProtocol) -> dict[str, float]:
    """Microseconds of each stage, on requests that are new each time."""
    requests = raw_requests(endpoint)
    parser = HeadParser(app.limits)
    head, _ = parser.parse(next(requests), 0)

    def make() -> tuple[Any, Any]:
        request = app.Request(app, protocol)
        request.set_head(head)
        request.body = endpoint.body or b""  # as if it were loaded
        response = app.Response(app, protocol)
        response.request = request
        return request, response

    def look_up() -> tuple[Any, Any]:
        request, response = make()
        app.lookup(request)
        return request, response

    def handle() -> None:
        request, response = look_up()
        payload, variables = request.route
        if payload is not None:
            finish(payload[endpoint.method](request, response, **variables))

    def cycle() -> tuple[Any, Any]:
        request, response = make()
        finish(app(request, response))
        return request, response

    answered = *cycle(), "Date: now\r\n"
    found = timed(
        {
            "parse": lambda: parser.parse(next(requests), 0),
            "make": make,
            "look up": look_up,
            "handle": handle,
            "cycle": cycle,
            "render": lambda: (
                serialize_common_response(*answered) or serialize_response(*answered)
            ),
        }
    )
    return {
        "parsing the head": found["parse"],
        "making request and response": found["make"],
        "finding the route": found["look up"] - found["make"],
        "the handler": found["handle"] - found["look up"],
        "the rest of the cycle: events, checks": found["cycle"] - found["handle"],
        "rendering the answer": found["render"],
    }


def print_stages(total: float, found: dict[str, float]) -> None:
    rest = total - sum(found.values())
    table = found | {"the rest: task, connection, transport": rest, "the whole": total}
    for name, value in table.items():
        print(f"{value:8.2f} µs  {name}")


def print_functions(profiler: cProfile.Profile, requests: int, count: int) -> None:
    """The functions by what they cost without those they call."""
    print(f"\n{'µs':>8} {'calls':>6}  function (under cProfile, per request)")
    found: dict[Any, Any] = pstats.Stats(profiler).stats  # type: ignore[attr-defined]
    ranked = sorted(found.items(), key=lambda item: -item[1][2])
    for (file, line, name), (_, calls, own, *_) in ranked[:count]:
        where = f"{'/'.join(file.split('/')[-2:])}:{line} " if line else ""
        print(f"{own / requests * 1e6:8.2f} {calls / requests:6.2f}  {where}{name}")


async def garbage(connections: Connections) -> float:
    """How many objects a request leaves to the cycle collector: best none."""
    turns = 10
    gc.collect()
    gc.disable()
    for _ in range(turns):
        await connections.exchange()
    await asyncio.sleep(0)  # what has just ended lets go
    found = gc.collect()
    gc.enable()
    return found / turns / CONNECTIONS / connections.depth


async def profile(app: Any, endpoint: Endpoint, count: int) -> None:
    await app.startup()
    connections = Connections(app, endpoint)
    for _ in range(100):
        await connections.exchange()
    print(connections.transports[0].last.decode(errors="replace"), end="\n\n")
    left = await garbage(connections)
    total = await whole(connections)
    if _core.is_native:
        print(f"{total:8.2f} µs  the whole, with the native core (stages: ROLL_PURE=1)")
    else:
        print_stages(total, stages(app, endpoint, connections.protocols[0]))
    print(f"{left:8.2f} objects left to the cycle collector")
    profiler = cProfile.Profile()
    profiler.enable()
    for _ in range(100):
        await connections.exchange()
    profiler.disable()
    print_functions(profiler, 100 * CONNECTIONS * endpoint.depth, count)
    connections.lose()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "endpoint", choices=ENDPOINTS, help=", ".join(ENDPOINTS), metavar="ENDPOINT"
    )
    parser.add_argument("--functions", type=int, default=25, help="how many of them to show (25)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"BENCH_FILES": folder, "BENCH_LOOP": "uvloop"}
        sys.path.insert(0, str(BENCHMARKS / "peers"))
        app = import_module("roll_app").app  # reads those
        uvloop.run(profile(app, ENDPOINTS[arguments.endpoint], arguments.functions))


if __name__ == "__main__":
    main()
