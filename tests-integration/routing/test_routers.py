"""Any router keeps the contract of the two methods."""

import inspect
import tomllib
from itertools import islice, permutations
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from roll_routing import Router

ROOT = Path(__file__).parents[2]
TABLES = ROOT / "packages" / "roll-routing" / "tests" / "data" / "cases.toml"
CASES = tomllib.loads(TABLES.read_text())["case"]


def known_fault(router: str, case: dict[str, Any]) -> list[pytest.MarkDecorator]:
    reason = case.get(router)
    return [pytest.mark.xfail(reason=reason, strict=True)] if reason else []


def orders(case: dict[str, Any]) -> list[tuple[str, ...]]:
    routes = case["routes"]
    if case.get("ordered"):
        return [tuple(routes)]
    return [*islice(permutations(routes), 24), tuple(reversed(routes))]


@pytest.mark.parametrize(
    ("router", "case"),
    [
        pytest.param(router, case, id=f"{router}: {case['name']}", marks=known_fault(router, case))
        for router in ("ours", "autoroutes", "re")
        for case in CASES
    ],
)
def test_answers_are_right_in_every_order_of_registration(
    routers: dict[str, Any], router: str, case: dict[str, Any]
) -> None:
    for order in orders(case):
        routes = routers[router]()
        for path in order:
            routes.add(path, route=path)
        for path, expected in case["paths"].items():
            payload, values = routes.match(path)
            answer = (payload, values) if payload is None else (payload["route"], values)
            known = (expected["route"], expected.get("vars", {})) if expected else (None, None)
            assert answer == known, (order, path)


@pytest.fixture(params=["ours", "autoroutes", "re"])
def routes(routers: dict[str, Any], request: pytest.FixtureRequest) -> Router:
    return routers[request.param]()


@pytest.mark.parametrize("path", ["/a", "/a/{x}", "/{p:path}"])
def test_a_path_added_again_merges_its_payload(routes: Router, path: str) -> None:
    routes.add(path, GET=1, extra="first")
    routes.add(path, POST=2, extra="last")
    payload, _ = routes.match("/a/b" if "{" in path else "/a")
    assert payload == {"GET": 1, "POST": 2, "extra": "last"}


def test_a_payload_may_be_empty(routes: Router) -> None:
    routes.add("/a")
    routes.add("/b/{x}")
    assert routes.match("/a") == ({}, {})
    assert routes.match("/b/1") == ({}, {"x": "1"})


def test_the_values_belong_to_one_match(routes: Router) -> None:
    routes.add("/a/{x}")
    first, second = routes.match("/a/1")[1], routes.match("/a/1")[1]
    assert first == second
    assert first is not second


def test_nothing_matches_an_empty_table(routes: Router) -> None:
    assert tuple(routes.match("/")) == (None, None)


@pytest.mark.parametrize("path", ["/{a", "/a}", "/{a}}"])
def test_unbalanced_braces_are_refused(routers: dict[str, Any], path: str) -> None:
    for name in ("ours", "re"):
        with pytest.raises(ValueError, match="unbalanced"):
            routers[name]().add(path)


@pytest.mark.parametrize("router", ["ours", "re"])
def test_threads_match_while_routes_are_added(routers: dict[str, Any], router: str) -> None:
    routes = routers[router]()
    routes.add("/{p:path}", route="rest")
    for letter in "ab":
        routes.add(f"/{letter}/{{x}}", route=letter)
    ended, wrong = Event(), []

    def match() -> None:
        while not ended.is_set():
            for path, route in (("/a/1", "a"), ("/b/1", "b"), ("/c", "rest")):
                payload, _ = routes.match(path)
                if payload is None or payload["route"] != route:
                    wrong.append((path, payload))

    threads = [Thread(target=match) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(200):
        path = f"/{'abcd'[number % 4]}{number}/{{x}}/z{number}"
        routes.add(path, route=path)
        payload, _ = routes.match(path.replace("{x}", "1"))
        if payload is None or payload["route"] != path:
            wrong.append((path, payload))
    ended.set()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_router_is_its_two_methods(routers: dict[str, Any]) -> None:
    for router in routers.values():
        assert callable(router.add)
        assert callable(router.match)
    methods = [name for name, _ in inspect.getmembers(Router, inspect.isfunction)]
    assert [name for name in methods if not name.startswith("_")] == ["add", "match"]
