"""Compare roll-routing with its peers: python benchmarks/routing/run.py [--quick].

Prints Markdown tables: nanoseconds per match in CPU time of this thread, the call and its loop
included; of interleaved rounds, the lower quartile, as a busy machine has a slow and a fast pace.
"""

import argparse
import gc
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from peers import PEERS
from tables import paths, table

PACKAGES = ("roll-routing", "autoroutes", "falcon", "sanic-routing", "starlette")
SIZES = (10, 100, 1000, 10_000)
# How long one round of one peer runs: long beside the clock's own cost, short beside a machine's
# changes of mood.
ROUND = 0.001

Match = Callable[[str], Any]
Figures = dict[str, dict[str, float]]


def processor() -> str:
    facts = dict[str, str]()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        facts.setdefault(name.strip(), value.strip())
    return f"{facts['model name']} (family {facts['cpu family']} model {facts['model']})"


def built(size: int) -> tuple[dict[str, Match], dict[str, float]]:
    """Build every peer and verify it; its seconds include a first match, as some compile then."""
    matches, seconds = {}, {}
    routes, expected = table(size), paths(size)
    for name, build in PEERS.items():
        gc.collect()
        start = time.thread_time()
        match, values = build(routes)
        match(next(iter(expected.values()))[0])
        seconds[name] = time.thread_time() - start
        matches[name] = match
        if name == "roll-routing":
            learn(match, routes)
        for path, wanted in expected.values():
            if values(match(path)) != wanted:
                raise SystemExit(f"{name} gives {match(path)} for {path}")
    return matches, seconds


def learn(match: Match, routes: list[str]) -> None:
    """Ask for every route: ours tells autoroutes of some at each match, till it knows all."""
    start = time.thread_time()
    for route in routes:
        match(route)  # A pattern matches itself, braces and all.
    print(
        f"\n<!-- each of {len(routes):,} routes asked once: {time.thread_time() - start:.3g} s -->"
    )


def timed(match: Match, path: str, number: int) -> float:
    """Nanoseconds of one match."""
    rounds = range(number)
    start = time.thread_time_ns()
    for _ in rounds:
        match(path)
    return (time.thread_time_ns() - start) / number


def compared(matches: dict[str, Match], path: str, rounds: int) -> dict[str, float]:
    numbers = {
        name: max(1, min(5000, int(ROUND * 1e9 / timed(match, path, 20))))
        for name, match in matches.items()
    }
    taken: dict[str, list[float]] = {name: [] for name in matches}
    for _ in range(rounds):
        for name, match in matches.items():
            taken[name].append(timed(match, path, numbers[name]))
    return {name: statistics.quantiles(times)[0] for name, times in taken.items()}


def rows(
    size: int, matches: dict[str, Match], rounds: int
) -> Iterator[tuple[str, dict[str, float]]]:
    for kind, (path, _) in paths(size).items():
        yield kind, compared(matches, path, rounds)


def measured(size: int, rounds: int) -> Figures:
    matches, seconds = built(size)
    figures = dict(rows(size, matches, rounds))
    print(f"\n### {size:,} routes\n")
    print("| path |", " | ".join(PEERS), "| ours - autoroutes |")
    print("|---|" + "---:|" * (len(PEERS) + 1))
    for kind, row in figures.items():
        above = row["roll-routing"] - row["autoroutes"]
        print(
            f"| {kind} |", " | ".join(f"{time:,.0f}" for time in row.values()), f"| {above:+.0f} |"
        )
    print("| registered, s |", " | ".join(f"{time:.3g}" for time in seconds.values()), "| |")
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="10 and 1,000 routes, about a minute")
    quick = parser.parse_args().quick
    print(f"{processor()}, Python {platform.python_version()},", end=" ")
    print(", ".join(f"{name} {version(name)}" for name in PACKAGES))
    sizes = (10, 1000) if quick else SIZES
    figures = {size: measured(size, 31 if quick else 101) for size in sizes}
    print(f"\nOurs, at {sizes[-1]:,} routes to at {sizes[0]}:", end=" ")
    small, large = figures[sizes[0]], figures[sizes[-1]]
    ratios = {kind: large[kind]["roll-routing"] / small[kind]["roll-routing"] for kind in small}
    print(", ".join(f"{kind} {ratio:.1f}" for kind, ratio in ratios.items()))


if __name__ == "__main__":
    main()
