"""The servers: what they are, and how they are started and stopped."""

from __future__ import annotations

import http.client
import itertools
import os
import signal
import socket
import subprocess
import sys
import time
import venv
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import IO

__all__ = [
    "BENCHMARKS",
    "FLOOR",
    "OLD",
    "OLD_PYTHON",
    "PURE",
    "ROLL",
    "SERVERS",
    "Running",
    "Server",
    "install_old_roll",
    "running",
]

BENCHMARKS = Path(__file__).parent.parent
OLD_PYTHON = str(BENCHMARKS / ".old-roll" / "bin" / "python")

SERVER_CORE = 0
CLIENT_CORE = 1


@dataclass(frozen=True, slots=True)
class Server:
    """One way to serve the endpoints."""

    name: str
    command: tuple[str, ...]
    """What starts it; `{port}` is replaced."""
    packages: tuple[str, ...] = ()
    """Whose versions are told."""
    loop: str = "uvloop"
    large: bool = True
    """It also serves the large bodies."""


def _script(name: str) -> tuple[str, ...]:
    return (sys.executable, f"{name}_app.py")


def _uvicorn(name: str) -> tuple[str, ...]:
    return (
        *(sys.executable, "-m", "uvicorn", f"{name}_app:app", "--port", "{port}"),
        *("--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"),
    )


def _gunicorn(name: str) -> tuple[str, ...]:
    return (
        *(sys.executable, "-m", "gunicorn", "--worker-class", "asgi", "--asgi-loop", "uvloop"),
        *("--bind", "127.0.0.1:{port}", "--log-level", "warning", f"{name}_app:app"),
    )


def _granian(name: str, interface: str = "asgi") -> tuple[str, ...]:
    return (
        *(sys.executable, "-m", "granian", f"{name}_app:app", "--port", "{port}"),
        *(
            "--interface",
            interface,
            "--loop",
            "uvloop",
            "--no-access-log",
            "--log-level",
            "warning",
        ),
    )


FLOOR = "floor"
ROLL = "roll"
PURE = "roll, pure Python"
"""Roll without its native cores."""
OLD = "roll 0.13.4"

SERVERS = {
    server.name: server
    for server in [
        Server(FLOOR, (sys.executable, "floor.py"), ("httptools",)),
        Server(ROLL, _script("roll"), ("roll", "httptools", "websockets")),
        Server(PURE, ("env", "ROLL_PURE=1", *_script("roll"))),
        Server(OLD, (OLD_PYTHON, "-I", "roll_app.py")),
        Server("aiohttp", _script("aiohttp"), ("aiohttp",)),
        Server("blacksheep, uvicorn", _uvicorn("blacksheep"), ("blacksheep", "uvicorn")),
        Server("blacksheep, granian", _granian("blacksheep"), ("granian",)),
        Server("blacksheep, freastal", _script("freastal"), ("freastal",), large=False),
        Server("blacksheep, gunicorn", _gunicorn("blacksheep"), ("gunicorn",), large=False),
        Server("falcon, uvicorn", _uvicorn("falcon"), ("falcon",)),
        Server("granian RSGI", _granian("rsgi", "rsgi"), large=False),
        Server("robyn", (*_script("robyn"), "--log-level=WARNING"), ("robyn",), large=False),
        Server("sanic", _script("sanic"), ("sanic",)),
        Server("socketify", _script("socketify"), ("socketify",), large=False),
        Server("starlette, uvicorn", _uvicorn("starlette"), ("starlette",)),
        Server("starlette, granian", _granian("starlette"), ()),
        # For large bodies only, which asyncio's own loop treats in other ways.
        Server(f"{FLOOR}, asyncio", (sys.executable, "floor.py"), loop="asyncio"),
        Server(f"{ROLL}, asyncio", _script("roll"), loop="asyncio"),
    ]
}


@dataclass(frozen=True, slots=True)
class Running:
    """A server that listens."""

    server: Server
    process: subprocess.Popen[bytes]
    port: int
    log: Path
    """What it prints."""

    @property
    def pid(self) -> int:
        """Of the process, whose descendants count as well."""
        return self.process.pid


def install_old_roll() -> dict[str, str]:
    """Make the environment of Roll 0.13.4, unless it is there; gives its packages' versions.

    Its uvloop is the one of this environment; its other packages are those that it asks for.
    """
    if not Path(OLD_PYTHON).exists():
        venv.create(Path(OLD_PYTHON).parent.parent, with_pip=True)
        wanted = ["roll==0.13.4", f"uvloop=={version('uvloop')}"]
        subprocess.run([OLD_PYTHON, "-m", "pip", "install", "--quiet", *wanted], check=True)
    listing = subprocess.run(
        [OLD_PYTHON, "-m", "pip", "list", "--format=freeze"],
        check=True,
        capture_output=True,
        text=True,
    )
    pairs = (line.split("==") for line in listing.stdout.split())
    return {name: number for name, number in pairs if name not in {"pip", "setuptools"}}


@contextmanager
def running(servers: Iterable[Server], files: Path) -> Iterator[list[Running]]:
    """Start servers on one core, and end them.

    `files` is the folder that they serve under `/static/`. What they print goes beside it.
    """
    started: list[Running] = []
    try:
        for server in servers:
            log = Path(f"{files}-{server.name}.log")
            started.append(_start(server, files, log))
        for one in started:
            _wait_for(one)
        yield started
    finally:
        for one in started:
            _stop(one)


def _start(server: Server, files: Path, log: Path) -> Running:
    port = next(_ports)
    command = [part.format(port=port) for part in server.command]
    settings = {
        "BENCH_FILES": str(files),
        "BENCH_LOOP": server.loop,
        "BENCH_PORT": str(port),
    }
    with log.open("wb") as output:
        process = _spawn(command, settings, output)
    return Running(server, process, port, log)


def _spawn(
    command: list[str], settings: dict[str, str], output: IO[bytes]
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        ["taskset", "--cpu-list", str(SERVER_CORE), *command],
        cwd=BENCHMARKS / "peers",
        env=os.environ | settings,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def _free_ports() -> Iterator[int]:
    # Below those that the system gives to whoever asks for any: nobody else comes in between.
    for port in itertools.count(20000 + os.getpid() % 10000):
        with socket.socket() as sock:
            if sock.connect_ex(("127.0.0.1", port)):
                yield port


_ports = _free_ports()


def _wait_for(one: Running, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not _answers(one.port):
        if one.process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"{one.server.name} does not start:\n{one.log.read_text()}")
        time.sleep(0.05)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/plain")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _stop(one: Running) -> None:
    # The session is the server's own: its children end with it.
    try:
        os.killpg(one.pid, signal.SIGTERM)
        one.process.wait(timeout=3)
    except subprocess.TimeoutExpired:
        os.killpg(one.pid, signal.SIGKILL)
        one.process.wait()
    except ProcessLookupError:
        one.process.wait()
