"""Cookies, read from requests and set on responses (RFC 6265).

The package biscuits formats the cookies that are set, if it is installed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from .syntax import has_forbidden, is_token, percent_decode

try:
    from biscuits import Cookie
except ImportError:  # it publishes no wheels, and needs a C compiler
    from .set_cookie import Cookie

__all__ = ["Cookies", "parse_cookies"]

_replace_escapes = re.compile(r"\\([0-3][0-7]{2}|.)", re.DOTALL).sub


_is_name = lru_cache(maxsize=256)(is_token)


class Cookies(dict[str, Any]):
    """Cookies by name.

    On a request the values are the cookies' own, as str. On a response they are cookies made by
    `set`, or texts, which `cookies["name"] = "text"` sets as `set("name", "text")` does; deleting
    one by its name keeps it from being sent.
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

        `max_age` is in seconds; an `expires` without a time zone is in UTC; `samesite` is
        `"Strict"`, `"Lax"` or `"None"`. The value may be any text: it is quoted as needed.

        Raises:
            ValueError: an argument is not allowed in a `Set-Cookie` header (RFC 6265 4.1.1).
        """
        if not _is_name(name):
            raise ValueError(f"Cookie name {name!r} is not a token (RFC 6265 4.1.1)")
        expired = max_age is not None and max_age <= 0
        cookie: Any = (_ExpiredCookie if expired else Cookie)(name, str(value))
        # Setting only the given attributes takes half the time of keyword arguments.
        if secure:
            cookie.secure = secure
        if httponly:
            cookie.httponly = httponly
        if path != "/":
            cookie.path = _checked("path", path or "")
        if domain is not None:
            cookie.domain = _checked("domain", domain)
        if samesite is not None:
            cookie.samesite = _checked("samesite", samesite)
        if max_age is not None:
            cookie.max_age = 1 if expired else max_age
        if expires is not None:
            cookie.expires = _in_utc(expires)
        self[name] = cookie

    def output(self) -> Iterator[str]:
        """The value of a `Set-Cookie` line for each cookie.

        Raises `ValueError` when a name, or a text, can't stand in one (RFC 6265 4.1.1).
        """
        for name, cookie in self.items():
            yield str(cookie if isinstance(cookie, Cookie) else _plain(name, cookie))


def _plain(name: str, value: Any) -> Any:
    cookies = Cookies()
    cookies.set(name, value)
    return cookies[name]


def _checked(name: str, text: str) -> str:
    if ";" in text or "\t" in text or has_forbidden(text):
        raise ValueError(f"Cookie {name} {text!r} has a control character or a ;")
    return text


def _in_utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)


def parse_cookies(header: str) -> dict[str, str]:
    """Parse a `Cookie` header into values by name, in linear time.

    The header is split at each `;` first (RFC 6265 5.4), even within quotes. Spaces and tabs
    around names and values are removed. A value in double quotes is unquoted; then values are
    percent-decoded. Names are not decoded. A pair without `=`, or without a name, is skipped. If a
    name occurs twice, the last one counts.
    """
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
