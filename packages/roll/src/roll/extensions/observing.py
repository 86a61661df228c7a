"""`observe`: what metrics, traces and access logs are made of."""

from __future__ import annotations

from http import HTTPStatus

from ..application import Roll
from ..callables import refuse_misfit
from ..logs.lines import Refused
from ..observe import Report, report_exchanges, report_refusals

__all__ = ["observe"]

ARGUMENTS = ("request", "response", "size", "seconds")


def observe(app: Roll, report: Report) -> None:
    """Have `report(request, response, size, seconds)` called once an answer has gone, or is lost.

    `size` is the number of bytes of its body that were sent, `seconds` the time since the request
    came. A websocket is reported when it has ended: with a status of 101, and the bytes of its
    frames. What is refused before it is a request is reported, too: its `method`, `route_path` and
    `id` are None, and it stands for both the request and the response.

    `report` is a plain function: nothing can be awaited there. What it raises is logged, and harms
    no answer.

    Raises:
        ValueError: `report` cannot be called so, or is async.
    """
    check_report(report)
    report_exchanges(app, report)

    def refused(status: HTTPStatus, _: str, peer: tuple[str, int] | None) -> None:
        what = Refused(status, peer)
        report(what, what, 0, 0.0)

    report_refusals(app, refused)


def check_report(report: object) -> None:
    what = "`report`, which is called with (request, response, size, seconds),"
    if not callable(report):
        raise ValueError(f"{what} is a function, not {report!r}")  # noqa: TRY004 - as every wrong option
    refuse_misfit(report, ARGUMENTS, "`report`")
