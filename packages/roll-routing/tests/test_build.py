"""URLs from patterns and values."""

import re
import uuid
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roll_routing import BuildError, InvalidRoute, Routes, RoutingError, build, nameless, variables

BUILT: list[tuple[str, dict[str, Any], str]] = [
    ("/", {}, "/"),
    ("/a/b", {}, "/a/b"),
    ("/users/{name}", {"name": "bob"}, "/users/bob"),
    ("/{n}.{ext}", {"n": "a.b", "ext": "txt"}, "/a.b.txt"),
    ("/{x:int}/{y:float}", {"x": -3, "y": 1.5}, "/-3/1.5"),
    ("/{u:uuid}", {"u": uuid.UUID(int=1)}, "/00000000-0000-0000-0000-000000000001"),
    (r"/{y:\d{4}}-{m:\d\d}", {"y": 2024, "m": "05"}, "/2024-05"),
    ("/{x}", {"x": "é à?#%+&"}, "/%C3%A9%20%C3%A0%3F%23%25%2B%26"),
    ("/café/@me:{x}", {"x": 1}, "/caf%C3%A9/@me:1"),
    ("/100%/{x}", {"x": "100%"}, "/100%25/100%25"),
    ("/s/{p:path}", {"p": "a/b c/d"}, "/s/a/b%20c/d"),
    ("/s/{p:any}", {"p": ""}, "/s/"),
    ("/s/{p:.+}", {"p": "a/b"}, "/s/a/b"),
    ("/{x}", {"x": "\\evil.org"}, "/%5Cevil.org"),
    ("/{p:path}", {"p": "/evil.org"}, "/%2Fevil.org"),
    ("/{x}", {"x": "..."}, "/..."),
    ("/{path}/{self}/{pattern}", {"path": 1, "self": 2, "pattern": 3}, "/1/2/3"),
]


@pytest.mark.parametrize(("pattern", "values", "url"), BUILT)
def test_a_url_is_built_and_percent_encoded(
    pattern: str, values: dict[str, Any], url: str
) -> None:
    assert build(pattern, **values) == url
    assert Routes().build(pattern, **values) == url


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("/{x}", {}, "of '/{x}': missing ['x']"),
    ("/{x}/{y}", {"y": 1, "z": 2}, "of '/{x}/{y}': missing ['x'], unknown ['z']"),
    ("/a", {"x": 1}, "of '/a': unknown ['x']"),
    ("/{x}", {"x": ""}, "'x' is of type 'string', which does not accept ''"),
    ("/{x}", {"x": "a/b"}, "'x' is of type 'string', which does not accept 'a/b'"),
    ("/{x:digit}", {"x": "²"}, "'x' is of type 'digit', which does not accept '²'"),
    ("/{x:int}", {"x": "a"}, "'x' is of type 'int', which does not accept 'a'"),
    ("/{x:float}", {"x": float("nan")}, "'x' is of type 'float', which does not accept 'nan'"),
    ("/{x:float}", {"x": 1e999}, "'x' is of type 'float', which does not accept 'inf'"),
    ("/{x:float}", {"x": 1e22}, "'x' is of type 'float', which does not accept '1e+22'"),
    ("/{x:int}", {"x": "1_000"}, "'x' is of type 'int', which does not accept '1_000'"),
    ("/{x:int}", {"x": "\u0663"}, "'x' is of type 'int', which does not accept '\u0663'"),
    (
        "/{x:int}",
        {"x": 10**5000},
        "of type int, which has no text for 'int': Exceeds the limit (4300",
    ),
    (r"/{x:\d\d}", {"x": 1}, r"'x' is of type '\\d\\d', which does not accept '1'"),
    ("/{p:path}", {"p": ""}, "'p' is of type 'path', which does not accept ''"),
    ("/{x}", {"x": "a\ud800"}, r"'a\ud800' cannot be encoded: at index 1 it has half of"),
    ("/\udfff/{x}", {"x": 1}, r"'/\udfff/' cannot be encoded: at index 1 it has half of"),
    ("/a/{x}", {"x": ".."}, "'/a/..' is not a URL of '/a/{x}'"),
    ("/{p:path}", {"p": "a/./b"}, "'/a/./b' is not a URL of '/{p:path}'"),
]


@pytest.mark.parametrize(("pattern", "values", "reason"), REFUSED)
def test_values_that_do_not_fit_are_refused(
    pattern: str, values: dict[str, Any], reason: str
) -> None:
    with pytest.raises(BuildError, match=re.escape(reason)) as raised:
        build(pattern, **values)
    assert isinstance(raised.value, RoutingError)
    assert reason in raised.value.message


# Patterns, each with a path that it matches.
ALIKE = {
    "/{a}": "/x",
    "/{b:string}": "/x",
    "/{été 1}": "/x",
    "/{a:path}": "/x",
    r"/{a:\d{4}}": "/1234",
    r"/{b:\d{4}}": "/1234",
    r"/{b:\d{5}}": "/12345",
    "/{b:{x}}": "/{x}",
    "/{a}/{b}": "/x/y",
    "/{b}/{a}": "/x/y",
    "/{a}/b": "/x/b",
    "/a": "/a",
}


def test_an_invalid_pattern_cannot_be_built() -> None:
    with pytest.raises(InvalidRoute):
        build("/{a", a=1)


def test_variables_returns_names_of_placeholders() -> None:
    assert variables(r"/{b}/{a:\d{2}}-{c:path}") == ("b", "a", "c")
    assert variables("/a") == ()
    with pytest.raises(InvalidRoute):
        variables("/{a")


@pytest.mark.parametrize("one", ALIKE)
def test_patterns_of_the_same_urls_are_equal_without_names(one: str) -> None:
    for other in ALIKE:
        routes = Routes()
        routes.add(one, one=True)
        routes.add(other, other=True)
        payload, _ = routes.match(ALIKE[one])
        alike = payload == {"one": True, "other": True}
        assert (nameless(one) == nameless(other)) == alike


def test_nameless_refuses_invalid_pattern() -> None:
    with pytest.raises(InvalidRoute):
        nameless("/{a")


@given(st.text(min_size=1), st.text(min_size=1))
def test_built_url_is_matched(x: str, p: str) -> None:
    pattern = "/a/{x}/{p:path}"
    routes = Routes()
    routes.add(pattern)
    try:
        url = build(pattern, x=x, p=p)
    except BuildError:
        url = ""
    parts = [x, *p.split("/")]
    surrogates = any("\ud800" <= char <= "\udfff" for char in x + p)
    assert (url == "") == ("/" in x or {".", ".."} & set(parts) != set() or surrogates)
    if url:
        assert re.fullmatch("[!-~]+", url)
        assert routes.match(unquote(url)) == ({}, {"x": x, "p": p})
