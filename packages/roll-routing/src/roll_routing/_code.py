"""Writing the functions that match: the tree as nested conditions.

A match then costs no call and no loop for each segment, which halves its time. The function for
`/users/{name}` and `/files/{file}.json` reads, but for the names of its constants:

    def run(parts, size):
        if size >= 3:
            part0 = parts[0]
            if part0 == '':
                part1 = parts[1]
                if part1 == 'users':
                    part2 = parts[2]
                    if part2:
                        if size == 3:
                            return PAYLOAD, {'name': part2}
                elif part1 == 'files':
                    part2 = parts[2]
                    if part2.endswith('.json') and (more2 := part2[0:-5]):
                        if size == 3:
                            return OTHER_PAYLOAD, {'file': more2}
        return None

No text of a pattern is ever in that source: constants are numbered names in its namespace.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ._branches import Rest, Segment
from ._kinds import PLAIN
from ._rivals import rivalries
from ._scope import is_whole, pair_of, takes_some, values_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ._branches import Answer, Branch, Entry, Group
    from ._kinds import Kind
    from ._scope import Pair, Scope
    from ._sequences import Steps
    from ._trie import Node

    Run = Callable[..., Answer | None]

__all__ = ["Run", "written"]

# How many literals or branches of a node are tried one by one, rather than looked up.
_FEW: Final = 8
# How many nodes one function answers for, and how deep it nests: Python allows a hundred levels.
_NODES: Final = 100
_LEVELS: Final = 50


def written(node: Node) -> Run:
    """Write the function of a node: `run(parts, size, *passed)`."""
    writer = _Writer()
    writer.put(0, f"def run({', '.join(('parts', 'size', *node.scope.passed))}):")
    writer.place(node, 1, node.scope.depth)
    writer.put(1, "return None")
    namespace = writer.constants
    exec("\n".join(writer.lines), namespace)  # noqa: S102 - nothing in it is from outside
    run: Run = namespace["run"]
    return run


class _Writer:
    """Writes a function, and collects its constants.

    `level` is the indentation, `least` how many parts the path is known to have.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.constants: dict[str, Any] = {}
        self.nodes = 0

    def put(self, level: int, line: str) -> None:
        self.lines.append(" " * level + line)

    def constant(self, value: object) -> str:
        name = f"c{len(self.constants)}"
        self.constants[name] = value
        return name

    def place(self, node: Node, level: int, least: int) -> None:
        depth = node.scope.depth
        if node.entry:
            self.put(level, f"if size == {depth}:")
            self.answer(node.entry, node.scope.values, level + 1)
        if not (node.literals or node.groups):
            return
        if least <= depth and not node.entry:
            least = depth + _shortest(node)
            self.put(level, f"if size >= {least}:")
            level += 1
        self.put(level, f"part{depth} = parts[{depth}]")
        self.literals(node, level, least)
        self.groups(node, level, least)

    def answer(self, entry: Entry, values: Iterable[str], level: int) -> None:
        pairs = zip(entry.pattern.names, values, strict=True)
        named = ", ".join(f"{self.constant(name)}: {value}" for name, value in pairs)
        self.put(level, f"return {self.constant(entry.payload)}, {{{named}}}")

    def enter(self, node: Node, level: int, least: int) -> None:
        self.nodes += 1
        if self.nodes < _NODES and level < _LEVELS:
            self.place(node, level, least)
        else:
            self.proceed(self.constant(node), node.scope, level)

    def proceed(self, node: str, scope: Scope, level: int) -> None:
        """Go on in the function of a node."""
        self.attempt(f"{node}.run({', '.join(('parts', 'size', *scope.passed))})", level)

    def attempt(self, call: str, level: int) -> None:
        self.put(level, f"found = {call}")
        self.put(level, "if found is not None:")
        self.put(level + 1, "return found")

    def literals(self, node: Node, level: int, least: int) -> None:
        depth = node.scope.depth
        if len(node.literals) > _FEW:
            self.put(level, f"node = {self.constant(node.literals.get)}(part{depth})")
            self.put(level, "if node is not None:")
            self.proceed("node", node.scope, level + 1)
            return
        word = "if"
        for text, child in node.literals.items():
            self.put(level, f"{word} part{depth} == {self.constant(text)}:")
            self.enter(child, level + 1, least)
            word = "elif"

    def groups(self, node: Node, level: int, least: int) -> None:
        scope, joined = node.scope, False
        for group in node.groups:
            branches = group.branches
            if len(branches) > _FEW:
                self.decide(scope, group, level)
                continue
            if not joined and any(isinstance(branch, Rest) for branch in branches):
                self.put(level, f"rest{scope.depth} = '/'.join(parts[{scope.depth}:])")
                joined = True
            for rivals in rivalries(branches):
                self.rivals(scope, group, rivals, level, least)

    def decide(self, scope: Scope, group: Group, level: int) -> None:
        """Let the group itself find which of its branches wins."""
        values = "".join(f"{value}, " for value in scope.values)
        self.attempt(f"{self.constant(group)}.run(parts, {scope.depth}, ({values}))", level)

    def rivals(
        self, scope: Scope, group: Group, rivals: list[Branch], level: int, least: int
    ) -> None:
        """Try branches; where several take the text, what follows it decides."""
        word = "if"
        for index, branch in enumerate(rivals, 1):
            self.put(level, f"{word} {self.condition(branch, scope.depth)}:")
            others = [self.takes(rival, scope.depth) for rival in rivals[index:]]
            if others:
                self.put(level + 1, f"if {' or '.join(others)}:")
                self.decide(scope, group, level + 2)
                self.put(level + 1, "else:")
            self.follow(branch, scope, level + 1 + bool(others), least)
            word = "elif"

    def follow(self, branch: Branch, scope: Scope, level: int, least: int) -> None:
        if isinstance(branch, Segment):
            self.enter(branch.child, level, least)
        else:
            word = "rest" if is_whole(branch.steps) else "more"
            values = values_of(branch.steps, f"{word}{scope.depth}")
            self.answer(branch.entry, (*scope.values, *values), level)

    def takes(self, branch: Branch, depth: int) -> str:
        """Write the condition that a branch takes the text, without the values."""
        if is_whole(branch.steps):
            return self.condition(branch, depth)
        return f"{self.constant(branch.match)}({_text(branch, depth)}) is not None"

    def condition(self, branch: Branch, depth: int) -> str:
        """Write the condition that a branch takes the text, with the values cut out of it."""
        text, more, steps = _text(branch, depth), f"more{depth}", branch.steps
        if is_whole(steps):
            return text if takes_some(steps) else self.taken(steps.kinds[0][1], text)
        if takes_some(steps):
            return self.framed(steps, text, more)
        match = f"({more} := {self.constant(branch.match)}({text}))"
        if pair := pair_of(steps):
            return self.parted(pair, text, more, match)
        return f"{match} is not None"

    def framed(self, steps: Steps, text: str, more: str) -> str:
        """Write the condition that there is a value between two literal texts."""
        prefix, suffix = steps.kinds[0][0], steps.suffix
        ends = f"{text}.startswith({self.constant(prefix)}) and " if prefix else ""
        ends += f"{text}.endswith({self.constant(suffix)}) and " if suffix else ""
        # Where the two texts overlap, nothing is left between them.
        return f"{ends}({more} := {text}[{len(prefix)}:{-len(suffix) or ''}])"

    def parted(self, pair: Pair, text: str, more: str, match: str) -> str:
        """Write the condition that there is a value on each side of literal text."""
        literal = self.constant(pair.literal)
        left = self.taken(pair.left, f"({more} := {text}.{pair.cut}({literal}))[0]")
        both = f"{left} and {self.taken(pair.right, f'{more}[2]')}"
        return f"{literal} in {text} and {both if pair.sure else f'({both} or {match})'}"

    def taken(self, kind: Kind, value: str) -> str:
        """Write the condition that a kind takes a value."""
        return value if kind.rank == PLAIN else f"{self.constant(kind.accepts)}({value})"


def _text(branch: Branch, depth: int) -> str:
    return f"rest{depth}" if isinstance(branch, Rest) else f"part{depth}"


def _shortest(node: Node, ahead: int = 9) -> int:
    """Give the least number of segments from a node to a route, as far as one looks ahead."""
    if node.entry or not ahead:
        return 0
    if len(node.literals) > _FEW:
        return 1
    nodes = [*node.literals.values()]
    for branch in node.branches.values():
        if isinstance(branch, Rest):
            return 1
        nodes.append(branch.child)
    return 1 + min(_shortest(child, ahead - 1) for child in nodes)
