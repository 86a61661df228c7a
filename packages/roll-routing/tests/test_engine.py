"""The tables that use autoroutes: its results are correct, and it may be missing."""

from itertools import cycle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roll_routing import Converter, Routes
from roll_routing._autoroutes import autoroutes, load
from roll_routing._compiler import compile_match

needs_autoroutes = pytest.mark.skipif(autoroutes is None, reason="autoroutes is not installed")

PLAIN = ["/", "/posts/new", "/posts/{slug}", "/posts/{slug}/edit", "/s/{p:path}", "/l/{x:alpha}/y"]
OTHERS = {
    "literal text and a placeholder at one place": "/posts/a/{b}",
    "two placeholders at one place": "/posts/{slug:alpha}",
    "a type that autoroutes has not": "/users/{id:int}",
    "a type that autoroutes mistakes": "/users/{id:digit}",
    "literal text beside a placeholder": "/users/me-{id}",
    "two placeholders in a route": "/users/{id}/keys/{key}",
}


def is_asked(patterns: list[str]) -> bool:
    routes = Routes()
    for pattern in patterns:
        routes.add(pattern)
    routes.match("/no")
    return routes._ask is not None


@needs_autoroutes
def test_autoroutes_is_used_for_a_plain_table() -> None:
    assert is_asked(PLAIN)
    assert is_asked(["{x}/y"])


@pytest.mark.parametrize("kind", OTHERS)
def test_autoroutes_is_not_used_if_its_match_may_be_wrong_or_slow(kind: str) -> None:
    assert not is_asked([*PLAIN, OTHERS[kind]])


def test_autoroutes_is_not_used_for_own_type_with_built_in_name() -> None:
    own = {"converters": {"alpha": Converter("[ab]+")}}
    routes = type("Own", (Routes,), own)()
    routes.add("/{x:alpha}")
    assert routes.match("/ab") == ({}, {"x": "ab"})
    assert routes.match("/abc") == (None, None)
    assert routes._ask is None


def test_autoroutes_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load("roll_routing.no_such_module") is None
    monkeypatch.setattr("roll_routing._autoroutes.autoroutes", None)
    assert not is_asked(PLAIN)


@needs_autoroutes
def test_autoroutes_is_not_used_for_a_large_table() -> None:
    patterns = [f"/{number}/{{x}}" for number in range(33)]
    assert is_asked(patterns[:-1])
    assert not is_asked(patterns)


class Ways:
    """Draws plain patterns: at each place there is either literal text or one placeholder."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.names = cycle("ab\0é😀\ud800([.*+?^$\\\n 1-")

    def patterns(self, before: str, room: int) -> list[str]:
        kind = self.draw(st.sampled_from(["", "", "", ":alpha", ":alnum", ":path", ":any"]))
        if "{" not in before and self.draw(st.booleans()):
            ways = [before + "{" + next(self.names) + kind + "}"]
        else:
            texts = self.draw(st.sets(st.sampled_from(TEXTS), min_size=1, max_size=4))
            ways = [before + text for text in sorted(texts)]
        ends = [way for way in ways if "{" in way and self.draw(st.booleans())] or ways[:1]
        if room == 0 or kind in (":path", ":any"):
            return ends
        return ends + [more for way in ways for more in self.patterns(way + "/", room - 1)]


TEXTS = ["a", "ab", "abc", "b", "ba", "", "1", "é", "\0", "\ud800", "😀", "(", "\\d", "%"]
PARTS = [*TEXTS, "a-b", "{x}", "a\0b", "éa", "😀😀", "\udfff", "\n"]
PATHS = st.lists(st.sampled_from(PARTS), min_size=1, max_size=5).map(
    lambda parts: "/" + "/".join(parts)
)


@needs_autoroutes
@settings(max_examples=300, deadline=None)
@given(st.data())
def test_plain_tables_answer_as_the_tree(data: Any) -> None:
    patterns = data.draw(st.permutations(Ways(data.draw).patterns("/", 3)))[:32]
    routes = Routes()
    for pattern in patterns:
        routes.add(pattern, route=pattern)
    routes.match("/no")
    of_the_tree = compile_match(routes._tree)
    for path in data.draw(st.lists(PATHS, min_size=1, max_size=9)):
        answer = routes.match(path)
        if path not in patterns:
            assert answer == of_the_tree(path)
    assert (routes._ask is not None) == any("{" in pattern for pattern in patterns)
