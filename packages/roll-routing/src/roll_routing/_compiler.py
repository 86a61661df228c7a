"""Compiling a node of the tree to a function of nested conditions.

A match then costs no call and no loop for each segment, which halves its time. The function for
`/users/{name}` reads, but for the names of its constants:

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
        return None

No text of a pattern is ever in that source: constants are numbered names in its namespace.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ._kinds import PLAIN
from ._matching import Steps, is_whole, pair_of, takes_some
from ._precedence import rivalries

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._kinds import Kind
    from ._matching import Pair
    from ._trie import Answer, Branch, Group, Node, Run

    Match = Callable[[str], Answer | tuple[None, None]]

__all__ = ["Match", "compile_match", "compile_node", "write_match"]

# How many literals or branches of a node are tried one by one, rather than looked up.
_FEW: Final = 8
# How many nodes one function answers for, and how deep it nests: Python allows a hundred levels.
_NODES: Final = 100
_LEVELS: Final = 50
# What each function knows of the path: its text, its segments, their number.
_PATH: Final = ("path", "parts", "size")


def compile_match(root: Node) -> Match:
    """Return the function `match(path)` of a tree."""
    source, namespace = write_match(root)
    exec(source, namespace)  # noqa: S102 - no text of a pattern is in it
    match: Match = namespace["match"]
    return match


def write_match(root: Node) -> tuple[str, dict[str, Any]]:
    """Return the source of the function of a tree, and its constants by their names."""
    writer = _Writer()
    writer.put(0, "def match(path):")
    writer.put(1, "parts = path.split('/')")
    writer.put(1, "size = len(parts)")
    writer.place(root, 1, 0)
    writer.put(1, "return None, None")
    return "\n".join(writer.lines), writer.constants


def compile_node(node: Node) -> Run:
    """Return the function of a node: `run(path, parts, size, *passed)`."""
    writer, scope = _Writer(), _Scope(node)
    writer.put(0, f"def run({', '.join((*_PATH, *scope.passed))}):")
    writer.place(node, 1, scope.depth)
    writer.put(1, "return None")
    exec("\n".join(writer.lines), writer.constants)  # noqa: S102 - no text of a pattern is in it
    run: Run = writer.constants["run"]
    return run


class _Scope:
    """What is known at a node, in the words of the function."""

    def __init__(self, node: Node) -> None:
        self.depth = len(node.way)
        """How many segments are before it."""
        self._steps = [
            (depth, steps) for depth, steps in enumerate(node.way) if isinstance(steps, Steps)
        ]

    @property
    def passed(self) -> list[str]:
        """The variables that hold the values of these, for where another function goes on."""
        return [_variable(steps, depth) for depth, steps in self._steps]

    @property
    def values(self) -> list[str]:
        """The expressions for the values of all placeholders before."""
        return [value for depth, steps in self._steps for value in _values(steps, depth)]


def _text(steps: Steps, depth: int) -> str:
    """Name the variable of the text that is matched."""
    return f"rest{depth}" if steps.takes_rest else f"part{depth}"


def _variable(steps: Steps, depth: int) -> str:
    """Name the variable of what is found in that text."""
    return _text(steps, depth) if is_whole(steps) else f"more{depth}"


def _values(steps: Steps, depth: int) -> list[str]:
    variable = _variable(steps, depth)
    if is_whole(steps) or takes_some(steps):
        return [variable]
    if pair_of(steps):
        return [f"{variable}[0]", f"{variable}[-1]"]
    return [f"{variable}[{index}]" for index in range(len(steps.kinds))]


class _Writer:
    """Writes a function, and collects its constants.

    `level` is the indentation, `least` how many parts the path is known to have.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.constants: dict[str, Any] = {}
        self.nodes = 0

    def put(self, level: int, line: str) -> None:
        self.lines.append("    " * level + line)

    def constant(self, value: object) -> str:
        name = f"c{len(self.constants)}"
        self.constants[name] = value
        return name

    def place(self, node: Node, level: int, least: int) -> None:
        depth = len(node.way)
        if node.entries:
            self.put(level, f"if size == {depth}:")
            self.answer(node, level + 1)
        if not (node.literals or node.groups):
            return
        if least <= depth and not node.entries:
            least = depth + _shortest(node)
            self.put(level, f"if size >= {least}:")
            level += 1
        if node.literals or any(not branch.takes_rest for branch in node.branches.values()):
            self.put(level, f"part{depth} = parts[{depth}]")
        if node.literals:
            self.literals(node, level, least)
        if node.groups:
            self.groups(node, level, least)

    def answer(self, node: Node, level: int) -> None:
        entry = node.entries[0]
        pairs = zip(entry.pattern.names, _Scope(node).values, strict=True)
        named = ", ".join(f"{self.constant(name)}: {value}" for name, value in pairs)
        self.put(level, f"return {self.constant(entry.payload)}, {{{named}}}")

    def enter(self, node: Node, level: int, least: int) -> None:
        self.nodes += 1
        if self.nodes < _NODES and level < _LEVELS:
            self.place(node, level, least)
        else:
            self.proceed(self.constant(node), _Scope(node), level)

    def proceed(self, node: str, scope: _Scope, level: int) -> None:
        """Go on in the function of a node."""
        self.attempt(f"{node}.run({', '.join((*_PATH, *scope.passed))})", level)

    def attempt(self, call: str, level: int) -> None:
        self.put(level, f"found = {call}")
        self.put(level, "if found is not None:")
        self.put(level + 1, "return found")

    def literals(self, node: Node, level: int, least: int) -> None:
        part = f"part{len(node.way)}"
        if len(node.literals) > _FEW:
            self.put(level, f"node = {self.constant(node.literals.get)}({part})")
            self.put(level, "if node is not None:")
            self.proceed("node", _Scope(node), level + 1)
            return
        word = "if"
        for text, child in node.literals.items():
            condition = f"{part} == {self.constant(text)}" if text else f"not {part}"
            self.put(level, f"{word} {condition}:")
            self.enter(child, level + 1, least)
            word = "elif"

    def groups(self, node: Node, level: int, least: int) -> None:
        scope, joined = _Scope(node), False
        for group in node.groups:
            branches = group.branches
            if len(branches) > _FEW:
                self.decide(group, scope, level)
                continue
            if not joined and any(branch.takes_rest for branch in branches):
                self.put(level, f"rest{scope.depth} = {_rest(node)}")
                joined = True
            for rivals in rivalries(branches):
                self.rivals(group, rivals, scope, level, least)

    def decide(self, group: Group, scope: _Scope, level: int) -> None:
        """Let the group itself find which of its branches wins."""
        values = "".join(f"{value}, " for value in scope.values)
        self.attempt(f"{self.constant(group)}.run(parts, {scope.depth}, ({values}))", level)

    def rivals(
        self, group: Group, rivals: list[Branch], scope: _Scope, level: int, least: int
    ) -> None:
        """Try branches; where several take the text, what follows it decides."""
        word = "if"
        for index, branch in enumerate(rivals, 1):
            self.put(level, f"{word} {self.condition(branch, scope.depth)}:")
            others = [self.takes(rival, scope.depth) for rival in rivals[index:]]
            if others:
                self.put(level + 1, f"if {' or '.join(others)}:")
                self.decide(group, scope, level + 2)
                self.put(level + 1, "else:")
            self.follow(branch, level + 1 + bool(others), least)
            word = "elif"

    def follow(self, branch: Branch, level: int, least: int) -> None:
        if branch.takes_rest:
            self.answer(branch.child, level)
        else:
            self.enter(branch.child, level, least)

    def takes(self, branch: Branch, depth: int) -> str:
        """Write the condition that a branch takes the text, without the values."""
        if is_whole(branch.steps):
            return self.condition(branch, depth)
        return f"{self.constant(branch.match)}({_text(branch.steps, depth)}) is not None"

    def condition(self, branch: Branch, depth: int) -> str:
        """Write the condition that a branch takes the text, with the values cut out of it."""
        steps = branch.steps
        text, more = _text(steps, depth), f"more{depth}"
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


def _shortest(node: Node, ahead: int = 9) -> int:
    """Return the least number of segments from a node to a route, as far as one looks ahead."""
    if node.entries or not ahead:
        return 0
    if len(node.literals) > _FEW:
        return 1
    nodes = [*node.literals.values()]
    for branch in node.branches.values():
        if branch.takes_rest:
            return 1
        nodes.append(branch.child)
    return 1 + min(_shortest(child, ahead - 1) for child in nodes)


def _prefix(node: Node) -> str | None:
    """Return what the paths that lead to a node begin with, if that is all literal text."""
    texts = [text for text in node.way if isinstance(text, str)]
    return "".join(f"{text}/" for text in texts) if len(texts) == len(node.way) else None


def _rest(node: Node) -> str:
    """Write the expression for the rest of a path."""
    prefix = _prefix(node)
    if prefix is None:
        return f"'/'.join(parts[{len(node.way)}:])"
    return f"path[{len(prefix)}:]"
