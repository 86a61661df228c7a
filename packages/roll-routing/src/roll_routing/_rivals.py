"""Branches of one group that may take the same text: whether the order among them is known."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from ._branches import Rest, Segment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._branches import Branch
    from ._trie import Node

    # What follows a branch: literal texts, None for a placeholder, a "/" where all the rest is
    # taken. None instead of them if the branch itself takes it.
    Tail = tuple[str | None, ...] | None
    Order = tuple[bytes, int]

__all__ = ["rivalries"]

# Of how many routes behind a branch it is told: the work grows with their square.
_MANY: Final = 32


def rivalries(branches: list[Branch]) -> Iterator[list[Branch]]:
    """Put those together of which one must know more of a path to tell which of them wins.

    All others may be tried one after the other, in the order in which they are given.
    """
    apart: dict[tuple[str, str], list[Branch]] = {}
    all_segments = all(isinstance(branch, Segment) for branch in branches)
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
    if isinstance(branch, Rest):
        yield branch.entry.order, None
    else:
        yield from _ways(branch.child)


def _ways(node: Node) -> Iterator[tuple[Order, tuple[str | None, ...]]]:
    if node.entry:
        yield node.entry.order, ()
    for text, child in node.literals.items():
        for order, way in _ways(child):
            yield order, (text, *way)
    for branch in node.branches.values():
        if isinstance(branch, Rest):
            yield branch.entry.order, ("/",)
        else:
            for order, way in _ways(branch.child):
                yield order, (None, *way)
