"""The routes as a tree of segments, whose branches are tried in the order of precedence.

Only one way leads to each node, so a match visits each node once at most.
"""

from __future__ import annotations

from bisect import insort
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from ._kinds import END, SLASH
from ._matching import Steps, matcher
from ._pattern import Placeholder, rank_tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ._kinds import Kind
    from ._matching import Values
    from ._pattern import Pattern, Tokens

    Answer = tuple[dict[str, Any], dict[str, str]]
    Found = tuple["Entry", Values]
    Run = Callable[..., Answer | None]
    Compile = Callable[["Node"], Run]

__all__ = [
    "Answer",
    "Branch",
    "Compile",
    "Entry",
    "Group",
    "Node",
    "Run",
    "insert",
    "remove",
    "update",
]


class Entry:
    """A registered route.

    `order`: of two routes that match a path, the one with the lower order wins.
    `payload`: what a match returns. `given`: what was registered for this path. They are one
        dict, unless routes with other names of placeholders complete the payload.
    """

    __slots__ = ("given", "order", "path", "pattern", "payload")

    def __init__(
        self, path: str, pattern: Pattern, order: tuple[bytes, int], payload: dict[str, Any]
    ) -> None:
        self.path = str.__str__(path)  # autoroutes refuses a subclass of str
        self.pattern, self.order = pattern, order
        self.payload = self.given = payload


class Node:
    """A place in the tree.

    `way`: the segments before it, literal text or placeholders.
    `entries`: the routes that end here, with different names. A match finds the first.
    `run(path, parts, size, ...)`: matches the rest of a path. It is compiled at its first call,
        because compiling takes longer than a match.

    Threads may read while one adds: a node is complete before it is attached.
    """

    __slots__ = ("_compile", "branches", "entries", "groups", "literals", "run", "way")

    def __init__(self, compile_run: Compile, way: tuple[str | Steps, ...] = ()) -> None:
        self._compile, self.way = compile_run, way
        self.literals: dict[str, Node] = {}
        self.branches: dict[Steps, Branch] = {}
        self.groups: tuple[Group, ...] = ()
        self.entries: tuple[Entry, ...] = ()
        self.run: Run
        self.renew()

    def renew(self) -> None:
        """Compile `run` again at its next call, because the tree below the node has changed."""
        self.run = self._first

    def _first(self, *args: Any) -> Answer | None:
        return self._compile(self)(*args)

    def find(self, parts: list[str], index: int, values: Values) -> Found | None:
        """Find the route of the parts from `index`; `values` are those of the parts before."""
        if index == len(parts):
            return (self.entries[0], values) if self.entries else None
        child = self.literals.get(parts[index])
        if child is not None and (found := child.find(parts, index + 1, values)) is not None:
            return found
        for group in self.groups:
            if (found := group.find(parts, index, values)) is not None:
                return found
        return None

    @property
    def children(self) -> list[Node]:
        """The nodes below this one."""
        return [*self.literals.values(), *(branch.child for branch in self.branches.values())]

    def through(self, segment: Tokens) -> Node:
        """Return the node after a segment. Make it if it does not exist."""
        if any(isinstance(token, Placeholder) for token in segment):
            steps = _steps_of(segment)
            branch = self.branches.get(steps) or self._branch(steps, segment)
            return branch.child
        text = "".join(map(str, segment))
        if text not in self.literals:
            self.literals[text] = Node(self._compile, (*self.way, text))
        return self.literals[text]

    def complete(self) -> None:
        """Complete the payload of the first route with the keys that only the others have."""
        first = self.entries[0]
        if first.given is first.payload:
            if len(self.entries) == 1:
                return
            first.given = first.payload.copy()
        payload = {key: each.given[key] for each in self.entries[::-1] for key in each.given}
        for key in first.payload.keys() - payload.keys():
            del first.payload[key]
        first.payload.update(payload)

    def drop(self, child: Node) -> None:
        """Remove a child."""
        last = child.way[-1]
        if isinstance(last, str):
            del self.literals[last]
            return
        branch = self.branches.pop(last)
        for group in self.groups:
            group.discard(branch)
        self.groups = tuple(group for group in self.groups if group.ends)

    def tails(self) -> Iterator[tuple[tuple[bytes, int], tuple[str | None, ...]]]:
        """Yield the routes from here on, as `Branch.tails` does."""
        for entry in self.entries[:1]:
            yield entry.order, ()
        for text, child in self.literals.items():
            for order, tail in child.tails():
                yield order, (text, *tail)
        for branch in self.branches.values():
            for order, tail in branch.child.tails():
                yield order, ("/",) if branch.takes_rest else (None, *tail)

    def _branch(self, steps: Steps, segment: Tokens) -> Branch:
        child = Node(self._compile, (*self.way, steps))
        branch = self.branches[steps] = Branch(steps, child)
        # The first segment alone ranks, even if the branch takes the rest of the path.
        rank = rank_tokens(segment).partition(_SLASH)[0].removesuffix(_END) + _END
        self._group(rank, len(branch.prefix)).add(branch)
        return branch

    def _group(self, rank: bytes, length: int) -> Group:
        for group in self.groups:
            if group.rank == rank:
                return group
        group = Group(rank, length)
        groups = list(self.groups)
        insort(groups, group, key=lambda group: group.rank)
        self.groups = tuple(groups)
        return group


_END: Final = bytes([END])
_SLASH: Final = bytes([SLASH])


class Branch:
    """A way to a node through placeholders, without their names: the entries have these.

    `prefix`, `suffix`: the literal text before its first placeholder, and after its last one.
    """

    __slots__ = ("child", "ends", "match", "prefix", "steps", "suffix", "takes_rest")

    def __init__(self, steps: Steps, child: Node) -> None:
        self.steps, self.child, self.match = steps, child, matcher(steps)
        ((self.prefix, _), *_), self.suffix, self.takes_rest = steps
        self.ends = self.prefix, None if self.takes_rest else self.suffix

    def tails(self) -> Iterator[tuple[tuple[bytes, int], tuple[str | None, ...] | None]]:
        """Yield the order of each route below the branch, and the segments that follow the branch.

        A segment is literal text, None for a placeholder, or "/" if it takes the rest of the
        path. All of them are None if the branch itself takes the rest.
        """
        for order, tail in self.child.tails():
            yield order, None if self.takes_rest else tail


class Group:
    """The branches of a node that have the same rank. The rest of the path decides which one wins.

    `ends`: the branches by their prefix and their suffix, so that a match compares few of them.
        All prefixes have one length, and all suffixes within a segment. A branch that takes the
        rest of the path has None as its suffix.
    """

    __slots__ = ("ends", "length", "rank", "suffix_length")

    def __init__(self, rank: bytes, length: int) -> None:
        self.rank, self.length, self.suffix_length = rank, length, 0
        self.ends: dict[tuple[str, str | None], list[Branch]] = {}

    def add(self, branch: Branch) -> None:
        """Add a branch."""
        if not branch.takes_rest:
            self.suffix_length = len(branch.suffix)
        # A list grows in constant time, also while a thread iterates over it.
        self.ends.setdefault(branch.ends, []).append(branch)

    def discard(self, branch: Branch) -> None:
        """Remove a branch, if it is in the group."""
        others = [other for other in self.ends.pop(branch.ends, ()) if other is not branch]
        if others:
            self.ends[branch.ends] = others

    @property
    def branches(self) -> list[Branch]:
        """All of them."""
        return [branch for alike in list(self.ends.values()) for branch in alike]

    def find(self, parts: list[str], index: int, values: Values) -> Found | None:
        """Find the route of the parts from `index`; `values` are those of the parts before."""
        best: Found | None = None
        part = parts[index]
        prefix, suffix = part[: self.length], part[len(part) - self.suffix_length :]
        for branch in (*self.ends.get((prefix, suffix), ()), *self.ends.get((prefix, None), ())):
            rest = branch.takes_rest
            more = branch.match("/".join(parts[index:]) if rest else part)
            if more is None:
                continue
            found = branch.child.find(parts, len(parts) if rest else index + 1, values + more)
            if found is not None and (best is None or found[0].order < best[0].order):
                best = found
        return best

    def run(self, parts: list[str], index: int, values: Values) -> Answer | None:
        """Match as the function of a node does."""
        found = self.find(parts, index, values)
        if found is None:
            return None
        entry, values = found
        return entry.payload, dict(zip(entry.pattern.names, values, strict=True))


def insert(root: Node, entry: Entry) -> None:
    """Add an entry to the tree."""
    way = _way(root, entry)
    way[-1].entries += (entry,)
    way[-1].complete()
    for node in way:
        node.renew()


def update(root: Node, entry: Entry, payload: dict[str, Any]) -> None:
    """Merge a payload into that of an entry of the tree."""
    entry.given.update(payload)
    _way(root, entry)[-1].complete()


def remove(root: Node, entry: Entry) -> None:
    """Remove an entry from the tree, and the nodes that lead to no other entry."""
    way = _way(root, entry)
    last = way[-1]
    last.entries = tuple(other for other in last.entries if other is not entry)
    if last.entries:
        last.complete()
    for parent, node in reversed([*pairwise(way)]):
        if not (node.entries or node.children):
            parent.drop(node)
    for node in way:
        node.renew()


def _way(root: Node, entry: Entry) -> list[Node]:
    """Return the nodes that lead to an entry. Make those that do not exist."""
    way = [root]
    for segment in entry.pattern.segments:
        way.append(way[-1].through(segment))
    return way


def _steps_of(tokens: Tokens) -> Steps:
    """Return the placeholders with the literal text before each, and the text after the last."""
    kinds: list[tuple[str, Kind]] = []
    literal = ""
    for token in tokens:
        if isinstance(token, Placeholder):
            kinds.append((literal, token.kind))
            literal = ""
        else:
            literal += token
    return Steps(tuple(kinds), literal, any(kind.slash for _, kind in kinds))
