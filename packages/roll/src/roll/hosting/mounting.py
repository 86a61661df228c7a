"""`app.mount`: the routes and the settings of an ASGI application."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Any, Final

from roll_http import HTTP_METHODS
from roll_websocket import check_options

from ..part_checks import check_part
from ..settings import WEBSOCKET_SETTINGS, check_settings
from ..stop_notice import StopNotice
from ..views import ANY, ENDPOINTS, Endpoint, request_settings
from .host import Host
from .kinds import check_application
from .lifespan import lifespan_of

__all__ = ["METHODS", "SETTINGS", "mount"]

SETTINGS: Final = ("max_body", *(name for name in WEBSOCKET_SETTINGS if name != "subprotocols"))
"""The settings of `mount`."""

METHODS: Final = tuple(method for method in HTTP_METHODS if method != "CONNECT")


def mount(
    app: Any, path: Any, application: Any, settings: dict[str, Any]
) -> tuple[Host, dict[str, Any], Iterable[str]]:
    """Check the arguments of `Roll.mount`; return the host, and the payload and paths of it."""
    prefix = checked_prefix(path)
    check_application(application)
    if application is app:
        raise ValueError(f"An application cannot be mounted in itself, at {path!r}")
    check_mount_settings(settings)
    check_part(app, "WebsocketProtocol")
    websocket = {name: settings[name] for name in settings if name != "max_body"}
    host = Host(application, prefix, websocket)

    async def lifespan(app: Any) -> AsyncIterator[None]:
        async for _ in lifespan_of(host, app):
            yield

    try:
        app.lifespan(lifespan)
    except ValueError:
        raise ValueError(
            f"The mount at {path!r} comes too late: mount applications before this one starts,"
            " which starts them"
        ) from None
    notice = getattr(application, "stop_notice", None)
    if isinstance(notice, StopNotice):  # an application of Roll: its lifespan would tell it later
        app.stop_notice.add(notice.give)
    paths = dict.fromkeys((prefix or "/", f"{prefix}/", f"{prefix}/{{mounted:path}}"))
    return host, payload_of(host, settings), paths


def payload_of(host: Host, settings: dict[str, Any]) -> dict[str, Any]:
    """Return the payload of the routes: the host for all methods, also for unknown ones."""
    for_requests = tuple(request_settings(settings))

    def endpoint(method: str) -> Endpoint:
        path = f"{host.prefix}/{{mounted:path}}"
        return Endpoint(method, lazy_body=True, settings=for_requests, host=host, path=path)

    payload: dict[str, Any] = {"protocol": "http"}
    for method in METHODS:
        payload[method] = host
        payload[ENDPOINTS[method]] = endpoint(method)
    payload[ANY] = endpoint("GET")
    return payload


def checked_prefix(path: Any) -> str:
    """Return a path without its last slash; raise a `ValueError` for an invalid path."""
    if not isinstance(path, str):
        raise ValueError(f"A path is text, such as '/admin', not {path!r}")  # noqa: TRY004 - like all mistakes in a route
    if path == "":
        return path
    if not path.startswith("/") or "//" in path:
        raise ValueError(f"The path of a mount begins with a '/', as '/admin' does, not {path!r}")
    if "{" in path or "}" in path:
        raise ValueError(f"The path of a mount has no placeholders: {path!r} cannot be used")
    return path.removesuffix("/")


def check_mount_settings(settings: dict[str, Any]) -> None:
    for name in settings:
        if name not in SETTINGS:
            known = ", ".join(SETTINGS)
            raise ValueError(f"`mount` takes no {name!r}: its settings are {known}")
    check_settings(settings)
    check_options({name: value for name, value in settings.items() if name != "max_body"})
