"""`observe`: the data for metrics, traces and access logs."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from ..advice import described
from ..application import Roll
from ..callables import refuse_async, refuse_class, refuse_misfit, refuse_unrun
from ..logs.lines import Refused
from ..observe import Report, report_exchanges, report_refusals

__all__ = ["observe"]

ARGUMENTS = ("request", "response", "size", "seconds")


def observe(app: Roll, report: Report) -> None:
    """Call `report(request, response, size, seconds)` after each response was sent or lost.

    `size` is the number of bytes of the body that were sent. `seconds` is the time since the
    request arrived. A websocket is reported when it has ended, with the status 101 and the bytes
    of its frames. Input that is refused before it is a request is reported too. One object then
    stands for both the request and the response; its `method`, `route_path` and `id` are None.

    `report` is a plain function: it cannot await anything. An exception that it raises is logged,
    and does not change the response.

    Raises:
        ValueError: `report` does not take these arguments, or is async.
    """
    check_report(report)

    def checked(request: Any, response: Any, size: int, seconds: float) -> None:
        result = report(request, response, size, seconds)
        if result is not None:
            refuse_unrun(result, f"{described(report)}, called after each response,")

    report_exchanges(app, checked)

    def refused(status: HTTPStatus, _: str, peer: tuple[str, int] | None) -> None:
        what = Refused(status, peer)
        checked(what, what, 0, 0.0)

    report_refusals(app, refused)


def check_report(report: object) -> None:
    what = "`report`, which is called with (request, response, size, seconds),"
    if not callable(report):
        raise ValueError(f"{what} is a function, not {report!r}")  # noqa: TRY004 - like all wrong options
    refuse_async(report, what)
    refuse_class(report, what)
    refuse_misfit(report, ARGUMENTS, "`report`")
