"""The routes in a tree of segments, whose branches are tried in the order of precedence.

A way through it goes by whole segments, and each node is reached by one way only: whatever the
path, a match visits each node once at most.
"""

from __future__ import annotations

from bisect import insort
from typing import TYPE_CHECKING, Any, Final

from ._branches import Entry, Group, Rest, Segment
from ._code import written
from ._kinds import END, SLASH
from ._patterns import Placeholder, ranks
from ._scope import Scope
from ._sequences import steps_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Lock

    from ._branches import Answer, Branch, Found
    from ._code import Run
    from ._patterns import Tokens
    from ._sequences import Steps, Values

__all__ = ["Node", "insert"]

_END: Final = bytes([END])
_SLASH: Final = bytes([SLASH])


class Node:
    """A place in the tree.

    `run(parts, size, ...)` answers for a path, from here on. It is written when it is called
    first, as that takes longer than a match. Threads may be reading while one adds: whatever is
    attached is ready before.
    """

    __slots__ = ("_lock", "branches", "entry", "groups", "literals", "run", "scope")

    def __init__(self, lock: Lock, scope: Scope) -> None:
        self._lock, self.scope = lock, scope
        self.literals: dict[str, Node] = {}
        self.branches: dict[Steps, Branch] = {}
        self.groups: tuple[Group, ...] = ()
        self.entry: Entry | None = None
        self.run: Run
        self.renew()

    def renew(self) -> None:
        """Have its function written anew, as what it leads to has changed."""
        self.run = self._first

    def _first(self, *args: Any) -> Answer | None:
        with self._lock:
            run = self.run = written(self)
        return run(*args)

    def find(self, parts: list[str], index: int, values: Values) -> Found | None:
        """Find the route of the parts from `index`; `values` are those of the parts before."""
        if index == len(parts):
            return None if self.entry is None else (self.entry, values)
        child = self.literals.get(parts[index])
        if child is not None and (found := child.find(parts, index + 1, values)) is not None:
            return found
        for group in self.groups:
            if (found := group.find(parts, index, values)) is not None:
                return found
        return None

    def literal(self, text: str) -> Node:
        """Return the node behind literal text, made if there is none."""
        child = self.literals.get(text)
        if child is None:
            child = self.literals[text] = Node(self._lock, self.scope.beyond(None))
        return child

    def segment(self, steps: Steps, rank: Callable[[], bytes]) -> Node:
        """Return the node behind placeholders, made if there is none."""
        branch = self.branches.get(steps)
        if not isinstance(branch, Segment):
            child = Node(self._lock, self.scope.beyond(steps))
            branch = Segment(steps, rank(), child)
            self.attach(branch)
        return branch.child

    def attach(self, branch: Branch) -> None:
        """Add a branch to its group."""
        prefix = branch.steps.kinds[0][0]
        group = next((group for group in self.groups if group.rank == branch.rank), None)
        if group is None:
            group = Group(branch.rank, len(prefix))
            groups = list(self.groups)
            insort(groups, group, key=lambda group: group.rank)
            self.groups = tuple(groups)
        group.starts[prefix] = (*group.starts.get(prefix, ()), branch)
        self.branches[branch.steps] = branch


def insert(root: Node, entry: Entry) -> Entry:
    """Add an entry to the tree; give it back, or the one for the very same paths before it."""
    segments, rest = entry.pattern.parts
    way = [root]
    for segment in segments:
        way.append(_through(way[-1], segment))
    holder = _finish(way[-1], rest, entry) if rest else _end(way[-1], entry)
    for node in way:
        node.renew()
    return holder


def _through(node: Node, segment: Tokens) -> Node:
    if not any(isinstance(token, Placeholder) for token in segment):
        return node.literal("".join(map(str, segment)))
    return node.segment(steps_of(segment), lambda: ranks(segment))


def _end(node: Node, entry: Entry) -> Entry:
    if node.entry is None:
        node.entry = entry
    return node.entry


def _finish(node: Node, rest: Tokens, entry: Entry) -> Entry:
    steps = steps_of(rest)
    known = node.branches.get(steps)
    if isinstance(known, Rest):
        return known.entry
    # Ranked by its first segment, as all branches are.
    rank = ranks(rest).partition(_SLASH)[0].removesuffix(_END) + _END
    node.attach(Rest(steps, rank, entry))
    return entry
