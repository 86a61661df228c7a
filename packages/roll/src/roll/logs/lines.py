"""The lines of an access log: as text, as JSON, or in a custom format."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any, Final

from .clock import Clock, clf_time, iso_time
from .escaping import json_text, peer_of
from .formats import compiled, request_line

__all__ = ["Format", "Refused", "format_of"]

SHORT: Final = 200
"""Maximum characters of a method and of a request id."""

AGENT: Final = 512
"""Maximum characters of a `User-Agent` field."""


class Format:
    """A format: `record` keeps data of an exchange, and another function makes lines later.

    Many lines in a row cost half as much as single lines between requests.
    """

    def __init__(
        self,
        record: Callable[[Any, Any, int, float], Any],
        render: Callable[[Sequence[Any]], str],
    ) -> None:
        self.record: Final = record
        """A function of a request, its response, the sent bytes of the body, and seconds.
        """
        self.render: Final = render
        """A function that takes a list of results of `record`, and returns the lines."""


class Refused:
    """The data of refused input that never became a request, and of its response."""

    method = protocol = forwarded = id = known_id = query_string = route_path = trace = None
    url = b""
    path = version = ""
    headers: Final[dict[str, str]] = {}

    def __init__(self, status: HTTPStatus, client: tuple[str, int] | None) -> None:
        self.status = status
        self.client = client
        self.kwargs: dict[str, Any] = {}


def format_of(template: Any) -> Format:
    """Return the format `text`, `json`, or a custom one with `%(name)s`.

    Raises:
        ValueError: the format is something else.
    """
    if not isinstance(template, str):
        raise ValueError(f"`format` is 'text', 'json', or a text with '%(url)s', not {template!r}")  # noqa: TRY004 - like wrong options
    if template == "text":
        return Format(text_record, text_renderer())
    if template == "json":
        return Format(json_record, json_renderer())
    return Format(compiled(template), "".join)


def text_record(request: Any, response: Any, size: int, seconds: float) -> tuple[Any, ...]:
    """Return the data for a line of text, without references to the request."""
    return (
        peer_of(request),
        request.method,
        request.url,
        request.version,
        response.status,
        size,
        seconds,
    )


def text_renderer() -> Callable[[Sequence[Any]], str]:
    """Return a function for lines in the Common Log Format, followed by the seconds."""
    clock = Clock(clf_time)

    def render(records: Sequence[Any]) -> str:
        stamp = clock.text()
        lines = []
        for peer, method, url, version, status, size, seconds in records:
            asked = "-" if method is None else request_line(method, url, version)
            lines.append(f'{peer} - - [{stamp}] "{asked}" {status._value_} {size} {seconds:.6f}\n')
        return "".join(lines)

    return render


def json_record(request: Any, response: Any, size: int, seconds: float) -> tuple[Any, ...]:
    """Return the data for a line of JSON, without references to the request."""
    headers = request.headers
    return (
        peer_of(request),
        request.method,
        request.path,
        request.query_string,
        request.version,
        response.status,
        size,
        seconds,
        None if request.known_id is None else str(request.known_id),
        request.route_path,
        headers.get("USER-AGENT"),
        request.trace if "TRACEPARENT" in headers else None,
    )


def json_renderer() -> Callable[[Sequence[Any]], str]:
    """Return a function for lines of JSON, each with one object."""
    clock = Clock(iso_time)

    def render(records: Sequence[Any]) -> str:
        stamp = clock.text()
        return "".join([json_line(stamp, *record) for record in records])

    return render


def json_line(
    stamp: str,
    peer: str,
    method: str | None,
    path: str,
    query: str,
    version: str,
    status: Any,
    size: int,
    seconds: float,
    known_id: str | None,
    route: str | None,
    agent: str | None,
    trace: Any,
) -> str:
    address = "null" if peer == "-" else f'"{peer}"'
    traced = "" if trace is None else f',"trace_id":"{trace.trace_id}"'
    return (
        f'{{"time":"{stamp}","peer":{address},"method":{json_text(method, SHORT)},'
        f'"path":{json_text(path or None)},"query":{json_text(query)},'
        f'"version":{json_text(version or None)},"status":{status._value_},"bytes":{size},'
        f'"duration":{seconds:.6f},"request_id":{json_text(known_id, SHORT)},'
        f'"route":{json_text(route)},"user_agent":{json_text(agent, AGENT)}{traced}}}\n'
    )
