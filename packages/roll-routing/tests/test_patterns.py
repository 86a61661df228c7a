"""Patterns that cannot be read say why, and where."""

import pickle
import re
import warnings
from copy import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roll_routing import BuildError, InvalidRoute, Routes, RoutingError

INVALID = {
    "/{a": (1, "unbalanced '{', close the placeholder"),
    "/a/{b:[}]": (3, "unbalanced '{', close the placeholder"),
    r"/{x:\d{2}": (1, "unbalanced '{', close the placeholder"),
    "/a}": (2, "unbalanced '}', there is no '{'"),
    "/{a}}": (4, "unbalanced '}', there is no '{'"),
    "/{{a}}": (1, "a placeholder needs a name, as in '{name}'"),
    "/{}": (1, "a placeholder needs a name, as in '{name}'"),
    "/x/{:int}": (3, "a placeholder needs a name, as in '{name}'"),
    "/{a:}": (4, "a type or a regex must follow '{a:'"),
    "/{a}/{b}/{a:int}": (9, "the name 'a' is used twice, give each placeholder its own"),
    "/{id:a{9999999999}}": (5, "'a{9999999999}' is neither a type (string, digit,"),
    "/a" * 200 + "/{b}/": (400, "a pattern has 200 segments at most, this one 202"),
    "/{a}" + "/{p:any}" + "/" * 199: (210, "a pattern has 200 segments at most, this one 201"),
    "/{[}]}": (5, "unbalanced '}', there is no '{'"),
    r"/{\}}": (4, "unbalanced '}', there is no '{'"),
    "/{a{b}": (1, "unbalanced '{', close the placeholder"),
    "/{id:[a": (1, "unbalanced '{', close the placeholder"),
    "/{id:[}": (5, "'[' is neither a type (string, digit,"),
    "/{id:a{" + "9" * 5000 + "}}": (5, "Exceeds the limit (4300 digits)"),
    "/{id:" + "(" * 5000 + ")" * 5000 + "}": (5, "is neither a type (string, digit,"),
    "/{id:(}": (5, "'(' is neither a type (string, digit, alpha, alnum, int,"),
}


@pytest.mark.parametrize("pattern", INVALID)
def test_error_of_an_invalid_pattern_says_where_and_what_to_write(pattern: str) -> None:
    position, reason = INVALID[pattern]
    with pytest.raises(InvalidRoute, match=re.escape(reason)) as raised:
        Routes().add(pattern)
    assert raised.value.pattern == pattern
    assert raised.value.position == position
    assert repr(pattern) in raised.value.message
    assert f"at index {position}" in raised.value.message


def test_an_invalid_route_is_a_value_error_of_the_server() -> None:
    assert issubclass(InvalidRoute, RoutingError)
    assert issubclass(RoutingError, ValueError)
    assert InvalidRoute("/{", 1, "?").status == 500


def test_invalid_pattern_leaves_the_table_unchanged() -> None:
    routes = Routes()
    routes.add("/{a}", name="a")
    with pytest.raises(InvalidRoute):
        routes.add("/{a")
    assert [route.path for route in routes] == ["/{a}"]
    assert routes.match("/x") == ({"name": "a"}, {"a": "x"})


@pytest.mark.parametrize("name", ["with-dash", "with space", "été", "class", "1"])
def test_a_name_may_be_any_text(name: str) -> None:
    routes = Routes()
    routes.add(f"/{{{name}}}")
    for _ in range(2):
        assert routes.match("/x") == ({}, {name: "x"})


PIECES = st.sampled_from([*r"{}[]()\:|*+?^$.-,a19/", "(?", "(?:", "(?P<a>", "(?i)", "{2}", r"\d"])


@settings(max_examples=500, deadline=None)
@given(st.one_of(st.lists(PIECES, max_size=12).map("".join), st.text(max_size=12)))
def test_text_that_is_not_a_pattern_is_an_invalid_route(text: str) -> None:
    routes = Routes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        for pattern in (text, f"/{{x:{text}}}", f"/{{x:{text}}}-{{y}}", f"/{{{text}}}"):
            try:
                routes.add(pattern)
            except InvalidRoute:
                continue
            routes.match("/a")
            routes.match("/a-1")


def test_a_warning_that_is_made_an_error_is_an_invalid_route() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)
        with pytest.raises(InvalidRoute, match="Possible nested set"):
            Routes().add("/{x:[[warned]}")


@pytest.mark.parametrize(
    "error", [InvalidRoute("/{", 1, "?"), BuildError("no"), RoutingError("?")]
)
def test_an_error_can_be_pickled_and_copied(error: RoutingError) -> None:
    for other in (pickle.loads(pickle.dumps(error)), copy(error)):
        assert type(other) is type(error)
        assert str(other) == str(error) == other.message
        assert vars(other) == vars(error)
