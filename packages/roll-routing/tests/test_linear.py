"""The work of a match is linear in the path, whatever the path."""

from collections.abc import Callable
from typing import Any

import pytest

from roll_routing import Routes

Work = Callable[[Callable[[], Any]], int]

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
def test_twice_the_path_is_twice_the_work_at_most(work: Work, pattern: str, end: str) -> None:
    routes = Routes()
    routes.add(pattern)
    unit = HOSTILE[pattern]
    once, twice = ("/" + unit * (size // len(unit)) + end for size in (200, 400))
    routes.match(once)  # What is written at the first match is no work of the others.
    assert work(lambda: routes.match(twice)) <= 2.2 * work(lambda: routes.match(once))


def test_a_long_regex_is_not_read_in_all_the_ways_it_could_be() -> None:
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


def test_a_match_does_not_look_at_all_routes(work: Work) -> None:
    small, large = Routes(), Routes()
    for number in range(250):
        for routes in [large, small] if number < 10 else [large]:
            routes.add(f"/r{number}/{{x}}")
            routes.add(f"/r{number}-{{x}}")
            routes.add(f"/{{y}}/r{number}/{{x}}")
            routes.add(f"/p/r{number}/{{p:path}}/x")
    paths = ("/r7/1", "/r7-1", "/y/r7/1", "/p/r7/1/x", "/r7/x/x", "/r7+", "/p/q", "/y/r7/")
    for path in paths:
        small.match(path)
        large.match(path)
        assert work(lambda p=path: large.match(p)) <= 2 * work(lambda p=path: small.match(p))
