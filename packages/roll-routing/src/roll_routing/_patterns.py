"""Reading patterns: `/a/{x}/b.{ext:alpha}` as literal text and placeholders."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from ._errors import InvalidRoute
from ._kinds import END, KINDS, LITERAL, SLASH, Kind, regex_kind

__all__ = ["Pattern", "Placeholder", "Token", "parse", "ranks"]


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A variable of a pattern."""

    name: str
    kind: Kind


Token = str | Placeholder


@dataclass(frozen=True)
class Pattern:
    """A pattern once read. Two texts may be one pattern: `{x}` is `{x:string}`."""

    tokens: tuple[Token, ...]

    @cached_property
    def placeholders(self) -> tuple[Placeholder, ...]:
        """The variables, in their order."""
        return tuple(token for token in self.tokens if isinstance(token, Placeholder))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the variables, in their order."""
        return tuple(placeholder.name for placeholder in self.placeholders)

    @cached_property
    def segments(self) -> tuple[tuple[Token, ...], ...]:
        """The tokens between the slashes of the literal text."""
        segments: list[list[Token]] = [[]]
        for token in self.tokens:
            if isinstance(token, Placeholder):
                segments[-1].append(token)
                continue
            first, *others = token.split("/")
            segments[-1] += [first] if first else []
            segments += [[other] if other else [] for other in others]
        return tuple(map(tuple, segments))


def parse(text: str) -> Pattern:
    """Read a pattern. Raises `InvalidRoute`."""
    tokens: list[Token] = []
    seen: set[str] = set()
    for start, token in _scan(text):
        if isinstance(token, Placeholder):
            if token.name in seen:
                raise InvalidRoute(
                    text, start, f"the name {token.name!r} is used twice, give each its own"
                )
            seen.add(token.name)
        tokens.append(token)
    return Pattern(tuple(tokens))


def ranks(tokens: tuple[Token, ...]) -> bytes:
    """Rank each character and placeholder: of two patterns, the lower in this order wins."""
    values = bytearray()
    for token in tokens:
        if isinstance(token, Placeholder):
            values.append(token.kind.rank)
        else:
            values += bytes(SLASH if char == "/" else LITERAL for char in token)
    values.append(END)
    return bytes(values)


def _scan(text: str) -> Iterator[tuple[int, Token]]:
    """Yield each token with the index where it begins."""
    index = 0
    while index < len(text):
        brace = re.compile("[{}]").search(text, index)
        if brace is None:
            yield index, text[index:]
            return
        start = brace.start()
        if brace[0] == "}":
            raise InvalidRoute(text, start, "unbalanced '}', it closes no '{'")
        if start > index:
            yield index, text[index:start]
        index = _closing(text, start) + 1
        yield start, _placeholder(text, start, index - 1)


def _closing(text: str, start: int) -> int:
    """Find the brace that closes the one at `start`; those of a regex come in pairs."""
    depth = 0
    for part in re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[{}]", re.DOTALL).finditer(
        text, start
    ):
        depth += {"{": 1, "}": -1}.get(part[0], 0)
        if not depth:
            return part.start()
    raise InvalidRoute(text, start, "unbalanced '{', close the placeholder with '}'")


def _placeholder(text: str, start: int, end: int) -> Placeholder:
    name, colon, word = text[start + 1 : end].partition(":")
    if not name or set(name) & set("{}[]\\/"):
        raise InvalidRoute(text, start, "a placeholder needs a name, as in '{name}'")
    if not colon:
        return Placeholder(name, KINDS["string"])
    if not word:
        raise InvalidRoute(text, end, f"a type or a regex must follow {name + ':'!r}")
    try:
        return Placeholder(name, KINDS.get(word) or regex_kind(word))
    except re.error as error:
        types = ", ".join(KINDS)
        position = start + len(name) + 2
        raise InvalidRoute(
            text, position, f"{word!r} is no type ({types}) and no regex: {error}"
        ) from error
