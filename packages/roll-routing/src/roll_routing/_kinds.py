"""The kinds of placeholders: what each takes, and how they rank among themselves.

A kind is told in two ways. `accepts` judges a whole value. `spans` tells where the values that
begin at an index of a text may end: it is what keeps several placeholders in one segment linear.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

__all__ = ["END", "KINDS", "LITERAL", "OPEN", "PLAIN", "SLASH", "TYPED", "Kind", "regex_kind"]

# What precedence compares, from left to right: the lower wins.
LITERAL: Final = 0
SLASH: Final = 1
END: Final = 2
TYPED: Final = 3
PLAIN: Final = 4
OPEN: Final = 5

Span = tuple[int, int]
Spans = Callable[[str, Sequence[int], int], Iterable[Span]]


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """What a placeholder takes.

    `word`: the type or the regex, as written after the colon.
    `rank`: TYPED, PLAIN or OPEN.
    `accepts(value)`: whether it takes the value.
    `member(char)`: whether a value may hold the character; for `spans`, the one that repeats.
    `spans(text, runs, start)`: the lowest and the highest end of the values that begin at
        `start`, the highest first. `runs[i]` is the end of the members in a row from index `i`.
        None where only `accepts` can tell, and each end in the row must be tried.
    `slash`: whether a value may hold a "/".
    `engine`: the type of autoroutes that takes at least the same values.
    `verify(value)`: whether a value that this type took is one; None if it always is.
    """

    word: str
    rank: int
    accepts: Callable[[str], bool]
    member: Callable[[str], bool]
    spans: Spans | None = None
    slash: bool = False
    engine: str = "string"
    verify: Callable[[str], bool] | None = None


def _always(_: str) -> bool:
    return True


def _in_segment(value: str) -> bool:
    return value != "" and "/" not in value


def _is_digit(value: str) -> bool:
    # `str.isdigit` alone takes "²" and the digits of every script.
    return value.isdigit() and value.isascii()


def _matches(regex: str) -> Callable[[str], bool]:
    fullmatch = re.compile(regex).fullmatch
    return lambda value: fullmatch(value) is not None


def _some(_: str, runs: Sequence[int], start: int) -> Iterable[Span]:
    yield start + 1, runs[start]


def _any(_: str, runs: Sequence[int], start: int) -> Iterable[Span]:
    yield start, runs[start]


def _int(text: str, runs: Sequence[int], start: int) -> Iterable[Span]:
    first = start + text.startswith("-", start)
    yield first + 1, runs[first]


def _float(text: str, runs: Sequence[int], start: int) -> Iterable[Span]:
    first = start + text.startswith("-", start)
    point = runs[first]
    if point > first and text.startswith(".", point):
        yield point + 2, runs[point + 1]
    yield first + 1, point


def _uuid(text: str, _: Sequence[int], start: int) -> Iterable[Span]:
    if found := _UUID.match(text, start):
        yield found.end(), found.end()


_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_is_uuid: Final = _matches(_UUID.pattern)
_is_int: Final = _matches("-?[0-9]+")
_is_float: Final = _matches(r"-?[0-9]+(?:\.[0-9]+)?")
_in_digits: Final = "0123456789".__contains__
_no_slash: Final = "/".__ne__

KINDS: Final = {
    kind.word: kind
    for kind in (
        Kind("string", PLAIN, _in_segment, _no_slash, _some),
        Kind("digit", TYPED, _is_digit, _in_digits, _some, engine="digit", verify=str.isascii),
        Kind("alpha", TYPED, str.isalpha, str.isalpha, _some, engine="alpha"),
        Kind("alnum", TYPED, str.isalnum, str.isalnum, _some, engine="alnum"),
        Kind("int", TYPED, _is_int, _in_digits, _int, verify=_is_int),
        Kind("float", TYPED, _is_float, _in_digits, _float, verify=_is_float),
        Kind("uuid", TYPED, _is_uuid, _no_slash, _uuid, verify=_is_uuid),
        Kind("path", OPEN, bool, _always, _some, slash=True, engine="path"),
        Kind("any", OPEN, _always, _always, _any, slash=True, engine="any"),
    )
}

# Regexes of which can be told at sight which characters they may take: words, some escapes,
# classes of words and ranges between them; in groups without flags, alternatives and repetitions.
# No "/" among them, as it sorts before all words. Of any other regex, nothing is assumed.
_CLASS: Final = r"\[-?((?:\w-\w|\\[dws.+-]|[\w.])+)-?\]"
_ATOM: Final = r"(\\[dws.+-]|\w)"
_TRANSPARENT: Final = re.compile(rf"(?:{_CLASS}|{_ATOM}|\((?!\?)|\(\?:|[,{{}})|*+?-])+")
_MEMBERS: Final = re.compile(f"{_CLASS}|{_ATOM}")


@cache
def regex_kind(source: str) -> Kind:
    """Return the kind of the values which a regex matches whole. Raises what `re` does."""
    accepts = _matches(source)
    if not _TRANSPARENT.fullmatch(source):
        return Kind(source, TYPED, accepts, _always, slash=True, engine="any", verify=accepts)
    members = "".join(inside or outside for inside, outside in _MEMBERS.findall(source))
    # Braces may be a repetition or, around anything but numbers, themselves.
    return Kind(source, TYPED, accepts, _matches(rf"[,{{}}\-{members}]"), verify=accepts)
