"""The kinds of placeholders: which values each takes, and how kinds rank among themselves.

A kind is defined twice, for speed: `accepts` judges a whole value at once, `spans` tells, from
any index of a text, where a value beginning there may end. `spans` is what keeps the matching of
several placeholders in one segment linear.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

__all__ = ["END", "KINDS", "LITERAL", "OPEN", "PLAIN", "SLASH", "TYPED", "Kind", "regex_kind"]

# The ranks that decide precedence, compared left to right: the lower wins.
LITERAL: Final = 0
SLASH: Final = 1
END: Final = 2
TYPED: Final = 3
PLAIN: Final = 4
OPEN: Final = 5

Span = tuple[int, int]
Spans = Callable[[str, Sequence[int], int], Sequence[Span]]


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """What a placeholder takes.

    `member` says whether a value may hold a character. `spans(text, runs, start)` gives the
    inclusive bounds of the possible ends of a value from `start`, the longest first, `runs[i]`
    being the end of the run of members that begins at `i`. Without `spans`, only `accepts` can
    tell: every end within the run is to be tried.
    """

    word: str
    rank: int
    accepts: Callable[[str], bool]
    member: Callable[[str], bool]
    spans: Spans | None = None
    slash: bool = False
    engine: str | None = None


def _anything(_: str) -> bool:
    return True


def _some(text: str, runs: Sequence[int], start: int) -> Sequence[Span]:
    return ((start + 1, runs[start]),)


def _any(text: str, runs: Sequence[int], start: int) -> Sequence[Span]:
    return ((start, runs[start]),)


def _signed(text: str, runs: Sequence[int], start: int) -> Sequence[Span]:
    """`-?[0-9]+`: `runs` are those of the digits."""
    first = start + text.startswith("-", start)
    return ((first + 1, runs[first]),)


def _decimal(text: str, runs: Sequence[int], start: int) -> Sequence[Span]:
    """`-?[0-9]+(\\.[0-9]+)?`: `runs` are those of the digits."""
    whole = _signed(text, runs, start)
    low, point = whole[0]
    if point < low or not text.startswith(".", point):
        return whole
    return ((point + 2, runs[point + 1]), *whole)


def _uuid(text: str, runs: Sequence[int], start: int) -> Sequence[Span]:
    end = start + _UUID_LENGTH
    return ((end, end),) if _UUID.fullmatch(text, start, end) else ()


_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_UUID_LENGTH: Final = 36
_DIGITS: Final = frozenset("0123456789")


def _judge(pattern: str) -> Callable[[str], bool]:
    fullmatch = re.compile(pattern).fullmatch
    return lambda value: fullmatch(value) is not None


def _is_segment(value: str) -> bool:
    return value != "" and "/" not in value


def _is_digit(value: str) -> bool:
    # `str.isdigit` alone takes "²" and the digits of every script.
    return value.isdigit() and value.isascii()


_in_digits = _DIGITS.__contains__

KINDS: Final = {
    kind.word: kind
    for kind in (
        Kind("string", PLAIN, _is_segment, "/".__ne__, _some, engine="string"),
        Kind("digit", TYPED, _is_digit, _in_digits, _some, engine="digit"),
        Kind("alpha", TYPED, str.isalpha, str.isalpha, _some, engine="alpha"),
        Kind("alnum", TYPED, str.isalnum, str.isalnum, _some, engine="alnum"),
        Kind("int", TYPED, _judge("-?[0-9]+"), _in_digits, _signed),
        Kind("float", TYPED, _judge(r"-?[0-9]+(?:\.[0-9]+)?"), _in_digits, _decimal),
        Kind("uuid", TYPED, lambda value: _UUID.fullmatch(value) is not None, _anything, _uuid),
        Kind("path", OPEN, bool, _anything, _some, slash=True, engine="path"),
        Kind("any", OPEN, _anything, _anything, _any, slash=True, engine="any"),
    )
}

# The regexes that can be told, at sight, never to take a "/": words, usual escapes, classes of
# words and ranges of them (no word sorts before "/"), groups, alternatives and repetitions.
_SLASHLESS: Final = re.compile(
    r"(?:\(\?:|[\w,{}()|*+?-]|\\[dws.+-]|\[-?(?:\w-\w|\\[dws.+-]|[\w.])+-?\])+"
)


@cache
def regex_kind(source: str) -> Kind:
    """Give the kind of a regex: the whole value must match it. Raises `re.error`."""
    slash = _SLASHLESS.fullmatch(source) is None
    return Kind(source, TYPED, _judge(source), _anything if slash else "/".__ne__, slash=slash)
