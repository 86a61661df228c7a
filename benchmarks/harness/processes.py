"""What Linux says of a process and its descendants."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

__all__ = [
    "anonymous_memory",
    "cpu_time",
    "family",
    "open_files",
    "peak_memory",
    "resident_memory",
]

KIB = 1024
PROC = Path("/proc")


def family(pid: int) -> Iterator[int]:
    """The process and all its descendants."""
    yield pid
    for task in (PROC / str(pid) / "task").iterdir():
        for child in (task / "children").read_text().split():
            yield from family(int(child))


def cpu_time(pid: int) -> float:
    """The seconds, user and system, that a process and its descendants have used.

    From the processes' own CPU clocks: what utime and stime of /proc/PID/stat add up to, without
    being rounded to hundredths.
    """
    return sum(time.clock_gettime(~member << 3 | 2) for member in family(pid))


def resident_memory(pid: int) -> int:
    """The bytes of memory in use by a process and its descendants."""
    return sum(_status(member, "VmRSS") for member in family(pid))


def anonymous_memory(pid: int) -> int:
    """Those of them that do not belong to mapped files."""
    return sum(_status(member, "RssAnon") for member in family(pid))


def open_files(pid: int) -> int:
    """How many file descriptors a process and its descendants have open."""
    return sum(len(list((PROC / str(member) / "fd").iterdir())) for member in family(pid))


def peak_memory(pid: int) -> int:
    """The most bytes that each has ever had in use, added up."""
    return sum(_status(member, "VmHWM") for member in family(pid))


def _status(pid: int, field: str) -> int:
    for line in (PROC / str(pid) / "status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0]) * KIB
    return 0
