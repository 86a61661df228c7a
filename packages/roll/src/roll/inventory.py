"""Lists of the routes of an application and of the extensions that it uses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from inspect import unwrap
from pathlib import Path
from typing import Any, Final, NamedTuple

from . import extensions
from .advice import code_of
from .application import Roll
from .callables import functions_of
from .hosting.mounting import METHODS
from .views import ANY, ENDPOINTS, Endpoint

__all__ = ["Entry", "NotListed", "entries", "extensions_of", "table"]

PREFIX: Final = f"{extensions.__name__}."


class NotListed(Exception):
    """The router of the application is not iterable, so its routes cannot be listed."""


class Entry(NamedTuple):
    """One handler of a path, with the methods that it answers.

    `file` is relative to the working directory if it is below it. `file` and `line` are None for
    a handler that is not Python code.
    """

    path: str
    methods: list[str]
    protocol: str
    name: str | None
    handler: str
    file: str | None
    line: int | None
    extras: dict[str, Any]


def entries(app: Any) -> Iterator[Entry]:
    """Yield the routes in the order of their registration.

    Those of a mounted application of Roll follow its mount.

    Raises:
        NotListed: the router of the application is not iterable.
    """
    for route in routes_of(app):
        if ANY in route.payload:
            if route.path == route.payload[ANY].path:  # a mount has other routes too
                yield from entries_of_mount(route.payload[ANY], route.payload["GET"])
        else:
            yield from entries_of(route.path, route.payload)


def entries_of_mount(endpoint: Endpoint, host: Any) -> Iterator[Entry]:
    extras = {**dict(endpoint.settings), **host.settings}
    name = handler_name(host)
    yield Entry(host.prefix or "/", [*METHODS], "mount", None, name, None, None, extras)
    if isinstance(host.application, Roll):
        host.application.add_late_routes()
        for inner in entries(host.application):
            yield inner._replace(path=host.prefix + inner.path)


def routes_of(app: Any) -> list[Any]:
    try:
        return list(app.routes)
    except TypeError:
        kind = type(app.routes).__qualname__
        raise NotListed(
            f"The router, of type {kind}, cannot be listed: it is not iterable"
        ) from None


def entries_of(path: str, payload: Mapping[str, Any]) -> Iterator[Entry]:
    answered: dict[tuple[int, int], list[str]] = {}
    for method, key in ENDPOINTS.items():
        if method in payload:
            # Endpoints of the same call of `route` share their dict of extras.
            extras = getattr(payload.get(key), "extras", None)
            answered.setdefault((id(payload[method]), id(extras)), []).append(method)
    for methods in answered.values():
        yield entry(path, methods, payload[methods[0]], payload)


def entry(path: str, methods: list[str], handler: Any, payload: Mapping[str, Any]) -> Entry:
    endpoint = payload.get(ENDPOINTS[methods[0]])
    extras = dict(getattr(endpoint, "extras", None) or {})
    websocket = getattr(endpoint, "websocket", None) is not None
    if getattr(endpoint, "lazy_body", False):
        extras["lazy_body"] = True
    extension = extension_of(handler)
    # Behind decorators that use `functools.wraps`: where the handler is written.
    code = code_of(unwrap(handler)) if extension is None else None
    return Entry(
        path,
        methods,
        "websocket" if websocket else "http",
        extras.pop("name", None),
        handler_name(handler) if extension is None else f"the extension {extension}",
        None if code is None else relative(code.co_filename),
        None if code is None else code.co_firstlineno,
        extras,
    )


def handler_name(handler: Any) -> str:
    function, _ = functions_of(handler)
    found: str = getattr(function, "__qualname__", type(function).__qualname__)
    return found.rpartition("<locals>.")[2]


def relative(file: str) -> str:
    path = Path(file)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else file


def table(found: Iterable[Entry]) -> Iterator[str]:
    """Yield the lines of a table: a heading, then a line for each route."""
    heads = ("PATH", "METHODS", "NAME", "HANDLER", "EXTRAS")
    rows = [heads, *map(cells, found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(heads))]
    for row in rows:
        yield "  ".join(map(str.ljust, row, widths)).rstrip()


def cells(one: Entry) -> tuple[str, ...]:
    methods = ",".join(one.methods) if one.protocol == "http" else one.protocol
    place = "" if one.file is None else f" {one.file}:{one.line}"
    extras = " ".join(f"{name}={value!r}" for name, value in one.extras.items())
    return one.path, methods, one.name or "-", f"{one.handler}{place}", extras


def extensions_of(app: Any) -> list[str]:
    """Return the names of Roll's own extensions that an application uses.

    An extension is found by its listeners and handlers, which are defined in its module. That
    includes extensions such as `igniter`, whose work ends with the startup.
    """
    found = {name for call in calls_of(app) if (name := extension_of(call)) is not None}
    return sorted(found)


def calls_of(app: Any) -> Iterator[Any]:
    for listeners in app.hooks.values():
        yield from listeners
    with suppress(NotListed):
        for route in routes_of(app):
            yield from (value for value in route.payload.values() if callable(value))


def extension_of(call: Any) -> str | None:
    """Return the name of the extension that defined a listener or a handler, if one did."""
    function, _ = functions_of(call)
    module = getattr(function, "__module__", None) or ""
    if not module.startswith(PREFIX):
        return None
    public = (name for name in extensions.__all__ if callable(getattr(extensions, name)))
    folder = module.removeprefix(PREFIX).partition(".")[0]
    if folder in extensions.__all__:  # an extension that is a package
        return folder
    outer = getattr(function, "__qualname__", "").partition(".")[0]
    if outer in extensions.__all__:
        return outer
    # A method of a class: if its module has only one extension, the method belongs to that one.
    same = [name for name in public if getattr(extensions, name).__module__ == module]
    return same[0] if len(same) == 1 else None
