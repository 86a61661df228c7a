"""The command `python -m roll.upgrading PATH...`."""

from __future__ import annotations

import sys
import tokenize
from collections.abc import Iterable, Iterator
from pathlib import Path

from . import findings_in

__all__ = ["main"]


def programs_in(path: Path) -> Iterator[Path]:
    """Yield the Python files of a folder, except those in environments and hidden folders."""
    if path.is_file():
        yield path
        return
    try:
        places = [(below, below.is_file()) for below in sorted(path.iterdir())]
    except PermissionError:
        yield path  # `look_at` reports it
        return
    for below, is_file in places:
        if below.suffix == ".py" and is_file:
            yield below
        elif below.is_dir() and not below.name.startswith(".") and not is_environment(below):
            yield from programs_in(below)


def is_environment(path: Path) -> bool:
    try:
        return path.is_symlink() or (path / "pyvenv.cfg").exists()
    except PermissionError:
        return False  # `programs_in` reports it


def look_at(path: Path) -> Iterable[object]:
    try:
        with tokenize.open(path) as file:
            return findings_in(file.read(), path)
    except (SyntaxError, ValueError, RecursionError, MemoryError, OSError) as error:
        # The parser raises a MemoryError without a text for an expression that is nested too deep.
        return [f"{path}: cannot be read as Python: {str(error) or type(error).__name__}"]


def main(arguments: list[str]) -> int:
    """Print the lines to check in files and folders; return 1 if there are any, or else 0.

    If the arguments are wrong, print an error to stderr, and return 2.
    """
    missing = [name for name in arguments if not Path(name).exists()]
    if missing or not arguments:
        told = (
            f"No such file or folder: {', '.join(missing)}"
            if missing
            else "Name a file or a folder."
        )
        print(f"{told}\nusage: python -m roll.upgrading PATH...", file=sys.stderr)  # noqa: T201
        return 2
    programs = [path for name in arguments for path in programs_in(Path(name))]
    lines = [line for path in programs for line in look_at(path)]
    for line in lines:
        print(line)  # noqa: T201
    found = f"{len(lines)} to look at, in {len(programs)} files"
    print(f"{found}: see docs/upgrading.md, by the names in quotes")  # noqa: T201
    return 1 if lines else 0
