"""Matching a text with literal text and placeholders, in a time linear in the text.

There is no backtracking. A pass from the right finds the indexes from which each placeholder and
all later ones can match. A pass from the left then gives each placeholder the longest value with
which the rest still matches. Greedy regexes find the same values.
"""

from array import array
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ._kinds import PLAIN, Kind, never_holds

__all__ = [
    "Match",
    "Steps",
    "Values",
    "is_whole",
    "matcher",
    "pair_of",
    "takes_some",
    "write_condition",
]

Values = tuple[str, ...]
Match = Callable[[str], Values | None]

_NOWHERE = -1


class Steps(NamedTuple):
    """The kinds of the placeholders with the literal text before each, and the text after them.

    Patterns that differ in names alone have equal steps.

    `takes_rest`: whether they take the rest of a path, because a value may contain a "/".
    """

    kinds: tuple[tuple[str, Kind], ...]
    suffix: str
    takes_rest: bool


def is_whole(steps: Steps) -> bool:
    """Tell whether one placeholder takes all of the text."""
    return len(steps.kinds) == 1 and steps.kinds[0][0] == steps.suffix == ""


def takes_some(steps: Steps) -> bool:
    """Tell whether there is one placeholder, which accepts every value that is not empty."""
    (_, kind), *others = steps.kinds
    # A segment contains no slash, which is all that a plain placeholder refuses.
    return not others and (kind.rank == PLAIN or kind.accepts is bool)


class Pair:
    """Two placeholders, and the literal text between them.

    `cut`: the method of `str` that separates them, "partition" or "rpartition".
    `sure`: whether no other separation is possible.
    """

    __slots__ = ("cut", "left", "literal", "right", "sure")

    def __init__(self, left: Kind, literal: str, right: Kind, cut: str, *, sure: bool) -> None:
        self.left, self.literal, self.right, self.cut, self.sure = left, literal, right, cut, sure


def pair_of(steps: Steps) -> Pair | None:
    """Return the pair if the steps are exactly one pair, otherwise None."""
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


def matcher(steps: Steps) -> Match:
    """Return a function of a text that returns the values of the placeholders, or None."""
    if len(steps.kinds) > 1:
        return _several(steps.kinds, steps.suffix)
    return _single(*steps.kinds[0], steps.suffix)


def _single(prefix: str, kind: Kind, suffix: str) -> Match:
    start, least = len(prefix), len(prefix) + len(suffix)
    # A segment contains no slash, so `accepts` need not look for one.
    accepts = bool if kind.rank == PLAIN else kind.accepts

    def lone(text: str) -> Values | None:
        return (text,) if accepts(text) else None

    def between(text: str) -> Values | None:
        if len(text) < least or not (text.startswith(prefix) and text.endswith(suffix)):
            return None
        value = text[start : len(text) - len(suffix)]
        return (value,) if accepts(value) else None

    return between if least else lone


def _several(kinds: Sequence[tuple[str, Kind]], suffix: str) -> Match:
    """Return a function that cuts at the last places of the literal texts.

    It takes a tenth of the time of `_sequence`. Each placeholder gets the longest value that
    leaves a character to each later one, or none to those that accept an empty value. If all
    accept their values, no longer values exist.
    """
    prefix = kinds[0][0]
    start, behind = len(prefix), len(suffix)
    least = [0 if kind.accepts("") else 1 for _, kind in kinds]
    size = sum(least) + sum(len(literal) for literal, _ in kinds) + behind
    cuts = [
        (literal, len(literal), least[index], least[index - 1])
        for index, (literal, _) in enumerate(kinds)
    ][:0:-1]
    in_segment = not any(kind.slash for _, kind in kinds)
    checks = [
        (index, kind.accepts)
        for index, (_, kind) in enumerate(kinds)
        if not (in_segment and kind.rank == PLAIN)
    ]

    def cut(text: str) -> Values | None:
        if len(text) < size or not (text.startswith(prefix) and text.endswith(suffix)):
            return None
        end = len(text) - behind
        values = []
        for literal, skip, own, before in cuts:
            at = text.rfind(literal, start + before, end - own)
            if at < 0:
                return None
            values.append(text[at + skip : end])
            end = at
        values.append(text[start:end])
        values.reverse()
        for index, accepts in checks:
            if not accepts(values[index]):
                return _sequence(text, kinds, suffix)
        return tuple(values)

    return cut


def _sequence(text: str, kinds: Sequence[tuple[str, Kind]], suffix: str) -> Values | None:
    """Match a text that begins with the prefix and ends with the suffix."""
    finders = [_Finder(text, literal, kind) for literal, kind in kinds]
    last = len(text) - len(suffix)
    reaches = [array("l", [_NOWHERE]) * last + array("l", [last]) * (len(suffix) + 1)]
    for finder in finders[:0:-1]:
        reaches.append(finder.starts(reaches[-1]))
    values = []
    start = 0
    for finder, reach in zip(finders, reversed(reaches), strict=True):
        end = finder.end(start, reach)
        if end == _NOWHERE:
            return None
        values.append(text[start + finder.skip : end])
        start = end
    return tuple(values)


class _Finder:
    """Finds where the value of a placeholder ends, in one text.

    A reach has an entry for each index of the text: the last index up to it from which the later
    placeholders can match. `runs` has the end of the run of members that begins at each index.
    Both are arrays, because lists of numbers take four times the memory.
    """

    __slots__ = ("kind", "literal", "runs", "skip", "text")

    def __init__(self, text: str, literal: str, kind: Kind) -> None:
        self.text, self.literal, self.kind = text, literal, kind
        self.skip = len(literal)
        end = len(text)
        self.runs = array("l", [end]) * (end + 1)
        for index in range(end - 1, -1, -1):
            if not kind.member(text[index]):
                end = index
            self.runs[index] = end

    def starts(self, reach: "array[int]") -> "array[int]":
        """Return the reach of this placeholder, from the reach of the later ones."""
        last = _NOWHERE
        starts = array("l")
        for index in range(len(reach)):
            if self.end(index, reach) != _NOWHERE:
                last = index
            starts.append(last)
        return starts

    def end(self, start: int, reach: "array[int]") -> int:
        """Return the last end within reach of the value after the literal text at `start`."""
        if not self.text.startswith(self.literal, start):
            return _NOWHERE
        start += self.skip
        if self.kind.spans is None:
            return self._tried(start, reach)
        for low, high in self.kind.spans(self.text, self.runs, start):
            if low <= high and reach[high] >= low:
                return reach[high]
        return _NOWHERE

    def _tried(self, start: int, reach: "array[int]") -> int:
        end = reach[self.runs[start]]
        while end >= start and not self.kind.accepts(self.text[start:end]):
            end = reach[end - 1] if end else _NOWHERE
        return end if end >= start else _NOWHERE


def write_condition(
    steps: Steps, match: Match, text: str, more: str, constant: Callable[[object], str]
) -> str:
    """Return the condition that the steps match the text of a variable.

    It also sets the variable `more` to the values, unless the value is all of the text. It calls
    `match` only if no method of `str` can do the work. `constant` returns the name of a constant.
    """
    (prefix, kind), *_ = steps.kinds
    if is_whole(steps):
        return text if takes_some(steps) else _taken(kind, text, constant)
    if takes_some(steps):
        return _between(prefix, steps.suffix, text, more, constant)
    matched = f"({more} := {constant(match)}({text}))"
    if pair := pair_of(steps):
        return _parted(pair, text, more, matched, constant)
    return f"{matched} is not None"


def _between(
    prefix: str, suffix: str, text: str, more: str, constant: Callable[[object], str]
) -> str:
    """Return the condition that there is a value between two literal texts."""
    ends = f"{text}.startswith({constant(prefix)}) and " if prefix else ""
    ends += f"{text}.endswith({constant(suffix)}) and " if suffix else ""
    # If the two texts overlap, the slice is empty.
    return f"{ends}({more} := {text}[{len(prefix)}:{-len(suffix) or ''}])"


def _parted(
    pair: Pair, text: str, more: str, matched: str, constant: Callable[[object], str]
) -> str:
    """Return the condition that there is a value on each side of a literal text."""
    literal = constant(pair.literal)
    left = _taken(pair.left, f"({more} := {text}.{pair.cut}({literal}))[0]", constant)
    both = f"{left} and {_taken(pair.right, f'{more}[2]', constant)}"
    return f"{literal} in {text} and {both if pair.sure else f'({both} or {matched})'}"


def _taken(kind: Kind, value: str, constant: Callable[[object], str]) -> str:
    """Return the condition that a kind accepts a value."""
    return value if kind.rank == PLAIN else f"{constant(kind.accepts)}({value})"
