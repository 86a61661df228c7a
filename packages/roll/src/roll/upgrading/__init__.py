"""Find lines to check in an application written for Roll 0.13: `python -m roll.upgrading`.

Each rule names a row of `docs/upgrading.md`. Rules look at the source only: they may report a
correct line, and they do not know objects that are made at run time.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import NamedTuple

from .rules import RULES

__all__ = ["RULES", "Finding", "findings_in"]


class Finding(NamedTuple):
    """A line to check; `row` is the row of `docs/upgrading.md`."""

    path: Path
    line: int
    row: str
    why: str

    def __str__(self) -> str:
        return f'{self.path}:{self.line}: "{self.row}": {self.why}'


def findings_in(source: str, path: Path = Path()) -> list[Finding]:
    """Return the lines to check in a program, in order.

    Raises:
        SyntaxError: the program is not Python.
    """
    tree = ast.parse(source)
    found = {
        Finding(path, getattr(place, "lineno", 1), row, why)
        for row, rule in RULES
        for node in ast.walk(tree)
        for place, why in rule(node)
    }
    return sorted(found)
