"""What autoroutes may be asked, and what makes sure of its answer.

Where each segment of a pattern has one placeholder at most, a path can be cut in one way only, and
a hit of autoroutes without an empty value is a true one, up to the kinds it does not know. Whether
another route should have won is told from the tree: some other branch, at one of the nodes where
the route took a placeholder, may take the segment too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ._patterns import Placeholder
from ._trie import Rest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ._patterns import Pattern
    from ._trie import Branch, Entry, Node

    Check = Callable[[dict[str, str]], bool]

__all__ = ["Spelling", "proof", "spelled"]


class Spelling(NamedTuple):
    """A pattern in the words of autoroutes, with its names and without."""

    named: str
    shape: str


def spelled(pattern: Pattern) -> Spelling | None:
    """Spell a pattern for autoroutes, or None if a hit would prove nothing."""
    segments, rest = pattern.parts
    for tokens in (*segments, rest or ()):
        if sum(isinstance(token, Placeholder) for token in tokens) > 1:
            return None
    named = _spell(pattern, "{{{0.name}:{0.kind.engine}}}")
    return Spelling(named, _spell(pattern, "{{{0.kind.engine}}}"))


def _spell(pattern: Pattern, form: str) -> str:
    return "".join(
        form.format(token) if isinstance(token, Placeholder) else token for token in pattern.tokens
    )


def proof(entry: Entry) -> Check | None:
    """Return what tells from the values whether a hit of autoroutes stands; None if it does."""
    checks = [
        check
        for name, (node, branch) in zip(entry.pattern.names, entry.steps, strict=True)
        for check in _checks(name, node, branch)
    ]
    if len(checks) > 1:
        return lambda values: all(check(values) for check in checks)
    return checks[0] if checks else None


def _checks(name: str, node: Node, branch: Branch) -> Iterator[Check]:
    ((prefix, kind),), suffix = branch.steps
    verify, literals = kind.verify, node.literals
    if verify is not None:
        yield lambda values: verify(values[name])
    if not prefix and not suffix and node.lone is branch:
        if literals:
            yield lambda values: values[name] not in literals
    elif literals or len(node.branches) > 1:
        yield lambda values: not _contested(node, branch, f"{prefix}{values[name]}{suffix}")


def _contested(node: Node, branch: Branch, text: str) -> bool:
    """Tell whether anything at the node that does not rank after the branch may take the text."""
    segment = text.partition("/")[0]
    if segment in node.literals:
        return True
    for rank, length, branches in node.groups:
        if rank > branch.rank:
            break
        for rival in branches.get(segment[:length], ()):
            if rival is not branch and (isinstance(rival, Rest) or rival.match(segment)):
                return True
    return False
