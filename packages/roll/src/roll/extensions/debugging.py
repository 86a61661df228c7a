"""`traceback` and `igniter`: aids for development."""

from __future__ import annotations

import logging
import sys
from http import HTTPStatus
from traceback import print_exception
from typing import Any, Final

from ..application import Roll
from ..errors import Unexpected

__all__ = ["igniter", "traceback"]

BANNER: Final = r"""
  o   .      _
    o       | |   .
 _ __  ___  | | | |
| '__|/ _ \ | | | |
| |  | (_) || |_| |_
|_|   \___/  \__)\__)   ready to roll
"""


def traceback(app: Roll) -> None:
    """Print the traceback of each 500 and of each failed websocket on stderr.

    The client gets the text of the exception, and the exception is not logged a second time. Use
    this in development only: the text of an exception may contain secrets. An `HttpError` 500 that
    the application raises keeps its message.
    """
    app.log_errors = False

    def print_500(response: Any, error: Any) -> None:
        if error.status != HTTPStatus.INTERNAL_SERVER_ERROR:
            return
        if isinstance(error, Unexpected):
            error = error.__context__
            response.body = str(error)
        print_exception(error, file=sys.stderr)

    def print_failure(error: Any) -> None:
        print_exception(error, file=sys.stderr)

    # This listener is the first one, so that no other can prevent the print.
    app.hooks.setdefault("error", []).insert(0, print_500)
    app.hooks.setdefault("websocket_error", []).insert(0, print_failure)


def igniter(app: Roll) -> None:
    """Log a banner on startup, at DEBUG, on the logger `roll`."""

    def show() -> None:
        logging.getLogger("roll").debug(BANNER)

    app.at_startup(show)
