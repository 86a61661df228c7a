"""The work of a match is linear in the path, and that of reading a pattern in the pattern."""

import gc
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from roll_routing import BuildError, InvalidRoute, Routes, build
from roll_routing._pattern import parse

Work = Callable[[Callable[[], Any]], int]
CheckGrowth = Callable[[Callable[[int], Callable[[], Any]], int], None]

HOSTILE = {
    "/{a}-{b}-{c}-{d}x": "-",
    "/{a}-{b}-{c}-{d}y": "-y",
    "/{a}{b}{c}{d}.{e}!": ".",
    "/{a:alnum}a{b:alnum}a{c:alnum}-": "a",
    "/{a:digit}{b:digit}{c:digit}-": "1",
    "/{a:int}{b:int}{c:float}{d:float}!": "-1.1",
    "/{a}{b:uuid}{c}{d:uuid}": "12345678-9abc-def0-1234-56789abcdef0",
    r"/{a}-{b:\d+}-{c}-{d:\d+}x": "1-",
    r"/{a}-{b:[a-z]+\d+}-{c}": "-a",
    r"/{a}4{b:(?:[a-z]{4})+}4{c}": "a4",
    "/{p:path}/x/{q:path}/x/{r:path}/y": "x/",
    "/{p:path}{q:any}{r:path}/y": "/",
    "/{a}/{b}/{c}/{p:path}/-/{q}.{r}": "-/",
}


@pytest.mark.parametrize("pattern", HOSTILE)
@pytest.mark.parametrize("end", ["", "!", "y"])
def test_path_of_twice_the_length_takes_twice_the_work_at_most(
    work: Work, pattern: str, end: str
) -> None:
    routes = Routes()
    routes.add(pattern)
    unit = HOSTILE[pattern]
    once, twice = ("/" + unit * (size // len(unit)) + end for size in (200, 400))
    routes.match(once)  # The first match compiles the table: do not count that work.
    assert work(lambda: routes.match(twice)) <= 2.2 * work(lambda: routes.match(once))


SEPARATORS = [
    "/",
    "-",
    ".",
    "%",
    "{",
    "}",
    "1",
    "1-",
    "-1",
    "1.",
    "a/",
    "a-",
    "a1",
    "é",
    "²",
    "\0",
]
TABLES = {
    "one segment": ["/{x}"],
    "many segments": ["/" + "/".join(f"{{x{number}}}" for number in range(200))],
    "one that autoroutes answers for": ["/a/{x}/b", "/-/{p:path}", "/1/{x:alpha}", "/1-/{x:any}"],
    "a rest": ["/{a}/{b}/{p:path}", "/{a}/{p:any}", "/{p:path}"],
    "rests": ["/{p:path}/-/{q:path}-{r:any}"],
    "numbers": ["/{x:int}", "/{x:float}", "/{x:digit}", "/{x:uuid}"],
    "letters": ["/{x:alpha}", "/{x:alnum}", "/{x}-"],
    "several numbers": ["/{x:int}-{y:int}-{z:float}", "/{x:digit}{y:digit}-{z:digit}"],
    "several letters": ["/{x:alpha}-{y:alnum}", "/{a}-{b}.{c:alpha}", "/{a:alnum}{b:alnum}!"],
    "a plain regex": [r"/{a}-{b:[a-z]+\d+}-{c}", r"/{y:\d{4}}-{m:\d\d}", r"/{a:\w+}.{b:[\w.]+}"],
    "all at once": [
        "/a/{x}",
        "/{x:int}",
        "/{x:int}/{y}",
        "/{x}.{y}",
        "/{x}-{y:digit}",
        "/{p:path}",
    ],
}


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("separator", SEPARATORS)
def test_a_path_of_separators_costs_in_proportion_to_its_length(
    check_growth: CheckGrowth, table: str, separator: str
) -> None:
    routes = Routes()
    for pattern in TABLES[table]:
        routes.add(pattern)
    routes.match("/")

    def make(size: int) -> Callable[[], Any]:
        path = "/" + separator * (size // len(separator))
        return lambda: routes.match(path)

    check_growth(make, 512)


# What is repeated, between what.
PATTERNS = {
    "slashes": ("/", "/", "{x}"),
    "segments": ("/", "a/", ""),
    "literal text": ("/", "ab", ""),
    "opening braces": ("/", "{", ""),
    "closing braces": ("/", "}", ""),
    "braces in pairs": ("/{x:", "{}", "}"),
    "opening brackets": ("/{x:", "[", "}"),
    "opening brackets behind an escaped one": (r"/{x:\[", "[", "}"),
    "escaped brackets": ("/{x:", r"\[", "}"),
    "classes": ("/{x:", "[a]", "}"),
    "carets": ("/{x:[", "^", "}"),
    "brackets for names": ("/", "{[}", ""),
    "backslashes": ("/{x:", "\\", "}"),
    "colons": ("/{x", ":", "}"),
    "digits": ("/{x:a{", "9", "}}"),
    "groups": ("/{x:", "(a)", "}"),
    "quantifiers": ("/{x:", "a*", "}"),
    "repetitions": ("/{x:", "a{1}", "}"),
}


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_is_read_in_proportion_to_its_length(
    check_growth: CheckGrowth, name: str
) -> None:
    before, unit, behind = PATTERNS[name]

    def make(size: int) -> Callable[[], Any]:
        pattern = before + unit * (size // len(unit)) + behind

        def add() -> None:
            parse.cache_clear()
            with suppress(InvalidRoute):
                Routes().add(pattern)

        return add

    check_growth(make, 512)


@pytest.mark.parametrize("unit", ["1", "a", "/", "%", "é", "{", "."])
def test_a_url_is_built_in_proportion_to_its_length(check_growth: CheckGrowth, unit: str) -> None:
    def make(size: int) -> Callable[[], Any]:
        value = unit * size

        def built() -> None:
            for kind in ("int", "float", "digit", "alpha", "uuid", "string", "path", r"\w+"):
                with suppress(BuildError):
                    build(f"/a{{x:{kind}}}", x=value)

        return built

    check_growth(make, 512)


def test_long_regex_is_read_in_linear_time() -> None:
    """Two ways for each repetition would never come to an end."""
    routes = Routes()
    routes.add("/{a:" + "b{1}" * 99 + ".}")
    assert routes.match("/" + "b" * 99 + "!") == ({}, {"a": "b" * 99 + "!"})


def test_branches_are_not_tried_twice(work: Work) -> None:
    """Every second way leads to a dead end, seven segments deep."""
    routes = Routes()
    for number in range(128):
        segments = [f"{{x{bit}}}" if number >> bit & 1 else "a" for bit in range(7)]
        routes.add("/" + "/".join(segments) + "/end")
    path = "/a" * 7 + "/no"
    routes.match(path)
    assert work(lambda: routes.match(path)) < 255 * 20  # The tree has 255 nodes.


def test_match_compares_few_routes_of_a_large_table(work: Work) -> None:
    small, large = Routes(), Routes()
    for number in range(250):
        for routes in [large, small] if number < 10 else [large]:
            routes.add(f"/r{number}/{{x}}")
            routes.add(f"/r{number}-{{x}}")
            routes.add(f"/{{x}}~r{number:03}")
            routes.add(f"/{{x}}={{y}}~r{number:03}/z")
            routes.add(f"/{{y}}/r{number}/{{x}}")
            routes.add(f"/p/r{number}/{{p:path}}/x")
    paths = (
        "/r7/1",
        "/r7-1",
        "/x~r007",
        "/x=y~r007/z",
        "/x~r",
        "/y/r7/1",
        "/p/r7/1/x",
        "/r7/x/x",
        "/r7+",
        "/p/q",
        "/y/r7/",
    )
    for path in paths:
        small.match(path)
        large.match(path)
        assert work(lambda p=path: large.match(p)) <= 2 * work(lambda p=path: small.match(p))


MANY = {
    "literal text": "/r{}",
    "literal text before a placeholder": "/r{}-{{x}}",
    "literal text behind a placeholder": "/{{x}}-r{}",
    "literal text around a placeholder": "/r{}-{{x}}-r{}",
    "regexes": "/{{x:[a-z]{{{}}}}}",
    "rests": "/{{x:[^?]{{{}}}}}",
    "segments behind a placeholder": "/{{x}}/r{}",
    "segments between placeholders": "/{{x}}/r{}/{{y}}",
}


@pytest.fixture
def without_collections() -> Iterator[None]:
    """Keep the garbage collector off: its time depends on all objects of the process."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("without_collections")
@pytest.mark.parametrize("kind", MANY)
def test_routes_are_added_in_proportion_to_their_number(
    check_growth: CheckGrowth, kind: str
) -> None:
    def make(size: int) -> Callable[[], Any]:
        patterns = [MANY[kind].format(number, number) for number in range(1000, 1000 + size)]

        def add() -> None:
            parse.cache_clear()
            routes = Routes()
            for pattern in patterns:
                routes.add(pattern)

        return add

    check_growth(make, 256)
