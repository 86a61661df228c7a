"""The response that a handler fills."""

from __future__ import annotations

from collections.abc import Iterable
from functools import update_wrapper
from http import HTTPStatus
from inspect import iscoroutine
from typing import Any, ClassVar, cast

from ._core import ResponseBase, is_native
from ._core.copies import copy_deeply
from .cookies import Cookies, set_in_python
from .foreign_cookies import cookie_lines
from .h1.response_fields import drop_field
from .json_codec import PLAIN_JSON, JSONCodec, codec_of, encoded, escape_surrogates
from .shown import shown
from .text import has_own_text, is_number

__all__ = ["Response"]

_STATUSES: dict[int, HTTPStatus] = {status.value: status for status in HTTPStatus}


class Response(ResponseBase):
    """The response to a request: `status`, `headers`, `cookies`, `body`.

    `headers` is a case-sensitive dict. Values are sent as `str()` converts them; a list or a tuple
    sends one line for each item. If a field has several spellings, only the last one in the dict
    is sent.

    `body` is text, bytes, a number, or an object whose class has a `__str__`; None is empty. An
    async iterable, an iterator, a generator or a generator function is streamed. A coroutine, a
    dict, a list, a tuple, a set or an object without a `__str__` of its own is a mistake: the
    server logs it and answers 500.
    """

    __slots__ = ()

    add_content_type: bool = True
    """Whether a body without a `Content-Type` is sent with one.

    It is `text/plain; charset=utf-8` for text, `application/octet-stream` for bytes and streams.
    Browsers guess the type of a body that has none, and may run a script in it.
    """

    # Whether a subclass overrides `status`, or `cookies`.
    _own_status: ClassVar[bool] = False
    _own_cookies: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._own_status = _getter(cls.status) is not _getter(Response.status)
        cls._own_cookies = _getter(cls.cookies) is not _getter(Response.cookies)

    @property
    def status(self) -> HTTPStatus:
        """The status; set it to an int or an `HTTPStatus`.

        Raises `ValueError` when set to a value that is not a registered status.
        """
        return self._status

    @status.setter
    def status(self, code: int | HTTPStatus) -> None:
        try:
            self._status = _STATUSES[code]
        except (KeyError, TypeError):  # TypeError: it may be of a type that no dict takes
            message = f"{shown(code)} is not an HTTP status: give a registered code, such as 200"
            raise ValueError(message) from None

    @property
    def cookies(self) -> Cookies:
        """The cookies that the response sets."""
        if self._cookies is None:
            cookies = Cookies if self.app is None else self.app.Cookies
            self._cookies = cast("Cookies", cookies({}))
        return self._cookies

    @property
    def has_cookies(self) -> bool:
        """Whether the response sets a cookie."""
        return bool(self.cookies if self._own_cookies else self._cookies)

    @property
    def cookie_lines(self) -> Iterable[str]:
        """The values of the `Set-Cookie` lines."""
        cookies = self.cookies if self._own_cookies else self._cookies
        return cookie_lines(cookies) if cookies else ()

    @property
    def json(self) -> Any:
        """The value that the body encodes; set it to any value that JSON can hold.

        Setting it sets the body and `Content-Type`. The codec is that of the application, by
        default a `JSONCodec`.
        Raises `ValueError` or `TypeError` when the value can't be encoded (NaN and infinities
        can't) or the body can't be decoded. A streamed body raises `TypeError`.
        """
        body = self.body
        if isinstance(body, str):
            body = body.encode()
        if not isinstance(body, bytes | bytearray | memoryview):
            raise TypeError(f"The body is {type(body).__name__}, which is not decoded as JSON")
        return codec_of(self.app).loads(bytes(body))

    @json.setter
    def json(self, value: Any) -> None:
        codec = getattr(self.app, "JSON", PLAIN_JSON)
        if type(codec) is JSONCodec:  # the direct way saves 0.3 of 1.7 us for one key
            text = "".join(codec.iterate(value, 0))
            self.body = (text if text.isascii() else escape_surrogates(text)).encode()
        else:
            self.body = encoded(codec.dumps(value))
        if self.headers:
            drop_field(self.headers, "content-type")
        self.headers["Content-Type"] = "application/json; charset=utf-8"

    @property
    def redirect(self) -> tuple[str | None, HTTPStatus]:
        """The location and the status; set it to such a pair, or to a location for a 302.

        A location is text, or an object whose class has a `__str__` of its own, such as a URL.
        Raises `TypeError` when set to anything else, `ValueError` for an unregistered status.
        """
        return self.headers.get("Location"), self.status

    @redirect.setter
    def redirect(self, to: str | tuple[str, int | HTTPStatus]) -> None:
        location, status = (to, HTTPStatus.FOUND) if isinstance(to, str) else _pair_of(to)
        self.status = status
        drop_field(self.headers, "location")
        self.headers["Location"] = location

    def __deepcopy__(self, memo: dict[int, Any]) -> Response:
        return copy_deeply(self, memo, ("app", "protocol", "request"))


def _pair_of(to: Any) -> tuple[Any, Any]:
    is_pair = isinstance(to, tuple | list) and len(to) == 2  # noqa: PLR2004 - a pair
    location, status = to if is_pair else (to, HTTPStatus.FOUND)
    if not _is_location(location):
        if iscoroutine(location):
            location.close()  # otherwise Python warns as well, and this error is clearer
        given = f"a pair of {type(location).__name__} and status" if is_pair else type(to).__name__
        raise TypeError(
            f"response.redirect takes a location, or a pair of location and status, not {given}"
        )
    return location, status


def _is_location(value: Any) -> bool:
    """Tell whether `str()` gives the text of a location: not that of a number or of bytes."""
    no_location = isinstance(value, bytes | bytearray) or is_number(value)
    return has_own_text(value) and not no_location


def _getter(attribute: Any) -> Any:
    """Return the function of a property, and anything else as it is."""
    return getattr(attribute, "fget", attribute)


cookies_in_python: Any = cast("property", vars(Response)["cookies"]).fget
set_json: Any = cast("property", vars(Response)["json"]).fset
"""Set body and `Content-Type` in Python, for values that the native core does not encode."""

if is_native:
    from ._core import native

    Response.cookies = property(native.get_response_cookies, doc=cookies_in_python.__doc__)  # type: ignore[method-assign, assignment]
    Cookies.set = update_wrapper(native.set_cookie, set_in_python)  # type: ignore[method-assign]
    Response.json = cast("property", vars(Response)["json"]).setter(  # type: ignore[method-assign, assignment]
        native.set_json
    )
