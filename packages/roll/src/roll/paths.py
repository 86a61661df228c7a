"""Paths of routes as they are written: mistakes in them, and how prefixes are joined to them."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import unquote

from roll_routing import Routes

from .advice import advise, resembled

__all__ = ["check_path", "check_prefix", "join"]

TYPES: Final = ("string", "digit", "alpha", "alnum", "int", "float", "uuid", "path", "any")
"""The types of placeholders."""

LIKENESS: Final = 0.6
"""How much a type has to resemble a word that is taken for a regular expression: as "int" does
"integer"."""

# Compiled when they are needed: few paths are written so.
# How others write `{name:type}`: Flask, with arguments or without, and Django.
ANGLED: Final = r"<(?:(\w+)(?:\([^<>()]*\))?:)?(\w+)>"
NAMED_GROUP: Final = r"\(\?P<(\w+)>([^()<>]*)\)"
# What is legal as text, but stands for something else elsewhere.
COLON: Final = r"/:(\w+)"
STAR: Final = r"/\*(\w*)"
ESCAPED: Final = r"%[0-9A-Fa-f]{2}"
TYPED: Final = r"\{(\w+):([A-Za-z]+)\}"


def check_path(path: Any, routes: Any) -> None:
    """Check the path of a route.

    Warns of what is legal but probably not meant. Only the paths of our own router are read:
    another one may have its own spelling.

    Raises:
        ValueError: it is no path; says how to write it.
    """
    refuse_view(path, "route")
    if isinstance(routes, Routes):
        check_start(path)
        text = literal(path)
        refuse_other_spelling(path, text)
        advise_on_text(path, text)
        advise_on_types(path, (*TYPES, *routes.converters))


def check_prefix(prefix: Any, routes: Any) -> None:
    """Check the prefix of a group: an empty one, or one that a path may begin with.

    Raises:
        ValueError: it is neither.
    """
    refuse_view(prefix, "group")
    if prefix != "" and isinstance(routes, Routes):
        check_start(prefix)


def join(prefix: str, path: Any) -> str:
    """Put the prefix of a group before a path, with one slash between them.

    Raises:
        ValueError: there would be none.
    """
    refuse_view(path, "route")
    if path.startswith("/"):
        return prefix.removesuffix("/") + str(path)
    if path and prefix and not prefix.endswith("/"):
        raise ValueError(
            f"The path {path!r} in the group {prefix!r} does not begin with a '/': "
            f"write {'/' + path!r}"
        )
    return prefix + str(path)


def refuse_view(path: Any, name: str) -> None:
    if callable(path):
        raise ValueError(  # noqa: TRY004 - as every mistake in a route
            f"`@app.{name}` needs a path: write `@app.{name}('/path')` before {path!r}"
        )


def check_start(path: Any) -> None:
    if not isinstance(path, str):
        raise ValueError(f"A path is text, such as '/path', not {path!r}")  # noqa: TRY004 - as every mistake in a route
    # A placeholder may take the slash; `OPTIONS *` is about no path.
    if not path.startswith(("/", "{")) and path != "*":
        raise ValueError(f"The path {path!r} does not begin with a '/': write {'/' + path!r}")


def literal(path: str) -> str:
    """Return a path with nothing between the braces of its placeholders."""
    kept: list[str] = []
    depth = 0
    escaped = False  # within a placeholder, whose regular expression may have braces, too
    for char in path:
        if char == "}" and not escaped:
            depth -= 1
        if depth <= 0:
            kept.append(char)
        if char == "{" and not escaped:
            depth += 1
        escaped = depth > 0 and char == "\\" and not escaped
    return "".join(kept)


def refuse_other_spelling(path: str, text: str) -> None:
    if "<" in text and re.search(ANGLED, text):
        right = re.sub(ANGLED, in_braces, re.sub(NAMED_GROUP, r"{\1:\2}", path))
        raise ValueError(f"The path {path!r} has a placeholder in '<>': write {right!r}")


def in_braces(found: re.Match[str]) -> str:
    kind, name = found.groups()
    return f"{{{name}:{kind}}}" if kind in TYPES else f"{{{name}}}"


def advise_on_text(path: str, text: str) -> None:
    if ":" in text and re.search(COLON, text):
        right = re.sub(COLON, r"/{\1}", path)
        advise(f"The ':' in the path {path!r} is plain text: a placeholder is written {right!r}")
    if "*" in text and re.search(STAR, text):
        right = re.sub(STAR, lambda found: f"/{{{found[1] or 'rest'}:path}}", path)
        advise(f"The '*' in the path {path!r} is plain text: to match any text, write {right!r}")
    if "%" in text and re.search(ESCAPED, text):
        advise(f"The path {path!r} is compared with decoded paths: write {unquote(path)!r}")
    if "?" in text or "#" in text:
        advise(
            f"The path {path!r} will match no query and no fragment: end it before, and read"
            f" `request.query`"
        )


def advise_on_types(path: str, known: tuple[str, ...]) -> None:
    if ":" not in path:
        return
    for name, word in re.findall(TYPED, path):
        if word not in known and (right := probable(name, word, known)) is not None:
            advise(
                f"In the path {path!r}, {word!r} is no type: it is a regular expression, which"
                f" matches {word!r} and nothing else. Write '{right}'"
            )


def probable(name: str, word: str, known: tuple[str, ...]) -> str | None:
    """Return the placeholder that was probably meant."""
    if name in known:  # the wrong way round
        return f"{{{word}:{name}}}"
    kind = resembled(word, known, LIKENESS)
    return None if kind is None else f"{{{name}:{kind}}}"
