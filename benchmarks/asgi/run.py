"""One application of Starlette on each server of ASGI: what the server and the application cost.

    python benchmarks/asgi/run.py [--rounds 7] [--seconds 2] [--servers NAME ...] [--only NAME ...]

Each server is one process on one core, with uvloop and without an access log; wrk has the other
core, with 64 connections. The servers take turns, in another order each round.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median, quantiles

sys.path.insert(0, str(Path(__file__).parents[1]))

from harness.endpoints import ENDPOINTS
from harness.large import TRANSFERS, make_file, measure_large
from harness.load import checked, measure
from harness.machine import describe_machine, versions
from harness.servers import SERVERS as PEERS
from harness.servers import Server, running

HERE = Path(__file__).parent
APP = "starlette_app:app"
MEASURES = ("plain", "json", "varied", "echo", "404", "stream", "upload")


def module(name: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", name, *arguments)


SERVERS = {
    server.name: server
    for server in [
        Server("roll", module("roll", "run", APP, "--port", "{port}"), ("roll", "starlette")),
        Server(
            "roll, pure Python",
            ("env", "ROLL_PURE=1", *module("roll", "run", APP, "--port", "{port}")),
        ),
        Server("uvicorn", PEERS["starlette, uvicorn"].command, ("uvicorn", "httptools")),
        Server("granian", PEERS["starlette, granian"].command, ("granian",)),
        Server(
            "hypercorn",
            module("hypercorn", APP, "--bind", "127.0.0.1:{port}", "--worker-class", "uvloop"),
            ("hypercorn",),
        ),
        Server(
            "gunicorn",
            module("gunicorn", APP, "--bind", "127.0.0.1:{port}", "--worker-class", "asgi"),
            ("gunicorn",),
        ),
        Server(
            "freastal",
            (sys.executable, str(HERE / "freastal_server.py"), "{port}"),
            ("freastal",),
        ),
    ]
}


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7, help="(7)")
    parser.add_argument("--seconds", type=int, default=2, help="how long wrk runs in each (2)")
    parser.add_argument("--servers", nargs="+", choices=SERVERS, default=list(SERVERS))
    parser.add_argument("--only", nargs="+", choices=MEASURES, default=list(MEASURES))
    return parser.parse_args()


def small(arguments: argparse.Namespace, files: Path) -> dict[str, dict[str, list[float]]]:
    """Microseconds of CPU of a request, of each round, by the endpoint and the server."""
    names = [name for name in arguments.only if name in ENDPOINTS]
    chosen = [SERVERS[name] for name in arguments.servers]
    found: dict[str, dict[str, list[float]]] = {}
    with running(chosen, files) as servers:
        wrong = checked([ENDPOINTS[name] for name in names], servers)
        for name in names:
            able = [one for one in servers if name not in wrong.get(one.server.name, [])]
            rounds = measure(ENDPOINTS[name], able, arguments.rounds, arguments.seconds)
            found[name] = {server: [one.cpu for one in all_] for server, all_ in rounds.items()}
    return found


def large(arguments: argparse.Namespace, files: Path) -> dict[str, dict[str, list[float]]]:
    """Milliseconds of CPU of a transfer of 64 MiB, of each round."""
    names = [name for name in arguments.only if name in TRANSFERS]
    chosen = [SERVERS[name] for name in arguments.servers]
    found: dict[str, dict[str, list[float]]] = {}
    with running(chosen, files) as servers:
        for name in names:
            rounds = measure_large(name, servers, arguments.rounds, 5 * arguments.seconds)
            found[name] = {server: [one.cpu for one in all_] for server, all_ in rounds.items()}
    return found


def shown(rounds: Sequence[float] | None) -> str:
    """Return the median of the rounds, and their lower quartile."""
    if not rounds:
        return "-"
    low = quantiles(rounds, n=4)[0] if len(rounds) > 1 else rounds[0]
    return f"{median(rounds):.1f} ({low:.1f})"


def markdown(found: dict[str, dict[str, list[float]]], chosen: Sequence[Server]) -> str:
    lines = [f"- {name}: {value}" for name, value in describe_machine().items()]
    numbers = versions(chosen)
    lines += ["- versions: " + ", ".join(f"{name} {one}" for name, one in numbers.items()), ""]
    lines += [f"| | {' | '.join(found)} |", f"|---|{'---:|' * len(found)}"]
    for server in chosen:
        cells = [shown(rounds.get(server.name)) for rounds in found.values()]
        lines.append(f"| {server.name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory() as folder:
        files = Path(folder) / "files"
        make_file(files)
        found = small(arguments, files) | large(arguments, files)
    print(markdown(found, [SERVERS[name] for name in arguments.servers]))


if __name__ == "__main__":
    main()
