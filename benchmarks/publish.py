"""Put the figures of a run into the documentation: `docs/benchmarks.md`, the README, a picture.

    python benchmarks/publish.py 2026-11-21-python-3.11    # of these files in results/
    python benchmarks/publish.py            # of those that are there already, measured again
    python benchmarks/publish.py --check    # are they what is there?

What stands between the two marks of a page is written here, and nowhere else.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from first_picture import draw
from harness.endpoints import ENDPOINTS
from harness.imports import PARTS
from harness.large import MEBIBYTES
from harness.servers import BENCHMARKS, FLOOR, OLD, PURE, ROLL

ROOT = BENCHMARKS.parent
RESULTS = BENCHMARKS / "results"
README = ROOT / "README.md"
PAGE = ROOT / "docs" / "benchmarks.md"
PICTURE = ROOT / "docs" / "benchmark.svg"
MARKED = re.compile(r"(?<=<!-- figures -->\n).*?(?=<!-- end of the figures -->)", re.DOTALL)

SHOWN = re.compile(r"benchmarks/results/(.+)\.svg")

Figures = Mapping[str, float]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", nargs="?", help="of the run, without its suffix")
    parser.add_argument("--check", action="store_true", help="write nothing")
    arguments = parser.parse_args()
    name = arguments.name or SHOWN.findall(PAGE.read_text())[0]
    run = json.loads((RESULTS / f"{name}.json").read_text())
    for page, text in ((README, claims(run)), (PAGE, table(run, name))):
        put(page, text, check=arguments.check)
    put_picture(draw(run), check=arguments.check)


def put(page: Path, figures: str, *, check: bool) -> None:
    """Replace what stands between the marks."""
    old = page.read_text()
    new = MARKED.sub(lambda _: figures, old)
    if figures not in new:
        raise SystemExit(f"{page.name} has no place for the figures")
    if check and new != old:
        raise SystemExit(f"{page.name} has other figures than results/: publish them")
    if not check:
        page.write_text(new)


def put_picture(picture: str, *, check: bool) -> None:
    if check and PICTURE.read_text() != picture:
        raise SystemExit(f"{PICTURE.name} shows other figures than results/: publish them")
    if not check:
        PICTURE.write_text(picture)


def claims(run: Any) -> str:
    """Two sentences that hold for every endpoint."""
    plain = cpu(run)["plain"]
    others = len(peers_of(plain))
    peer, cost = cheapest(plain)
    old = [found[OLD] / found[ROLL] for found in cpu(run).values()]
    peers = [cheapest(found)[1] / found[ROLL] for found in cpu(run).values()]
    return (
        f"A minimal request costs Roll {plain[ROLL]:.1f} µs of CPU. It costs Roll 0.13.4 "
        f"{plain[OLD]:.1f} µs, and {peer}, the cheapest\nof the {others} others measured "
        f"beside it, {cost:.1f} µs. Over all {len(old)} endpoints, Roll 0.13.4 costs "
        f"{extent(old)} times\nas much as Roll, and the cheapest other {extent(peers)} times.\n"
        "[All figures](docs/benchmarks.md), with the machine they come from.\n"
    )


def extent(values: list[float]) -> str:
    return f"{min(values):.2f} to {max(values):.2f}"


def table(run: Any, name: str) -> str:
    """The picture, and a line for all that was measured."""
    machine = run["machine"]
    head = ["", "Roll", "Roll 0.13.4", "the cheapest other", "the least possible"]
    found = [line for line in lines(run) if ROLL in line[2]]
    rows = [head, ["---", *["---:"] * 4], *(cells(*line) for line in found)]
    return "\n".join(
        [
            f"![CPU time per request](../benchmarks/results/{name}.svg)",
            "",
            f"{machine['processor']}; {machine['system']}; {machine['python']}; uvloop.",
            f"[Everything measured](../benchmarks/results/{name}.md), with all versions.",
            "",
            *(f"| {' | '.join(row)} |" for row in rows),
            "",
        ]
    )


def lines(run: Any) -> Iterator[tuple[str, str, Figures]]:
    """What was measured, its unit, and the figure of each server."""
    for name, found in cpu(run).items():
        yield f"{name}: {ENDPOINTS[name].says}", "µs", found
    for name, found in run["large"].items():
        costs = {server: one["cpu"] for server, one in found.items() if "asyncio" not in server}
        yield f"{name} of {MEBIBYTES} MiB", "ms", costs
    yield "an echo over a WebSocket", "µs", run.get("echoes", {})
    yield "memory of an idle connection", "KiB", run["idle"]
    imports = run["imports"]
    yield "`import roll`", "ms", {FLOOR if key == PARTS else key: imports[key] for key in imports}


def cells(what: str, unit: str, found: Figures) -> list[str]:
    """One line of the table; how many times Roll's figure each other is."""
    ours = found[ROLL]
    peer, cost = cheapest(found)
    others = ((OLD, found.get(OLD)), (peer, cost), (FLOOR, found.get(FLOOR)))
    shown = [
        f"{f'{name} ' if name == peer else ''}{value:.1f} ({value / ours:.2f})" if value else ""
        for name, value in others
    ]
    return [what, f"{ours:.1f} {unit}", *shown]


def cheapest(found: Figures) -> tuple[str, float]:
    """The cheapest of the peers, and what it takes; nobody, and nothing, where there are none."""
    peers = peers_of(found)
    name = min(peers, key=peers.__getitem__, default="")
    return name, peers.get(name, 0)


def peers_of(found: Figures) -> Figures:
    """The figures of all servers but the floor, and Roll in any form."""
    return {name: found[name] for name in found if name not in {FLOOR, ROLL, PURE, OLD}}


def cpu(run: Any) -> dict[str, Figures]:
    """Microseconds of each endpoint, by server."""
    return {
        name: {server: one["cpu"] for server, one in found.items()}
        for name, found in run["endpoints"].items()
    }


if __name__ == "__main__":
    main()
