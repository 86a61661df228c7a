"""What a line of an access log says: as text, as JSON, or by a format of one's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any, Final

from .clock import Clock, clf_time, iso_time
from .escaping import json_text, peer_of
from .formats import compiled, request_line

__all__ = ["Format", "Refused", "format_of"]

SHORT: Final = 200
"""Characters of a method and of a request id."""

AGENT: Final = 512
"""Characters of a `User-Agent` field."""


class Format:
    """What is kept of an exchange when its answer has gone, and what makes lines of it later.

    To make many lines in a row costs half of what it costs to make each between two requests.
    """

    def __init__(
        self,
        record: Callable[[Any, Any, int, float], Any],
        render: Callable[[Sequence[Any]], str],
    ) -> None:
        self.record: Final = record
        """Called with a request, its response, the bytes of the body that were sent, and seconds.
        """
        self.render: Final = render
        """Called with what `record` has returned, several times; returns the lines."""


class Refused:
    """What is known of a request that was refused before it was one; the response, too."""

    method = protocol = forwarded = id = known_id = query_string = route_path = trace = None
    url = b""
    path = version = ""
    headers: Final[dict[str, str]] = {}

    def __init__(self, status: HTTPStatus, client: tuple[str, int] | None) -> None:
        self.status = status
        self.client = client
        self.kwargs: dict[str, Any] = {}


def format_of(template: Any) -> Format:
    """Return a format: `text`, `json`, or one with `%(name)s`.

    Raises:
        ValueError: it is none of them.
    """
    if not isinstance(template, str):
        raise ValueError(f"`format` is 'text', 'json', or a text with '%(url)s', not {template!r}")  # noqa: TRY004 - as every wrong option
    if template == "text":
        return Format(text_record, text_renderer())
    if template == "json":
        return Format(json_record, json_renderer())
    return Format(compiled(template), "".join)


def text_record(request: Any, response: Any, size: int, seconds: float) -> tuple[Any, ...]:
    """Return what a line of text says, without the objects it comes from."""
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
    """Return what makes lines in the Common Log Format, with the seconds behind it."""
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
    """Return what a line of JSON says, without the objects it comes from."""
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
    """Return what makes lines of JSON, each an object."""
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
