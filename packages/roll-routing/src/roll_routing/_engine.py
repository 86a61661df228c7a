"""What autoroutes may be asked, and what makes sure of its answer.

Two faults of its hits are kept from it. Where a value follows literal text, it may be empty, and
the texts around it overlap: so it is told of the text before each placeholder too, as of routes,
and keeps them apart. Where a segment has several placeholders, it may cut it wrongly: such
patterns, it is not told of. Its hits are then true ones, up to the kinds it does not know.

Whether another route should have won is told from the tree: some other branch, at one of the nodes
where the route took a placeholder, may take the segment too.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Final, NamedTuple

import autoroutes

from ._patterns import Pattern, Placeholder
from ._trie import Entry, Rest

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator

    from ._patterns import Tokens
    from ._trie import Branch, Check, Node

    Takes = Callable[[str], bool]

__all__ = ["Engine", "check_of"]

# Stands for no route: it is never proven.
_NOBODY: Final = Entry("", Pattern(()), (b"", 0), {})

# How many branches a node may have for the hits at it to be told from those of its others.
_FEW: Final = 8


class Spelling(NamedTuple):
    """A pattern in the words of autoroutes, with its names and without."""

    named: str
    shape: str


def spelled(pattern: Pattern) -> list[Spelling]:
    """Spell for autoroutes what comes before each placeholder, and at last the whole pattern.

    Nothing, if a hit would prove nothing.
    """
    segments, rest = pattern.parts
    for tokens in (*segments, rest or ()):
        if sum(isinstance(token, Placeholder) for token in tokens) > 1:
            return []
    tokens = pattern.tokens
    ends = [at for at, token in enumerate(tokens) if isinstance(token, Placeholder)]
    return [_spell(tokens[:end]) for end in (*ends, len(tokens)) if end]


def _spell(tokens: Tokens) -> Spelling:
    named, shape = (
        "".join(token if isinstance(token, str) else form.format(token) for token in tokens)
        for form in ("{{{0.name}:{0.kind.engine}}}", "{{:{0.kind.engine}}}")
    )
    return Spelling(named, shape)


class Engine:
    """Autoroutes. A hit of its `match` holds the entry found under the key "entry"."""

    def __init__(self) -> None:
        self._routes = autoroutes.Routes()
        self.match = self._routes.match
        self._told: dict[str, Entry] = {}

    def tell(self, entry: Entry) -> None:
        """Tell it of a route, if its hits can be trusted.

        Of routes that are alike to it, it is told of the first only: to all, it would give the
        names of the last.
        """
        spellings = spelled(entry.pattern)
        if not spellings or self._told.get(spellings[-1].shape, _NOBODY) is not _NOBODY:
            return
        for before in spellings[:-1]:
            if before.shape not in self._told:
                self._add(before, _NOBODY)
        self._add(spellings[-1], entry)
        entry.taught = True

    def _add(self, spelling: Spelling, entry: Entry) -> None:
        self._told[spelling.shape] = entry
        self._routes.add(spelling.named, entry=entry)


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
