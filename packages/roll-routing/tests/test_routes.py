"""`Routes` beyond single answers: merging, listing, adding while matching."""

from collections.abc import Callable
from threading import Barrier, Event, Thread
from typing import Any

import pytest

from roll_routing import ListedRoute, Route, Router, Routes, _kinds

pytestmark = pytest.mark.usefixtures("either")


@pytest.fixture
def routes() -> Routes:
    return Routes()


def test_routes_is_a_router(routes: Routes) -> None:
    router: Router = routes
    router.add("/a", GET=1)
    assert Route(*router.match("/a")) == Route(payload={"GET": 1}, vars={})
    assert Route(*router.match("/b")) == Route(payload=None, vars=None)


@pytest.mark.parametrize(("pattern", "path"), [("/a", "/a"), ("/{x}", "/a"), ("/{x}{y}", "/ab")])
def test_a_path_added_again_merges_its_payload(routes: Routes, pattern: str, path: str) -> None:
    routes.add(pattern, GET=1, extra="first")
    before = routes.match(path)[0]
    routes.add(pattern, POST=2, extra="last")
    assert routes.match(path)[0] == {"GET": 1, "POST": 2, "extra": "last"}
    assert routes.match(path)[0] is before
    assert len(list(routes)) == 1


def test_string_is_the_default_type(routes: Routes) -> None:
    routes.add("/{x}", GET=1)
    routes.add("/{x:string}", POST=2)
    assert routes.match("/a") == ({"GET": 1, "POST": 2}, {"x": "a"})


@pytest.mark.parametrize("kind", ["int", "digit", "float", "alnum", "string", r"\d+"])
def test_a_number_may_have_more_digits_than_python_reads(routes: Routes, kind: str) -> None:
    routes.add(f"/{{x:{kind}}}")
    assert routes.match("/" + "1" * 5001) == ({}, {"x": "1" * 5001})


def test_payload_may_have_a_key_path(routes: Routes) -> None:
    routes.add("/a", path="/b")
    assert routes.match("/a") == ({"path": "/b"}, {})


def test_each_match_returns_a_new_dict_of_values(routes: Routes) -> None:
    routes.add("/s")
    routes.add("/d/{x}")
    for path in ("/s", "/d/1"):
        routes.match(path)
        first, second = routes.match(path)[1], routes.match(path)[1]
        assert first == second
        assert first is not second


def test_routes_are_listed_in_the_order_of_their_registration(routes: Routes) -> None:
    routes.add("/b/{x}", POST=1, GET=2, name="b", URL=3)
    routes.add("/a")
    assert list(routes) == [
        ListedRoute("/b/{x}", ("GET", "POST"), "b", {"POST": 1, "GET": 2, "name": "b", "URL": 3}),
        ListedRoute("/a", (), None, {}),
    ]


def test_routes_that_can_never_match_are_listed_too(routes: Routes) -> None:
    for pattern in ("/{a}", "/{b}", "/p/{a:path}", "/p/{b:path}"):
        routes.add(pattern)
    assert len(list(routes)) == 4


# What is proven for a table must not outlive it: each of these is asked before and after.
LATER: dict[str, tuple[list[str], str, str]] = {
    "a literal sibling": (["/{x}/{y}"], "/a/b", "/a/{y}"),
    "a literal sibling of another": (["/{x}/{y}", "/b/{y}"], "/a/b", "/a/{y}"),
    "a typed sibling": (["/{x}"], "/1", "/{x:digit}"),
    "a sibling with more text": (["/{x}"], "/a1", "/a{x}"),
    "a sibling beside text": (["/{x}.json"], "/a.json", "/a.{x}"),
    "a sibling of a path": (["/{p:path}"], "/a/b", "/{x}/b"),
    "a literal sibling of a path": (["/{p:path}"], "/a/b", "/a/{x}"),
    "a static route": (["/{x}"], "/a", "/a"),
    "a regex that takes slashes": (["/{p:path}"], "/a/b", "/{p:.+}"),
    "a longer path": (["/{p:path}"], "/a/b", "/{p:path}/b"),
}


@pytest.mark.parametrize("name", LATER)
def test_a_route_added_later_takes_precedence_at_once(routes: Routes, name: str) -> None:
    patterns, path, later = LATER[name]
    for pattern in patterns:
        routes.add(pattern, route=pattern)
    for _ in range(3):
        assert routes.match(path)[0] == {"route": patterns[0]}
    routes.add(later, route=later)
    for _ in range(3):
        assert routes.match(path)[0] == {"route": later}


OTHERS: dict[str, tuple[list[str], dict[str, str]]] = {
    "literals": (["/{x}/{y}", "/a/{y}/z"], {"/b/c": "/{x}/{y}", "/a/c": "/{x}/{y}"}),
    "kinds": (["/{x}", "/{n:digit}"], {"/a": "/{x}", "/1": "/{n:digit}"}),
    "text": (["/{x}.json", "/{y}", "/a.{z}"], {"/b.json": "/{x}.json", "/a.json": "/a.{z}"}),
    "paths": (["/{p:path}", "/a/{x}", "/{n:int}"], {"/b/c": "/{p:path}", "/a/c": "/a/{x}"}),
    "a crowd": ([f"/{c}-{{x}}" for c in "abcdefghi"], {"/a-1": "/a-{x}", "/i-1": "/i-{x}"}),
    "rests": (["/{p:path}.a", "/{q:path}.b"], {"/x.a": "/{p:path}.a", "/x.b": "/{q:path}.b"}),
}


@pytest.mark.parametrize("name", OTHERS)
def test_routes_that_share_a_place_keep_their_own_paths(routes: Routes, name: str) -> None:
    patterns, answers = OTHERS[name]
    for pattern in patterns:
        routes.add(pattern, route=pattern)
    for path, pattern in [*answers.items()] * 3:
        assert routes.match(path)[0] == {"route": pattern}


def run_while(call: Callable[[], None], *changes: Callable[[], None]) -> None:
    """Call in three threads again and again, until the changes are done."""
    ended = Event()

    def loop() -> None:
        while not ended.is_set():
            call()

    threads = [Thread(target=loop) for _ in range(3)]
    for thread in threads:
        thread.start()
    for change in changes:
        change()
    ended.set()
    for thread in threads:
        thread.join()


def test_threads_get_right_answers_while_routes_are_added(routes: Routes) -> None:
    known = {"/{p:path}": "/c", "/a/{x}": "/a/1", "/b/{x}": "/b/1", "/{x}.{y}": "/a.b"}
    wrong: list[Any] = []
    for pattern in known:
        routes.add(pattern, route=pattern)

    def match() -> None:
        for pattern, path in known.items():
            payload, _ = routes.match(path)
            wrong.extend([] if payload == {"route": pattern} else [(path, payload)])

    def add(number: int) -> None:
        pattern = f"/{'abcd'[number % 4]}{number % 7}/{{x}}/z{number}/{{y:digit}}"
        routes.add(pattern, route=pattern)
        for _ in range(2):
            payload, _ = routes.match(pattern.replace("{x}", "1").replace("{y:digit}", "2"))
            wrong.extend([] if payload == {"route": pattern} else [(pattern, payload)])

    run_while(match, *(lambda n=n: add(n) for n in range(300)))
    assert wrong == []


def test_threads_that_add_one_pattern_at_once_register_it_once(
    routes: Routes, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = Barrier(2, timeout=10)
    compiled = _kinds._matches

    def met(regex: str) -> Any:
        both.wait()  # Now each thread has found that the regex is new.
        return compiled(regex)

    monkeypatch.setattr(_kinds, "_matches", met)
    pattern = r"/{x:(?=once)\w+}"
    adding = [
        Thread(target=routes.add, args=(pattern,), kwargs={method: method})
        for method in ("GET", "POST")
    ]
    for thread in adding:
        thread.start()
    for thread in adding:
        thread.join()
    assert routes.match("/once") == ({"GET": "GET", "POST": "POST"}, {"x": "once"})
    assert [route.path for route in routes] == [pattern]


@pytest.mark.parametrize("kind", ["", ":path"])
def test_other_names_for_the_same_urls_complete_the_first(kind):
    routes = Routes()
    first, second = f"/user/{{id{kind}}}", f"/user/{{name{kind}}}"
    routes.add(first, GET="get", extra=1)
    routes.add(second, GET="other", DELETE="delete")
    assert routes.match("/user/1") == ({"GET": "get", "DELETE": "delete", "extra": 1}, {"id": "1"})
    routes.add(second, PUT="put", extra=2)
    payload, _ = routes.match("/user/1")
    assert payload["PUT"] == "put"
    assert payload["extra"] == 1
    assert [route.path for route in routes] == [first, second]
