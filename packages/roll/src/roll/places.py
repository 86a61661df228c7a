"""Safe look-up of files below the folder that `static` serves."""

from __future__ import annotations

import os
from collections.abc import Iterable
from http import HTTPStatus
from pathlib import Path
from typing import Final

from roll_http import HttpError

__all__ = ["LONGEST_PATH", "check_index", "locate"]

WELL_KNOWN: Final = ".well-known"

LONGEST_PATH: Final = 4096
"""The longest path that Linux and macOS open, in bytes.

Longer paths are refused early, because following links takes quadratic time in the length.
"""

NO_NAMES: Final = frozenset({"", ".", ".."})
"""Segments of a path that are not names, refused so that each file has exactly one path.

Clients resolve dot segments before they send a path (RFC 3986 5.2.4).
"""

FOREIGN: Final = frozenset("\\:" if os.sep == "\\" else "")
"""Characters that separate names, drives and streams on Windows.

They are refused so that each file has exactly one path.
"""


def locate(folder: Path, path: str, default_index: str, dotfiles: bool) -> Path:
    """Return the location of a file below `folder`, with links resolved; it need not exist.

    Raises:
        HttpError: 400 if the location is outside of `folder`. 404 if `path` cannot name a file,
            or if the file is hidden and `dotfiles` is false.
        OSError, RuntimeError, ValueError: the system cannot resolve such a path.
    """
    check_path(path, dotfiles)
    place = follow(folder, path, folder, path, dotfiles)
    is_folder = place.is_dir()
    if path.endswith("/") and not is_folder:
        raise HttpError(HTTPStatus.NOT_FOUND, path)
    if default_index and is_folder:
        return follow(place, default_index, folder, path, dotfiles)
    return place


def check_path(path: str, dotfiles: bool) -> None:
    """Check the text of a path without a look at the disk; raise `HttpError` as `locate` does."""
    if len(path) > LONGEST_PATH:
        raise HttpError(HTTPStatus.NOT_FOUND, path)
    if leads_out(path):
        raise HttpError(HTTPStatus.BAD_REQUEST, path)
    *parents, last = path.split("/")
    if not NO_NAMES.isdisjoint(parents) or last in {".", ".."} or not FOREIGN.isdisjoint(path):
        raise HttpError(HTTPStatus.NOT_FOUND, path)
    if not dotfiles and hides((*parents, last)):
        raise HttpError(HTTPStatus.NOT_FOUND, path)


def follow(start: Path, name: str, folder: Path, path: str, dotfiles: bool) -> Path:
    """Resolve the links of a name below `start`; raise the errors of `locate`."""
    place = (start / name).resolve()
    if not place.is_relative_to(folder):
        raise HttpError(HTTPStatus.BAD_REQUEST, path)
    if not dotfiles and hides(place.relative_to(folder).parts):
        raise HttpError(HTTPStatus.NOT_FOUND, path)
    return place


def leads_out(path: str) -> bool:
    """Tell whether the text of a path leaves the folder.

    If such paths were resolved, the answer to an absolute path, or to `../name`, would tell
    whether the client guessed the name of the folder.
    """
    if not path.startswith("/") and ".." not in path:
        return False
    normal = os.path.normpath(path)
    return normal == ".." or normal.startswith(("/", "../"))


def hides(names: Iterable[str]) -> bool:
    return any(name[:1] == "." and name != WELL_KNOWN for name in names)


def check_index(value: str, dotfiles: bool, option: str = "default_index") -> None:
    """Check the file name that an option has; it may include folders.

    Raises:
        ValueError: the name is not a valid file name, or it is hidden.
    """
    names = value.split("/")
    if not NO_NAMES.isdisjoint(names) or "\0" in value or not can_be_encoded(value):
        raise ValueError(f"`{option}` is the name of a file, such as 'index.html', not {value!r}")
    if not dotfiles and hides(names):
        raise ValueError(f"The `{option}` {value!r} is a dotfile: write `dotfiles=True` too")


def can_be_encoded(name: str) -> bool:
    try:
        os.fsencode(name)
    except UnicodeEncodeError:
        return False
    return True
