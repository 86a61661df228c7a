"""The exact matcher: a tree of segments, whose branches are tried in the order of precedence."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from ._patterns import Pattern, Placeholder, Token, ranks
from ._sequences import Match, compile_tokens

__all__ = ["Branch", "Entry", "Node", "find", "insert"]


@dataclass(slots=True, eq=False)
class Entry:
    """A registered route."""

    path: str
    pattern: Pattern
    order: tuple[bytes, int]
    payload: dict[str, Any]


@dataclass(slots=True, eq=False)
class Branch:
    """A way on from a node, through one segment or, when it leads to an entry, to the end."""

    key: object
    rank: bytes
    match: Match
    child: Node | None = None
    entry: Entry | None = None


@dataclass(slots=True, eq=False)
class Node:
    """A place in the tree. What it holds is replaced, never changed: threads may be reading it."""

    literals: dict[str, Node] = field(default_factory=dict)
    branches: list[list[Branch]] = field(default_factory=list)
    entry: Entry | None = None


Found = tuple[Entry, tuple[str, ...]]


def insert(root: Node, entry: Entry) -> None:
    """Add an entry to the tree, unless an equal one is there already."""
    node = root
    for index, segment in enumerate(entry.pattern.segments):
        if any(isinstance(token, Placeholder) and token.kind.slash for token in segment):
            _open(node, _joined(entry.pattern.segments[index:]), entry)
            return
        node = _step(node, segment)
    if node.entry is None:
        node.entry = entry


def _joined(segments: tuple[tuple[Token, ...], ...]) -> tuple[Token, ...]:
    tokens: list[Token] = []
    for index, segment in enumerate(segments):
        for token in (("/",) if index else ()) + segment:
            if tokens and isinstance(token, str) and isinstance(tokens[-1], str):
                tokens[-1] += token
            else:
                tokens.append(token)
    return tuple(tokens)


def _key(tokens: tuple[Token, ...]) -> object:
    return tuple(token if isinstance(token, str) else (token.kind,) for token in tokens)


def _step(node: Node, segment: tuple[Token, ...]) -> Node:
    if not any(isinstance(token, Placeholder) for token in segment):
        return node.literals.setdefault("".join(map(str, segment)), Node())
    key = _key(segment)
    for group in node.branches:
        for branch in group:
            if branch.key == key and branch.child is not None:
                return branch.child
    child = Node()
    _attach(node, Branch(key, ranks(segment), compile_tokens(segment), child=child))
    return child


def _open(node: Node, tokens: tuple[Token, ...], entry: Entry) -> None:
    key = _key(tokens)
    if not any(branch.key == key for group in node.branches for branch in group):
        # Up to its first slash, as all other branches are ranked.
        rank = ranks(tokens).partition(b"\x01")[0].removesuffix(b"\x02") + b"\x02"
        _attach(node, Branch(key, rank, compile_tokens(tokens), entry=entry))


def _attach(node: Node, branch: Branch) -> None:
    branches = [other for group in node.branches for other in group]
    ordered = sorted([*branches, branch], key=lambda branch: branch.rank)
    node.branches = [list(group) for _, group in groupby(ordered, lambda branch: branch.rank)]


def find(node: Node, parts: list[str], index: int) -> Found | None:
    """Find the entry that matches the segments from `index`, with its values."""
    if index == len(parts):
        return (node.entry, ()) if node.entry is not None else None
    child = node.literals.get(parts[index])
    if child is not None and (found := find(child, parts, index + 1)) is not None:
        return found
    for group in node.branches:
        matches = [found for branch in group if (found := _follow(branch, parts, index))]
        if matches:
            return min(matches, key=lambda found: found[0].order)
    return None


def _follow(branch: Branch, parts: list[str], index: int) -> Found | None:
    text = parts[index] if branch.child is not None else "/".join(parts[index:])
    values = branch.match(text)
    if values is None:
        return None
    if branch.child is None:
        assert branch.entry is not None
        return branch.entry, values
    found = find(branch.child, parts, index + 1)
    return found and (found[0], values + found[1])
