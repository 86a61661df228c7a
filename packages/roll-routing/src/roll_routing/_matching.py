"""Matching a text with literal text and placeholders, in a time linear in the text.

Nothing is tried and taken back. A pass from the right finds from which indexes each placeholder,
and all that follow it, can match. A pass from the left then gives each placeholder in turn the
longest value that leaves the rest possible, which is what greedy regexes would find.
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
    """The kinds of the placeholders, each after its literal text, and the text behind them all.

    What is matched is no more than that: patterns that differ by names alone have equal steps.

    `takes_rest`: whether they take all the rest of a path, as a value may hold a "/".
    """

    kinds: tuple[tuple[str, Kind], ...]
    suffix: str
    takes_rest: bool


def is_whole(steps: Steps) -> bool:
    """Tell whether there is one placeholder, for all of the text."""
    return len(steps.kinds) == 1 and steps.kinds[0][0] == steps.suffix == ""


def takes_some(steps: Steps) -> bool:
    """Tell whether there is one placeholder, and it takes any value but the empty one."""
    (_, kind), *others = steps.kinds
    # A segment has no slash for a plain one to refuse.
    return not others and (kind.rank == PLAIN or kind.accepts is bool)


class Pair:
    """Two placeholders, and between them the literal text where `cut` parts them.

    `cut`: "partition" or "rpartition", the method of `str`.
    `sure`: whether there is no other place to part them.
    """

    __slots__ = ("cut", "left", "literal", "right", "sure")

    def __init__(self, left: Kind, literal: str, right: Kind, cut: str, *, sure: bool) -> None:
        self.left, self.literal, self.right, self.cut, self.sure = left, literal, right, cut, sure


def pair_of(steps: Steps) -> Pair | None:
    """Return the pair if the steps are one and nothing else, or None."""
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
    """Return the function that gives the values of the placeholders in a text, or None."""
    if len(steps.kinds) > 1:
        return _several(steps.kinds, steps.suffix)
    return _single(*steps.kinds[0], steps.suffix)


def _single(prefix: str, kind: Kind, suffix: str) -> Match:
    start, least = len(prefix), len(prefix) + len(suffix)
    # A segment has no slash that `accepts` would have to look for.
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
    """Cut where the literal texts are last: in a tenth of the time of a `_sequence`.

    That gives each placeholder in turn the longest value that leaves a character to each of those
    behind, or none to those that take nothing. Where all take their values, no others are longer.
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
    """Match a text that begins and ends as it must."""
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
    """Finds, in one text, where the value of a placeholder ends.

    A reach tells for each index of the text the last one up to it from which what follows the
    placeholder can match. `runs` tells for each index where the members in a row from it end.
    Both are arrays, as lists of numbers take four times the memory.
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
        """Return the reach of what comes before, from that of what follows."""
        last = _NOWHERE
        starts = array("l")
        for index in range(len(reach)):
            if self.end(index, reach) != _NOWHERE:
                last = index
            starts.append(last)
        return starts

    def end(self, start: int, reach: "array[int]") -> int:
        """Return the last end, with the literal text at `start`, within reach."""
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
    """Write the condition that the steps match the text of a variable.

    With it, what is found is put into the variable `more`, unless it is all of the text. The
    expression calls `match` only where no method of `str` will do. `constant` names a value.
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
    """Write the condition that there is a value between two literal texts."""
    ends = f"{text}.startswith({constant(prefix)}) and " if prefix else ""
    ends += f"{text}.endswith({constant(suffix)}) and " if suffix else ""
    # Where the two texts overlap, nothing is left between them.
    return f"{ends}({more} := {text}[{len(prefix)}:{-len(suffix) or ''}])"


def _parted(
    pair: Pair, text: str, more: str, matched: str, constant: Callable[[object], str]
) -> str:
    """Write the condition that there is a value on each side of literal text."""
    literal = constant(pair.literal)
    left = _taken(pair.left, f"({more} := {text}.{pair.cut}({literal}))[0]", constant)
    both = f"{left} and {_taken(pair.right, f'{more}[2]', constant)}"
    return f"{literal} in {text} and {both if pair.sure else f'({both} or {matched})'}"


def _taken(kind: Kind, value: str, constant: Callable[[object], str]) -> str:
    """Write the condition that a kind takes a value."""
    return value if kind.rank == PLAIN else f"{constant(kind.accepts)}({value})"
