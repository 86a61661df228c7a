"""What else a pattern is good for: its names, and URLs from values for them."""

from typing import Any, Final
from urllib.parse import quote

from ._pattern import Placeholder, RoutingError, Token, parse

__all__ = ["BuildError", "build", "nameless", "variables"]

# RFC 3986 3.3: what the path of a URL may hold as it is, beside the unreserved characters.
_LITERAL_SAFE: Final = "/!$&'()*+,;=:@"


class BuildError(RoutingError):
    """Values from which the URL of a pattern cannot be built."""


def variables(pattern: str, /) -> tuple[str, ...]:
    """Return the names of a pattern's placeholders, in their order. Raises `InvalidRoute`."""
    return parse(pattern).names


def nameless(pattern: str, /) -> str:
    """Return a pattern without the names of its placeholders. Raises `InvalidRoute`.

    Two patterns match the very same URLs, as `Routes` tells, if this is equal for both.
    """
    return "".join(
        f"{{:{token.kind.word}}}" if isinstance(token, Placeholder) else token
        for token in parse(pattern).tokens
    )


def build(pattern: str, /, **vars: Any) -> str:  # noqa: A002 - the name `Route` has for them
    """Build the path of a URL, percent-encoded (RFC 3986), from a pattern and its values.

    Values go through `str()`. Raises `InvalidRoute` for the pattern, `BuildError` (a
    `ValueError`) for a value that is missing, unknown, or that its placeholder does not take, and
    for text that UTF-8 cannot encode: lone surrogates.
    """
    parsed = parse(pattern)
    if set(parsed.names) != set(vars):
        raise BuildError(_mismatch(pattern, parsed.names, vars))
    url = "".join(_text(pattern, token, vars) for token in parsed.tokens)
    if {".", ".."} & set(url.split("/")):
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
        return str(value)
    except ValueError as error:  # An int of more than 4300 digits.
        raise BuildError(
            f"Cannot build the URL of {pattern!r}: {token.name!r} has no text: {error}"
        ) from error


def _quoted(pattern: str, text: str, safe: str) -> str:
    try:
        return quote(text, safe=safe)
    except UnicodeEncodeError as error:
        raise BuildError(
            f"Cannot build the URL of {pattern!r}: {text!r} cannot be encoded, as at index"
            f" {error.start} it has half of a surrogate pair"
        ) from error
