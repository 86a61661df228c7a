"""Registered routes, and the branches that lead to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._sequences import matcher

if TYPE_CHECKING:
    from ._patterns import Pattern
    from ._sequences import Steps, Values
    from ._trie import Node

    Answer = tuple[dict[str, Any], dict[str, str]]

__all__ = ["Answer", "Branch", "Entry", "Found", "Group", "Rest", "Segment"]


class Entry:
    """A registered route.

    `order`: of two routes that match a path, the lower wins.
    `holder`: the route of the very same paths that was there before, if there is one.
    """

    __slots__ = ("holder", "order", "path", "pattern", "payload")

    def __init__(
        self, path: str, pattern: Pattern, order: tuple[bytes, int], payload: dict[str, Any]
    ) -> None:
        self.path, self.pattern, self.order, self.payload = path, pattern, order, payload
        self.holder: Entry | None = None


Found = tuple[Entry, "Values"]


class Segment:
    """A way on, through one segment. Names are not its affair: entries below differ in them."""

    __slots__ = ("child", "match", "rank", "steps")

    def __init__(self, steps: Steps, rank: bytes, child: Node) -> None:
        self.steps, self.rank, self.child = steps, rank, child
        self.match = matcher(steps)

    def find(self, parts: list[str], index: int, values: Values) -> Found | None:
        """Find the route of the parts from `index`; `values` are those of the parts before."""
        more = self.match(parts[index])
        return None if more is None else self.child.find(parts, index + 1, values + more)


class Rest:
    """A way through all the rest of a path, where a value may hold a "/"."""

    __slots__ = ("entry", "match", "rank", "steps")

    def __init__(self, steps: Steps, rank: bytes, entry: Entry) -> None:
        self.steps, self.rank, self.entry = steps, rank, entry
        self.match = matcher(steps)

    def find(self, parts: list[str], index: int, values: Values) -> Found | None:
        """Find the route of the parts from `index`; `values` are those of the parts before."""
        more = self.match("/".join(parts[index:]))
        return None if more is None else (self.entry, values + more)


Branch = Segment | Rest


class Group:
    """The branches of a node that rank alike; which of them wins, the rest of a route decides.

    `starts`: the branches by the literal text they begin with, all of one length.
    """

    __slots__ = ("length", "rank", "starts")

    def __init__(self, rank: bytes, length: int) -> None:
        self.rank, self.length = rank, length
        self.starts: dict[str, tuple[Branch, ...]] = {}

    @property
    def branches(self) -> list[Branch]:
        """All of them."""
        return [branch for alike in self.starts.values() for branch in alike]

    def find(self, parts: list[str], index: int, values: Values) -> Found | None:
        """Find the route of the parts from `index`; `values` are those of the parts before."""
        best: Found | None = None
        for branch in self.starts.get(parts[index][: self.length], ()):
            found = branch.find(parts, index, values)
            if found is not None and (best is None or found[0].order < best[0].order):
                best = found
        return best

    def run(self, parts: list[str], index: int, values: Values) -> Answer | None:
        """Answer as the functions of nodes do."""
        found = self.find(parts, index, values)
        if found is None:
            return None
        entry, values = found
        return entry.payload, dict(zip(entry.pattern.names, values, strict=True))
