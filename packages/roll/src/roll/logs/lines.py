"""What a line of an access log says: as text, as JSON, or by a format of one's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any, Final

from .clock import Clock, clf_time, iso_time
from .escaping import escaped, is_plain, json_text, peer_of
from .formats import compiled

__all__ = ["Format", "Refused", "format_of"]


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

    method = protocol = forwarded = None
    url = b""
    path = query_string = version = ""
    headers: Final[dict[str, str]] = {}

    def __init__(self, status: HTTPStatus, client: tuple[str, int] | None) -> None:
        self.status = status
        self.client = client


def format_of(template: Any) -> Format:
    """Return a format: `text`, `json`, or one with `%(name)s`.

    Raises:
        ValueError: it is none of them.
    """
    if not isinstance(template, str):
        raise ValueError(f"`format` is 'text', 'json', or a text with '%(url)s', not {template!r}")  # noqa: TRY004 - as every wrong option
    if template == "text":
        return Format(record, text_renderer())
    if template == "json":
        return Format(record, json_renderer())
    return Format(compiled(template), "".join)


def record(request: Any, response: Any, size: int, seconds: float) -> tuple[Any, ...]:
    """Return what the lines of text and JSON say, without the objects it comes from."""
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
            asked = "-"
            if method is not None:
                asked = f"{method} {url.decode('latin-1')} HTTP/{version}"
                if not is_plain(asked):
                    asked = escaped(asked)
            lines.append(f'{peer} - - [{stamp}] "{asked}" {status._value_} {size} {seconds:.6f}\n')
        return "".join(lines)

    return render


def json_renderer() -> Callable[[Sequence[Any]], str]:
    """Return what makes lines of JSON, each an object."""
    clock = Clock(iso_time)

    def render(records: Sequence[Any]) -> str:
        stamp = clock.text()
        lines = []
        for peer, method, url, version, status, size, seconds in records:
            target = None if method is None else url.decode("latin-1")
            address = "null" if peer == "-" else f'"{peer}"'
            lines.append(
                f'{{"time":"{stamp}","peer":{address},"method":{json_text(method)},'
                f'"url":{json_text(target)},"version":{json_text(version or None)},'
                f'"status":{status._value_},"bytes":{size},"duration":{seconds:.6f}}}\n'
            )
        return "".join(lines)

    return render
