"""The tree, compiled to Python functions of nested conditions.

A compiled match makes no call and no loop for each segment, which halves its time. This is the
function for `/users/{name}/posts`, with other names for its constants:

    def match(path):
        if '/users/' <= path < '/users0':
            parts = path.split('/')
            size = len(parts)
            part2 = parts[2]
            if part2:
                if size >= 4:
                    part3 = parts[3]
                    if part3 == 'posts':
                        if size == 4:
                            return PAYLOAD, {'name': part2}
            return None, None
        return None, None

The source never contains text of a pattern: constants have numbered names in its namespace.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from ._matching import Steps, is_whole, pair_of, takes_some, write_condition
from ._precedence import rivalries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ._trie import Answer, Branch, Group, Node, Run

    Match = Callable[[str], Answer | tuple[None, None]]

__all__ = ["Match", "compile_match", "compile_node", "write_match"]

# Up to this number, the literals or branches of a node are tried one by one. More are looked up.
_FEW: Final = 8
# The most nodes of one function, and the deepest nesting: Python allows a hundred levels.
_NODES: Final = 100
_LEVELS: Final = 50
# The arguments of the function of a node: the path, its segments, and their number.
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
    heads = list(islice(_heads(root), _FEW + 1))
    if len(heads) > _FEW:
        writer.split(1)
        writer.place(root, 1, 0)
    else:
        for index, head in enumerate(heads, 1):
            writer.head(head, heads[index:])
    writer.put(1, "return None, None")
    return "\n".join(writer.lines), writer.constants


def compile_node(node: Node) -> Run:
    """Return the function of a node: `run(path, parts, size, *passed)`."""
    writer = _Writer()
    writer.put(0, f"def run({_arguments(node)}):")
    writer.place(node, 1, len(node.way))
    writer.put(1, "return None")
    exec("\n".join(writer.lines), writer.constants)  # noqa: S102 - no text of a pattern is in it
    run: Run = writer.constants["run"]
    return run


def _steps(node: Node) -> Iterator[tuple[int, Steps]]:
    """Yield the placeholders before a node, with the depths of their segments."""
    return ((depth, steps) for depth, steps in enumerate(node.way) if isinstance(steps, Steps))


def _arguments(node: Node) -> str:
    """Return the arguments of the function of a node, with the values before the node."""
    return ", ".join([*_PATH, *(_variable(steps, depth) for depth, steps in _steps(node))])


def _values(node: Node) -> list[str]:
    """Return the expressions for the values of all placeholders before a node."""
    return [value for depth, steps in _steps(node) for value in _values_of(steps, depth)]


def _text(steps: Steps, depth: int) -> str:
    """Return the name of the variable with the text that is matched."""
    return f"rest{depth}" if steps.takes_rest else f"part{depth}"


def _variable(steps: Steps, depth: int) -> str:
    """Return the name of the variable with the values found in that text."""
    return _text(steps, depth) if is_whole(steps) else f"more{depth}"


def _values_of(steps: Steps, depth: int) -> list[str]:
    variable = _variable(steps, depth)
    if is_whole(steps) or takes_some(steps):
        return [variable]
    if pair_of(steps):
        return [f"{variable}[0]", f"{variable}[-1]"]
    return [f"{variable}[{index}]" for index in range(len(steps.kinds))]


class _Writer:
    """Writes a function, and collects its constants.

    `level` is the indentation. `least` is the known minimum of parts of the path.
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

    def split(self, level: int) -> None:
        self.put(level, "parts = path.split('/')")
        self.put(level, "size = len(parts)")

    def head(self, node: Node, others: list[Node]) -> None:
        """Write the match of the paths that begin with the literal text of a node.

        These paths are a range of texts: two comparisons cost half of a `startswith`.
        """
        prefix, depth, level = _prefix(node) or "", len(node.way), 1
        if prefix:
            beyond = prefix[:-1] + chr(ord("/") + 1)
            self.put(1, f"if {self.constant(prefix)} <= path < {self.constant(beyond)}:")
            level = 2
        branches, inner = node.branches.values(), level
        apart = len(node.groups) == len(branches)
        if apart and not any(branch.takes_rest or branch.child.children for branch in branches):
            # No segment follows. A split would cost more than the whole match.
            self.put(level, f"part{depth} = {_rest(node)}")
            self.put(level, f"if '/' not in part{depth}:")
            self.put(level + 1, f"size = {depth + 1}")
            inner += 1
        elif not (apart and all(branch.takes_rest for branch in branches)):
            self.split(level)
            self.put(level, f"part{depth} = parts[{depth}]")
        self.groups(node, inner, depth + 1)
        if not any(prefix.startswith(_prefix(other) or "") for other in others):
            self.put(level, "return None, None")

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
        pairs = zip(entry.pattern.names, _values(node), strict=True)
        named = ", ".join(f"{self.constant(name)}: {value}" for name, value in pairs)
        self.put(level, f"return {self.constant(entry.payload)}, {{{named}}}")

    def enter(self, node: Node, level: int, least: int) -> None:
        self.nodes += 1
        if self.nodes < _NODES and level < _LEVELS:
            self.place(node, level, least)
        else:
            self.attempt(f"{self.constant(node)}.run({_arguments(node)})", level)

    def attempt(self, call: str, level: int) -> None:
        self.put(level, f"found = {call}")
        self.put(level, "if found is not None:")
        self.put(level + 1, "return found")

    def literals(self, node: Node, level: int, least: int) -> None:
        part = f"part{len(node.way)}"
        if len(node.literals) > _FEW:
            self.put(level, f"node = {self.constant(node.literals.get)}({part})")
            self.put(level, "if node is not None:")
            self.attempt(f"node.run({_arguments(node)})", level + 1)
            return
        word = "if"
        for text, child in node.literals.items():
            condition = f"{part} == {self.constant(text)}" if text else f"not {part}"
            self.put(level, f"{word} {condition}:")
            self.enter(child, level + 1, least)
            word = "elif"

    def groups(self, node: Node, level: int, least: int) -> None:
        joined = False
        for group in node.groups:
            branches = group.branches
            if len(branches) > _FEW:
                self.decide(group, node, level)
                continue
            if not joined and any(branch.takes_rest for branch in branches):
                self.put(level, f"rest{len(node.way)} = {_rest(node)}")
                joined = True
            for rivals in rivalries(branches):
                self.rivals(group, rivals, node, level, least)

    def decide(self, group: Group, node: Node, level: int) -> None:
        """Write a call of the group, which finds the branch that wins."""
        values = "".join(f"{value}, " for value in _values(node))
        self.attempt(f"{self.constant(group)}.run(parts, {len(node.way)}, ({values}))", level)

    def rivals(
        self, group: Group, rivals: list[Branch], node: Node, level: int, least: int
    ) -> None:
        """Write the match of branches. If several accept the text, later segments decide."""
        word, depth = "if", len(node.way)
        for index, branch in enumerate(rivals, 1):
            self.put(level, f"{word} {self.condition(branch, depth)}:")
            others = [self.takes(rival, depth) for rival in rivals[index:]]
            if others:
                self.put(level + 1, f"if {' or '.join(others)}:")
                self.decide(group, node, level + 2)
                self.put(level + 1, "else:")
            self.follow(branch, level + 1 + bool(others), least)
            word = "elif"

    def follow(self, branch: Branch, level: int, least: int) -> None:
        if branch.takes_rest:
            self.answer(branch.child, level)
        else:
            self.enter(branch.child, level, least)

    def condition(self, branch: Branch, depth: int) -> str:
        """Return the condition that a branch accepts the text. It also sets the values."""
        text = _text(branch.steps, depth)
        return write_condition(branch.steps, branch.match, text, f"more{depth}", self.constant)

    def takes(self, branch: Branch, depth: int) -> str:
        """Return the condition that a branch accepts the text, without the values."""
        if is_whole(branch.steps):
            return self.condition(branch, depth)
        return f"{self.constant(branch.match)}({_text(branch.steps, depth)}) is not None"


def _shortest(node: Node, ahead: int = 9) -> int:
    """Return the least number of segments from a node to a route, at most `ahead`."""
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


def _heads(node: Node) -> Iterator[Node]:
    """Yield the nodes with branches that only literal text leads to, the deepest first."""
    for child in node.literals.values():
        yield from _heads(child)
    if node.groups:
        yield node


def _prefix(node: Node) -> str | None:
    """Return the literal text that leads to a node, or None if a placeholder leads to it."""
    texts = [text for text in node.way if isinstance(text, str)]
    return "".join(f"{text}/" for text in texts) if len(texts) == len(node.way) else None


def _rest(node: Node) -> str:
    """Return the expression for the rest of a path."""
    prefix = _prefix(node)
    if prefix is None:
        return f"'/'.join(parts[{len(node.way)}:])"
    return f"path[{len(prefix)}:]"
