"""Placeholders of paths as they are written: those of other frameworks, and slips in ours."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from .advice import advise, resembled

__all__ = ["TYPES", "advise_on_placeholders", "pieces", "refuse_placeholders"]

TYPES: Final = ("string", "digit", "alpha", "alnum", "int", "float", "uuid", "path", "any")
"""The types of placeholders."""

SYNONYMS: Final = {
    **dict.fromkeys(("number", "integer", "long", "bigint", "num", "d", "i"), "int"),
    **dict.fromkeys(("decimal", "double", "real", "f"), "float"),
    **dict.fromkeys(("str", "text", "word", "varchar", "s"), "string"),
    **dict.fromkeys(("letters", "char", "chars"), "alpha"),
    "guid": "uuid",
    "alphanumeric": "alnum",
    "wildcard": "path",
}
"""What types are called elsewhere."""

PATTERNS: Final = {
    "slug": "[a-z0-9-]+",
    "hex": "[0-9a-f]+",
    "bool": "true|false",
    "boolean": "true|false",
    "year": r"\d\d\d\d",
}
"""Types of other frameworks that are none here, and what they stand for."""

VALUES: Final = {"date": "datetime.date", "enum": "enum.Enum"}
"""Those that the annotation of a parameter says."""

LIKENESS: Final = 0.6
"""How much a type has to resemble a word that is taken for a regular expression: as "int" does
"integer"."""

# Compiled when they are needed: few paths are written so.
# What `**names` takes, if no parameter does, is legal: `{user-id}`, `{user name}`.
NAME: Final = r"\w(?:[\w. -]*\w)?"
TAIL: Final = r"([A-Za-z]+)(?:[?*+]|\([^()]*\)|:.*)"
REGEX_CALL: Final = r"re(?:gex|gexp|gular)?(?::(.+)|\((.+)\))"


def pieces(path: str) -> tuple[str, list[str]]:
    """Return a path with nothing between the braces of its placeholders, and what was there."""
    text: list[str] = []
    inner: list[str] = []
    depth = 0
    escaped = False  # within a placeholder, whose regular expression may have braces, too
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
    """Refuse the placeholders that no handler could use.

    Raises:
        ValueError: a name has what no name has; says how to write it.
    """
    for content in inner:
        if content.startswith("{"):  # as in an f-string, but without the f
            right = path.replace("{{", "{").replace("}}", "}")
            raise ValueError(f"The path {path!r} has two braces for one: write {right!r}")
        name, _, pattern = content.partition(":")
        words = re.findall(r"\w+", name)
        # Without a word, the router says what is missing.
        if words and re.fullmatch(NAME, name) is None:
            right = respelt(name, words, pattern.strip())
            raise ValueError(
                f"The path {path!r} has the placeholder '{{{content}}}', whose name has more than"
                f" letters, digits and '_': write '{right}'{explained(name)}"
            )


def respelt(name: str, words: list[str], pattern: str) -> str:
    """Return a placeholder as it should be written."""
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
    """Warn of regular expressions that are probably types, misspelt."""
    for content in inner:
        name, _, pattern = content.partition(":")
        if pattern not in known and (right := probable(name, pattern, known)) is not None:
            only = f", which matches {pattern!r} and nothing else" if is_word(pattern) else ""
            advise(
                f"In the path {path!r}, {pattern!r} is no type: it is a regular expression{only}."
                f" Write {right}"
            )


def is_word(pattern: str) -> bool:
    return re.fullmatch(r"\s*[A-Za-z]+\s*", pattern) is not None


def probable(name: str, pattern: str, known: tuple[str, ...]) -> str | None:
    """Return the placeholder that was probably meant."""
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
    """Return the type that a word stands for, here or elsewhere."""
    kind = SYNONYMS.get(word.lower(), word.lower())
    return kind if kind in known else None
