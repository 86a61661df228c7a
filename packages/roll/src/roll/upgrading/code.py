"""Helpers of the rules: questions about the syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Container, Iterator

__all__ = [
    "Function",
    "bodies_set_in",
    "calls_of",
    "decorators_of",
    "defined_in",
    "first_text",
    "has_type",
    "imported_by",
    "is_attribute",
    "is_bytes",
    "is_class",
    "last_name",
    "looks_like_html",
]

Function = ast.FunctionDef | ast.AsyncFunctionDef


def texts_in(node: ast.AST) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value


def last_name(node: ast.AST | None) -> str:
    """Return the last part of a dotted name; "" for anything else."""
    if isinstance(node, ast.Call):
        return last_name(node.func)
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def is_class(node: ast.AST, *endings: str) -> bool:
    """Tell whether the name of one of a class's bases has this end."""
    return isinstance(node, ast.ClassDef) and any(
        last_name(base).endswith(endings) for base in node.bases
    )


def defined_in(node: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    """Yield the names that the body of a class defines."""
    for part in getattr(node, "body", ()):
        if isinstance(part, Function | ast.ClassDef):
            yield part, part.name
        elif isinstance(part, ast.Assign):
            yield from ((part, last_name(target)) for target in part.targets)
        elif isinstance(part, ast.AnnAssign):
            yield part, last_name(part.target)


def calls_of(node: ast.AST, name: str) -> Iterator[ast.Call]:
    if isinstance(node, ast.Call) and last_name(node.func) == name:
        yield node


def decorators_of(node: ast.AST, name: str) -> Iterator[ast.Call]:
    if isinstance(node, Function):
        for decorator in node.decorator_list:
            yield from calls_of(decorator, name)


def first_text(call: ast.Call) -> str:
    return next(texts_in(call.args[0]), "") if call.args else ""


def has_type(node: ast.AST) -> bool:
    """Tell whether a function mentions a content type."""
    return any(text.lower() == "content-type" for text in texts_in(node))


def bodies_set_in(node: ast.AST) -> Iterator[ast.Assign]:
    """Yield the assignments to the body of a response."""
    for part in ast.walk(node):
        if isinstance(part, ast.Assign) and any(map(is_response_body, part.targets)):
            yield part


def is_response_body(target: ast.AST) -> bool:
    owner = target.value if isinstance(target, ast.Attribute) else None
    return last_name(target) == "body" and "req" not in last_name(owner).lower()


def looks_like_html(value: ast.AST) -> bool:
    names = (last_name(part).lower() for part in ast.walk(value) if isinstance(part, ast.Call))
    return any("<" in text for text in texts_in(value)) or any("render" in name for name in names)


def imported_by(node: ast.AST) -> set[str]:
    if isinstance(node, ast.Import):
        return {alias.name.partition(".")[0] for alias in node.names}
    if isinstance(node, ast.ImportFrom) and not node.level:
        return {(node.module or "").partition(".")[0]}
    return set()


def is_bytes(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, bytes)


def is_attribute(node: ast.AST, names: Container[str], owners: Container[str]) -> bool:
    """Tell whether a node is an attribute with this name, of an object with this name."""
    owner = last_name(node.value) if isinstance(node, ast.Attribute) else ""
    return owner in owners and last_name(node) in names
