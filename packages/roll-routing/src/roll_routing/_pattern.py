"""Patterns such as `/a/{x}/b.{ext:alpha}`, and the URLs that are built from them."""

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
    `position`: the index in the pattern where the fault is.
    `reason`: what is wrong.
    """

    def __init__(self, pattern: str, position: int, reason: str) -> None:
        super().__init__(f"Invalid route {pattern!r}, at index {position}: {reason}")
        self.pattern, self.position, self.reason = pattern, position, reason

    def __reduce__(self) -> tuple[type, tuple[str, int, str]]:
        # By default, an exception is unpickled from its `args`: here these are only the message.
        return type(self), (self.pattern, self.position, self.reason)


class BuildError(RoutingError):
    """Values from which no URL of a pattern can be built."""


class Placeholder(NamedTuple):
    """A placeholder of a pattern."""

    name: str
    kind: Kind


Token = str | Placeholder
Tokens = tuple[Token, ...]

_BRACE: Final = re.compile(r"[{}]")
_NAME_END: Final = re.compile(r"[:{}]")
# The marks by which the end of a regex is found. A regex may contain braces in pairs, and any
# brace after a backslash or in a class. The quantifiers are possessive: nothing is read twice.
_MARK: Final = re.compile(
    r"\\.|(?P<open>\[\^?+\]?+(?:\\.|[^\]\\])*+)(?P<close>\])?|[{}]", re.DOTALL
)
_MARK_OUTSIDE_CLASS: Final = re.compile(r"\\.|[{}]", re.DOTALL)
# Some functions nest two calls for each segment, and Python allows a thousand nested calls.
_MAX_SEGMENTS: Final = 200


class Pattern:
    """A parsed pattern. Texts with equal `tokens` are the same pattern: `{x}` is `{x:string}`.

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

        A segment whose value may contain a "/" is the last one: it takes the rest of the path.
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
        """The rank of each character and placeholder. The pattern with the lower ranks wins."""
        return rank_tokens(self.tokens)


def rank_tokens(tokens: Iterable[Token]) -> bytes:
    """Return the ranks of the characters and placeholders, and of the end."""
    values: list[int] = []
    for token in tokens:
        if isinstance(token, str):
            values += (SLASH if char == "/" else LITERAL for char in token)
        else:
            values.append(token.kind.rank)
    return bytes([*values, END])


def read(text: str, converters: Converters) -> Pattern:
    """Parse a pattern. Raises `InvalidRoute`, and `TypeError` if it is not text."""
    if type(text) is not str:
        check_text(text)
    return parse(text, converters)


@lru_cache(maxsize=1024)
def parse(text: str, converters: Converters = ()) -> Pattern:
    """Parse a pattern. Raises `InvalidRoute`.

    The last 1,024 results are kept, because URLs are built from the same patterns again.
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
            # This "[" does not begin a class, and no later one does. To look for the end of each
            # would take time quadratic in the length of the pattern.
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

    The result is equal for two patterns that differ in the names of placeholders alone.
    """
    return "".join(
        f"{{:{token.kind.word}}}" if isinstance(token, Placeholder) else token
        for token in read(pattern, ()).tokens
    )


# The characters that need no encoding in the path of a URL (RFC 3986 3.3), besides the
# unreserved ones.
_LITERAL_SAFE: Final = "/!$&'()*+,;=:@"


def build_url(pattern: str, converters: Converters, values: dict[str, Any]) -> str:
    """Build the path of a URL from a pattern and its values. Raises what `Routes.build` raises."""
    parsed = read(pattern, converters)
    if set(parsed.names) != set(values):
        raise BuildError(_mismatch(pattern, parsed.names, values))
    url = "".join(_text(pattern, token, values) for token in parsed.tokens)
    if "." in url and {".", ".."} & set(url.split("/")):
        raise BuildError(
            f"{url[:200]!r} is not a URL of {pattern!r}: clients remove the segments '.' and '..'"
        )
    # A client would read the text after two slashes as a host.
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
            f"Cannot build the URL of {pattern!r}: {token.name!r} is of type"
            f" {token.kind.word!r}, which does not accept {value[:200]!r}"
        )
    return _quoted(pattern, value, "/" if token.kind.slash else "")


def _as_text(pattern: str, token: Placeholder, value: object) -> str:
    try:
        return url_text(token.kind.converter, value)
    # For example, an int has more than 4,300 digits, or a converter refuses the value.
    except (ValueError, TypeError, AttributeError) as error:
        raise BuildError(
            f"Cannot build the URL of {pattern!r}: {token.name!r} got a value of type"
            f" {type(value).__name__}, which has no text for {token.kind.word!r}: {error}"
        ) from error


def _quoted(pattern: str, text: str, safe: str) -> str:
    try:
        return quote(text, safe=safe)
    except UnicodeEncodeError as error:
        raise BuildError(
            f"Cannot build the URL of {pattern!r}: {text[:200]!r} cannot be encoded:"
            f" at index {error.start} it has half of a surrogate pair"
        ) from error
