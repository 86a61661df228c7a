"""The request that a handler gets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any, ClassVar, cast

from ._core import RequestBase, is_native
from ._core.bases import UNSET
from ._core.copies import copy_deeply
from .body import MANY, BodyPass, BodyStream, check_size, join_short
from .cookies import Cookies, parse_cookies
from .errors import HttpError
from .foreign_cookies import received
from .h1.head import split_fields
from .headers import Headers
from .json_codec import codec_of, decoded

__all__ = ["Request"]


class Request(RequestBase):
    """One request. It is also a dict for the user's own data: this package uses no key of it.

    `app` is the application that answers. `protocol` is the connection that received the request.
    Both may be None for a request made by hand.
    """

    __slots__ = ()

    # Whether a subclass overrides `headers`.
    _own_headers: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._own_headers = getattr(cls.headers, "fget", cls.headers) is not _HEADERS.fget

    def __deepcopy__(self, memo: dict[int, Any]) -> Request:
        return copy_deeply(self, memo, self._shared)

    @property
    def _shared(self) -> tuple[str, ...]:
        """The attributes that a copy shares with its original."""
        return ("app", "protocol", "route", "_stream")

    def attach_body(self, stream: BodyStream) -> None:
        """Set the body as a stream; called once, by the connection."""
        self._stream = stream

    def attach_whole(self, body: bytes) -> None:
        """Set the body that arrived together with the head; called once, by the connection."""
        self._whole = body

    @property
    def headers(self) -> dict[str, str]:
        """The fields by upper-cased name; lines of one name are joined (RFC 9110 5.3).

        `headers["User-Agent"]` finds `USER-AGENT`; `get` and `in` need upper case.
        """
        headers = self._headers
        if type(headers) is dict:  # made when it is asked for: most handlers do without
            headers = self._headers = Headers(headers)
        return headers

    @headers.setter
    def headers(self, value: dict[str, str]) -> None:
        self._headers = value

    @property
    def raw_headers(self) -> list[tuple[bytes, bytes]]:
        """The header fields as received: name and value of each line, as bytes and in order.

        Nothing is joined, decoded or changed in case; only the spaces and tabs around the values
        are removed (RFC 9112 5). Each use makes a new list. For a request made by hand, the list
        has its `headers`, encoded in UTF-8.
        """
        if self._block is None:  # a request made by hand
            return [(name.encode(), value.encode()) for name, value in self._headers.items()]
        return split_fields(self._block)

    @property
    def cancel_on_disconnect(self) -> bool:
        """Whether to cancel the handler when the client has disconnected; settable."""
        return self._cancel_on_disconnect

    @cancel_on_disconnect.setter
    def cancel_on_disconnect(self, value: Any) -> None:
        if not isinstance(value, bool):  # the text "false" would be true
            kind = type(value).__name__
            raise TypeError(f"`request.cancel_on_disconnect` is True or False, not {kind}")
        self._cancel_on_disconnect = value
        if value and getattr(self.protocol, "gone", False):
            self.protocol.cancel()

    @property
    def kwargs(self) -> dict[str, Any]:
        """A dict for the user's own data; empty at first."""
        if self._kwargs is None:
            self._kwargs = {}
        return self._kwargs

    @kwargs.setter
    def kwargs(self, value: dict[str, Any]) -> None:
        self._kwargs = value

    @property
    def cookies(self) -> Cookies:
        """The cookies of the request."""
        if self._cookies is None:
            header = (self.headers if self._own_headers else self._headers).get("COOKIE")
            found = parse_cookies(header) if header else {}
            make = Cookies if self.app is None else self.app.Cookies
            self._cookies = make(found) if make is Cookies else received(found, make)
        return self._cookies

    @property
    def body(self) -> bytes:
        """The whole body; reading it before it is loaded raises `HttpError` 500."""
        if self._body is None:
            raise HttpError(HTTPStatus.INTERNAL_SERVER_ERROR, self._why_no_body())
        return self._body

    @body.setter
    def body(self, value: bytes) -> None:
        self._body = value

    def _why_no_body(self) -> str:
        if self._stream is not None and self._stream.handed_over:
            return "The body was read as a form: see `request.form` and `request.files`"
        return "The body is not loaded yet: `await request.read()` first"

    def load_at_once(self) -> bool:
        """Load the body if it came together with the head; return whether `body` is loaded.

        If it is not, await `load_body`. Raises `HttpError` 413 as `load_body` does.
        """
        if self._body is None:
            cls = type(self)
            ours = cls.__aiter__ is _AITER and cls.load_body is _LOAD
            if self._stream is not None or not ours:
                return False
            if self._whole:
                check_size(len(self._whole), self._loaded_limit())
            self._body = self._whole
        return True

    if is_native:
        load_at_once = RequestBase.load_at_once  # type: ignore[attr-defined]  # the native one

    async def load_body(self) -> None:
        """Read the whole body into `body`; do nothing if it is loaded already.

        A call that was cancelled, for example by `asyncio.timeout`, loses nothing: call it again.
        The second call raises `RuntimeError` if a subclass overrides `__aiter__`.

        Raises:
            RuntimeError: a part of the body was streamed before.
            HttpError: 413 for a body larger than `max_body`, or than the server's limit for bodies
                in memory; 408 if the client is too slow; 400 if the body is malformed.
            ClientDisconnected: the client has gone before the end of the body.
        """
        if self._body is not None:
            return
        if self._stream is None:
            if type(self).__aiter__ is Request.__aiter__:
                if self._whole:
                    check_size(len(self._whole), self._loaded_limit())
                self._body = self._whole
                return
            self._stream = BodyStream.whole(self._whole)
        if not self._stream.handed_over:
            await self._load_stream(self._stream)

    async def _load_stream(self, stream: BodyStream) -> None:
        stream.limit_to(self._loaded_limit())
        async with stream.lock:  # several may ask at once: all get what the first one loads
            if self._body is not None:
                return
            stream.check_unread()
            self._body = await self._load_chunks(stream)

    async def _load_chunks(self, stream: BodyStream) -> bytes:
        chunks: list[bytes] = []  # when this is cancelled, what it has is kept
        looked_at = 0
        iterator = aiter(self)
        try:
            async for chunk in iterator:
                chunks.append(chunk)
                if len(chunks) - looked_at >= MANY:
                    looked_at = join_short(chunks, looked_at)
        except BaseException as error:
            if isinstance(iterator, BodyPass):
                stream.restore(chunks)  # who reads again, when this was cancelled, gets all of it
            else:
                stream.spoil(error if isinstance(error, Exception) else self._lost())
            raise
        return b"".join(chunks)

    def _lost(self) -> RuntimeError:
        name = type(self).__name__
        return RuntimeError(
            f"The reading of the body was cancelled, and the `__aiter__` of {name} can't continue"
            " where it stopped"
        )

    def _loaded_limit(self) -> int | None:
        if self.max_body is not None:
            return self.max_body
        # A request may have no protocol, or one of a class that has no limits.
        limits = getattr(self.protocol, "limits", None)
        return None if limits is None else cast("int | None", limits.body)

    async def read(self) -> bytes:
        """Return the whole body; load it first if needed."""
        await self.load_body()
        return self.body

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Stream the body in chunks; reading pauses while the chunks are not consumed.

        Each chunk comes once. After an interruption (a `break`, or a cancelled task), the next
        iteration continues at the next chunk. After the last chunk, another iteration raises
        `RuntimeError`. A body that was loaded comes as one chunk, at each iteration.
        Raises the errors of `load_body`.
        """
        if self._body is not None:
            return BodyStream.whole(self._body).open()
        if self._stream is None:
            self._stream = BodyStream.whole(self._whole)
        self._stream.limit_to(self.max_body)
        return self._stream.open()

    def take_body(self) -> bytes | BodyStream:
        """Return the whole body if it has arrived, otherwise the stream of its chunks.

        Raises `HttpError` 413 for a body that is known to be larger than `max_body`.
        """
        if self._body is not None:
            return self._body
        if self._stream is None:
            check_size(len(self._whole), self.max_body)
            return self._whole
        self._stream.limit_to(self.max_body)
        return self._stream

    @property
    def json(self) -> Any:
        """The body, decoded from JSON by the codec of the application (`JSONCodec` by default).

        Raises `HttpError` 400 when the codec raises a `ValueError`.
        """
        if self._json is UNSET:
            try:
                self._json = decoded(codec_of(self.app), self.body)
            except (ValueError, RecursionError):
                raise HttpError(HTTPStatus.BAD_REQUEST, "Unparsable JSON body") from None
        return self._json

    def _field(self, name: str) -> str:
        return (self.headers if self._own_headers else self._headers).get(name, "")

    @property
    def content_type(self) -> str:
        """The `Content-Type` field, or an empty str."""
        return self._field("CONTENT-TYPE")

    @property
    def host(self) -> str:
        """The `Host` field, or the authority of an absolute target, or an empty str."""
        return self._field("HOST")

    @property
    def referrer(self) -> str:
        """The `Referer` field, or an empty str."""
        return self._field("REFERER")

    referer = referrer

    @property
    def origin(self) -> str:
        """The `Origin` field, or an empty str."""
        return self._field("ORIGIN")

    @property
    def client(self) -> tuple[str, int] | None:
        """The peer's address: host and port; None over a Unix socket."""
        return cast("tuple[str, int] | None", getattr(self.protocol, "peer", None))

    @property
    def scheme(self) -> str:
        """`"http"`, or `"https"` over TLS."""
        return "https" if getattr(self.protocol, "secure", False) else "http"

    async def disconnected(self) -> bool:
        """Return whether the client has disconnected, as far as the server knows.

        A client that only closed its sending side looks the same (RFC 9112 9.6). The server can't
        notice a client that vanished without closing its connection. It can't notice a client
        that disconnected after sending more unread bytes than the server buffers.
        """
        await asyncio.sleep(0)  # let the loop read the socket first
        return bool(getattr(self.protocol, "gone", False))


_HEADERS: Any = Request.headers

# What a subclass has not overridden, if it loads bodies as this package does.
_AITER: Any = Request.__aiter__
_LOAD: Any = Request.load_body

# In Python, for what the native core leaves.
cookies_in_python: Any = cast("property", vars(Request)["cookies"]).fget
json_in_python: Any = cast("property", vars(Request)["json"]).fget

if is_native:
    from ._core import native

    Request.cookies = property(native.get_cookies, doc=cookies_in_python.__doc__)  # type: ignore[method-assign, assignment]
    Request.json = property(native.get_json, doc=json_in_python.__doc__)  # type: ignore[method-assign, assignment]
