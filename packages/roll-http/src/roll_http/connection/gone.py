"""The names of the connection of Roll 0.13 that nothing calls or sets any more."""

from __future__ import annotations

from typing import Final, NoReturn

__all__ = ["add_advice", "refuse_gone"]

HEADERS: Final = "a listener of `headers` sees a request before its body, `request.raw_headers`"
BODY: Final = "`async for chunk in request`, in a route with `lazy_body=True`"
SENDING: Final = "a listener of `response` may change all that is sent"
PARSER: Final = "Roll parses requests by itself: a listener of `headers` may refuse one"
BUFFERS: Final = "Roll holds clients back by itself, see `Limits`"

INSTEAD: Final[dict[str, str]] = {
    "ALLOWED_METHODS": "give `methods` to `app.route`",
    "NEEDS_UPGRADE": 'give `protocol="websocket"` to `app.route`',
    "RequestParser": PARSER,
    "drain": BUFFERS,
    "draining": BUFFERS,
    "is_chunked": "`request.headers` has `TRANSFER-ENCODING`",
    "on_body": BODY,
    "on_header": HEADERS,
    "on_headers_complete": HEADERS,
    "on_message_begin": "override `Roll.Request`, which is made for each request",
    "on_message_complete": "a listener of `request` runs when the body is loaded",
    "on_url": "override `app.lookup(request)`, or listen to `headers`",
    "parser": PARSER,
    "pause_reading": BUFFERS,
    "resume_reading": BUFFERS,
    "task": "a handler has `asyncio.current_task()`; in a test, await the test client",
    "upgraded": "`request.upgrade` has the protocol that the client asked for",
    "write": SENDING,
    "write_body": SENDING,
}
"""Each name, and what does the same now."""


def advice(name: str) -> str:
    """Return what to say of a name that is gone."""
    return f"since 0.14 nothing calls or sets it; {INSTEAD[name]}"


class Gone:
    """An attribute that is not there, and says what to use instead.

    A `__getattr__` of the class would do the same, and slow down each attribute of a connection:
    0.8 us a request.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, connection: object, owner: type) -> NoReturn:
        what = f"{owner.__name__!r} object has no attribute {self._name!r}"
        raise AttributeError(f"{what}: {advice(self._name)}")


def add_advice(cls: type) -> None:
    """Have the names that are gone tell what to use instead."""
    for name in INSTEAD:
        setattr(cls, name, Gone(name))


def refuse_gone(cls: type) -> None:
    """Raise a `ValueError` when a class defines what nothing would call."""
    for name in INSTEAD:
        if hasattr(cls, name):
            raise ValueError(f"{cls.__name__} defines `{name}`: {advice(name)}")
