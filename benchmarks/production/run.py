"""An application as it runs in production, beside the same in the idiom of its peers.

    python benchmarks/production/run.py [--rounds 5] [--seconds 3] [--servers NAME ...]

Each answers `/books/{isbn}` with JSON, to browsers whose eight header fields differ in each
request. It allows other origins (CORS), gives each request an id before the body is read, and
sends that id back after the handler. It writes a line for each answer to a file. `plain` is Roll
without any of it, for the same requests.
"""

from __future__ import annotations

import argparse
import http.client
import re
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1]))

from harness.endpoints import BROWSER, Endpoint, WrongAnswer, check
from harness.load import Figures, measure
from harness.machine import describe_machine, versions
from harness.servers import OLD_PYTHON, Running, Server, install_old_roll, running

HERE = Path(__file__).parent
BOOKS = Endpoint(
    "production",
    "/books/42",
    "JSON of a placeholder, as in production",
    headers=BROWSER | {"Origin": "https://example.org"},
    variants=5000,
    data={"isbn": "42", "title": "Dune"},
)
PATIENCE = 5
"""Seconds in which a line has to be in its file."""


def script(name: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, str(HERE / f"{name}_app.py"), *arguments)


def uvicorn(name: str) -> tuple[str, ...]:
    return (
        *(sys.executable, "-m", "uvicorn", f"{name}_app:app", "--app-dir", str(HERE)),
        *("--port", "{port}", "--loop", "uvloop", "--http", "httptools"),
        *("--log-config", str(HERE / "uvicorn_log.json")),
    )


SERVERS = {
    server.name: server
    for server in [
        Server("roll, plain", script("roll", "plain"), ("roll",)),
        Server("roll, no log", script("roll", "none")),
        Server("roll, text", script("roll", "text")),
        Server("roll, json", script("roll", "json")),
        Server("roll, text, async listeners", script("roll", "async")),
        Server("roll, logging", script("roll", "logging")),
        Server("roll 0.13.4, logging", (OLD_PYTHON, "-I", str(HERE / "roll_app.py"), "old")),
        Server("starlette, uvicorn", uvicorn("starlette"), ("starlette", "uvicorn")),
        Server("blacksheep, uvicorn", uvicorn("blacksheep"), ("blacksheep",)),
        Server("aiohttp", script("aiohttp"), ("aiohttp",)),
        Server("sanic", script("sanic"), ("sanic",)),
    ]
}
WITHOUT_LOG = {"roll, plain", "roll, no log"}
"""The servers that write no line."""


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5, help="whose quartile counts (5)")
    parser.add_argument("--seconds", type=int, default=3, help="how long wrk runs in each (3)")
    parser.add_argument("--servers", nargs="+", choices=SERVERS, metavar="SERVER")
    return parser.parse_args()


def check_production(one: Running, files: Path) -> None:
    """Check an answer, its header fields, and its line; raises `WrongAnswer`."""
    check(BOOKS, one.port)
    if one.server.name == "roll, plain":
        return
    connection = http.client.HTTPConnection("127.0.0.1", one.port, timeout=5)
    connection.request("GET", "/books/7", headers=BOOKS.headers)
    response = connection.getresponse()
    response.read()
    connection.close()
    for name in ("Access-Control-Allow-Origin", "X-Request-Id"):
        if not response.headers.get(name):
            raise WrongAnswer(f"{one.server.name}: no {name}")
    if one.server.name not in WITHOUT_LOG:
        wait_for_line(files / f"{one.port}.log", one.server.name)


def wait_for_line(path: Path, name: str) -> None:
    end = time.monotonic() + PATIENCE
    while not (path.exists() and re.search(r"GET.*/books/7.*200", path.read_text())):
        if time.monotonic() > end:
            raise WrongAnswer(f"{name}: no line in its access log")
        time.sleep(0.05)


def main() -> None:
    arguments = parse_arguments()
    chosen = [SERVERS[name] for name in arguments.servers or SERVERS]
    install_old_roll()
    with tempfile.TemporaryDirectory() as folder:
        files = Path(folder) / "files"
        files.mkdir()
        with running(chosen, files) as servers:
            for one in servers:
                check_production(one, files)
            found = measure(BOOKS, servers, arguments.rounds, arguments.seconds)
    print(markdown(found, chosen))


def markdown(found: dict[str, list[Figures]], chosen: list[Server]) -> str:
    lines = [f"- {name}: {value}" for name, value in describe_machine().items()]
    numbers = versions(chosen)
    lines += ["- versions: " + ", ".join(f"{name} {one}" for name, one in numbers.items()), ""]
    lines += ["| | CPU µs a request, median | cheapest round | requests a second |"]
    lines += ["|---|---:|---:|---:|"]
    for name, rounds in found.items():
        cpu = [one.cpu for one in rounds]
        rate = median(one.rate for one in rounds)
        lines.append(f"| {name} | {median(cpu):.1f} | {min(cpu):.1f} | {rate:,.0f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
