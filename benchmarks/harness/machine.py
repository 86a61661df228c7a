"""What the figures were taken with."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from .servers import BENCHMARKS, CLIENT_CORE, SERVER_CORE, Server

__all__ = ["describe_machine", "versions"]


def describe_machine() -> dict[str, str]:
    """Processor, system, interpreter and tools, by what they are called in the report."""
    return {
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "memory": f"{_memory():.1f} GiB",
        "system": f"{platform.system()} {platform.release()}, {_distribution()}",
        "python": f"{platform.python_implementation()} {platform.python_version()} "
        f"({platform.python_compiler()})",
        "wrk": _first_line("wrk", "-v"),
        "cores": f"servers on {SERVER_CORE}, load on {CLIENT_CORE}",
        "load before": Path("/proc/loadavg").read_text().split(maxsplit=1)[0],
        "commit": _commit(),
        "command": _command(),
    }


def _processor() -> str:
    """Name, and family and model numbers, as virtual machines often hide the full name."""
    facts: dict[str, str] = {}
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        facts.setdefault(name.strip(), value.strip())
    numbers = f"family {facts.get('cpu family', '?')} model {facts.get('model', '?')}"
    return f"{facts.get('model name', platform.processor())} ({numbers})"


def _memory() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def _distribution() -> str:
    return platform.freedesktop_os_release().get("PRETTY_NAME", "?")


def _command() -> str:
    arguments = sys.argv[1:]
    for name in ("--output", "--name"):  # where the files go says nothing of what is in them
        if name in arguments:
            at = arguments.index(name)
            del arguments[at : at + 2]
    return " ".join(["python benchmarks/run.py", *arguments])


def _commit() -> str:
    ended = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=BENCHMARKS,
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.stdout.strip() or "?"


def _first_line(*command: str) -> str:
    # wrk answers -v with its usage too, and a status of 1.
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    return (ended.stdout or ended.stderr).splitlines()[0].partition(" Copyright")[0]


def versions(servers: Iterable[Server]) -> dict[str, str]:
    """The packages that matter to these servers."""
    names = {name for server in servers for name in server.packages} | {"uvloop"}
    return {name: _version(name) for name in sorted(names)}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "?"
