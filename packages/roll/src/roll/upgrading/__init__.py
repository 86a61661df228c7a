"""The lines of an application written for Roll 0.13 that need a look: `python -m roll.upgrading`.

Each rule names a row of `docs/upgrading.md`. It looks for the shape of the code: it may name a
line that is right, and does not know what is made at run time.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import NamedTuple

from .rules import RULES

__all__ = ["RULES", "Finding", "findings_in"]


class Finding(NamedTuple):
    """A line that needs a look; `row` is the one of `docs/upgrading.md`."""

    path: Path
    line: int
    row: str
    why: str

    def __str__(self) -> str:
        return f'{self.path}:{self.line}: "{self.row}": {self.why}'


def findings_in(source: str, path: Path = Path()) -> list[Finding]:
    """Return what needs a look in a program, by line.

    Raises:
        SyntaxError: it is no Python.
    """
    tree = ast.parse(source)
    found = {
        Finding(path, getattr(place, "lineno", 1), row, why)
        for row, rule in RULES
        for node in ast.walk(tree)
        for place, why in rule(node)
    }
    return sorted(found)
