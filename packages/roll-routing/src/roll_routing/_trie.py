"""The exact matcher: a tree of segments, whose branches are tried in the order of precedence.

It goes down by whole segments, and each node is reached by one way only: whatever the path, it
costs at most one visit of each node.
"""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ._kinds import END, SLASH
from ._patterns import Placeholder, ranks
from ._sequences import Steps, matcher, steps_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._patterns import Pattern, Tokens
    from ._sequences import Match, Values

    Check = Callable[[dict[str, str]], bool]

__all__ = ["Branch", "Check", "Entry", "Found", "Group", "Node", "Rest", "Segment", "insert"]

Place = tuple[bytes | int, ...]

_END: Final = bytes([END])
_SLASH: Final = bytes([SLASH])


@dataclass(slots=True, eq=False, repr=False)
class Entry:
    """A registered route.

    `steps`: its branches, each with the node it leaves.
    `place`: where it is in the tree, literal text first, then as branches are tried.
    `taught`: whether autoroutes was told of it.
    `holder`: the route of the very same paths that was there before, if there is one.
    `proof`: what tells whether a hit of autoroutes stands, None if each does, and the payload;
        None until that is known.
    """

    path: str
    pattern: Pattern
    order: tuple[bytes, int]
    payload: dict[str, Any]
    steps: list[tuple[Node, Branch]] = field(default_factory=list)
    place: Place = ()
    taught: bool = False
    holder: Entry | None = None
    proof: tuple[Check | None, dict[str, Any]] | None = None


Found = tuple[Entry, "Values"]


@dataclass(slots=True, eq=False, repr=False)
class Segment:
    """A way on, through one segment. Names are not its affair: entries below differ in them."""

    steps: Steps
    rank: bytes
    match: Match
    child: Node

    def takes(self, segment: str) -> bool:
        """Tell whether it goes on with a segment."""
        return self.match(segment) is not None

    def find(self, parts: list[str], index: int, values: Values) -> Found | None:
        """Find the route of the parts from `index`; `values` are those of the parts before."""
        more = self.match(parts[index])
        return None if more is None else self.child.find(parts, index + 1, values + more)


@dataclass(slots=True, eq=False, repr=False)
class Rest:
    """A way through all the rest of a path, where a value may hold a "/"."""

    steps: Steps
    rank: bytes
    match: Match
    entry: Entry

    def find(self, parts: list[str], index: int, values: Values) -> Found | None:
        """Find the route of the parts from `index`; `values` are those of the parts before."""
        more = self.match("/".join(parts[index:]))
        return None if more is None else (self.entry, values + more)


Branch = Segment | Rest


class Group(NamedTuple):
    """The branches of a node that rank alike, by the literal text they begin with."""

    rank: bytes
    length: int
    branches: dict[str, tuple[Branch, ...]]


@dataclass(slots=True, eq=False, repr=False)
class Node:
    """A place in the tree.

    `lone` is the only branch, if it is one through a segment. Threads may be reading while one
    writes: whatever is attached is ready before.
    """

    place: Place = ()
    literals: dict[str, Node] = field(default_factory=dict)
    branches: dict[Steps, Branch] = field(default_factory=dict)
    groups: tuple[Group, ...] = ()
    lone: Segment | None = None
    entry: Entry | None = None

    def find(self, parts: list[str], index: int, values: Values) -> Found | None:
        """Find the route of the parts from `index`; `values` are those of the parts before."""
        node = self
        for at in range(index, len(parts)):
            part = parts[at]
            child = node.literals.get(part)
            if child is not None:
                if not node.groups:
                    node = child
                    continue
                if (found := child.find(parts, at + 1, values)) is not None:
                    return found
            lone = node.lone
            if lone is None:
                return node.choose(parts, at, values) if node.groups else None
            more = lone.match(part)
            if more is None:
                return None
            values += more
            node = lone.child
        return None if node.entry is None else (node.entry, values)

    def choose(self, parts: list[str], index: int, values: Values) -> Found | None:
        """Try the branches, the first rank first; of those that rank alike, the rest decides."""
        part = parts[index]
        for _, length, branches in self.groups:
            best: Found | None = None
            for branch in branches.get(part[:length], ()):
                found = branch.find(parts, index, values)
                if found is not None and (best is None or found[0].order < best[0].order):
                    best = found
            if best is not None:
                return best
        return None

    def literal(self, text: str) -> Node:
        """Return the node behind literal text, made if there is none."""
        child = self.literals.get(text)
        if child is None:
            child = self.literals[text] = Node((*self.place, b"", len(self.literals)))
        return child

    def attach(self, branch: Branch) -> None:
        """Add a branch to its group."""
        prefix = branch.steps.kinds[0][0]
        group = next((group for group in self.groups if group.rank == branch.rank), None)
        if group is None:
            groups = list(self.groups)
            group = Group(branch.rank, len(prefix), {prefix: (branch,)})
            insort(groups, group, key=lambda group: group.rank)
            self.groups = tuple(groups)
        else:
            group.branches[prefix] = (*group.branches.get(prefix, ()), branch)
        self.branches[branch.steps] = branch
        alone = len(self.branches) == 1
        self.lone = branch if alone and isinstance(branch, Segment) else None


def insert(root: Node, entry: Entry) -> Entry:
    """Add an entry to the tree; give it back, or the one for the very same paths before it."""
    segments, rest = entry.pattern.parts
    node = root
    for segment in segments:
        node = _through(node, segment, entry)
    if rest:
        return _finish(node, rest, entry)
    entry.place = node.place
    if node.entry is None:
        node.entry = entry
    return node.entry


def _through(node: Node, segment: Tokens, entry: Entry) -> Node:
    if not any(isinstance(token, Placeholder) for token in segment):
        return node.literal("".join(map(str, segment)))
    steps = steps_of(segment)
    branch = node.branches.get(steps)
    if not isinstance(branch, Segment):
        rank = ranks(segment)
        child = Node((*node.place, rank, len(node.branches)))
        branch = Segment(steps, rank, matcher(steps), child)
        node.attach(branch)
    entry.steps.append((node, branch))
    return branch.child


def _finish(node: Node, rest: Tokens, entry: Entry) -> Entry:
    steps = steps_of(rest)
    known = node.branches.get(steps)
    if isinstance(known, Rest):
        return known.entry
    # Ranked by its first segment, as all branches are.
    rank = ranks(rest).partition(_SLASH)[0].removesuffix(_END) + _END
    branch = Rest(steps, rank, matcher(steps), entry)
    entry.place = (*node.place, rank, len(node.branches))
    entry.steps.append((node, branch))
    node.attach(branch)
    return entry
