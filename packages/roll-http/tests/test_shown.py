"""`shown`: values in messages of errors."""

from collections import deque
from dataclasses import dataclass, field

import pytest

from roll_http.shown import LONGEST, shown


@dataclass
class Order:
    items: list = field(default_factory=list)


class Silent:
    def __repr__(self):
        raise RuntimeError


class Exits:
    def __repr__(self):
        raise SystemExit


class list_of_words(list):
    pass


list_of_words.__name__ = "dict"


@pytest.mark.parametrize(
    "value",
    ["text", b"bytes", bytearray(b"ab"), 7, -(2**511), 1.5, None, [1, "a"], {"b": 1}, (1,), {1}],
    ids=str,
)
def test_a_short_value_is_its_repr(value):
    assert shown(value) == repr(value)


LONG = [
    "x" * 10**6,
    b"x" * 10**6,
    bytearray(10**6),
    memoryview(bytes(10**6)),
    [0] * 10**6,
    (0,) * 10**6,
    set(range(10**5)),
    frozenset(range(10**5)),
    deque([0] * 10**5),
    dict.fromkeys(range(1000), "x" * 1000),
    [[["x" * 1000] * 1000] * 1000] * 1000,
    10**400,
    10**5000,
    Order([0] * 10**5),
    Silent(),
    [Silent()] * 1000,
    Exits(),
    [Exits()],
    list_of_words([1, 2]),
]


@pytest.mark.parametrize("index", range(len(LONG)))
def test_a_long_value_is_bounded(index):
    assert 0 < len(shown(LONG[index])) <= LONGEST + 3


def test_a_value_that_holds_itself_is_shown():
    value = []
    value.append(value)
    assert shown(value) == "[[[[...]]]]"
