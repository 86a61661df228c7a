"""Paths that go up again: is each name before a `..` a folder?"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from stat import S_ISDIR

__all__ = ["leads_through_file"]


def leads_through_file(folder: Path, path: str) -> bool:
    """Tell whether a path within `folder` has a `..` behind the name of a file.

    What lies outside of `folder`, links followed, is no file here: the answer must not tell what
    is there. A name that does not exist is none either.
    """
    return any(is_file(folder, name) for name in dict.fromkeys(left_names(path)))


def left_names(path: str) -> Iterator[str]:
    """Yield the path of each name that a `..` follows, until one leads out.

    Of several `..` in a row, the first is enough: what leads to its name are folders, or it does
    not exist.
    """
    names: list[str] = []
    entered = False
    for name in path.split("/"):
        if name == "..":
            if not names:
                return
            if entered:
                yield "/".join(names)
            names.pop()
            entered = False
        elif name not in {"", "."}:
            names.append(name)
            entered = True


def is_file(folder: Path, name: str) -> bool:
    place = f"{folder}/{name}"
    try:
        if S_ISDIR(os.stat(place).st_mode):  # noqa: PTH116 - a Path would cost as much again
            return False
    except NotADirectoryError:  # a name before it is a file
        pass
    except (OSError, ValueError):  # none is there, or the name cannot be one
        return False
    return Path(place).resolve().is_relative_to(folder)
