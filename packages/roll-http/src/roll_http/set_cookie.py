"""The value of a `Set-Cookie` line (RFC 6265 4.1), in Python, as biscuits formats it in C."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from .syntax import TCHAR

__all__ = ["Cookie"]

_is_plain = re.compile(rf"[{TCHAR}:]+").fullmatch

DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS: Final = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)

# Escapes within double quotes. Browsers return the value as it was sent, so only servers decode
# it: Python's `http.cookies` and others know the same escapes.
ESCAPES: Final = (
    {code: f"\\{code:03o}" for code in (*range(32), *map(ord, ",;"), *range(127, 256))}
    | {ord('"'): '\\"', ord("\\"): "\\\\"}
)  # fmt: skip


class Cookie:
    """A cookie to set, with the attributes of `biscuits.Cookie`; `str()` returns its line."""

    __slots__ = (
        "domain",
        "expires",
        "httponly",
        "max_age",
        "name",
        "path",
        "samesite",
        "secure",
        "value",
    )

    def __init__(self, name: str, value: str) -> None:
        self.name = name
        self.value = value
        self.domain: str | None = None
        self.expires: datetime | None = None
        """In UTC, without a time zone."""
        self.httponly = False
        self.max_age = 0
        """In seconds; 0 sends no Max-Age."""
        self.path = "/"
        self.samesite: str | None = None
        self.secure = False

    def __str__(self) -> str:
        value = self.value if _is_plain(self.value) else f'"{self.value.translate(ESCAPES)}"'
        line = f"{self.name}={value}"
        if self.expires is not None:
            line += f"; Expires={_http_date(self.expires)}"
        if self.max_age:
            line += f"; Max-Age={int(self.max_age)}"
        if self.domain:
            line += f"; Domain={self.domain}"
        if self.path:
            line += f"; Path={self.path}"
        if self.secure:
            line += "; Secure"
        if self.httponly:
            line += "; HttpOnly"
        return f"{line}; SameSite={self.samesite}" if self.samesite else line


def _http_date(moment: datetime) -> str:
    """Return a date in the format of RFC 9110 5.6.7."""
    day, month = DAYS[moment.weekday()], MONTHS[moment.month - 1]
    return f"{day}, {moment.day:02} {month} {moment.year:04} {moment:%H:%M:%S} GMT"
