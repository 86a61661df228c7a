"""Compare roll-multipart with its peers: python benchmarks/multipart/run.py [--quick].

Prints Markdown tables: MB/s, the lower quartile of the times of interleaved runs, in CPU time of
this thread: what else runs on the machine makes single runs slower, and none faster.
"""

import argparse
import gc
import os
import platform
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bodies import BOUNDARY, HOSTILE, KIB, MIB, SCENARIOS, Body, Chunks
from peers import EVENTS, FORMS, Counter, Found, Peer, Storage, count

shuffle = random.Random(1).shuffle
CHUNKS = {"1 KiB": KIB, "16 KiB": 16 * KIB, "64 KiB": 64 * KIB, "1 MiB": MIB}
PACKAGES = [name for name in FORMS if " " not in name]


def measure(peer: Peer, chunks: Chunks, repeat: int = 1) -> float:
    """Seconds of CPU for one call."""
    gc.collect()
    start = time.thread_time()
    results = [peer(chunks) for _ in range(repeat)]
    elapsed = time.thread_time() - start
    for result in results:
        check(result)
    return elapsed / repeat


def check(result: Any) -> Found:
    """Count what was found, and close the files."""
    return result if len(result) == 3 else count(*result)


def correct(peer: Peer, chunks: Chunks, body: Body) -> bool:
    try:
        return check(peer(chunks)) == (body.fields, body.files, body.content)
    except Exception as error:  # noqa: BLE001 - a peer may fail in any way: the table says so
        print(f"<!-- {peer.__name__}: {error!r} -->")
        return False


def compare(peers: dict[str, Peer], body: Body, size: int, rounds: int) -> dict[str, float]:
    """MB/s of every peer that parses the body right."""
    chunks = Chunks(body, size)
    able = [(name, peer) for name, peer in peers.items() if correct(peer, chunks, body)]
    repeat = {name: int(0.01 / measure(peer, chunks)) + 1 for name, peer in able}
    times: dict[str, list[float]] = {name: [] for name, _ in able}
    for _ in range(rounds):
        # Nobody always comes behind the same one, who left the caches cold or warm.
        shuffle(able)
        for name, peer in able:
            times[name].append(measure(peer, chunks, repeat[name]))
    return {name: len(body.data) / lower_quartile(taken) / 1e6 for name, taken in times.items()}


def lower_quartile(times: list[float]) -> float:
    return statistics.quantiles(times, n=4)[0]


def scenarios(quick: bool, only: str) -> Iterator[tuple[str, Body]]:
    for name, make in SCENARIOS.items():
        if only in name and not (quick and name == "64 MiB upload"):
            yield name, make()
    for name, flood in HOSTILE.items():
        if only in name:
            yield name, flood(MIB)


def table(title: str, peers: dict[str, Peer], quick: bool, only: str) -> None:
    print(f"\n### {title}\n")
    print("| body | chunks |", " | ".join(peers), "| lead |")
    print("| --- | --- |" + " ---: |" * (len(peers) + 1))
    for name, body in scenarios(quick, only):
        for label, size in CHUNKS.items():
            if name == "small form" and size > KIB:
                continue
            rounds = 3 if quick else 15
            speeds = compare(peers, body, size, rounds)
            print(f"| {name} | {label} |", row(peers, speeds), flush=True)


def show(speed: float) -> str:
    return f"{speed:,.0f}" if speed >= 100 else f"{speed:.3g}"


def row(peers: dict[str, Peer], speeds: dict[str, float]) -> str:
    cells = [show(speeds[name]) if name in speeds else "fails" for name in peers]
    rivals = [speed for name, speed in speeds.items() if name != "roll-multipart"]
    lead = speeds["roll-multipart"] / max(rivals)
    return " | ".join([*cells, f"{lead:.2f}"]) + " |"


def growth(quick: bool) -> None:
    """Time of the parser for four times as much hostile input.

    It gets the same chunk again and again: what is not in the caches would take longer by itself.
    """
    print("\n### Growth of the time from n to 4n (4.0 is linear)\n")
    print("| body |", " | ".join(CHUNKS), "|")
    print("| --- |" + " ---: |" * len(CHUNKS))
    for name, flood in HOSTILE.items():
        data = flood(2 * MIB).data
        cells = [f"{grow(data, size, 2 if quick else 8):.2f}" for size in CHUNKS.values()]
        print(f"| {name} |", " | ".join(cells), "|", flush=True)


def grow(data: bytes, size: int, mebibytes: int) -> float:
    """How much longer four times as many chunks take, after the first of a body."""
    head, chunk = data[:300], data[300 : 300 + size]
    times: dict[int, list[float]] = {1: [], 4: []}
    for _ in range(9):
        for factor, taken in times.items():
            parser = Counter(BOUNDARY)
            parser.feed(head)
            start = time.thread_time()
            for _ in range(factor * mebibytes * MIB // size):
                parser.feed(chunk)
            taken.append(time.thread_time() - start)
    return statistics.median(times[4]) / statistics.median(times[1])


def processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def keep_memory() -> None:
    """Start again with an allocator that keeps what was freed.

    Else it gives memory back and takes it anew in the middle of whoever is being measured.
    """
    setting = {"MALLOC_TRIM_THRESHOLD_": "4000000000", "MALLOC_TOP_PAD_": "67108864"}
    if not setting.keys() <= os.environ.keys():
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | setting)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--quick", action="store_true", help="few rounds, no 64 MiB upload")
    arguments.add_argument("--only", choices=["forms", "memory", "events", "growth"])
    arguments.add_argument("--body", default="", help="only bodies with this in their name")
    options = arguments.parse_args()
    keep_memory()
    if os.access("/dev/shm", os.W_OK):
        tempfile.tempdir = "/dev/shm"  # a disk's moods are not the parser's
    print(f"{processor()}, {platform.python_implementation()} {platform.python_version()};")
    print(", ".join(f"{name} {version(name)}" for name in PACKAGES))
    if options.only in (None, "forms"):
        table("Form and files, MB/s", FORMS, options.quick, options.body)
    if options.only in (None, "memory"):
        Storage.memory = True
        table("Form and files in memory, MB/s", FORMS, options.quick, options.body)
        Storage.memory = False
    if options.only in (None, "events"):
        table("Parser events alone, MB/s", EVENTS, options.quick, options.body)
    if options.only in (None, "growth"):
        growth(options.quick)


if __name__ == "__main__":
    main()
