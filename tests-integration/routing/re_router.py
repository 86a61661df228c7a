"""A router written with nothing but `re`: one expression per route, tried in their precedence.

It keeps the two-method contract of a router, so an application may take it as it is:

    class MyRoll(Roll):
        Routes = ReRoutes
"""

import re
from bisect import insort
from operator import itemgetter
from typing import Any

__all__ = ["ReRoutes"]

PLACEHOLDER = re.compile(
    r"\{(?P<name>\w+)(?::(?P<kind>(?:\\.|\[(?:\\.|[^\]])+\]|\{[^{}]*\}|[^{}\[\\])+))?\}"
)
TYPES = {
    "string": "[^/]+",
    "digit": "[0-9]+",
    "alpha": r"[^\W\d_]+",
    "alnum": r"[^\W_]+",
    "int": "-?[0-9]+",
    "float": r"-?[0-9]+(?:\.[0-9]+)?",
    "uuid": "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
    "path": "(?s:.+)",
    "any": "(?s:.*)",
}
LITERAL, SLASH, END, TYPED = "0123"
RANKS = {"string": "4", "path": "5", "any": "5"}


class ReRoutes:
    """Try all the routes, one after the other."""

    def __init__(self) -> None:
        self.payloads: dict[str, dict[str, Any]] = {}
        self.expressions: list[tuple[str, re.Pattern[str], str]] = []

    def add(self, path: str, /, **payload: Any) -> None:
        if path not in self.payloads:
            # A new list, as others may be reading the one there is.
            expressions = self.expressions.copy()
            insort(expressions, (ranked(path), compiled(path), path), key=itemgetter(0))
            self.expressions = expressions
        self.payloads[path] = {**self.payloads.get(path, {}), **payload}

    def match(self, path: str, /) -> tuple[dict[str, Any] | None, dict[str, str] | None]:
        for _, expression, route in self.expressions:
            if found := expression.fullmatch(path):
                return self.payloads[route], named(found)
        return None, None


def compiled(path: str) -> re.Pattern[str]:
    """Make one expression of a pattern; its groups are named `_name`, a user's may be anything."""
    expression, end = "", 0
    for found in PLACEHOLDER.finditer(path):
        kind = found["kind"] or "string"
        expression += literal(path[end : found.start()])
        expression += f"(?P<_{found['name']}>{TYPES.get(kind, kind)})"
        end = found.end()
    return re.compile(expression + literal(path[end:]))


def literal(text: str) -> str:
    if set(text) & set("{}"):
        raise ValueError(f"unbalanced braces at {text!r}")
    return re.escape(text)


def named(found: re.Match[str]) -> dict[str, str]:
    return {name[1:]: value for name, value in found.groupdict().items() if name[0] == "_"}


def ranked(path: str) -> str:
    """Rank characters and placeholders: in the order of these texts, the first match wins."""
    ranks, end = "", 0
    for found in PLACEHOLDER.finditer(path):
        ranks += letters(path[end : found.start()])
        ranks += RANKS.get(found["kind"] or "string", TYPED)
        end = found.end()
    return ranks + letters(path[end:]) + END


def letters(text: str) -> str:
    return "".join(SLASH if char == "/" else LITERAL for char in text)
