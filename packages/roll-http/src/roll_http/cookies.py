"""Cookies, read from requests and set on responses (RFC 6265).

The package biscuits formats the cookies that are set, if it is installed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from .cookie_rules import (
    as_text,
    check_promise,
    other_type,
    percent_encode,
    promise_of,
    read_domain,
    read_expires,
    read_flag,
    read_max_age,
    read_path,
    read_samesite,
)
from .syntax import percent_decode

try:
    from biscuits import Cookie
except ImportError:  # it publishes no wheels, and needs a C compiler
    from .set_cookie import Cookie

__all__ = ["Cookies", "parse_cookies"]

_replace_escapes = re.compile(r"\\([0-3][0-7]{2}|.)", re.DOTALL).sub


class Cookies(dict[str, Any]):
    """Cookies by name.

    On a request, each value is a str. On a response, `set` makes the values;
    `cookies["name"] = "text"` does the same as `set("name", "text")`. A cookie that is deleted
    from the dict is not sent.
    """

    __slots__ = ()

    def set(
        self,
        name: str,
        value: str,
        max_age: int | None = None,
        expires: datetime | None = None,
        secure: bool = False,
        httponly: bool = False,
        path: str | None = "/",
        domain: str | None = None,
        samesite: str | None = None,
    ) -> None:
        """Set a cookie.

        The value may be any text, or an object with a text, such as a number. It is quoted and
        percent-encoded where needed, so that `parse_cookies` returns the same text. Browsers drop
        a cookie whose name and value have more than 4,096 bytes.

        `max_age` is in seconds, and deletes the cookie if it is 0 or less. An `expires` without a
        time zone is in UTC. `path` begins with `/`; with None, the cookie belongs to the folder of
        the request. `domain` is a host name; without it, the cookie belongs only to the host of
        the request. `samesite` is `"Strict"`, `"Lax"` or, with `secure`, `"None"`.

        Raises:
            TypeError: an argument is of another type.
            ValueError: an argument is not allowed in a `Set-Cookie` header (RFC 6265 4.1.1), or
                browsers would drop it: SameSite=None without `secure`, and a name with the prefix
                `__Secure-` or `__Host-` whose rules the cookie breaks (RFC 6265bis).
        """
        try:
            promise = promise_of(name)
        except TypeError:  # it may be of a type that no cache takes
            raise other_type("name", name, "text") from None
        text = value if type(value) is str else as_text(value)
        if "%" in text or not text.isascii():
            text = percent_encode(text)
        cookie: Any = Cookie(name, text) if max_age is None else _lasting(name, text, max_age)
        # Setting only the given attributes takes half the time of keyword arguments.
        if secure is not False:
            cookie.secure = read_flag("secure", secure)
        flag: Any = httponly
        if flag is not False:  # 0.1 us less than a call for each
            cookie.httponly = flag is True or read_flag("httponly", flag)
        if path != "/" or domain is not None or expires is not None:
            _set_rare(cookie, path, domain, expires)
        if samesite is not None:
            cookie.samesite = read_samesite(samesite, secure)
        if promise is not None:
            check_promise(promise, cookie)
        self[name] = cookie

    def output(self) -> Iterator[str]:
        """The value of a `Set-Cookie` line for each cookie.

        Raises `ValueError` or `TypeError` when such a line can't hold a name, or a value that
        `set` did not make (RFC 6265 4.1.1).
        """
        for name, cookie in self.items():
            yield str(cookie if isinstance(cookie, Cookie) else _plain(name, cookie))


set_in_python: Any = Cookies.set


def _lasting(name: str, text: str, max_age: Any) -> Any:
    age = read_max_age(max_age)
    cookie: Any = (Cookie if age else _ExpiredCookie)(name, text)
    cookie.max_age = age or 1
    return cookie


def _set_rare(cookie: Any, path: Any, domain: Any, expires: Any) -> None:
    cookie.path = read_path(path)
    if domain is not None:
        cookie.domain = read_domain(domain)
    if expires is not None:
        cookie.expires = read_expires(expires)


def _plain(name: str, value: Any) -> Any:
    cookies = Cookies()
    cookies.set(name, value)
    return cookies[name]


def parse_cookies(header: str) -> dict[str, str]:
    """Parse a `Cookie` header into values by name, in linear time.

    The header is split at each `;` first (RFC 6265 5.4), even within quotes. Spaces and tabs
    around names and values are removed. A value in double quotes is unquoted; then values are
    percent-decoded. Names are not decoded. A pair without `=`, or without a name, is skipped. If a
    name occurs twice, the last one counts.
    """
    if not isinstance(header, str):
        raise TypeError(f"A Cookie header is text, not {type(header).__name__}")
    cookies = {}
    encoded = "%" in header or '"' in header
    for pair in header.split(";"):
        name, found, value = pair.partition("=")
        if found and (name := name.strip(" \t")):
            value = value.strip(" \t")
            cookies[name] = _decode(value) if encoded else value
    return cookies


def _decode(value: str) -> str:
    if value[:1] == '"' == value[-1:] and len(value) > 1:
        value = value[1:-1]
        if "\\" in value:
            value = _replace_escapes(_character, value)
    return percent_decode(value) if "%" in value else value


def _character(match: re.Match[str]) -> str:
    escaped = match[1]
    return chr(int(escaped, 8)) if len(escaped) > 1 else escaped


class _ExpiredCookie(Cookie):  # type: ignore[misc]  # biscuits has no types
    """A cookie with `Max-Age=0`, which deletes it; biscuits omits a Max-Age of zero."""

    def __str__(self) -> str:
        return str(super().__str__()).replace("; Max-Age=1", "; Max-Age=0", 1)
