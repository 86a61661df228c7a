"""The routers compared: each takes routes, and gives the values of a path or None."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import autoroutes
from falcon.routing import CompiledRouter
from sanic_routing import BaseRouter  # type: ignore[attr-defined]
from sanic_routing.exceptions import NotFound
from starlette.routing import Match, Route
from werkzeug.exceptions import NotFound as WerkzeugNotFound
from werkzeug.routing import Map, Rule

import roll_routing

__all__ = ["PEERS", "Peer", "without_autoroutes"]

Values = dict[str, str]
# `match` is what is timed: what an application calls. `values` reads its result, untimed.
Peer = Callable[[list[str]], tuple[Callable[[str], Any], Callable[[Any], Values | None]]]

RE_ROUTER = Path(__file__).parents[2] / "tests-integration" / "routing" / "re_router.py"


def two_methods(router: Any) -> Peer:
    """Any router of the same interface as ours."""

    def build(routes: list[str]) -> Any:
        table = router()
        for route in routes:
            table.add(route, GET=route)
        return table.match, lambda result: result[1]

    return build


def without_autoroutes(routes: list[str]) -> Any:
    """Ours, as where autoroutes is not installed."""
    build = two_methods(roll_routing.Routes)
    with patch("roll_routing._autoroutes.autoroutes", None):
        match, values = build(routes)
        match("/nowhere")  # Autoroutes is looked for at the first match that needs the tree.
    return match, values


def re_routes() -> Any:
    spec = importlib.util.spec_from_file_location("re_router", RE_ROUTER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.ReRoutes


class Resource:
    def on_get(self, *args: Any, **values: Any) -> None:
        """Answer nothing."""


def falcon(routes: list[str]) -> Any:
    router = CompiledRouter()
    for route in routes:
        router.add_route(route, Resource())
    return router.find, lambda result: result and result[2]


class SanicRouter(BaseRouter):  # type: ignore[misc]
    def get(self, path: str) -> Any:
        try:
            return self.resolve(path=path, method=self.DEFAULT_METHOD)
        except NotFound:
            return None


def sanic(routes: list[str]) -> Any:
    router = SanicRouter()
    for route in routes:
        router.add(route.replace("{", "<").replace("}", ">"), Resource)
    router.finalize()
    return router.get, lambda result: result and result[2]


def starlette(routes: list[str]) -> Any:
    table = [Route(route, Resource().on_get) for route in routes]
    scope = {"type": "http", "method": "GET", "root_path": ""}

    def match(path: str) -> Any:
        scope["path"] = path
        for route in table:
            found, child = route.matches(scope)
            if found is Match.FULL:
                return child
        return None

    return match, lambda result: result and result["path_params"]


def werkzeug(routes: list[str]) -> Any:
    rules = [
        Rule(route.replace("{", "<").replace("}", ">"), endpoint=route, methods=["GET"])
        for route in routes
    ]
    adapter = Map(rules, merge_slashes=False).bind("localhost")

    def match(path: str) -> Any:
        try:
            return adapter.match(path)
        except WerkzeugNotFound:
            return None

    return match, lambda result: result and result[1]


PEERS: dict[str, Peer] = {
    "autoroutes": two_methods(autoroutes.Routes),
    "roll-routing": two_methods(roll_routing.Routes),
    "falcon": falcon,
    "sanic-routing": sanic,
    "starlette": starlette,
    "werkzeug": werkzeug,
    "re": two_methods(re_routes()),
}
