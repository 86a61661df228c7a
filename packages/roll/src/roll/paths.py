"""Checks of the paths of routes, and the joining of prefixes and paths."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, Final
from urllib.parse import unquote

from roll_routing import Routes

from .advice import advise
from .placeholders import TYPES, advise_on_placeholders, pieces, refuse_placeholders

__all__ = ["check_path", "check_prefix", "join"]

# Python compiles these expressions when they are needed, because few paths match them.
# How Flask (with or without arguments) and Django write `{name:type}`.
ANGLED: Final = r"<(?:(\w+)(?:\([^<>()]*\))?:)?(\w+)>"
NAMED_GROUP: Final = r"\(\?P<(\w+)>([^()<>]*)\)"
# Legal text here, but placeholders in other frameworks.
COLON: Final = r"/:(\w+)"
STAR: Final = r"/\*+(\w*)"
ESCAPED: Final = r"%[0-9A-Fa-f]{2}"
BRACKETED: Final = r"/\[(\w+)\]"
# Decoded paths never have a lone surrogate, because octets that are not UTF-8 become U+FFFD.
HALF_PAIR: Final = "[\ud800-\udfff]"
EXPRESSION: Final = r"\\[dwsDWS]|\.[*+]|\[[^\]/]*\][*+?]|\$$"
"""Signs of a regular expression, which other frameworks accept as a path."""


def check_path(path: Any, routes: Any, told: Collection[str] = ()) -> None:
    """Check the path of a route; warn of text that is legal, but probably not meant.

    The prefixes in `told` were checked before and cause no second warning. Only paths for Roll's
    own router are checked, because another router may have another syntax.

    Raises:
        ValueError: the path is invalid; the message says how to write it.
    """
    refuse_view(path, "app.route")
    if isinstance(routes, Routes):
        check_start(path)
        look_at(path, routes, told)


def check_prefix(prefix: Any, routes: Any, told: Collection[str] = ()) -> None:
    """Check the prefix of a group as `check_path` does; it may be empty.

    Raises:
        ValueError: the prefix is invalid; the message says how to write it.
    """
    refuse_view(prefix, "app.group")
    if prefix != "" and isinstance(routes, Routes):
        check_start(prefix)
        look_at(prefix, routes, told)


def look_at(path: str, routes: Routes, told: Collection[str]) -> None:
    text, inner = pieces(path)
    refuse_half_pair(path, text)
    refuse_other_spelling(path, text)
    refuse_placeholders(path, inner)
    if told:
        before = max((each for each in told if path.startswith(each)), key=len, default="")
        path = path[len(before) :]
        text, inner = pieces(path)
    advise_on_text(path, text)
    advise_on_placeholders(path, inner, (*TYPES, *routes.converters))


def join(prefix: str, path: Any, name: str = "route") -> str:
    """Join the prefix of a group and a path, with one slash between them.

    `name` is that of the called method, for the message.

    Raises:
        ValueError: there is no slash between prefix and path, or the path is not text.
    """
    refuse_view(path, f"group.{name}")
    if not isinstance(path, str):
        raise ValueError(f"A path is text, such as '/path', not {path!r}")  # noqa: TRY004 - as every mistake in a route
    if path.startswith("/"):
        return prefix.removesuffix("/") + path
    if path and prefix and not prefix.endswith("/"):
        raise ValueError(
            f"The path {path!r} in the group {prefix!r} does not begin with a '/': "
            f"write {'/' + path!r}"
        )
    return prefix + path


def refuse_view(path: Any, name: str) -> None:
    if callable(path):
        raise ValueError(  # noqa: TRY004 - as every mistake in a route
            f"`@{name}` needs a path: write `@{name}('/path')` before {path!r}"
        )


def check_start(path: Any) -> None:
    if not isinstance(path, str):
        raise ValueError(f"A path is text, such as '/path', not {path!r}")  # noqa: TRY004 - as every mistake in a route
    # A placeholder may match the slash, and `*` is the target of `OPTIONS *`.
    if not path.startswith(("/", "{")) and path != "*":
        # Without the "^" and "$" of regular expressions, which other frameworks accept.
        right = f"/{path.strip().removeprefix('^').removesuffix('$').removeprefix('/')}"
        raise ValueError(f"The path {path!r} does not begin with a '/': write {right!r}")


def refuse_half_pair(path: str, text: str) -> None:
    if not text.isascii() and (found := re.search(HALF_PAIR, text)):
        raise ValueError(
            f"No request can have the path {path!r}: {found[0]!r} is half of a surrogate pair,"
            " which UTF-8 cannot encode"
        )


def refuse_other_spelling(path: str, text: str) -> None:
    if "<" in text and re.search(ANGLED, text):
        right = re.sub(ANGLED, in_braces, re.sub(NAMED_GROUP, r"{\1:\2}", path))
        raise ValueError(f"The path {path!r} has a placeholder in '<>': write {right!r}")


def in_braces(found: re.Match[str]) -> str:
    kind, name = found.groups()
    if name in TYPES and kind is not None and kind not in TYPES:  # name and type are swapped
        kind, name = name, kind
    return f"{{{name}:{kind}}}" if kind in TYPES else f"{{{name}}}"


def advise_on_text(path: str, text: str) -> None:
    if ":" in text and re.search(COLON, text):
        right = re.sub(COLON, r"/{\1}", path)
        advise(f"The ':' in the path {path!r} is plain text: a placeholder is written {right!r}")
    if "[" in text and re.search(BRACKETED, text):
        right = re.sub(BRACKETED, r"/{\1}", path)
        advise(f"The '[' in the path {path!r} is plain text: a placeholder is written {right!r}")
    if "${" in text:
        right = path.replace("${", "{")
        advise(f"The '$' in the path {path!r} is plain text: a placeholder is written {right!r}")
    if "*" in text and re.search(STAR, text):
        right = re.sub(STAR, lambda found: f"/{{{found[1] or 'rest'}:path}}", path)
        advise(f"The '*' in the path {path!r} is plain text: to match any text, write {right!r}")
    if "%" in text and re.search(ESCAPED, text):
        advise(f"The path {path!r} is compared with decoded paths: write {unquote(path)!r}")
    advise_on_ends(path, text)


def advise_on_ends(path: str, text: str) -> None:
    if "?" in text or "#" in text:
        advise(
            f"The path {path!r} will match no query and no fragment: end it before, and read"
            f" `request.query`"
        )
    elif re.search(EXPRESSION, text):
        advise(
            f"The path {path!r} is plain text, not a regular expression: write expressions in"
            r" braces, as in '/{name:\d+}'; they match to the end of the placeholder"
        )
    if text != text.strip():
        advise(
            f"The path {path!r} matches with white space at its end only: write {path.strip()!r}"
        )
