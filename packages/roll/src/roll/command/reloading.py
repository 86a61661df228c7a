"""`roll run --reload`: a process that restarts the serving process when the code changes.

The first process binds the sockets and keeps them open, so that no connection is refused during a
restart.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from ..extras import need
from .loading import LoadError, target_of
from .preparing import place_of, say

__all__ = ["supervise"]

PATIENCE: Final = 5.0
"""Seconds that running requests have before the old process is killed."""


def supervise(options: argparse.Namespace) -> int:
    """Serve in a child process, and restart it when a Python file changes."""
    watchfiles = need("watchfiles", "reload", "--reload")
    stop = threading.Event()
    with descriptors_of(options) as descriptors:
        child = Child(command(options.arguments, descriptors), descriptors)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: end(child, stop))
        for changes in watchfiles.watch(
            *folders(options), watch_filter=watchfiles.PythonFilter(), stop_event=stop
        ):
            say(f"Changed: {', '.join(names(changes))}")
            child.restart()
        return child.wait()


@contextlib.contextmanager
def descriptors_of(options: argparse.Namespace) -> Iterator[list[int]]:
    """Bind the sockets, and yield the descriptors that each process inherits.

    Processes on Windows do not inherit descriptors: there each process binds its own sockets.
    """
    if not hasattr(os, "fork"):
        yield []
        return
    with place_of(options).listening() as sockets:
        yield [sock.fileno() for sock in sockets]


def end(child: Child, stop: threading.Event) -> None:
    # The terminal sends Ctrl-C to the child too. A second signal would cancel its requests.
    child.send(signal.SIGTERM)
    stop.set()


def folders(options: argparse.Namespace) -> set[Path]:
    """Return the folders to watch: the current folder, and that of the application's file."""
    found = {Path.cwd()}
    try:
        module = target_of(options.application).module
    except LoadError:
        return found
    if module.endswith(".py") and Path(module).parent.is_dir():
        found.add(Path(module).parent.resolve())
    return found


def names(changes: Iterable[tuple[Any, str]]) -> list[str]:
    return sorted({os.path.relpath(path) for _, path in changes})


def command(arguments: Sequence[str], descriptors: Iterable[int]) -> list[str]:
    inherit = [f"--fd={number}" for number in descriptors]
    return [sys.executable, "-m", "roll", *arguments, "--reloaded", *inherit]


class Child:
    """The serving process; `descriptors` are the listening sockets that it inherits."""

    def __init__(self, command: Sequence[str], descriptors: Sequence[int]) -> None:
        self._command = command
        self._descriptors = descriptors
        self._process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self._command, pass_fds=self._descriptors)  # noqa: S603 - the same command

    def restart(self) -> None:
        """End the process, gracefully within `PATIENCE` seconds, and start another one."""
        self.send(signal.SIGTERM)
        self.wait()
        self._process = self._start()

    def send(self, number: int) -> None:
        """Send a signal to the process."""
        self._process.send_signal(number)

    def wait(self) -> int:
        """Return the exit code; kill a process that does not end within `PATIENCE`."""
        try:
            return self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()
