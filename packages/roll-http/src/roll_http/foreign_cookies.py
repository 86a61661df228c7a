"""Containers of cookies that are not of our own class, such as a dict or a `SimpleCookie`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from .cookies import Cookies

__all__ = ["cookie_lines", "received"]


def received(cookies: dict[str, str], make: Callable[..., Any]) -> Any:
    """Return a container made by `make`, of any class, with the cookies of a request.

    A pair that it refuses, by a `ValueError` or an `http.cookies.CookieError`, is skipped,
    because a cookie of a client is not an error of the application.
    """
    try:
        return make(cookies)
    except Exception as error:
        if not _is_refusal(error):
            raise
    return make({name: value for name, value in cookies.items() if _takes(make, name, value)})


def _takes(make: Callable[..., Any], name: str, value: str) -> bool:
    try:
        make({name: value})
    except Exception as error:
        if not _is_refusal(error):
            raise
        return False
    return True


def _is_refusal(error: Exception) -> bool:
    from http.cookies import CookieError  # noqa: PLC0415 - few processes ever need it

    return isinstance(error, ValueError | CookieError)


def cookie_lines(cookies: Any) -> Iterable[str]:
    """Return the value of a `Set-Cookie` line for each cookie of a container of any class.

    Raises `ValueError` for a name or an attribute that can't stand in one.
    """
    if isinstance(cookies, Cookies):
        return cookies.output()
    return [_line(name, value) for name, value in cookies.items()]


def _line(name: str, value: Any) -> str:
    if isinstance(value, str):
        own = Cookies()
        own.set(name, value)
        value = own[name]
    output = getattr(value, "OutputString", None)  # of a morsel of `http.cookies`
    return str(value if output is None else output())
