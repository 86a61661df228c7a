"""Patterns: `/a/{x}/b.{ext:alpha}` is literal text and placeholders. And URLs built from them."""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from ._kinds import (
    END,
    KINDS,
    LITERAL,
    NO_REGEX,
    SLASH,
    Converters,
    Kind,
    RoutingError,
    check_text,
    kinds_with,
    regex_kind,
    url_text,
)

__all__ = [
    "BuildError",
    "InvalidRoute",
    "Pattern",
    "Placeholder",
    "Token",
    "Tokens",
    "build_url",
    "nameless",
    "parse",
    "rank_tokens",
    "read",
]


class InvalidRoute(RoutingError):
    """A pattern that cannot be read.

    `pattern`: its text.
    `position`: the index of the fault in it.
    `reason`: what is wrong.
    """

    def __init__(self, pattern: str, position: int, reason: str) -> None:
        super().__init__(f"Invalid route {pattern!r}, at index {position}: {reason}")
        self.pattern, self.position, self.reason = pattern, position, reason

    def __reduce__(self) -> tuple[type, tuple[str, int, str]]:
        # By default, an exception is unpickled from its `args`, and here these are the message.
        return type(self), (self.pattern, self.position, self.reason)


class BuildError(RoutingError):
    """Values that do not make a URL of a pattern."""


class Placeholder(NamedTuple):
    """A variable of a pattern."""

    name: str
    kind: Kind


Token = str | Placeholder
Tokens = tuple[Token, ...]

_BRACE: Final = re.compile(r"[{}]")
_NAME_END: Final = re.compile(r"[:{}]")
# What matters to the end of a regex: it may hold braces in pairs, and any braces behind a
# backslash or in a class. The quantifiers are possessive, so that nothing is read in two ways.
_MARK: Final = re.compile(
    r"\\.|(?P<open>\[\^?+\]?+(?:\\.|[^\]\\])*+)(?P<close>\])?|[{}]", re.DOTALL
)
_MARK_OUTSIDE_CLASS: Final = re.compile(r"\\.|[{}]", re.DOTALL)
# Some functions call each other twice a segment, and Python allows a thousand nested calls in all.
_MAX_SEGMENTS: Final = 200


class Pattern:
    """A pattern once read. Texts of equal `tokens` are one pattern: `{x}` is `{x:string}`.

    `names`: the names of the placeholders, in their order.
    """

    __slots__ = ("names", "placeholders", "tokens")

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self.placeholders = [token for token in tokens if isinstance(token, Placeholder)]
        self.names = tuple(placeholder.name for placeholder in self.placeholders)

    @property
    def segments(self) -> list[Tokens]:
        """The tokens between the slashes.

        A segment whose value may hold a "/" is the last one: it takes all that follows.
        """
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
                return [*segments, (*current, *self.tokens[index:])]
            else:
                current.append(token)
        return [*segments, tuple(current)]

    @property
    def ranks(self) -> bytes:
        """The rank of each character and placeholder: of two patterns the lower bytes win."""
        return rank_tokens(self.tokens)


def rank_tokens(tokens: Iterable[Token]) -> bytes:
    """Rank each character and each placeholder, and the end."""
    values: list[int] = []
    for token in tokens:
        if isinstance(token, str):
            values += (SLASH if char == "/" else LITERAL for char in token)
        else:
            values.append(token.kind.rank)
    return bytes([*values, END])


def read(text: str, converters: Converters) -> Pattern:
    """Read a pattern. Raises `InvalidRoute`, and `TypeError` if it is no text."""
    if type(text) is not str:
        check_text(text)
    return parse(text, converters)


@lru_cache(maxsize=1024)
def parse(text: str, converters: Converters = ()) -> Pattern:
    """Read a pattern. The last ones are kept, as URLs are built from them.

    Raises `InvalidRoute`.
    """
    found = [*_scan(text, kinds_with(converters))]
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
    if len(slashes) > _MAX_SEGMENTS:
        reason = f"a pattern has {_MAX_SEGMENTS} segments at most, this one {len(slashes)}"
        raise InvalidRoute(text, slashes[_MAX_SEGMENTS], reason)


def _scan(text: str, kinds: dict[str, Kind]) -> Iterator[tuple[int, Token]]:
    """Yield each token and the index where it begins."""
    index = 0
    while brace := _BRACE.search(text, index):
        start = brace.start()
        if brace[0] == "}":
            raise InvalidRoute(text, start, "unbalanced '}', there is no '{' for it to close")
        if start > index:
            yield index, text[index:start]
        end = _closing(text, start)
        yield start, _placeholder(text, start, end, kinds)
        index = end + 1
    if index < len(text):
        yield index, text[index:]


def _closing(text: str, start: int) -> int:
    """Find the brace that closes the one at `start`."""
    depth = 1
    for mark in _marks(text, start + 1):
        depth += {"{": 1, "}": -1}.get(mark[0], 0)
        if depth == 0:
            return mark.start()
    raise InvalidRoute(text, start, "unbalanced '{', close the placeholder with a '}'")


def _marks(text: str, start: int) -> Iterator[re.Match[str]]:
    end = _NAME_END.search(text, start)
    if end is None or end[0] != ":":
        yield from _BRACE.finditer(text, start)
        return
    for mark in _MARK.finditer(text, end.end()):
        if mark["open"] and not mark["close"]:
            # Neither this "[" begins a class nor any behind it. Looking for the end of each would
            # take a time quadratic in the pattern.
            yield from _MARK_OUTSIDE_CLASS.finditer(text, mark.start())
            return
        yield mark


def _placeholder(text: str, start: int, end: int, kinds: dict[str, Kind]) -> Placeholder:
    name, colon, word = text[start + 1 : end].partition(":")
    if not name or set(name) & set("{}"):
        raise InvalidRoute(text, start, "a placeholder needs a name, as in '{name}'")
    if not colon:
        return Placeholder(name, KINDS["string"])
    if not word:
        raise InvalidRoute(text, end, f"a type or a regex must follow '{{{name}:'")
    try:
        return Placeholder(name, kinds.get(word) or regex_kind(word))
    except NO_REGEX as error:
        reason = f"{word!r} is neither a type ({', '.join(kinds)}) nor a regex: {error}"
        raise InvalidRoute(text, start + len(name) + 2, reason) from error


def nameless(pattern: str, /) -> str:
    """Return a pattern without the names of its placeholders. Raises `InvalidRoute`.

    It is equal for two patterns that only name their placeholders differently.
    """
    return "".join(
        f"{{:{token.kind.word}}}" if isinstance(token, Placeholder) else token
        for token in read(pattern, ()).tokens
    )


# RFC 3986 3.3: what the path of a URL may hold as it is, beside the unreserved characters.
_LITERAL_SAFE: Final = "/!$&'()*+,;=:@"


def build_url(pattern: str, converters: Converters, values: dict[str, Any]) -> str:
    """Build the path of a URL from a pattern and its values. Raises what `Routes.build` does."""
    parsed = read(pattern, converters)
    if set(parsed.names) != set(values):
        raise BuildError(_mismatch(pattern, parsed.names, values))
    url = "".join(_text(pattern, token, values) for token in parsed.tokens)
    if "." in url and {".", ".."} & set(url.split("/")):
        raise BuildError(
            f"{url!r} is no URL of {pattern!r}: clients drop the segments '.' and '..'"
        )
    # A client would take what follows two slashes for a host.
    return "/%2F" + url[2:] if url.startswith("//") else url


def _mismatch(pattern: str, names: tuple[str, ...], given: dict[str, Any]) -> str:
    missing = [name for name in names if name not in given]
    unknown = [name for name in given if name not in names]
    problems = [f"missing {missing}"] * bool(missing) + [f"unknown {unknown}"] * bool(unknown)
    return f"Cannot build the URL of {pattern!r}: {', '.join(problems)}"


def _text(pattern: str, token: Token, given: dict[str, Any]) -> str:
    if not isinstance(token, Placeholder):
        return _quoted(pattern, token, _LITERAL_SAFE)
    value = _as_text(pattern, token, given[token.name])
    if not token.kind.accepts(value):
        raise BuildError(
            f"Cannot build the URL of {pattern!r}: {token.name!r} is {token.kind.word!r},"
            f" which does not take {value!r}"
        )
    return _quoted(pattern, value, "/" if token.kind.slash else "")


def _as_text(pattern: str, token: Placeholder, value: object) -> str:
    try:
        return url_text(token.kind.converter, value)
    # An int of more than 4300 digits; whatever else a converter refuses.
    except (ValueError, TypeError, AttributeError) as error:
        raise BuildError(
            f"Cannot build the URL of {pattern!r}: {token.name!r} is {token.kind.word!r}, which"
            f" has no text for a value of type {type(value).__name__}: {error}"
        ) from error


def _quoted(pattern: str, text: str, safe: str) -> str:
    try:
        return quote(text, safe=safe)
    except UnicodeEncodeError as error:
        raise BuildError(
            f"Cannot build the URL of {pattern!r}: {text!r} cannot be encoded, as at index"
            f" {error.start} it has half of a surrogate pair"
        ) from error
