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
from ..interrupts import BY_SIGNAL
from .following import PATIENCE
from .loading import LoadError, target_of
from .preparing import place_of, say

__all__ = ["supervise"]

ENDING: Final = ("SIGINT", "SIGTERM", "SIGQUIT", "SIGHUP")
"""The signals that ask for the end; Windows lacks the last two."""


def supervise(options: argparse.Namespace) -> int:
    """Serve in a child process, and restart it when a Python file changes."""
    watchfiles = need("watchfiles", "reload", "--reload")
    with descriptors_of(options) as descriptors, line_to_child() as line:
        child = Child(command(options.arguments, descriptors, line), [*descriptors, *line])
        take_signals(child)
        child.start()
        for changes in watchfiles.watch(
            *folders(options), watch_filter=watchfiles.PythonFilter(), stop_event=child.ending
        ):
            say(f"Changed: {', '.join(names(changes))}")
            child.restart()
        return child.wait()


def take_signals(child: Child) -> None:
    """Pass the signals on that ask for the end, with SIGHUP if it is not ignored (nohup)."""
    found = {name: getattr(signal, name) for name in ENDING if hasattr(signal, name)}
    if "SIGHUP" in found and signal.getsignal(found["SIGHUP"]) is signal.SIG_IGN:
        del found["SIGHUP"]
    for number in found.values():
        signal.signal(number, lambda number, _: child.end(number))


@contextlib.contextmanager
def line_to_child() -> Iterator[list[int]]:
    """Yield the descriptor of a pipe that ends when this process does, however it ends.

    Yield none on Windows, where processes do not inherit descriptors.
    """
    if not hasattr(os, "fork"):
        yield []
        return
    reads, writes = os.pipe()  # the children do not inherit `writes`
    try:
        yield [reads]
    finally:
        os.close(reads)
        os.close(writes)


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


def command(
    arguments: Sequence[str], descriptors: Iterable[int], line: Iterable[int]
) -> list[str]:
    inherit = [f"--fd={number}" for number in descriptors]
    follow = [f"--follow={number}" for number in line]
    return [sys.executable, "-m", "roll", *arguments, "--reloaded", *inherit, *follow]


class Child:
    """The serving process; `descriptors` are those that it inherits.

    At a terminal it shares the process group, so that it can read from there (`breakpoint`). Then
    the terminal sends a Ctrl-C to both processes, and passing it on would make two of one.
    Elsewhere it has a group of its own, and gets each signal from here alone.
    """

    def __init__(self, command: Sequence[str], descriptors: Sequence[int]) -> None:
        self.ending = threading.Event()
        self._command = command
        self._descriptors = descriptors
        self._shares = not hasattr(os, "fork") or os.isatty(0)
        self._process: subprocess.Popen[bytes] | None = None
        self._told: int = signal.SIGTERM

    def start(self) -> None:
        """Start the process; end it at once if a signal has come before."""
        group = None if self._shares else 0
        self._process = subprocess.Popen(  # noqa: S603 - the same command
            self._command, pass_fds=self._descriptors, process_group=group
        )
        if self.ending.is_set():
            self.send(self._told)

    def restart(self) -> None:
        """End the process, gracefully within `PATIENCE` seconds, and start another one."""
        self.send(signal.SIGTERM)
        self.wait()
        if not self.ending.is_set():
            self.start()

    def end(self, number: int) -> None:
        """Pass a signal on that asks for the end; send SIGTERM for SIGHUP, and at a terminal."""
        passes = not self._shares and signal.Signals(number).name != "SIGHUP"
        self._told = number if passes else signal.SIGTERM
        self.ending.set()
        self.send(self._told)

    def send(self, number: int) -> None:
        """Send a signal to the process, if it runs."""
        if self._process is not None:
            self._process.send_signal(number)

    def wait(self) -> int:
        """Return the exit code as a shell does; kill a process that takes over `PATIENCE`."""
        assert self._process is not None  # it has started
        try:
            code = self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        return code if code >= 0 else BY_SIGNAL - code
