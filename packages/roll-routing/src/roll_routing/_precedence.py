"""Branches of one place that rank alike: whether it is known in which order they win.

Types rank alike, and so do regexes: where `{x:int}` and `{x:alnum}` take the same text, the first
difference behind them decides, then the order of registration.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Final, Protocol, TypeVar

__all__ = ["rivalries"]

# Of two routes that match a path, the one of the lower order wins.
Order = tuple[bytes, int]
# What follows a branch: literal texts, None for a placeholder, a "/" where all the rest is taken.
# None instead of them if the branch itself takes the rest.
Tail = tuple[str | None, ...] | None

# How many routes behind a branch are compared with others: the work grows with their square.
_MANY: Final = 32


class Rival(Protocol):
    """What is asked of a branch: its literal texts, whether it takes the rest, what follows it."""

    @property
    def prefix(self) -> str: ...

    @property
    def suffix(self) -> str: ...

    @property
    def takes_rest(self) -> bool: ...

    def tails(self) -> Iterator[tuple[Order, Tail]]: ...


R = TypeVar("R", bound=Rival)


def rivalries(branches: list[R]) -> Iterator[list[R]]:
    """Put those together of which one must know more of a path to tell which of them wins.

    All others may be tried one after the other, in the order in which they are given.
    """
    apart: dict[tuple[str, str], list[R]] = {}
    all_segments = not any(branch.takes_rest for branch in branches)
    for branch in branches:
        # As they rank alike, the literal texts of segments are of one length.
        texts = branch.prefix, branch.suffix if all_segments else ""
        apart.setdefault(texts, []).append(branch)
    for rivals in apart.values():
        ordered = _ordered(rivals)
        if ordered is None:
            yield rivals
        else:
            yield from ([branch] for branch in ordered)


def _ordered(rivals: list[R]) -> list[R] | None:
    """Sort branches so that the first to match has the route that wins, if that can be."""
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
