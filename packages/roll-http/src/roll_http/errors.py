"""The errors of an HTTP exchange."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

__all__ = ["ClientDisconnected", "HttpError"]


# The lookup of `HTTPStatus` itself takes 0.5 us.
_STATUSES: dict[int, HTTPStatus] = {status.value: status for status in HTTPStatus}


class HttpError(Exception):
    """An error that is answered with an HTTP status.

    It takes a status code (an int or an `http.HTTPStatus`), a message for the client, by default
    the standard phrase of the status, and any `context` for the code that handles the error.
    Subclasses may set `status` and `message` without calling this constructor.

    Raises:
        ValueError: the code is not a registered HTTP status.
    """

    message: Any = None
    context: Any = None

    def __init__(
        self, http_code: int | HTTPStatus, message: Any = None, context: Any = None
    ) -> None:
        self.args = (http_code, message)  # half the time of the parent's constructor
        self.status = http_code
        self.message = self.status.phrase if message is None else message
        self.context = context

    @property
    def status(self) -> HTTPStatus:
        """The status; may be set to an int."""
        return self._status

    @status.setter
    def status(self, code: int | HTTPStatus) -> None:
        self._status = _STATUSES.get(code) or HTTPStatus(code)

    def __str__(self) -> str:
        return f"{self.status.value} {self.message}"


class ClientDisconnected(ConnectionError):
    """The client has disconnected: a handler that reads the body or writes gets this error."""
