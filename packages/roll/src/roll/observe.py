"""Answers as an access log sees them: what was asked and answered, and how long it took."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from time import perf_counter
from typing import Any, Protocol

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
        previous(request, response, length)
        call(request, response, length)

    protocol.on_answered = answered


def report_exchanges(app: Observed, report: Report) -> None:
    """Have `report` called with each exchange on the connections made from now on.

    Raises:
        ValueError: `report` is async: it is called where nothing can be awaited.
    """
    refuse_async(report, "A report of exchanges")

    def answered(request: Any, response: Any, length: int) -> None:
        now = perf_counter()
        # One that failed before its headers event took no time worth a word.
        report(request, response, length, now - getattr(request, "began", now))

    make_protocol = app.protocol_class

    def make_watched(app: Any) -> Any:
        protocol = make_protocol(app)
        when_answered(protocol, answered)
        return protocol

    listeners = app.hooks.setdefault("headers", [])
    if begin not in listeners:
        # First of all listeners: none can end the chain before it.
        listeners.insert(0, begin)
    app.HttpProtocol = make_watched


def begin(request: Any, response: Any) -> None:  # noqa: ARG001 - both, as that is called fastest
    request.began = perf_counter()


def report_refusals(app: Any, report: Refusal) -> None:
    """Have `report` called with what is refused before there is a request, from now on."""
    previous = getattr(app, "on_refused", None)

    def refused(status: HTTPStatus, reason: str, peer: tuple[str, int] | None) -> None:
        if previous is not None:
            previous(status, reason, peer)
        report(status, reason, peer)

    app.on_refused = refused
