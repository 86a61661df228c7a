"""Patterns that cannot be read say why, and where."""

import re

import pytest

from roll_routing import InvalidRoute, Routes, RoutingError

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
    "/{id:(}": (5, "'(' is neither a type (string, digit, alpha, alnum, int,"),
}


@pytest.mark.parametrize("pattern", INVALID)
def test_an_invalid_pattern_says_where_and_what_would_be_right(pattern: str) -> None:
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


def test_an_invalid_pattern_leaves_the_table_as_it_was() -> None:
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
