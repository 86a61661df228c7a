"""What the integration tests share: programs run as real processes, and curl."""

import asyncio
import importlib.util
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

try:
    import uvloop
except ImportError:
    uvloop = None

ROOT = Path(__file__).parents[1]
SUPPORT = Path(__file__).parent / "support"
# A hang guard in seconds, never a measure: nothing waits that long when all is well.
PATIENCE = 60


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> dict[str, Any]:
    """What is served within the tests of this folder is served by either event loop."""
    factories = {"asyncio": asyncio.new_event_loop}
    if uvloop and item.path.parent == Path(__file__).parent:
        factories["uvloop"] = uvloop.new_event_loop
    return factories


class Program:
    """A process whose output is read as it comes."""

    def __init__(self, argv: list[str], cwd: Path, env: dict[str, str]) -> None:
        self.url = ""
        self.output: list[str] = []
        self.process = subprocess.Popen(
            argv,
            cwd=cwd,
            env=os.environ | {"NO_PROXY": "*"} | env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        with self.process.stdout as stdout:
            for line in stdout:
                self.output.append(line)
                self._lines.put(line)
        self._lines.put(None)

    def wait_for(self, pattern: str, patience: float = PATIENCE) -> re.Match[str]:
        """The first match in the lines not yet looked at; fails when the output ends.

        Raises TimeoutError when nothing is written for `patience` seconds.
        """
        try:
            while line := self._lines.get(timeout=patience):
                if found := re.search(pattern, line):
                    return found
        except queue.Empty:
            raise TimeoutError(f"{pattern!r} is awaited behind:\n{''.join(self.output)}") from None
        raise AssertionError(f"{pattern!r} is not in:\n{''.join(self.output)}")

    def wait_for_url(self, pattern: str = r"Rolling on (http://\S+)") -> str:
        self.url = self.wait_for(pattern)[1]
        return self.url

    def wait(self) -> int:
        """The exit status, once the process has ended by itself."""
        status = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return status

    def stop(self, signum: int = signal.SIGINT) -> int:
        """Send a signal as a terminal would, and give the exit status."""
        self.process.send_signal(signum)
        return self.wait()

    def kill(self) -> None:
        """End the process and all it started, whatever their state."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.wait()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A headless Chromium with one page: see `support/browser.py`."""
    spec = importlib.util.spec_from_file_location("browser", SUPPORT / "browser.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if module.CHROMIUM is None:
        pytest.skip("chromium is not installed")
    with module.started(tmp_path_factory.mktemp("chromium")) as page:
        yield page


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: str


def parse(answer: str) -> Answer:
    head, _, body = answer.partition("\r\n\r\n")
    line, *fields = head.split("\r\n")
    status = int(line.split()[1])
    # What curl shows of an interim answer (100), or of one that it follows (--location).
    if body.startswith("HTTP/1.1 "):
        return parse(body)
    pairs = (field.partition(":") for field in fields)
    return Answer(status, {name.lower(): value.strip() for name, _, value in pairs}, body)


@pytest.fixture
def run() -> Iterator[Callable[..., Program]]:
    """Start a program; it is gone when the test ends."""
    yield from starting()


@pytest.fixture(scope="module")
def run_for_module() -> Iterator[Callable[..., Program]]:
    """Start a program; it is gone when the tests of the module have ended."""
    yield from starting()


def starting() -> Iterator[Callable[..., Program]]:
    programs: list[Program] = []

    def start(*argv: str | Path, cwd: Path = ROOT, **env: str) -> Program:
        program = Program([str(arg) for arg in argv], cwd, env)
        programs.append(program)
        return program

    yield start
    for program in programs:
        program.kill()


@pytest.fixture(scope="session")
def pure_wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the five wheels without native code, as `ROLL_BUILD=pure` builds them."""
    out = tmp_path_factory.mktemp("wheels")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    for package in (ROOT / "packages").glob("roll*"):
        copy = tmp_path_factory.mktemp("build") / package.name
        shutil.copytree(package, copy)
        env = os.environ | {"ROLL_BUILD": "pure"}
        subprocess.run(command, cwd=copy, env=env, check=True, capture_output=True)
    return out


@pytest.fixture
def example(run: Callable[..., Program]) -> Callable[[str], Program]:
    """Run a file of `examples/` as a reader would, on a free port."""

    def start(name: str) -> Program:
        program = run(
            sys.executable, f"examples/{name}", PYTHONPATH=str(SUPPORT), ROLL_TEST_PORT="0"
        )
        program.wait_for_url()
        return program

    return start


@pytest.fixture
def curl() -> Callable[..., Answer]:
    """Ask as a user of curl does; the answer in parts, header names in lower case."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")

    def ask(*args: str) -> Answer:
        command = ["curl", "--silent", "--show-error", "--include", "--noproxy", "*", *args]
        done = subprocess.run(command, capture_output=True, timeout=PATIENCE, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return parse(done.stdout.decode())

    return ask
