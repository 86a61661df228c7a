"""Exceptions as data for a page: their frames with source and local variables."""

from __future__ import annotations

import linecache
import traceback
from collections.abc import Iterator
from reprlib import Repr
from types import TracebackType
from typing import Any, Final, NamedTuple

__all__ = ["Frame", "Shown", "chain_of", "safe_repr"]

AROUND: Final = 4
"""Lines of source that are shown before and after the failed line."""

MOST_FRAMES: Final = 60
"""Maximum number of frames: an endless recursion shows those nearest to the error."""

MOST_ERRORS: Final = 20
"""Maximum number of exceptions of a chain: those nearest to the last one are shown."""

LONGEST_TITLE: Final = 4_000
"""Maximum number of characters of an exception's text."""

SHORT: Final = Repr()
SHORT.maxstring = SHORT.maxother = SHORT.maxlong = 300
SHORT.maxdict = SHORT.maxlist = SHORT.maxtuple = SHORT.maxset = 20
SHORT.maxlevel = 4


class Frame(NamedTuple):
    """A call on the stack, with its source."""

    file: str
    line: int
    function: str
    source: list[tuple[int, str]]
    variables: list[tuple[str, str]]


class Shown(NamedTuple):
    """An exception of a chain, with its relation to the next one."""

    title: str
    relation: str
    frames: list[Frame]


def chain_of(error: BaseException) -> list[Shown]:
    """Return the last exceptions that led to an exception, and then the exception itself."""
    found: list[Shown] = []
    seen: set[int] = set()
    relation = ""
    current: BaseException | None = error
    while current is not None and id(current) not in seen and len(found) < MOST_ERRORS:
        seen.add(id(current))
        found.insert(0, Shown(title(current), relation, list(frames(current.__traceback__))))
        if current.__cause__ is not None:
            current, relation = current.__cause__, "It was the direct cause of this exception:"
        elif not current.__suppress_context__:
            current, relation = (
                current.__context__,
                "While it was handled, this exception was raised:",
            )
        else:
            current = None
    return found


def title(error: BaseException) -> str:
    # The text of a group is followed by those of its exceptions.
    text = "".join(traceback.format_exception_only(error)).strip()
    rest = len(text) - LONGEST_TITLE
    return text if rest <= 0 else f"{text[:LONGEST_TITLE]} ... and {rest} more characters"


def frames(trace: TracebackType | None) -> Iterator[Frame]:
    all_frames = list(traceback.walk_tb(trace))
    for frame, line in all_frames[-MOST_FRAMES:]:
        code = frame.f_code
        variables = [(name, safe_repr(value)) for name, value in frame.f_locals.items()]
        yield Frame(
            code.co_filename, line, code.co_qualname, source(code.co_filename, line), variables
        )


def source(file: str, line: int) -> list[tuple[int, str]]:
    numbers = range(max(1, line - AROUND), line + AROUND + 1)
    lines = [(number, linecache.getline(file, number).rstrip("\n")) for number in numbers]
    while lines and not lines[-1][1]:
        lines.pop()
    return lines


def safe_repr(value: Any) -> str:
    """Return a short text for any value, also if its `__repr__` raises."""
    try:
        return SHORT.repr(value)
    except SystemExit:  # Repr handles all that is an Exception
        return f"<an object of {type(value).__name__}>"
