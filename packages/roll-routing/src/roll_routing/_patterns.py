"""Reading patterns: `/a/{x}/b.{ext:alpha}` is literal text and placeholders."""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from ._errors import InvalidRoute
from ._kinds import END, KINDS, LITERAL, SLASH, Kind, regex_kind

__all__ = ["Pattern", "Placeholder", "Token", "Tokens", "parse", "ranks"]


class Placeholder(NamedTuple):
    """A variable of a pattern."""

    name: str
    kind: Kind


Token = str | Placeholder
Tokens = tuple[Token, ...]

# What matters to the end of a placeholder: a regex may hold braces in pairs, and any in a class
# or behind a backslash.
_MARK: Final = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[{}]", re.DOTALL)
_BRACE: Final = re.compile(r"[{}]")
# The tree is gone down by calls, up to three for a segment, and Python allows a thousand in all.
_SEGMENTS: Final = 200


class Pattern:
    """A pattern once read. Texts of equal `tokens` are one pattern: `{x}` is `{x:string}`.

    `names`: those of the variables, in their order.
    """

    __slots__ = ("names", "tokens")

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self.names = tuple(token.name for token in tokens if isinstance(token, Placeholder))

    @property
    def parts(self) -> tuple[tuple[Tokens, ...], Tokens | None]:
        """The segments, and the rest: all from the first segment whose value may hold a "/"."""
        segments: list[Tokens] = []
        current: list[Token] = []
        for index, token in enumerate(self.tokens):
            if isinstance(token, str):
                first, *others = token.split("/")
                current += [first] if first else []
                for other in others:
                    segments.append(tuple(current))
                    current = [other] if other else []
            elif token.kind.slash:
                return tuple(segments), (*current, *self.tokens[index:])
            else:
                current.append(token)
        return (*segments, tuple(current)), None


@lru_cache(maxsize=1024)
def parse(text: str) -> Pattern:
    """Read a pattern; those read last are kept, for URLs to be built. Raises `InvalidRoute`."""
    found = [*_scan(text)]
    _check_names(text, found)
    _check_length(text, found)
    return Pattern(tuple(token for _, token in found))


def _check_names(text: str, found: list[tuple[int, Token]]) -> None:
    names: set[str] = set()
    for start, token in found:
        if isinstance(token, Placeholder):
            if token.name in names:
                reason = f"the name {token.name!r} is used twice, give each placeholder its own"
                raise InvalidRoute(text, start, reason)
            names.add(token.name)


def _check_length(text: str, found: list[tuple[int, Token]]) -> None:
    slashes: list[int] = []
    for start, token in found:
        if isinstance(token, str):
            slashes += (index for index, char in enumerate(token, start) if char == "/")
    if len(slashes) > _SEGMENTS:
        reason = f"a pattern has {_SEGMENTS} segments at most, this one {len(slashes)}"
        raise InvalidRoute(text, slashes[_SEGMENTS], reason)


def ranks(tokens: Iterable[Token]) -> bytes:
    """Rank each character and each placeholder: of two patterns the lower, as bytes, wins."""
    values: list[int] = []
    for token in tokens:
        if isinstance(token, str):
            values += (SLASH if char == "/" else LITERAL for char in token)
        else:
            values.append(token.kind.rank)
    return bytes([*values, END])


def _scan(text: str) -> Iterator[tuple[int, Token]]:
    """Yield each token and the index where it begins."""
    index = 0
    while brace := _BRACE.search(text, index):
        start = brace.start()
        if brace[0] == "}":
            raise InvalidRoute(text, start, "unbalanced '}', there is no '{' for it to close")
        if start > index:
            yield index, text[index:start]
        end = _closing(text, start)
        yield start, _placeholder(text, start, end)
        index = end + 1
    if index < len(text):
        yield index, text[index:]


def _closing(text: str, start: int) -> int:
    """Find the brace that closes the one at `start`."""
    depth = 0
    for mark in _MARK.finditer(text, start):
        depth += {"{": 1, "}": -1}.get(mark[0], 0)
        if depth == 0:
            return mark.start()
    raise InvalidRoute(text, start, "unbalanced '{', close the placeholder with a '}'")


def _placeholder(text: str, start: int, end: int) -> Placeholder:
    name, colon, word = text[start + 1 : end].partition(":")
    if not name or "{" in name:
        raise InvalidRoute(text, start, "a placeholder needs a name, as in '{name}'")
    if not colon:
        return Placeholder(name, KINDS["string"])
    if not word:
        raise InvalidRoute(text, end, f"a type or a regex must follow '{{{name}:'")
    try:
        return Placeholder(name, KINDS.get(word) or regex_kind(word))
    except (re.error, OverflowError, RecursionError) as error:
        reason = f"{word!r} is neither a type ({', '.join(KINDS)}) nor a regex: {error}"
        raise InvalidRoute(text, start + len(name) + 2, reason) from error
