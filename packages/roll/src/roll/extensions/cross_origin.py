"""`cors`: the other origins whose pages may read the responses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from inspect import isawaitable
from typing import Any

from ..application import Roll
from ..callables import (
    functions_of,
    is_generator,
    refuse_awaitable,
    refuse_misfit,
    refuse_unrun,
)
from ..fields import vary_on
from ..settings import check_flag
from .checks import check_list, check_origins, check_seconds, checked_methods, checked_names

__all__ = ["cors"]

Origin = str | Collection[str] | Callable[[str], bool | Awaitable[bool]]


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

    `origin` is one origin, a list of origins, or a function, `async` or not, that tells whether an
    origin is allowed. With a list or a function, the response varies with the `Origin` of the
    request. `"*"` among `methods` stands for all methods. `max_age` is the number of seconds that
    a browser may remember the answer to an OPTIONS request.

    Raises:
        ValueError: the function is a generator, or takes other arguments than an origin; an option
            has a wrong type or value; or `credentials` is given and all origins or all headers are
            allowed, which browsers refuse.
    """
    origin = checked_origin(origin)
    check_seconds("max_age", max_age)
    check_flag("credentials", credentials)
    fixed: dict[str, Any] = {}
    if methods is not None:
        fixed["Access-Control-Allow-Methods"] = checked_methods("methods", methods)
    if headers is not None:
        fixed["Access-Control-Allow-Headers"] = joined(headers)
    if credentials:
        refuse_any(origin, headers)
    if credentials:
        fixed["Access-Control-Allow-Credentials"] = "true"

    @app.listen("response")
    def add_cors_headers(request: Any, response: Any) -> Awaitable[None] | None:
        response.headers.update(fixed)
        if max_age is not None and request.method == "OPTIONS":
            response.headers["Access-Control-Max-Age"] = max_age
        if isinstance(origin, str):
            # Do not read the origin of the request: its header fields may not be parsed yet.
            response.headers["Access-Control-Allow-Origin"] = origin
            return None
        return allow_origin(origin, request.origin, response)


def checked_origin(origin: Any) -> Origin:
    if is_generator(origin):
        raise ValueError(f"{origin!r} is a generator, which cannot check an origin")
    if isinstance(functions_of(origin)[0], type):
        raise ValueError(  # noqa: TRY004 - like all mistakes here
            f"`origin` cannot be the class {origin!r}: each of its objects would count as true"
        )
    if callable(origin):
        refuse_misfit(origin, ("origin",), "The function that checks an origin")
        predicate: Origin = origin
        return predicate
    if not isinstance(origin, Collection) or isinstance(origin, bytes | bytearray):
        raise ValueError(f"`origin` is an origin, several, or a function, not {origin!r}")  # noqa: TRY004 - like all mistakes here
    if origin == "*" or (not isinstance(origin, str) and "*" in origin):
        return "*"
    check_origins("origin", origin)
    found: Origin = origin
    return found


def refuse_any(origin: Origin, headers: str | Collection[str] | None) -> None:
    """Refuse options that browsers refuse together with credentials (Fetch, 3.2.5)."""
    if origin == "*":
        raise ValueError(
            "`credentials=True` needs origins: browsers refuse it with '*'. Write"
            " `origin=['https://example.org']`, or a function that tells which are allowed"
        )
    if headers is not None and "*" in map(str.strip, joined(headers).split(",")):
        raise ValueError(
            "`credentials=True` needs the names of the headers: browsers take '*' for a name"
            " then. Write `headers=['Content-Type']`, or what is sent"
        )


def joined(names: str | Collection[str]) -> str:
    if isinstance(names, str):
        check_list("headers", names)
        return names
    return ",".join(checked_names("headers", names))


def allow_origin(origin: Origin, given: str, response: Any) -> Awaitable[None] | None:
    """Allow `given`, the origin of a request; return an awaitable if the function is async."""
    vary_on(response.headers, "Origin")
    if not given:
        return None
    allowed = origin(given) if callable(origin) else given in origin
    if isawaitable(allowed):
        return allow_later(allowed, given, response)
    allow(allowed, given, response)
    return None


async def allow_later(allowed: Awaitable[bool], given: str, response: Any) -> None:
    allow(await allowed, given, response)


def allow(allowed: Any, given: str, response: Any) -> None:
    refuse_unrun(allowed, "The function that checks an origin")
    refuse_awaitable(allowed, "The result of the function that checks an origin")
    if allowed:
        response.headers["Access-Control-Allow-Origin"] = given
