"""Cookies of a test, and cookies that `keep_cookies` keeps as a browser does."""

from __future__ import annotations

from collections.abc import Mapping
from email.message import Message
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import SimpleNamespace
from typing import Any, cast
from urllib.request import Request

from roll_http import Cookies

__all__ = ["encode_cookies", "make_jar", "stored", "with_cookies", "with_stored"]


def make_jar() -> CookieJar:
    """Return a jar that sends secure cookies without TLS too, because tests have no TLS."""
    return CookieJar(DefaultCookiePolicy(secure_protocols=("http", "https")))


def stored(jar: CookieJar, url: str, headers: Message) -> None:
    """Keep the cookies that a response from `url` sets, and drop expired ones."""
    answer = SimpleNamespace(info=lambda: headers)
    jar.extract_cookies(cast("Any", answer), Request(url))  # noqa: S310 - nothing is opened


def with_stored(jar: CookieJar, url: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Add the cookies for `url` to header fields; cookies that are already there win."""
    request = Request(url)  # noqa: S310 - nothing is opened
    jar.add_cookie_header(request)
    kept = dict(pair.partition("=")[::2] for pair in split(request.get_header("Cookie", "")))
    given = {pair.partition("=")[0] for pair in split(cookie_field(fields)[1])}
    pairs = [f"{name}={value}" for name, value in kept.items() if name not in given]
    return with_pairs(fields, pairs)


def with_cookies(fields: Mapping[str, Any] | None, cookies: Mapping[str, Any]) -> dict[str, Any]:
    """Add cookies to header fields."""
    return with_pairs(fields or {}, encode_cookies(cookies))


def encode_cookies(cookies: Mapping[str, Any]) -> list[str]:
    """Encode cookies as a browser sends them back to the server that set them."""
    encoded = Cookies({})
    for name, value in cookies.items():
        encoded.set(name, value)
    return [line.partition(";")[0] for line in encoded.output()]


def with_pairs(fields: Mapping[str, Any], pairs: list[str]) -> dict[str, Any]:
    name, text = cookie_field(fields)
    joined = "; ".join([*split(text), *pairs])
    return {**fields, name: joined} if joined else dict(fields)


def cookie_field(fields: Mapping[str, Any]) -> tuple[str, str]:
    """Return the name of the `Cookie` field as the headers spell it."""
    found = ((name, str(value)) for name, value in fields.items() if name.lower() == "cookie")
    return next(found, ("Cookie", ""))


def split(text: str) -> list[str]:
    return [pair.strip() for pair in text.split(";") if pair.strip()]
