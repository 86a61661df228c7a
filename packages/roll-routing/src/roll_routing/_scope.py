"""What is known at a place of the tree, in the words of the functions that match."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._kinds import PLAIN, Kind, never_holds

if TYPE_CHECKING:
    from ._sequences import Steps

__all__ = ["Pair", "Scope", "is_whole", "pair_of", "takes_some", "values_of"]


class Scope:
    """How many segments are behind a node, and where their values are.

    `values`: the expressions for the values of all placeholders before.
    `passed`: the variables in them, for where a function ends and another goes on.
    """

    __slots__ = ("depth", "passed", "values")

    def __init__(
        self, depth: int = 0, values: tuple[str, ...] = (), passed: tuple[str, ...] = ()
    ) -> None:
        self.depth, self.values, self.passed = depth, values, passed

    def beyond(self, steps: Steps | None) -> Scope:
        """Go on through a segment: placeholders or, without steps, literal text."""
        depth = self.depth
        if steps is None:
            return Scope(depth + 1, self.values, self.passed)
        variable = f"part{depth}" if is_whole(steps) else f"more{depth}"
        values = (*self.values, *values_of(steps, variable))
        return Scope(depth + 1, values, (*self.passed, variable))


class Pair:
    """Two placeholders, with literal text between them at which `cut`, a method, parts them.

    `sure`: whether there is no other place to part them.
    """

    __slots__ = ("cut", "left", "literal", "right", "sure")

    def __init__(self, left: Kind, literal: str, right: Kind, cut: str, *, sure: bool) -> None:
        self.left, self.literal, self.right, self.cut, self.sure = left, literal, right, cut, sure


def pair_of(steps: Steps) -> Pair | None:
    """Tell whether the steps are such a pair, and nothing else."""
    if len(steps.kinds) != 2 or steps.kinds[0][0] or steps.suffix:  # noqa: PLR2004 - a pair
        return None
    (_, left), (literal, right) = steps.kinds
    if not literal or left.slash or right.slash:
        return None
    if never_holds(left, literal[0]):
        return Pair(left, literal, right, "partition", sure=True)
    if never_holds(right, literal[-1]):
        return Pair(left, literal, right, "rpartition", sure=True)
    if left.rank == right.rank == PLAIN:
        return Pair(left, literal, right, "rpartition", sure=False)
    return None


def is_whole(steps: Steps) -> bool:
    """Tell whether there is one placeholder, for all of the text."""
    return len(steps.kinds) == 1 and steps.kinds[0][0] == steps.suffix == ""


def takes_some(steps: Steps) -> bool:
    """Tell whether there is one placeholder, that takes all but nothing."""
    (_, kind), *others = steps.kinds
    # A segment has no slash for a plain one to refuse.
    return not others and (kind.rank == PLAIN or kind.accepts is bool)


def values_of(steps: Steps, variable: str) -> tuple[str, ...]:
    """Give the expressions for the values of a text's placeholders."""
    if is_whole(steps) or takes_some(steps):
        return (variable,)
    if pair_of(steps):
        return f"{variable}[0]", f"{variable}[-1]"
    return tuple(f"{variable}[{index}]" for index in range(len(steps.kinds)))
