"""`--access-log`: the access log of the command, if the application has none."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from typing import Any, Final

from ..extensions.accesses import access_log
from ..extensions.request_log import log_request
from ..logs.batches import AccessLog

__all__ = ["FORMATS", "OFF", "log_accesses"]

OFF: Final = "off"

FORMATS: Final = ("text", "json", OFF)


def log_accesses(app: Any, form: str | None) -> None:
    """Write an access log to the standard output, unless the application writes one.

    `form` is one of `FORMATS`; None stands for text, unless the application uses `logger`.
    """
    if form != OFF:
        # Check this at startup: a listener of `startup` may call the extension.
        app.listen("startup")(partial(begin, app, form))


def begin(app: Any, form: str | None) -> None:
    if any(own_logs(app)):
        tell(form)
    elif form is not None or log_request not in app.hooks.get("headers", ()):
        access_log(app, format=form or "text")


def own_logs(app: Any) -> Iterator[AccessLog]:
    """Yield the access logs that the application has."""
    for listener in app.hooks.get("reopen_logs", ()):
        log = getattr(listener, "__self__", None)
        if isinstance(log, AccessLog):
            yield log


def tell(form: str | None) -> None:
    if form is not None:
        sys.stderr.write(
            f"roll: --access-log {form} has no effect: the application writes its own access log\n"
        )
