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

from peers import PEERS, without_autoroutes
from tables import LIKES, MIXED, SMALL, SMALL_PATHS, paths, table

PACKAGES = ("roll-routing", "autoroutes", "falcon", "sanic-routing", "starlette", "werkzeug")
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
            first(match, routes)
        for path, wanted in expected.values():
            if values(match(path)) != wanted:
                raise SystemExit(f"{name} gives {match(path)} for {path}")
    return matches, seconds


def first(match: Match, routes: list[str]) -> None:
    """Ask for every route: ours writes its functions during the first matches."""
    times = []
    for route in routes:
        start = time.thread_time()
        match(route)  # A pattern matches itself, braces and all.
        times.append(time.thread_time() - start)
    print(
        f"\n<!-- each of {len(routes):,} routes asked once: {sum(times):.3g} s in all,"
        f" {max(times):.3g} s at most -->"
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


def claimed(size: int, rounds: int) -> None:
    """Compare what bare autoroutes cannot answer with the nearest it can."""
    print(f"\n### Places that several routes claim, beside {size:,} routes\n")
    print(
        "| path | roll-routing | the like of its route alone, by autoroutes | ours - autoroutes |"
    )
    print("|---|---:|---:|---:|")
    ours = PEERS["roll-routing"]([*table(size), *MIXED])[0]
    for path, like in LIKES.items():
        alone = PEERS["autoroutes"]([*table(size), like])[0]
        pair(path, ours, alone, rounds)


def plain(rounds: int) -> None:
    """Compare where ours asks autoroutes with where it is not installed."""
    print(f"\n### A small and plain table, {len(SMALL)} routes\n")
    print("| path | with autoroutes | without | bare autoroutes | without / with |")
    print("|---|---:|---:|---:|---:|")
    peers = {"with": PEERS["roll-routing"], "without": without_autoroutes}
    peers["bare"] = PEERS["autoroutes"]
    matches = {name: build(SMALL)[0] for name, build in peers.items()}
    sums = dict.fromkeys(matches, 0.0)
    for path in SMALL_PATHS:
        row = compared(matches, path, rounds)
        print_plain(path, row)
        sums = {name: sums[name] + row[name] for name in row}
    print_plain("all", sums)


def print_plain(path: str, row: dict[str, float]) -> None:
    ratio = row["without"] / row["with"]
    print(f"| {path} |", " | ".join(f"{time:,.0f}" for time in row.values()), f"| {ratio:.2f} |")


def pair(path: str, ours: Match, bare: Match, rounds: int) -> None:
    if (ours(path)[0] is None) != (bare(path)[0] is None):
        raise SystemExit(f"{ours(path)} and {bare(path)} for {path}")
    row = compared({"ours": ours, "bare": bare}, path, rounds)
    print(
        f"| {path} | {row['ours']:,.0f} | {row['bare']:,.0f} | {row['ours'] - row['bare']:+.0f} |"
    )


def hostile() -> None:
    """Compare what a hostile path costs, for those routers that know such a pattern."""
    pattern, path = "/{a}-{b}-{c}-{d}x", "/" + "-" * 250
    print(f"\n### 250 hyphens for `{pattern}`\n")
    print("| router | µs |\n|---|---:|")
    for name in ("roll-routing", "falcon", "starlette", "werkzeug", "re"):
        match, _ = PEERS[name]([pattern])
        match("/")
        print(f"| {name} | {min(timed(match, path, 1) for _ in range(3)) / 1000:,.0f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="10 and 1,000 routes, about a minute")
    quick = parser.parse_args().quick
    print(f"{processor()}, Python {platform.python_version()},", end=" ")
    print(", ".join(f"{name} {version(name)}" for name in PACKAGES))
    sizes = (10, 1000) if quick else SIZES
    rounds = 31 if quick else 101
    figures = {size: measured(size, rounds) for size in sizes}
    print(f"\nOurs, at {sizes[-1]:,} routes to at {sizes[0]}:", end=" ")
    small, large = figures[sizes[0]], figures[sizes[-1]]
    ratios = {kind: large[kind]["roll-routing"] / small[kind]["roll-routing"] for kind in small}
    print(", ".join(f"{kind} {ratio:.1f}" for kind, ratio in ratios.items()))
    for size in (10, 1000):
        claimed(size, rounds)
    plain(rounds)
    hostile()


if __name__ == "__main__":
    main()
