"""`traceback` and `igniter`: company for a developer."""

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
    """Print the traceback of each 500, and of each failed websocket, on stderr.

    The client is shown the text of the exception, which is not logged as well: an aid for
    development, as what an exception says is nobody else's business. A 500 that was raised on
    purpose keeps its message.
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

    # First of all listeners: none can keep it from being printed.
    app.hooks.setdefault("error", []).insert(0, print_500)
    app.hooks.setdefault("websocket_error", []).insert(0, print_failure)


def igniter(app: Roll) -> None:
    """Log a banner on startup, at DEBUG, on the logger `roll`."""

    def show() -> None:
        logging.getLogger("roll").debug(BANNER)

    app.at_startup(show)
