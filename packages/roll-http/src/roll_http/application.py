"""What this package needs of an application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from .cookies import Cookies
from .limits import Limits
from .request import Request
from .response import Response

__all__ = ["Application"]


class Application(Protocol):
    """Answers requests. A connection uses nothing else of an application.

    The three classes may be any callables with the signatures of `roll_http.Request`,
    `roll_http.Response` and `roll_http.Cookies`. They should return instances of these classes.
    """

    @property
    def Request(self) -> Callable[..., Request]:  # noqa: N802 - it holds a class
        """Called with the application and the connection, for each request."""
        ...

    @property
    def Response(self) -> Callable[..., Response]:  # noqa: N802 - it holds a class
        """Called with the application and the connection, for each request."""
        ...

    @property
    def Cookies(self) -> Callable[..., Cookies]:  # noqa: N802 - it holds a class
        """Called with a mapping of names to values, possibly empty."""
        ...

    @property
    def limits(self) -> Limits:
        """The limits of the application's connections."""
        ...

    def __call__(self, request: Any, response: Any) -> Awaitable[Any]:
        """Answer `request`: fill `response` and return it, or return another one.

        The call runs in a task and a context of its own, one request of a connection at a time.
        An `HttpError` is answered with its status and message; any other error is logged and
        answered with 500. The application may hand the connection over to another protocol
        (`request.protocol.switch`); then the returned response is not sent.
        """
        ...
