"""Checks of the placeholders of paths: spellings of other frameworks, and typing errors."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from .advice import advise, resembled

__all__ = ["TYPES", "advise_on_placeholders", "pieces", "refuse_placeholders"]

TYPES: Final = ("string", "digit", "alpha", "alnum", "int", "float", "uuid", "path", "any")
"""The built-in types of placeholders."""

SYNONYMS: Final = {
    **dict.fromkeys(("number", "integer", "long", "bigint", "num", "d", "i"), "int"),
    **dict.fromkeys(("decimal", "double", "real", "f"), "float"),
    **dict.fromkeys(("str", "text", "word", "varchar", "s"), "string"),
    **dict.fromkeys(("letters", "char", "chars"), "alpha"),
    "guid": "uuid",
    "alphanumeric": "alnum",
    "wildcard": "path",
}
"""Name of a type in other frameworks -> the type here."""

PATTERNS: Final = {
    "slug": "[a-z0-9-]+",
    "hex": "[0-9a-f]+",
    "bool": "true|false",
    "boolean": "true|false",
    "year": r"\d\d\d\d",
}
"""Types of other frameworks that do not exist here -> the regular expression to write instead."""

VALUES: Final = {"date": "datetime.date", "enum": "enum.Enum"}
"""Types of other frameworks -> the annotation of the parameter to write instead."""

LIKENESS: Final = 0.6
"""The least similarity of a word to a type that was probably meant, such as "int" and "integer".
"""

# Python compiles these expressions when they are needed, because few paths match them.
# `{user-id}` and `{user name}` are legal, because a handler can take them as `**names`.
NAME: Final = r"\w(?:[\w. -]*\w)?"
TAIL: Final = r"([A-Za-z]+)(?:[?*+]|\([^()]*\)|:.*)"
REGEX_CALL: Final = r"re(?:gex|gexp|gular)?(?::(.+)|\((.+)\))"


def pieces(path: str) -> tuple[str, list[str]]:
    """Return a path with empty placeholders (`{}`), and the list of their contents."""
    text: list[str] = []
    inner: list[str] = []
    depth = 0
    escaped = False  # a regular expression within a placeholder may have escaped braces
    for char in path:
        depth -= char == "}" and not escaped
        if depth > 0:
            inner[-1] += char
        else:
            text.append(char)
        if char == "{" and not escaped:
            depth += 1
            if depth == 1:
                inner.append("")
        escaped = depth > 0 and char == "\\" and not escaped
    return "".join(text), inner


def refuse_placeholders(path: str, inner: Iterable[str]) -> None:
    """Refuse placeholders that no handler could use.

    Raises:
        ValueError: a name has invalid characters; the message says how to write it.
    """
    for content in inner:
        if content.startswith("{"):  # double braces, as in an f-string
            right = path.replace("{{", "{").replace("}}", "}")
            raise ValueError(f"The path {path!r} has two braces for one: write {right!r}")
        name, _, pattern = content.partition(":")
        words = re.findall(r"\w+", name)
        # The router refuses a placeholder without any word itself.
        if words and re.fullmatch(NAME, name) is None:
            right = respelt(name, words, pattern.strip())
            raise ValueError(
                f"The path {path!r} has the placeholder '{{{content}}}', whose name has more than"
                f" letters, digits and '_': write '{right}'{explained(name)}"
            )


def respelt(name: str, words: list[str], pattern: str) -> str:
    """Return the valid spelling of a placeholder."""
    first, *others = words
    kinds = (SYNONYMS.get(each, each) for each in others)
    kind = pattern or next((each for each in kinds if each in TYPES), "")
    if not kind and ("*" in name or name.startswith(".")):
        kind = "path"
    return f"{{{first}:{kind}}}" if kind else f"{{{first}}}"


def explained(name: str) -> str:
    if "?" in name or "=" in name:
        return ". No placeholder is optional: register the path without it, too"
    return ""


def advise_on_placeholders(path: str, inner: Iterable[str], known: tuple[str, ...]) -> None:
    """Warn of regular expressions that were probably meant as types."""
    for content in inner:
        name, _, pattern = content.partition(":")
        if pattern not in known and (right := probable(name, pattern, known)) is not None:
            only = f", which matches {pattern!r} and nothing else" if is_word(pattern) else ""
            advise(
                f"In the path {path!r}, {pattern!r} is not a type, but a regular expression{only}."
                f" Write {right}"
            )


def is_word(pattern: str) -> bool:
    return re.fullmatch(r"\s*[A-Za-z]+\s*", pattern) is not None


def probable(name: str, pattern: str, known: tuple[str, ...]) -> str | None:
    """Return the placeholder that was probably meant; None if there is no guess."""
    if is_word(pattern):
        return by_word(name, pattern.strip(), known)
    if (found := re.fullmatch(REGEX_CALL, pattern)) is not None:
        return f"'{{{name}:{found[1] or found[2]}}}'"
    found = re.fullmatch(TAIL, pattern)
    kind = SYNONYMS.get(found[1], found[1]) if found is not None else ""
    return f"'{{{name}:{kind}}}'" if kind in known else None


def by_word(name: str, word: str, known: tuple[str, ...]) -> str | None:
    low = word.lower()
    if word in known:
        return f"'{{{name}:{word}}}'"
    if low in PATTERNS:
        return f"'{{{name}:{PATTERNS[low]}}}'"
    if low in VALUES:
        return f"'{{{name}}}', and annotate the parameter of the view with `{VALUES[low]}`"
    wrong_way = known_as(name, known)
    if wrong_way is not None and known_as(word, known) is None:
        return f"'{{{word}:{wrong_way}}}'"
    kind = known_as(word, known) or resembled(word, known, LIKENESS)
    return None if kind is None else f"'{{{name}:{kind}}}'"


def known_as(word: str, known: tuple[str, ...]) -> str | None:
    """Return the type that a word names here or in another framework; None for other words."""
    kind = SYNONYMS.get(word.lower(), word.lower())
    return kind if kind in known else None
