"""Reports of exchanges and refusals, for access logs and metrics."""

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

Report = Callable[[Any, Any, int, float], object]
"""Takes the request, the response, the size of its body in bytes and the time in seconds."""

Refusal = Callable[[HTTPStatus, str, tuple[str, int] | None], None]
"""Takes the status, the text that was sent, and the address of the client."""


class Observed(Protocol):
    """The part of an application that reports need."""

    hooks: dict[str, list[Callable[..., Any]]]
    HttpProtocol: Callable[..., Any]
    answer_reports: list[Callable[[Any, Any, int], None]]

    @property
    def protocol_class(self) -> Callable[..., Any]:
        """The factory of connection protocols."""
        ...


def when_answered(protocol: Any, call: Callable[[Any, Any, int], None]) -> None:
    """Call `call` after each answer of a connection, and after calls that are set already."""
    previous = getattr(protocol, "on_answered", None)
    if previous is None:
        protocol.on_answered = call
        return

    def answered(request: Any, response: Any, length: int) -> None:
        tell(previous, request, response, length)  # logs its errors, so that `call` runs always
        call(request, response, length)

    protocol.on_answered = answered


def report_exchanges(app: Observed, report: Report) -> None:
    """Call `report` after each exchange of the connections made from now on.

    Raises:
        ValueError: `report` is async, but Roll does not await it.
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
        # A subclass, not a listener of `headers`: with such a listener, the fast native cycle
        # would not run.
        with suppress(TypeError):  # the class cannot be extended: the reported time is 0
            protocol.__class__ = timed(type(protocol))  # type: ignore[arg-type]  # it is hashable
        return protocol

    app.HttpProtocol = make_watched
    app.answer_reports.append(answered)


@cache
def timed(kind: Any) -> Any:
    """Return a subclass of connections that record when a request was received.

    `received_at` is the last time that data came while no request was being answered.
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
    """Call `report` for each request that is refused before it reaches the application."""
    previous = getattr(app, "on_refused", None)

    def refused(status: HTTPStatus, reason: str, peer: tuple[str, int] | None) -> None:
        if previous is not None:
            tell(previous, status, reason, peer)
        report(status, reason, peer)

    app.on_refused = refused
