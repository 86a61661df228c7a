"""Header fields and their parameters (RFC 2045, 9110)."""

import re
from typing import Final

from .errors import MultipartError

__all__ = ["Parameters", "check_number", "parse_fields", "parse_value"]

NAME = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
# Clients write boundaries with `=`, `/` or `:` without the quotes that RFC 2045 requires.
PARAMETER = rf'[ \t]*+;[ \t]*+(?:({NAME})=(?:"({{quoted}})"|([^\s";]*+)))?+'
# A quoted-string (RFC 9110 5.6.4): a backslash escapes the next character.
STANDARD = re.compile(PARAMETER.format(quoted=r'(?:[^"\\]|\\.)*+'), re.DOTALL)
# Browsers do not escape backslashes: in `name="a\"; filename="b"` the name ends with one.
ESCAPED_QUOTE = r'"(?![ \t]*+(?:;|\Z))'
BROWSER = re.compile(PARAMETER.format(quoted=rf'(?:[^"\\]|\\(?:{ESCAPED_QUOTE})?+)*+'))
VALUE = re.compile(rf"[ \t]*+({NAME}(?:/{NAME})?)")
# The end is optional: a search for it from each quote would take quadratic time.
QUOTED = re.compile(r'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
HEADER = re.compile(rf"({NAME}):[ \t]*+([^\r\n\0]*)")

# The most parameters of a header, empty ones included. Clients send three or four.
MAX_PARAMETERS: Final = 16
TOO_MANY: Final = "Too many parameters in a header"

Parameters = dict[str, str]


def parse_fields(head: bytes) -> dict[str, str]:
    """Split the head of a part into fields. A repeated name is ambiguous, and an error."""
    headers: dict[str, str] = {}
    if not head:
        return headers
    for line in head.decode("utf-8", "replace").split("\r\n"):
        match = HEADER.fullmatch(line)
        if match is None:
            raise MultipartError("Malformed header in a part")
        name = match[1].lower()
        if name in headers:
            raise MultipartError(f"Repeated header in a part: {name}")
        headers[name] = match[2].rstrip(" \t")
    return headers


def parse_value(text: str, name: str = "The Content-Type") -> tuple[str, Parameters]:
    """Split `value; name=value; name="value"`. The values stay as they were sent.

    Raises `MultipartError` with the name of the field.
    """
    value = VALUE.match(text)
    if value is None:
        raise MultipartError(f"{name} is {'malformed' if text.strip() else 'missing'}")
    params = parse_params(STANDARD, text, value.end())
    if params is None:
        params = parse_params(BROWSER, text, value.end())
    if params is None:
        raise MultipartError("Malformed header parameters")
    return value[1], params


def parse_params(pattern: re.Pattern[str], text: str, position: int) -> Parameters | None:
    """Read the parameters. Return None if the pattern does not match up to the end of the text."""
    params: Parameters = {}
    text = text.rstrip(" \t")
    for _ in range(MAX_PARAMETERS + 1):
        if position == len(text):
            return params
        match = pattern.match(text, position)
        if match is None:
            return None
        add_param(params, match)
        position = match.end()
    raise MultipartError(TOO_MANY)


def check_number(text: str) -> None:
    """Check the number of parameters of a header whose parameters are not read."""
    # Without what is quoted, which may have semicolons.
    if text.count(";") > MAX_PARAMETERS and QUOTED.sub("", text).count(";") > MAX_PARAMETERS:
        raise MultipartError(TOO_MANY)


def add_param(params: Parameters, match: re.Match[str]) -> None:
    """Add a parameter. A `;` without a parameter after it is ignored."""
    name, quoted, bare = match.groups()
    if name is None:
        return
    if name.lower() in params:
        raise MultipartError(f"Repeated parameter: {name.lower()}")
    params[name.lower()] = bare if quoted is None else quoted
