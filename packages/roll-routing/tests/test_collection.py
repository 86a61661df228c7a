"""`Routes` as a collection of paths: `find`, `remove`, `len`, `in`, `repr`."""

import typing
from collections.abc import Callable
from threading import Event, Thread
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import roll_routing
from roll_routing import InvalidRoute, Route, Routes, RoutingError

pytestmark = pytest.mark.usefixtures("either")


def table(*patterns: str) -> Routes:
    routes = Routes()
    for pattern in patterns:
        routes.add(pattern, route=pattern)
    return routes


def test_find_gives_a_route_or_none() -> None:
    routes = table("/a", "/b/{x}")
    assert routes.find("/a") == Route({"route": "/a"}, {})
    found = routes.find("/b/1")
    assert isinstance(found, Route)
    assert found.payload["route"] == "/b/{x}"
    assert found.vars["x"] == "1"
    assert routes.find("/b/") is None


def test_find_calls_match_of_a_subclass() -> None:
    class Lower(Routes):
        def match(self, path: str, /) -> Any:
            return super().match(path.lower())

    routes = Lower()
    routes.add("/a/{x}")
    assert routes.find("/A/B") == Route({}, {"x": "b"})


def test_len_and_in_work_on_registered_paths() -> None:
    routes = table("/a", "/b/{x}", "/b/{y}")
    routes.add("/a", POST=1)
    assert len(routes) == 3
    assert [path in routes for path in ("/a", "/b/{x}", "/b/{x:string}", "/b/{y}")] == [True] * 4
    others: list[Any] = ["/b/1", "/b/{z}", "/b/{x:int}", "/b", "/{", None, 1]
    assert [path in routes for path in others] == [False] * len(others)


def test_an_empty_table_is_empty() -> None:
    assert len(Routes()) == 0
    assert list(Routes()) == []
    assert repr(Routes()) == "<Routes: 0 routes>"


def test_the_repr_shows_the_table() -> None:
    class MyRoutes(Routes):
        """A subclass."""

    routes = MyRoutes()
    routes.add("/a", POST=1, GET=2)
    routes.add("/b/{x:int}", GET=1, name="b", extra=3)
    routes.add("/c")
    assert repr(routes) == "<MyRoutes: 3 routes\n  /a GET POST\n  /b/{x:int} GET name='b'\n  /c>"


def test_the_repr_of_a_large_table_is_short() -> None:
    routes = table(*(f"/{number}" for number in range(1234)))
    *lines, last = repr(routes).splitlines()
    assert lines[0] == "<Routes: 1,234 routes"
    assert len(lines) == 21
    assert last == "  ... and 1,214 more>"


REMOVED = {
    "a static path": (["/a", "/{x}"], "/a", {"/a": "/{x}", "/b": "/{x}"}),
    "a placeholder": (["/a", "/{x}"], "/{x}", {"/a": "/a", "/b": None}),
    "the only route": (["/a/{x}/b"], "/a/{x}/b", {"/a/1/b": None, "/a/1": None}),
    "a route that others go on from": (["/{x}", "/{x}/b"], "/{x}", {"/a": None, "/a/b": "/{x}/b"}),
    "a route that goes on": (["/{x}", "/{x}/b"], "/{x}/b", {"/a": "/{x}", "/a/b": None}),
    "a rest": (["/{p:path}", "/a/{x}"], "/{p:path}", {"/a/1": "/a/{x}", "/b": None}),
    "one of a group": (
        ["/{x:int}", "/{x:alnum}", "/{x:\\w}"],
        "/{x:int}",
        {"/1": "/{x:alnum}", "/_": "/{x:\\w}", "/-1": None},
    ),
    "one of those that begin alike": (
        ["/a-{x}", "/a-{x:int}", "/b-{x}"],
        "/a-{x}",
        {"/a-1": "/a-{x:int}", "/a-b": None, "/b-b": "/b-{x}"},
    ),
    "the last of a prefix": (["/a-{x}", "/b-{x}"], "/a-{x}", {"/a-1": None, "/b-1": "/b-{x}"}),
    "the route that is spelled otherwise": (["/{x}", "/a"], "/{x:string}", {"/b": None}),
}


@pytest.mark.parametrize("name", REMOVED)
def test_removed_route_does_not_match(name: str) -> None:
    patterns, removed, answers = REMOVED[name]
    routes = table(*patterns)
    for path in answers:
        routes.match(path)
    routes.remove(removed)
    assert removed not in routes
    assert len(routes) == len(patterns) - 1
    for path, pattern in [*answers.items()] * 2:
        assert routes.match(path)[0] == ({"route": pattern} if pattern else None)
    with pytest.raises(RoutingError, match="There is no route"):
        routes.remove(removed)
    routes.add(removed, route="again")
    assert routes.match(next(iter(answers)))[0] is not None or "/{x}" in removed


def test_remove_refuses_invalid_pattern() -> None:
    with pytest.raises(InvalidRoute):
        Routes().remove("/{a")


def test_emptied_table_keeps_no_node() -> None:
    patterns = ["/a/{x}", "/a/{x}/b", "/{y}", "/{x:int}-{y}/c", "/a/{p:path}", "/{p:any}/z", "/s"]
    routes = table(*patterns)
    for pattern in patterns:
        routes.remove(pattern)
    assert routes._tree.children == []
    assert routes._tree.groups == ()
    assert list(routes) == []
    assert routes.match("/a/1") == routes.match("/s") == (None, None)


def test_completed_payload_loses_keys_of_removed_path() -> None:
    routes = Routes()
    routes.add("/{a}", GET=1, extra="a")
    routes.add("/{b}", POST=2, extra="b")
    routes.add("/{c}", PUT=3, extra="c")
    payload, _ = routes.match("/x")
    assert payload == {"GET": 1, "POST": 2, "PUT": 3, "extra": "a"}
    routes.remove("/{b}")
    assert routes.match("/x")[0] is payload
    assert payload == {"GET": 1, "PUT": 3, "extra": "a"}
    routes.add("/{a}", HEAD=4)
    assert routes.match("/x") == ({"GET": 1, "PUT": 3, "HEAD": 4, "extra": "a"}, {"a": "x"})
    routes.remove("/{a}")
    assert routes.match("/x") == ({"PUT": 3, "extra": "c"}, {"c": "x"})


ALL = r"""
/ /a /{x} /{y} /{z} /a/{x} /a/{y:int} /{x}/b /{y}/b /{x:int}/b /{x}.{y} /{x:int}.{y} /{p:path}
/{q:path} /a/{p:any} /{x:\d+} /{x:a|b} /a{x} /b{x} /b{x:int} /{x}/{y} /{x}/{p:path} /{x:.+}b
"""
PATTERNS = st.sampled_from(ALL.split())
CHANGES = st.lists(
    st.tuples(st.booleans(), PATTERNS, st.sampled_from(["GET", "PUT"])), max_size=16
)
ASKED = [
    "/",
    "/a",
    "/b",
    "/1",
    "/a/1",
    "/a/b",
    "/1/b",
    "/a.b",
    "/1.b",
    "/a/b/c",
    "/b1",
    "/-1",
    "/a/",
]


@settings(max_examples=300, deadline=None)
@given(CHANGES)
def test_changed_table_answers_like_a_new_one(
    changes: list[tuple[bool, str, str]],
) -> None:
    changed, given_to = Routes(), dict[str, dict[str, str]]()
    for adding, pattern, method in changes:
        if adding or pattern not in given_to:
            changed.add(pattern, **{method: pattern})
            given_to.setdefault(pattern, {})[method] = pattern
        else:
            changed.remove(pattern)
            del given_to[pattern]
        made = Routes()
        for path, payload in given_to.items():
            made.add(path, **payload)
        assert [changed.match(path) for path in ASKED] == [made.match(path) for path in ASKED]
        assert list(changed) == list(made)
        assert len(changed) == len(given_to)


def test_threads_get_right_answers_while_routes_are_removed() -> None:
    known = {"/{p:path}": "/c", "/a/{x}": "/a/1", "/s": "/s", "/{x}.{y}": "/a.b"}
    routes = table(*known)
    ended, wrong = Event(), list[Any]()

    def match() -> None:
        while not ended.is_set():
            for pattern, path in known.items():
                payload, _ = routes.match(path)
                wrong.extend([] if payload == {"route": pattern} else [(path, payload)])
            routes.match("/t")

    threads = [Thread(target=match) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(200):
        for pattern in (f"/a/{{x{number}:int}}/b", "/t", f"/b{number}/{{x}}"):
            routes.add(pattern)
            routes.remove(pattern)
    ended.set()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_removing_costs_no_more_in_a_larger_table(
    work: Callable[[Callable[[], Any]], int],
) -> None:
    costs = []
    for size in (50, 800):
        routes = table(*(f"/{number}/{{x}}/{{y}}" for number in range(size)))
        costs.append(work(lambda routes=routes: routes.remove("/7/{x}/{y}")))
    assert costs[1] <= 1.5 * costs[0]


def test_the_types_of_all_public_names_can_be_read() -> None:
    for name in roll_routing.__all__:
        public = getattr(roll_routing, name)
        typing.get_type_hints(public)
        for member in vars(public).values() if isinstance(public, type) else ():
            function = getattr(member, "__func__", member)
            if callable(function) and not function.__name__.startswith("_"):
                typing.get_type_hints(function)
