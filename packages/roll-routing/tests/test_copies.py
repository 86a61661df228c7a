"""Copies and pickles of tables match like the original, and share nothing with it."""

import copy
import pickle
from collections.abc import Callable
from threading import Event, Thread
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roll_routing import Converter, Routes

pytestmark = pytest.mark.usefixtures("either")


def through_pickle(routes: Any) -> Any:
    return pickle.loads(pickle.dumps(routes))


WAYS: list[Callable[[Any], Any]] = [copy.copy, copy.deepcopy, through_pickle]
PATTERNS = [
    "/",
    "/a",
    "/a/{x}",
    "/a/{y}",
    "/{x}",
    "/{x:int}",
    "/{p:path}",
    "/{a}.{b}",
    r"/{n:\d+}",
]
ASKED = ["/", "/a", "/b", "/1", "/a/b", "/a/b/c", "/b.c", "/-1", ""]


def table(*patterns: str) -> Routes:
    routes = Routes()
    for pattern in patterns:
        routes.add(pattern, GET=pattern, extra=[pattern])
    return routes


def answers(routes: Routes) -> list[Any]:
    return [routes.match(path) for path in ASKED]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("asked_before", [False, True])
def test_copy_matches_like_its_original(way: Callable[[Any], Any], asked_before: bool) -> None:
    routes = table(*PATTERNS)
    if asked_before:
        answers(routes)
    copied = way(routes)
    assert type(copied) is Routes
    assert answers(copied) == answers(routes)
    assert list(copied) == list(routes)
    assert repr(copied) == repr(routes)


@pytest.mark.parametrize("way", WAYS)
def test_copy_is_an_independent_table(way: Callable[[Any], Any]) -> None:
    routes = table(*PATTERNS)
    copied, before = way(routes), answers(routes)
    for pattern in PATTERNS:
        copied.add(pattern, PUT=1)
    copied.add("/new/{x}")
    assert answers(routes) == before
    assert "/new/{x}" not in routes
    for route in [*copied]:
        copied.remove(route.path)
    assert answers(routes) == before
    routes.remove("/a/{x}")
    routes.add("/a/{y}", PUT=2)
    assert routes.match("/a/b") == ({"GET": "/a/{y}", "extra": ["/a/{y}"], "PUT": 2}, {"y": "b"})
    assert len(copied) == 0


def test_only_a_deep_copy_copies_the_values_of_payloads() -> None:
    routes = table("/a", "/{x}")
    for path in ("/a", "/b"):
        (payload, _), (copied, _), (deep, _) = (
            each.match(path) for each in (routes, copy.copy(routes), copy.deepcopy(routes))
        )
        assert payload is not None
        assert copied is not None
        assert deep is not None
        assert copied["extra"] is payload["extra"]
        assert deep["extra"] == payload["extra"]
        assert deep["extra"] is not payload["extra"]


OWN = {"slug": Converter("[a-z-]+")}


class Named(Routes):
    """A subclass with attributes, a slot and constructor arguments; it counts routes."""

    __slots__ = ("slot",)

    converters = OWN

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = [name]
        self.slot = "s"
        self.added = 0

    def add(self, path: str, /, **payload: Any) -> None:
        super().add(path.lower(), **payload)
        self.added += 1


@pytest.mark.parametrize("way", WAYS)
def test_a_copy_of_a_subclass_has_its_attributes(way: Callable[[Any], Any]) -> None:
    routes = Named("mine")
    routes.add("/A/{x:slug}", GET=1)
    copied = way(routes)
    assert type(copied) is Named
    assert (copied.name, copied.slot, copied.added) == (["mine"], "s", 1)
    assert (copied.name is routes.name) == (way is copy.copy)
    copied.add("/B")
    assert copied.match("/a/b-c") == ({"GET": 1}, {"x": "b-c"})
    assert (routes.added, len(routes), len(copied)) == (1, 1, 2)


def test_value_of_a_payload_may_be_unpicklable() -> None:
    routes = Routes()
    routes.add("/", GET=lambda: None)
    with pytest.raises((pickle.PicklingError, AttributeError), match="lambda"):
        pickle.dumps(routes)
    assert copy.deepcopy(routes).match("/") == routes.match("/")


@pytest.mark.parametrize("way", [copy.deepcopy, through_pickle])
def test_a_table_may_hold_itself(way: Callable[[Any], Any]) -> None:
    routes = Routes()
    routes.add("/", table=routes)
    copied = way(routes)
    payload, _ = copied.match("/")
    assert payload["table"] is copied


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.sampled_from(PATTERNS)), max_size=12), st.data())
def test_copy_made_at_any_time_matches_like_its_original(
    changes: list[tuple[bool, str]], data: Any
) -> None:
    routes = Routes()
    for number, (adding, pattern) in enumerate(changes):
        if adding or pattern not in routes:
            routes.add(pattern, **{f"key{number}": pattern})
        else:
            routes.remove(pattern)
    copied = data.draw(st.sampled_from(WAYS))(routes)
    assert answers(copied) == answers(routes)
    assert list(copied) == list(routes)


def test_a_table_is_copied_while_others_add() -> None:
    routes, ended, wrong = table(*PATTERNS), Event(), list[Any]()

    def work(name: str) -> None:
        number = 0
        while not ended.is_set():
            number += 1
            routes.add(f"/{name}{number}/{{x}}")
            routes.remove(f"/{name}{number}/{{x}}")

    threads = [Thread(target=work, args=(name,)) for name in "mn"]
    for thread in threads:
        thread.start()
    try:
        for _ in range(100):
            copied = copy.copy(routes)
            wrong += [path for path in PATTERNS if path not in copied]
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    assert wrong == []
