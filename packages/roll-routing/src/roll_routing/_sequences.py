"""Matching a text against several tokens, in a time linear in the text.

No backtracking: a pass from the right finds, for every token, the indexes from which it and all
that follow can match; a pass from the left then gives each placeholder, in turn, the longest value
that leaves the rest possible, which is what a greedy regex would give.
"""

from collections.abc import Callable, Sequence

from ._kinds import Kind
from ._patterns import Placeholder, Token

__all__ = ["Match", "compile_tokens"]

Values = tuple[str, ...]
Match = Callable[[str], Values | None]


def compile_tokens(tokens: tuple[Token, ...]) -> Match:
    """Return a function giving the values of the placeholders of a whole text, or None."""
    shape = [isinstance(token, Placeholder) for token in tokens]
    if sum(shape) == 1:
        at = shape.index(True)
        return _affixed("".join(map(str, tokens[:at])), tokens[at], "".join(map(str, tokens[at + 1 :])))
    return Sequencer(tokens)


def _affixed(prefix: str, placeholder: Token, suffix: str) -> Match:
    """Match a single placeholder between two literal texts."""
    assert isinstance(placeholder, Placeholder)
    accepts = placeholder.kind.accepts
    before, affixes = len(prefix), len(prefix) + len(suffix)

    def lone(text: str) -> Values | None:
        return (text,) if accepts(text) else None

    def affixed(text: str) -> Values | None:
        if len(text) < affixes or not (text.startswith(prefix) and text.endswith(suffix)):
            return None
        value = text[before : len(text) - len(suffix)]
        return (value,) if accepts(value) else None

    return affixed if affixes else lone


class Sequencer:
    """Match the tokens of one segment, or of the end of a pattern."""

    __slots__ = ("prefix", "suffix", "tokens")

    def __init__(self, tokens: tuple[Token, ...]) -> None:
        self.tokens = tokens
        first, last = tokens[0], tokens[-1]
        self.prefix = first if isinstance(first, str) else ""
        self.suffix = last if isinstance(last, str) else ""

    def __call__(self, text: str) -> Values | None:
        if not (text.startswith(self.prefix) and text.endswith(self.suffix)):
            return None
        reaches = self._backward(text)
        return self._forward(text, reaches) if reaches[0][0] == 0 else None

    def _backward(self, text: str) -> list[list[int]]:
        """For each token, list for every index the last possible start at or before it."""
        reaches = [_last(len(text), [len(text)])]
        for number in range(len(self.tokens) - 1, -1, -1):
            reaches.append(_last(len(text), self._starts(text, number, reaches[-1])))
        reaches.reverse()
        return reaches

    def _starts(self, text: str, number: int, reach: list[int]) -> list[int]:
        token = self.tokens[number]
        size = len(text)
        if isinstance(token, str):
            return [
                start
                for start in range(size - len(token) + 1)
                if reach[start + len(token)] == start + len(token) and text.startswith(token, start)
            ]
        runs = _runs(text, token.kind)
        return [
            start
            for start in self._candidates(text, number)
            if _end(text, token.kind, runs, start, reach) >= 0
        ]

    def _candidates(self, text: str, number: int) -> Sequence[int]:
        """Where a placeholder can begin at all: after the literal text before it."""
        if number == 0:
            return (0,)
        before = self.tokens[number - 1]
        if isinstance(before, Placeholder):
            return range(len(text) + 1)
        return [start for start in range(len(text) + 1) if text.endswith(before, 0, start)]

    def _forward(self, text: str, reaches: list[list[int]]) -> Values:
        values: list[str] = []
        start = 0
        for token, reach in zip(self.tokens, reaches[1:], strict=True):
            if isinstance(token, str):
                start += len(token)
                continue
            end = _end(text, token.kind, _runs(text, token.kind), start, reach)
            values.append(text[start:end])
            start = end
        return tuple(values)


def _last(size: int, starts: list[int]) -> list[int]:
    """For every index up to `size`, the greatest of the `starts` at or before it, or -1."""
    found = [-1] * (size + 1)
    for start in starts:
        found[start] = start
    for index in range(1, size + 1):
        if found[index] < 0:
            found[index] = found[index - 1]
    return found


def _runs(text: str, kind: Kind) -> list[int]:
    """For every index, the end of the run of the kind's characters that begins there."""
    size = len(text)
    runs = [size] * (size + 2)
    for index in range(size - 1, -1, -1):
        runs[index] = runs[index + 1] if kind.member(text[index]) else index
    return runs


def _end(text: str, kind: Kind, runs: Sequence[int], start: int, reach: list[int]) -> int:
    """The last end of a value from `start` at which what follows can begin, or -1."""
    if kind.spans is None:
        return _tried(text, kind, start, runs[start], reach)
    for low, high in kind.spans(text, runs, start):
        if low <= high and reach[high] >= low:
            return reach[high]
    return -1


def _tried(text: str, kind: Kind, start: int, high: int, reach: list[int]) -> int:
    """The same where only the user's regex can tell."""
    end = reach[high]
    while end >= start:
        if kind.accepts(text[start:end]):
            return end
        end = reach[end - 1] if end else -1
    return -1
