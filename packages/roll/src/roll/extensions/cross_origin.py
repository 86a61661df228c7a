"""`cors`: who else's pages may read the responses."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from roll_http import HTTP_METHODS

if TYPE_CHECKING:
    from ..application import Roll

__all__ = ["cors"]

Origin = str | Collection[str] | Callable[[str], bool]


def cors(
    app: Roll,
    origin: Origin = "*",
    methods: str | Collection[str] | None = None,
    headers: str | Collection[str] | None = None,
    credentials: bool = False,
    *,
    max_age: int | None = None,
) -> None:
    """Add the `Access-Control-Allow-` fields to every response (Fetch, 3.2).

    `origin` is one origin, or several, or a function that tells whether an origin is allowed;
    with the latter two the response varies with the request's. `methods` may be `"*"` for all.
    `max_age` is for how many seconds a browser may remember the answer to an OPTIONS request.
    """
    if not isinstance(origin, str) and not callable(origin) and "*" in origin:
        origin = "*"
    fixed: dict[str, Any] = {}
    if methods is not None:
        fixed["Access-Control-Allow-Methods"] = joined(HTTP_METHODS if methods == "*" else methods)
    if headers is not None:
        fixed["Access-Control-Allow-Headers"] = joined(headers)
    if credentials:
        fixed["Access-Control-Allow-Credentials"] = "true"

    @app.listen("response")
    def add_cors_headers(request: Any, response: Any) -> None:
        response.headers.update(fixed)
        allow_origin(origin, request, response)
        if max_age is not None and request.method == "OPTIONS":
            response.headers["Access-Control-Max-Age"] = max_age


def joined(names: str | Collection[str]) -> str:
    return names if isinstance(names, str) else ",".join(names)


def allow_origin(origin: Origin, request: Any, response: Any) -> None:
    if isinstance(origin, str):
        response.headers["Access-Control-Allow-Origin"] = origin
        return
    vary_on_origin(response.headers)
    given = request.origin
    if given and (origin(given) if callable(origin) else given in origin):
        response.headers["Access-Control-Allow-Origin"] = given


def vary_on_origin(headers: dict[str, Any]) -> None:
    name = next((name for name in headers if name.lower() == "vary"), "Vary")
    varies = [field.strip() for field in str(headers.get(name, "")).split(",") if field.strip()]
    if not {"origin", "*"} & {field.lower() for field in varies}:
        headers[name] = ", ".join([*varies, "Origin"])
