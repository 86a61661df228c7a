"""Small requests, many at once: wrk on one core, the server on the other."""

from __future__ import annotations

import json
import os
import random
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from .endpoints import Endpoint, WrongAnswer, check
from .processes import cpu_time, resident_memory
from .servers import BENCHMARKS, CLIENT_CORE, Running

__all__ = ["Figures", "checked", "measure"]

CONNECTIONS = 64
WARM_UP = 1


@dataclass(frozen=True, slots=True)
class Figures:
    """What one round gave, or the medians of several."""

    rate: float
    """Requests a second."""
    cpu: float
    """Microseconds of the server's CPU per request, user and system."""
    p50: float
    """Milliseconds."""
    p99: float
    rss: float
    """MiB, after the load."""

    @classmethod
    def medians(cls, rounds: Sequence[Figures]) -> Figures:
        """The median of each figure."""
        columns = zip(*(one.values() for one in rounds), strict=True)
        return cls(*(median(column) for column in columns))

    def values(self) -> tuple[float, ...]:
        """In the order of the constructor."""
        return (self.rate, self.cpu, self.p50, self.p99, self.rss)


def checked(endpoints: Sequence[Endpoint], servers: Sequence[Running]) -> dict[str, list[str]]:
    """Check every answer; gives the names of the endpoints that each server gets wrong."""
    wrong: dict[str, list[str]] = {}
    for one in servers:
        for endpoint in endpoints:
            try:
                check(endpoint, one.port)
            except (OSError, WrongAnswer) as error:
                print(f"! {one.server.name}: {error!r}", flush=True)
                wrong.setdefault(one.server.name, []).append(endpoint.name)
    return wrong


def measure(
    endpoint: Endpoint, servers: Sequence[Running], rounds: int, seconds: int
) -> dict[str, list[Figures]]:
    """Load the servers by turns, in another order each round; those that fail drop out."""
    results: dict[str, list[Figures]] = {one.server.name: [] for one in servers}
    for number in range(rounds):
        order = [one for one in servers if one.server.name in results]
        random.Random(number).shuffle(order)
        for one in order:
            try:
                if number == 0 and rounds > 1:
                    _load(endpoint, one, WARM_UP)
                results[one.server.name].append(_load(endpoint, one, seconds))
            except (OSError, WrongAnswer) as error:
                print(f"! {one.server.name}: {endpoint.name}: {error!r}", flush=True)
                del results[one.server.name]
    return results


def _load(endpoint: Endpoint, one: Running, seconds: int) -> Figures:
    before = cpu_time(one.pid)
    found = _wrk(endpoint, one.port, seconds)
    used = cpu_time(one.pid) - before
    if found["failed"] or not found["requests"] or not used:
        raise WrongAnswer(str(found))
    return Figures(
        rate=found["requests"] / found["seconds"],
        cpu=used / found["requests"] * 1e6,
        p50=found["p50"] / 1e3,
        p99=found["p99"] / 1e3,
        rss=resident_memory(one.pid) / 2**20,
    )


def _wrk(endpoint: Endpoint, port: int, seconds: int) -> dict[str, float]:
    settings = {
        "BENCH_DEPTH": str(endpoint.depth),
        "BENCH_METHOD": endpoint.method,
        "BENCH_VARIANTS": str(endpoint.variants),
    }
    if endpoint.body is not None:
        settings["BENCH_BODY"] = endpoint.body.decode()
    headers = [f"-H{name}: {value}" for name, value in endpoint.headers.items()]
    url = f"http://127.0.0.1:{port}{endpoint.path}"
    ended = subprocess.run(
        [
            *("taskset", "--cpu-list", str(CLIENT_CORE)),
            *("wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", "load.lua", *headers, url),
        ],
        cwd=BENCHMARKS,
        env=os.environ | settings,
        capture_output=True,
        check=False,
    )
    if ended.returncode:
        raise WrongAnswer(ended.stdout.decode().strip())
    time.sleep(0.02)  # the server closes its connections
    found: dict[str, float] = json.loads(ended.stderr.splitlines()[-1])
    return found
