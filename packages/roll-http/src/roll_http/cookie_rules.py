"""Rules for cookies that are set (RFC 6265 4.1.1; RFC 6265bis for prefixes and SameSite).

Browsers silently drop a wrong cookie, or one of its attributes. So each mistake is an error here:
a `TypeError` for a value of another type, a `ValueError` for any other.
"""

from __future__ import annotations

import inspect
import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, Literal
from urllib.parse import quote

from .shown import shown
from .syntax import is_token
from .text import has_text

__all__ = [
    "Promise",
    "as_text",
    "check_promise",
    "other_type",
    "percent_encode",
    "promise_of",
    "read_domain",
    "read_expires",
    "read_flag",
    "read_max_age",
    "read_path",
    "read_samesite",
]

Promise = Literal["__Secure-", "__Host-"]

# The highest number that biscuits accepts: 136 years.
LONGEST_AGE: Final = 2**32 - 1

# RFC 6265 5.1.1: clients ignore an `Expires` of an earlier year.
FIRST_YEAR: Final = 1601

SAMESITE: Final = {"strict": "Strict", "lax": "Lax", "none": "None"}

# What stays as it is in a value: all of ASCII but "%". Other characters are quoted, not encoded.
_KEPT: Final = "".join(map(chr, range(128))).replace("%", "")

_is_domain: Final = re.compile(r"\.?[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*").fullmatch
_is_path: Final = re.compile(r"/[!-:<-~]*").fullmatch


@lru_cache(maxsize=256)
def promise_of(name: str) -> Promise | None:
    """Return the special prefix of a name (`__Host-`, `__Secure-`); None for other names.

    Raises `TypeError` or `ValueError` if the name is not a token.
    """
    if not is_token(name):
        raise ValueError(f"Cookie name {shown(name)} is not a token (RFC 6265 4.1.1)")
    lower = name.lower()
    if lower.startswith("__host-"):
        return "__Host-"
    return "__Secure-" if lower.startswith("__secure-") else None


def check_promise(promise: Promise, cookie: Any) -> None:
    """Raise a `ValueError` if a cookie breaks the rules of its name's prefix."""
    if not cookie.secure:
        raise ValueError(
            f"Cookie {shown(cookie.name)} needs secure=True: browsers drop it without"
        )
    if promise == "__Host-" and (cookie.domain or cookie.path != "/"):
        raise ValueError(f"Cookie {shown(cookie.name)} takes no domain, and the path '/' alone")


def as_text(value: Any) -> str:
    """Return the text of a value: of a number, or of a class that has a `__str__` of its own."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, bytes | bytearray | memoryview):
        raise other_type("value", value, "text: decode it first")
    if has_text(value):
        return str(value)
    if inspect.isawaitable(value):
        if inspect.iscoroutine(value):
            value.close()  # otherwise Python warns as well, and this error is clearer
        raise other_type("value", value, "text: `await` it first")
    raise other_type("value", value, "text, such as json.dumps(...) gives")


def percent_encode(value: str) -> str:
    """Percent-encode `%` and characters outside of ASCII, so that the value survives unchanged."""
    try:
        return quote(value, safe=_KEPT)
    except UnicodeEncodeError as error:
        raise ValueError(
            f"Cookie value has half of a surrogate pair, at index {error.start}:"
            " UTF-8 cannot encode it"
        ) from None


def read_flag(name: str, value: Any) -> bool:
    """Return True or False; raise a `TypeError` for others: the text "no" would be true."""
    if not isinstance(value, bool):
        raise other_type(name, value, "True or False")
    return value


def read_max_age(seconds: Any) -> int:
    """Return a number of seconds, 0 for a cookie to be deleted."""
    if not isinstance(seconds, int) or isinstance(seconds, bool):
        raise other_type("max_age", seconds, "a whole number of seconds, such as 3600")
    if seconds > LONGEST_AGE:  # without its digits, which may be too many for `str`
        raise ValueError(f"Cookie max_age is more than {LONGEST_AGE} seconds")
    return max(0, seconds)


def read_expires(moment: Any) -> datetime:
    """Return a moment in UTC, without its time zone."""
    if not isinstance(moment, datetime):
        raise other_type("expires", moment, "a datetime; for seconds, use max_age")
    try:
        utc = moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)
    except OverflowError:
        raise ValueError(f"Cookie expires {shown(moment)} has no date in UTC") from None
    if utc.year < FIRST_YEAR:
        raise ValueError(
            f"Cookie expires {shown(moment)} is before {FIRST_YEAR}, which browsers ignore:"
            " to delete a cookie, use max_age=0"
        )
    return utc


def read_path(path: Any) -> str:
    """Return the path of a cookie, empty for none."""
    if path is None or path == "":
        return ""
    if not isinstance(path, str):
        raise other_type("path", path, "text, or None")
    if not _is_path(path):
        raise ValueError(
            f"Cookie path {shown(path)} is not the path of a URL: it must begin with / and be"
            " percent-encoded, without a space or a ;"
        )
    return path


def read_domain(domain: Any) -> str:
    """Return the domain of a cookie, empty for none."""
    if not isinstance(domain, str):
        raise other_type("domain", domain, "text, or None")
    if domain and not _is_domain(domain):
        raise ValueError(
            f"Cookie domain {shown(domain)} is not a host name: it must have ASCII letters,"
            " digits, dots and hyphens only (punycode for others), without a port"
        )
    return domain


def read_samesite(samesite: Any, secure: bool) -> str:
    """Return the value of SameSite in its usual spelling."""
    if not isinstance(samesite, str):
        raise other_type(
            "samesite", samesite, "'Strict', 'Lax', 'None', or None for no such field"
        )
    value = SAMESITE.get(samesite.lower())
    if value is None:
        raise ValueError(
            f"Cookie samesite must be 'Strict', 'Lax' or 'None', not {shown(samesite)}"
        )
    if value == "None" and not secure:
        raise ValueError("Cookie samesite 'None' needs secure=True: browsers drop it without")
    return value


def other_type(what: str, value: Any, wanted: str) -> TypeError:
    """Return the error for a value of another type."""
    # Without the value, whose text may be anything: long, secret, or an error.
    return TypeError(f"Cookie {what} is of type {type(value).__name__}: it takes {wanted}")
