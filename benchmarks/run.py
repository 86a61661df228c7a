"""Roll beside its peers: start each server, load it, and say what it cost.

python benchmarks/run.py --quick
python benchmarks/run.py --only plain json --servers roll floor socketify
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from statistics import median

from harness.echoes import measure_echoes
from harness.endpoints import ENDPOINTS
from harness.idle import measure_idle
from harness.imports import measure_imports
from harness.large import TRANSFERS, Transfer, make_file, measure_large
from harness.load import Figures, checked, measure
from harness.machine import describe_machine, versions
from harness.picture import draw
from harness.report import markdown
from harness.results import Results
from harness.servers import BENCHMARKS, FLOOR, SERVERS, Server, install_old_roll, running

MEASURES = [*ENDPOINTS, *TRANSFERS, "websocket", "idle", "import"]
QUICK = ["plain", "json", "all", "upload", "websocket", "idle", "import"]
# Twice as many are opened at most; granian takes 1024.
CONNECTIONS = 500
# On each of 64 connections, for each second that wrk would run.
MESSAGES = 150


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--quick", action="store_true", help="one round of some measures, about a minute")
    add("--only", nargs="+", choices=MEASURES, metavar="MEASURE", help=", ".join(MEASURES))
    add("--servers", nargs="+", choices=SERVERS, metavar="SERVER", help="; ".join(SERVERS))
    add("--rounds", type=int, help="whose median counts (5; 1 if quick)")
    add("--seconds", type=int, help="how long wrk runs in each (3; 1 if quick)")
    add("--output", type=Path, default=BENCHMARKS / "results", help="the folder to write to")
    add("--name", default="latest", help="of the files written there")
    found = parser.parse_args()
    found.rounds = found.rounds or (1 if found.quick else 5)
    found.seconds = found.seconds or (1 if found.quick else 3)
    found.only = found.only or (QUICK if found.quick else MEASURES)
    return found


class Run:
    """One run of some measures over some servers."""

    def __init__(self, arguments: argparse.Namespace, files: Path) -> None:
        self.only = arguments.only
        self.rounds = arguments.rounds
        self.seconds = arguments.seconds
        self.files = files
        self.servers = [SERVERS[name] for name in arguments.servers or SERVERS]
        old_versions = install_old_roll()
        self.results = Results(describe_machine(), versions(self.servers), old_versions)

    def everything(self) -> None:
        """Measure what was asked for."""
        self.measure_endpoints([name for name in ENDPOINTS if name in self.only])
        self.measure_transfers([name for name in TRANSFERS if name in self.only])
        if "websocket" in self.only:
            self.measure_echoes()
        if "idle" in self.only:
            found = measure_idle(self.on_uvloop, self.files, self.rounds, CONNECTIONS)
            self.results.rounds["idle"] = found
            self.results.idle = {name: median(one) / 1024 for name, one in found.items()}
        if "import" in self.only:
            found = measure_imports(4 * self.rounds)
            self.results.rounds["import"] = found
            self.results.imports = {name: median(one) for name, one in found.items()}

    @property
    def on_uvloop(self) -> list[Server]:
        """All servers but those that show what asyncio's own loop does."""
        return [server for server in self.servers if server.loop == "uvloop"]

    def measure_endpoints(self, names: list[str]) -> None:
        """Load the servers with small requests."""
        if not names:
            return
        with running(self.on_uvloop, self.files) as servers:
            self.results.wrong = wrong = checked([ENDPOINTS[name] for name in names], servers)
            for name in names:
                able = [one for one in servers if name not in wrong.get(one.server.name, [])]
                found = measure(ENDPOINTS[name], able, self.rounds, self.seconds)
                self.results.rounds[name] = found
                medians = {server: Figures.medians(one) for server, one in found.items()}
                self.results.endpoints[name] = medians
                show(name, {server: f"{one.cpu:.2f} µs" for server, one in medians.items()})

    def measure_transfers(self, names: list[str]) -> None:
        """Send and receive large bodies."""
        if not names:
            return
        with running([one for one in self.servers if one.large], self.files) as servers:
            for name in names:
                found = measure_large(name, servers, self.rounds, 5 * self.seconds)
                self.results.rounds[name] = found
                medians = {server: Transfer.medians(one) for server, one in found.items()}
                self.results.large[name] = medians
                show(name, {server: f"{one.cpu:.1f} ms" for server, one in medians.items()})

    def measure_echoes(self) -> None:
        """Have WebSocket messages echoed."""
        with running(self.on_uvloop, self.files) as servers:
            able = [one for one in servers if one.server.name != FLOOR]
            found = measure_echoes(able, self.rounds, MESSAGES * self.seconds)
            self.results.rounds["websocket"] = found
            self.results.echoes = {name: median(one) for name, one in found.items()}
            show("websocket", {name: f"{one:.2f} µs" for name, one in self.results.echoes.items()})


def show(name: str, found: dict[str, str]) -> None:
    """Say how far it is."""
    print(
        f"{name}: {', '.join(f'{server} {value}' for server, value in found.items())}", flush=True
    )


def save(results: Results, folder: Path, name: str) -> None:
    """Write the three files, and print the table."""
    folder.mkdir(parents=True, exist_ok=True)
    text = markdown(results, f"{name}.svg")
    (folder / f"{name}.md").write_text(text)
    (folder / f"{name}.json").write_text(json.dumps(results.as_json(), indent=1) + "\n")
    if results.endpoints or results.echoes:
        draw(results, folder / f"{name}.svg")
    print(text)


def main() -> None:
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory() as folder:
        files = Path(folder) / "files"
        make_file(files)
        run = Run(arguments, files)
        run.everything()
    save(run.results, arguments.output, arguments.name)


if __name__ == "__main__":
    main()
