"""The time it takes to import Roll, and to import what it is made of."""

from __future__ import annotations

import subprocess
import sys

from .servers import OLD, OLD_PYTHON, ROLL

__all__ = ["PARTS", "measure_imports"]

PARTS = "what it imports"
STATEMENTS = {
    ROLL: "import roll",
    PARTS: "import asyncio, http, json, httptools, autoroutes, biscuits, websockets.server",
}
TIMED = "import time; begin = time.process_time(); {}; print(time.process_time() - begin)"


def measure_imports(rounds: int) -> dict[str, list[float]]:
    """Milliseconds of CPU, without the interpreter's own start, of each round."""
    results: dict[str, list[float]] = {name: [] for name in [*STATEMENTS, OLD]}
    for _ in range(rounds):
        for name, statement in STATEMENTS.items():
            results[name].append(_time(sys.executable, statement))
        results[OLD].append(_time(OLD_PYTHON, STATEMENTS[ROLL]))
    return results


def _time(python: str, statement: str) -> float:
    ended = subprocess.run(
        [python, "-I", "-c", TIMED.format(statement)], capture_output=True, text=True, check=True
    )
    return float(ended.stdout) * 1e3
