"""Answers as an access log sees them: what was asked and answered, and how long it took."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from .callables import refuse_async

__all__ = ["Observed", "Report", "report_exchanges", "when_answered"]

Report = Callable[[Any, Any, int, float], None]
"""Called with the request, the response, the bytes of its body and the seconds it took."""


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

    def answered(request: Any, response: Any, length: int) -> None:
        if previous is not None:
            previous(request, response, length)
        call(request, response, length)

    protocol.on_answered = answered


def report_exchanges(app: Observed, report: Report) -> None:
    """Have `report` called with each exchange on the connections made from now on.

    Raises:
        ValueError: `report` is async: it is called where nothing can be awaited.
    """
    refuse_async(report, "A report of exchanges")
    # A connection answers one request at a time.
    began: WeakKeyDictionary[Any, float] = WeakKeyDictionary()
    make_protocol = app.protocol_class

    def begin(request: Any) -> None:
        if request.protocol is not None:  # a request made by hand has no exchange
            began[request.protocol] = perf_counter()

    def answered(request: Any, response: Any, length: int) -> None:
        now = perf_counter()
        # One that failed before its headers event took no time worth a word.
        report(request, response, length, now - began.pop(request.protocol, now))

    def make_watched(app: Any) -> Any:
        protocol = make_protocol(app)
        when_answered(protocol, answered)
        return protocol

    # First of all listeners: none can end the chain before it.
    app.hooks.setdefault("headers", []).insert(0, begin)
    app.HttpProtocol = make_watched
