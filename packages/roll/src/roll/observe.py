"""Answers as an access log sees them: what was asked and answered, and how long it took."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import cache
from http import HTTPStatus
from time import perf_counter
from typing import Any, Protocol

from roll_http.connection.observers import report as tell

from .callables import refuse_async

__all__ = [
    "Observed",
    "Refusal",
    "Report",
    "report_exchanges",
    "report_refusals",
    "when_answered",
]

Report = Callable[[Any, Any, int, float], None]
"""Called with the request, the response, the bytes of its body and the seconds it took."""

Refusal = Callable[[HTTPStatus, str, tuple[str, int] | None], None]
"""Called with the status, the text that was sent, and the address of the client."""


class Observed(Protocol):
    """What is asked of an application whose answers are reported."""

    hooks: dict[str, list[Callable[..., Any]]]
    HttpProtocol: Callable[..., Any]
    answer_reports: list[Callable[[Any, Any, int], None]]

    @property
    def protocol_class(self) -> Callable[..., Any]:
        """What makes the protocol of a connection."""
        ...


def when_answered(protocol: Any, call: Callable[[Any, Any, int], None]) -> None:
    """Have `call` called with each answer of a connection, after what is called already."""
    previous = getattr(protocol, "on_answered", None)
    if previous is None:
        protocol.on_answered = call
        return

    def answered(request: Any, response: Any, length: int) -> None:
        tell(previous, request, response, length)  # whatever it raises, the next one is told
        call(request, response, length)

    protocol.on_answered = answered


def report_exchanges(app: Observed, report: Report) -> None:
    """Have `report` called with each exchange on the connections made from now on.

    Raises:
        ValueError: `report` is async: it is called where nothing can be awaited.
    """
    refuse_async(report, "A report of exchanges")
    make_protocol = app.protocol_class

    def answered(request: Any, response: Any, length: int) -> None:
        now = perf_counter()
        received = getattr(request.protocol, "received_at", 0.0)
        report(request, response, length, now - received if received else 0.0)

    def make_watched(app: Any) -> Any:
        protocol = make_protocol(app)
        when_answered(protocol, answered)
        # Not by a listener of `headers`: the native cycle gives way to those.
        with suppress(TypeError):  # a class that cannot be extended: its answers take no time
            protocol.__class__ = timed(type(protocol))  # type: ignore[arg-type]  # it is hashable
        return protocol

    app.HttpProtocol = make_watched
    app.answer_reports.append(answered)


@cache
def timed(kind: Any) -> Any:
    """Return a class of connections that know when what they answer was received.

    That is the last time that they read something while nothing was being answered.
    """
    if hasattr(kind, "received_at"):
        return kind
    receive = kind.data_received

    def data_received(self: Any, data: bytes) -> None:
        if getattr(self, "request", None) is None:
            self.received_at = perf_counter()
        receive(self, data)

    names = {"__slots__": (), "received_at": 0.0, "data_received": data_received}
    names |= {name: getattr(kind, name) for name in ("__module__", "__qualname__", "__doc__")}
    return type(kind)(kind.__name__, (kind,), names)


def report_refusals(app: Any, report: Refusal) -> None:
    """Have `report` called with what is refused before there is a request, from now on."""
    previous = getattr(app, "on_refused", None)

    def refused(status: HTTPStatus, reason: str, peer: tuple[str, int] | None) -> None:
        if previous is not None:
            tell(previous, status, reason, peer)
        report(status, reason, peer)

    app.on_refused = refused
