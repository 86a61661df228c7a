"""The routes as a tree of segments, whose branches are tried in the order of precedence.

Each node is reached by one way only: whatever the path, a match visits each node once at most.
"""

from __future__ import annotations

from bisect import insort
from itertools import islice
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
    Order = tuple[bytes, int]
    # What follows a branch: literal texts, None for a placeholder, a "/" where all the rest is
    # taken. None instead of them if the branch itself takes it.
    Tail = tuple[str | None, ...] | None

__all__ = ["Answer", "Branch", "Compile", "Entry", "Group", "Node", "Run", "insert", "rivalries"]

# How many routes behind a branch are compared with others: the work grows with their square.
_MANY: Final = 32


class Entry:
    """A registered route.

    `order`: of two routes that match a path, the lower wins.
    `holder`: the route of the very same paths that was there before, if there is one.
    """

    __slots__ = ("holder", "order", "path", "pattern", "payload")

    def __init__(self, path: str, pattern: Pattern, order: Order, payload: dict[str, Any]) -> None:
        self.path, self.pattern, self.order, self.payload = path, pattern, order, payload
        self.holder: Entry | None = None


class Node:
    """A place in the tree.

    `way`: the segments before it, literal text or placeholders.
    `run(path, parts, size, ...)`: answers for a path, from here on. It is compiled when it is
        called first, as that takes longer than a match.

    Threads may be reading while one adds: whatever is attached is ready before.
    """

    __slots__ = ("_compile", "branches", "entry", "groups", "literals", "run", "way")

    def __init__(self, compile_run: Compile, way: tuple[str | Steps, ...] = ()) -> None:
        self._compile, self.way = compile_run, way
        self.literals: dict[str, Node] = {}
        self.branches: dict[Steps, Branch] = {}
        self.groups: tuple[Group, ...] = ()
        self.entry: Entry | None = None
        self.run: Run
        self.renew()

    def renew(self) -> None:
        """Have `run` compiled again, as what the node leads to has changed."""
        self.run = self._first

    def _first(self, *args: Any) -> Answer | None:
        return self._compile(self)(*args)

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

    @property
    def children(self) -> list[Node]:
        """The nodes behind it."""
        return [*self.literals.values(), *(branch.child for branch in self.branches.values())]

    def through(self, segment: Tokens) -> Node:
        """Return the node behind a segment; make it if there is none."""
        if any(isinstance(token, Placeholder) for token in segment):
            steps = _steps_of(segment)
            branch = self.branches.get(steps) or self._branch(steps, segment)
            return branch.child
        text = "".join(map(str, segment))
        if text not in self.literals:
            self.literals[text] = Node(self._compile, (*self.way, text))
        return self.literals[text]

    def _branch(self, steps: Steps, segment: Tokens) -> Branch:
        child = Node(self._compile, (*self.way, steps))
        branch = self.branches[steps] = Branch(steps, child)
        # What ranks is the first segment, also where all the rest is taken.
        rank = rank_tokens(segment).partition(_SLASH)[0].removesuffix(_END) + _END
        self._group(rank, steps).add(branch)
        return branch

    def _group(self, rank: bytes, steps: Steps) -> Group:
        for group in self.groups:
            if group.rank == rank:
                return group
        group = Group(rank, len(steps.kinds[0][0]))
        groups = list(self.groups)
        insort(groups, group, key=lambda group: group.rank)
        self.groups = tuple(groups)
        return group


_END: Final = bytes([END])
_SLASH: Final = bytes([SLASH])


class Branch:
    """A way on, through placeholders. Names are not its affair: the entries below have them."""

    __slots__ = ("child", "match", "steps")

    def __init__(self, steps: Steps, child: Node) -> None:
        self.steps, self.child = steps, child
        self.match = matcher(steps)


class Group:
    """The branches of a node that rank alike: which of them wins, the rest of a route decides.

    `starts`: the branches by the literal text they begin with, all of one length.
    """

    __slots__ = ("length", "rank", "starts")

    def __init__(self, rank: bytes, length: int) -> None:
        self.rank, self.length = rank, length
        self.starts: dict[str, tuple[Branch, ...]] = {}

    def add(self, branch: Branch) -> None:
        """Add a branch."""
        prefix = branch.steps.kinds[0][0]
        self.starts[prefix] = (*self.starts.get(prefix, ()), branch)

    @property
    def branches(self) -> list[Branch]:
        """All of them."""
        return [branch for alike in self.starts.values() for branch in alike]

    def find(self, parts: list[str], index: int, values: Values) -> Found | None:
        """Find the route of the parts from `index`; `values` are those of the parts before."""
        best: Found | None = None
        part = parts[index]
        for branch in self.starts.get(part[: self.length], ()):
            rest = branch.steps.takes_rest
            more = branch.match("/".join(parts[index:]) if rest else part)
            if more is None:
                continue
            found = branch.child.find(parts, len(parts) if rest else index + 1, values + more)
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


def insert(root: Node, entry: Entry) -> Entry:
    """Add an entry to the tree; return it, or the one for the very same paths before it."""
    way = [root]
    for segment in entry.pattern.segments:
        way.append(way[-1].through(segment))
    last = way[-1]
    if last.entry is None:
        last.entry = entry
    for node in way:
        node.renew()
    return last.entry


def _steps_of(tokens: Tokens) -> Steps:
    """Pair the placeholders with the text around them."""
    kinds: list[tuple[str, Kind]] = []
    literal = ""
    for token in tokens:
        if isinstance(token, Placeholder):
            kinds.append((literal, token.kind))
            literal = ""
        else:
            literal += token
    return Steps(tuple(kinds), literal, any(kind.slash for _, kind in kinds))


def rivalries(branches: list[Branch]) -> Iterator[list[Branch]]:
    """Put those together of which one must know more of a path to tell which of them wins.

    All others may be tried one after the other, in the order in which they are given.
    """
    apart: dict[tuple[str, str], list[Branch]] = {}
    all_segments = not any(branch.steps.takes_rest for branch in branches)
    for branch in branches:
        # As they rank alike, the literal texts of segments are of one length.
        texts = branch.steps.kinds[0][0], branch.steps.suffix if all_segments else ""
        apart.setdefault(texts, []).append(branch)
    for rivals in apart.values():
        ordered = _ordered(rivals)
        if ordered is None:
            yield rivals
        else:
            yield from ([branch] for branch in ordered)


def _ordered(rivals: list[Branch]) -> list[Branch] | None:
    """Sort branches so that the first to match has the route that wins, if that can be."""
    if len(rivals) == 1:
        return rivals
    left = {branch: list(islice(_tails(branch), _MANY)) for branch in rivals}
    if any(len(tails) == _MANY for tails in left.values()):
        return None
    ordered: list[Branch] = []
    while left:
        first = next((branch for branch in left if not _beaten(branch, left)), None)
        if first is None:
            return None
        ordered.append(first)
        del left[first]
    return ordered


def _beaten(branch: Branch, rivals: dict[Branch, list[tuple[Order, Tail]]]) -> bool:
    """Tell whether, for some path, another one has a route that wins over those of a branch."""
    return any(
        other_order < order and _meet(tail, other_tail)
        for order, tail in rivals[branch]
        for rival, tails in rivals.items()
        if rival is not branch
        for other_order, other_tail in tails
    )


def _meet(one: Tail, other: Tail) -> bool:
    """Tell whether a path may go on both ways, as far as the literal texts say."""
    if one is None or other is None:
        return True
    for text, other_text in zip(one, other, strict=False):
        if "/" in (text, other_text):
            return True
        if None not in (text, other_text) and text != other_text:
            return False
    return len(one) == len(other)


def _tails(branch: Branch) -> Iterator[tuple[Order, Tail]]:
    for order, way in _ways(branch.child):
        yield order, None if branch.steps.takes_rest else way


def _ways(node: Node) -> Iterator[tuple[Order, tuple[str | None, ...]]]:
    if node.entry:
        yield node.entry.order, ()
    for text, child in node.literals.items():
        for order, way in _ways(child):
            yield order, (text, *way)
    for branch in node.branches.values():
        for order, way in _ways(branch.child):
            yield order, ("/",) if branch.steps.takes_rest else (None, *way)
