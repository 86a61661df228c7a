"""Branches of one place with the same rank: is it known in which order they win?

Types and regexes have the same rank. If `{x:int}` and `{x:alnum}` accept the same text, the first
difference after them decides, then the order of registration.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Final, Protocol, TypeVar

__all__ = ["rivalries"]

# Of two routes that match a path, the one with the lower order wins.
Order = tuple[bytes, int]
# The segments after a branch: literal text, None for a placeholder, "/" if it takes the rest of
# the path. All of them are None if the branch itself takes the rest.
Tail = tuple[str | None, ...] | None

# The most routes below a branch that are compared with others: the work grows with their square.
_MANY: Final = 32


class Rival(Protocol):
    """What the comparison needs of a branch."""

    @property
    def prefix(self) -> str: ...

    @property
    def suffix(self) -> str: ...

    @property
    def takes_rest(self) -> bool: ...

    def tails(self) -> Iterator[tuple[Order, Tail]]: ...


R = TypeVar("R", bound=Rival)


def rivalries(branches: list[R]) -> Iterator[list[R]]:
    """Group the branches of which more of the path decides which one wins.

    The groups may be tried one after the other, in the order in which they are yielded.
    """
    apart: dict[tuple[str, str], list[R]] = {}
    all_segments = not any(branch.takes_rest for branch in branches)
    for branch in branches:
        # As they have the same rank, the literal texts of segments have one length.
        texts = branch.prefix, branch.suffix if all_segments else ""
        apart.setdefault(texts, []).append(branch)
    for rivals in apart.values():
        ordered = _ordered(rivals)
        if ordered is None:
            yield rivals
        else:
            yield from ([branch] for branch in ordered)


def _ordered(rivals: list[R]) -> list[R] | None:
    """Sort branches so that the first that matches wins. Return None if no such order exists."""
    if len(rivals) == 1:
        return rivals
    left = {branch: list(islice(branch.tails(), _MANY)) for branch in rivals}
    if any(len(tails) == _MANY for tails in left.values()):
        return None
    ordered: list[R] = []
    while left:
        first = next((branch for branch in left if not _beaten(branch, left)), None)
        if first is None:
            return None
        ordered.append(first)
        del left[first]
    return ordered


def _beaten(branch: R, rivals: dict[R, list[tuple[Order, Tail]]]) -> bool:
    """Tell whether, for some path, the route of a rival wins over the route of a branch."""
    return any(
        other_order < order and _meet(tail, other_tail)
        for order, tail in rivals[branch]
        for rival, tails in rivals.items()
        if rival is not branch
        for other_order, other_tail in tails
    )


def _meet(one: Tail, other: Tail) -> bool:
    """Tell whether a path may match both tails, as far as their literal texts tell."""
    if one is None or other is None:
        return True
    for text, other_text in zip(one, other, strict=False):
        if "/" in (text, other_text):
            return True
        if None not in (text, other_text) and text != other_text:
            return False
    return len(one) == len(other)
