"""What autoroutes may be asked, and what makes sure of its answer.

Where each segment of a pattern has one placeholder at most, a path can be cut in one way only, and
a hit of autoroutes without an empty value is a true one, up to the kinds it does not know. Whether
another route should have won is told from the tree: some other branch, at one of the nodes where
the route took a placeholder, may take the segment too.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Final, NamedTuple

from ._patterns import Placeholder
from ._trie import Rest

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator

    from ._patterns import Pattern
    from ._trie import Branch, Check, Entry, Node

    Takes = Callable[[str], bool]

__all__ = ["Spelling", "check_of", "spelled"]

# How many branches a node may have for the hits at it to be told from those of its others.
_FEW: Final = 8


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


def check_of(entry: Entry) -> Check | None:
    """Return what tells from the values whether a hit of autoroutes stands; None if it does."""
    checks = [
        check
        for name, (node, branch) in zip(entry.pattern.names, entry.steps, strict=True)
        for check in _checks(name, node, branch)
    ]
    return reduce(_both, checks) if checks else None


def _both(first: Check, second: Check) -> Check:
    return lambda values: first(values) and second(values)


def _checks(name: str, node: Node, branch: Branch) -> Iterator[Check]:
    """Yield as little as will do, as each hit pays for it."""
    ((prefix, kind),), suffix = branch.steps
    verify, literals, rivals = kind.verify, node.literals, _rivals(node, branch)
    if verify is not None:
        yield lambda values: verify(values[name])
    if rivals or (literals and (prefix or suffix)):
        yield (
            lambda values: (
                not _contested(
                    f"{prefix}{values[name]}{suffix}".partition("/")[0], literals, rivals
                )
            )
        )
    elif literals and kind.slash:
        yield lambda values: values[name].partition("/")[0] not in literals
    elif literals:
        yield lambda values: values[name] not in literals


def _rivals(node: Node, branch: Branch) -> list[Takes]:
    """Give what the branches of the node that do not rank after this one take of a segment."""
    if len(node.branches) > _FEW:
        return [_anything]
    return [
        _anything if isinstance(rival, Rest) else rival.takes
        for rival in node.branches.values()
        if rival.rank <= branch.rank and rival is not branch
    ]


def _anything(_: str) -> bool:
    return True


def _contested(segment: str, literals: Container[str], rivals: list[Takes]) -> bool:
    if segment in literals:
        return True
    for takes in rivals:  # noqa: SIM110 - in a third of the time of `any`
        if takes(segment):
            return True
    return False
