"""What HTTP needs of an application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from .cookies import Cookies
from .limits import Limits
from .request import Request
from .response import Response

__all__ = ["Application"]


class Application(Protocol):
    """Answers requests: the whole of what a connection asks of it.

    The three classes may be any callables with the signatures of `roll_http.Request`,
    `roll_http.Response` and `roll_http.Cookies`, which they are expected to extend.
    """

    @property
    def Request(self) -> Callable[..., Request]:  # noqa: N802 - it holds a class
        """Called with the application and the connection, once a head was read."""
        ...

    @property
    def Response(self) -> Callable[..., Response]:  # noqa: N802 - it holds a class
        """Called with the application and the connection, for each request."""
        ...

    @property
    def Cookies(self) -> Callable[..., Cookies]:  # noqa: N802 - it holds a class
        """Called with a mapping of names to values, which may be empty."""
        ...

    @property
    def limits(self) -> Limits:
        """The limits of its connections."""
        ...

    def __call__(self, request: Any, response: Any) -> Awaitable[Any]:
        """Answer `request`: fill `response` and give it back, or another in its place.

        It runs in a task and a context of its own, one request of a connection at a time. An
        `HttpError` that it raises is answered by its status and message, whatever else it raises
        is logged and answered 500. It may hand the connection over to another protocol
        (`request.protocol.switch`): what it then returns is not sent.
        """
        ...
