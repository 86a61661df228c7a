"""The interface of an application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from .cookies import Cookies
from .limits import Limits
from .request import Request
from .response import Response

__all__ = ["Application", "check_application"]

_CLASSES = ("Request", "Response", "Cookies")


class Application(Protocol):
    """The interface that a connection needs: any object with these five members works.

    For each request, the connection calls `Request`, then `Response`, then the application.
    It calls `Cookies` when cookies are used. It reads `limits` once.

    The three classes may be any callables that take the arguments by position and return an
    instance of `roll_http.Request`, `roll_http.Response` or `roll_http.Cookies`, or of a subclass.
    They are never awaited. An error that they raise is answered like one of the application.
    FRAMEWORKS.md, beside the README, states what they may override.

    An application may have two more members: `JSON`, the codec, and the plain function
    `on_refused(status, reason, peer)`. The connection calls `on_refused` for each request that it
    refuses before the application sees it. The arguments are an `HTTPStatus`, the short text that
    was sent, and the address of the client: host and port, or None over a Unix socket.

    A response may be sent while the application still runs: see `respond` and `open_response` of
    the connection.

    With the native core, a method `__answer_now__(request, response)` of the class is called in
    place of `__call__`. It returns the response itself if nothing had to wait, otherwise an
    awaitable of it.
    """

    @property
    def Request(self) -> Callable[..., Request]:  # noqa: N802 - it holds a class
        """Called with the application and the connection, when a valid head has arrived."""
        ...

    @property
    def Response(self) -> Callable[..., Response]:  # noqa: N802 - it holds a class
        """Called with the application and the connection, for each request, after `Request`."""
        ...

    @property
    def Cookies(self) -> Callable[..., Cookies]:  # noqa: N802 - it holds a class
        """Called with a mapping of names to values, empty for a response.

        It is called at the first use of `request.cookies`, and of `response.cookies`.
        """
        ...

    @property
    def limits(self) -> Limits:
        """The limits of a connection, read when its protocol is made."""
        ...

    def __call__(self, request: Any, response: Any) -> Awaitable[Any]:
        """Answer `request`: fill `response` and return it, or return another response.

        Each request has its own task and context, in which a streamed body runs too. The next
        request of the connection begins when this one is answered. The task is cancelled when the
        graceful timeout of the server ends, or when the client disconnects and
        `request.cancel_on_disconnect` is set: do not catch `asyncio.CancelledError`.

        The application may hand the connection over to another protocol
        (`request.protocol.switch`). It should then return when that protocol has ended; the
        result is not sent.

        Raises:
            HttpError: answered by its status and message.
            ClientDisconnected: the client has disconnected; nothing is answered.
            Exception: anything else is logged on the logger `roll_http` and answered by a 500.
        """
        ...


def check_application(app: Any) -> None:
    """Raise `TypeError` if an object lacks a member that an application needs."""
    if isinstance(app, type):
        raise TypeError(f"An application is an object, not a class: write `{app.__name__}()`")
    kind = type(app).__name__
    if not callable(app):
        raise TypeError(f"{kind} is not an application: it needs `async def __call__`")
    for name in _CLASSES:
        found = getattr(app, name, None)
        if not callable(found):
            raise TypeError(
                f"`{name}` of the application {kind} is {found!r}: write `{name} = "
                f"roll_http.{name}` in its class, or a subclass of it"
            )
