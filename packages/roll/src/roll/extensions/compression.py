"""`compress`: responses in the content coding that the client prefers (RFC 9110 8.4)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from http import HTTPStatus
from typing import Any, Final

from roll_http import FileBody
from roll_http.h1.body_encoders import InvalidResponse
from roll_http.h1.response_body import read_body
from roll_http.syntax import TCHARS

from ..application import Roll
from ..codings import accepted
from ..conditions import TAG
from ..errors import drop, set_fields
from ..fields import field_of, names_of, vary_on
from ..late import unsettled
from ..settings import is_list
from .compressed import CompressedStream, NoStream, compressed
from .encoders import Encoder, encoders, stream_encoders

__all__ = ["compress"]

TYPES: Final = (
    "text/*",
    "application/javascript",
    "application/json",
    "application/*+json",
    "application/manifest+json",
    "application/wasm",
    "application/xml",
    "application/*+xml",
    "application/x-ndjson",
    "font/otf",
    "font/ttf",
    "image/bmp",
    "image/svg+xml",
    "image/x-icon",
    "image/vnd.microsoft.icon",
)
"""The media types that compression makes smaller; others are compressed already."""

MIN_SIZE: Final = 1024

LEFT_ALONE: Final = frozenset(
    {
        "content-encoding",
        "content-range",
        "content-digest",
        "content-md5",
        "digest",
        "repr-digest",
    }
)
"""Responses with these fields are not compressed: compression would make the fields wrong."""

NEVER_COMPRESSED: Final = frozenset(
    {
        HTTPStatus.NO_CONTENT,
        HTTPStatus.RESET_CONTENT,
        HTTPStatus.NOT_MODIFIED,
        HTTPStatus.PARTIAL_CONTENT,
    }
)
"""The statuses of responses without content, and of a part of one."""

OF_THE_UNCOMPRESSED: Final = frozenset({"accept-ranges", "content-length"})

# A media type with at most one star in its subtype.
PATTERN: Final = re.compile(rf"{TCHARS}/{TCHARS}")

Offer = Mapping[str, Callable[[], Encoder]]


def compress(app: Roll, min_size: int = MIN_SIZE, types: Collection[str] | str = TYPES) -> None:
    """Compress responses of `min_size` bytes or more, for clients that accept it.

    The codings are those of zstd, br and gzip that are installed (`roll[compress]`). Examples of
    types are "text/html", "text/*" and "application/*+json". Streams and events of any size are
    compressed too, and each item is sent at once. Responses with a range, with a content coding or
    with `Cache-Control: no-transform` are not compressed. Tags of compressed responses are weak.

    Raises:
        ValueError: `min_size` is not a number of bytes, or `types` has something else than media
            types.
    """
    check_size(min_size)
    compressor = Compressor(min_size, types)

    def begin(request: Any) -> None:
        unsettled(request).transforms.append(compressor.transform)

    # This listener is the first one, so that no other can end the chain before it.
    app.hooks.setdefault("headers", []).insert(0, begin)


def check_size(value: Any) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"`min_size` is a number of bytes, such as 1024, not {value!r}")


class Compressor:
    """The settings of `compress`, applied to responses."""

    def __init__(self, min_size: int, types: Collection[str] | str) -> None:
        listed = [types] if isinstance(types, str) else types
        if not is_list(listed):
            raise ValueError(f"`types` is a list of media types, or one of them, not {types!r}")
        self._min_size = min_size
        self._types = tuple(map(checked_type, listed))
        self._offer: Offer = encoders()
        # When each item is flushed, gzip gives the smallest output. It takes 0.1 MiB, zstd 0.8.
        self._stream_offer: Offer = stream_encoders()

    async def transform(self, request: Any, response: Any) -> None:
        """Compress a response if the settings and the client allow it."""
        if response.status == HTTPStatus.NOT_MODIFIED:
            confirm_weakly(request, response.headers)
        if response.status == HTTPStatus.PARTIAL_CONTENT:
            # The whole may be compressed, and a part varies as the whole does (RFC 9110 15.3.7).
            vary_on(response.headers, "Accept-Encoding")
        if response.status in NEVER_COMPRESSED or is_left_alone(response.headers):
            return
        try:
            data, stream, kind = read_body(response.body)
        except InvalidResponse:  # it is reported when the body is sent
            return
        if stream is None and not data:
            kind = ""  # no type is sent with an empty body, unless the handler has set one
        if stream is not None:
            response.body = stream  # `read_body` has called a generator function
        if self._is_compressible(response, kind):
            await self._transform(request, response, data, stream)

    def _is_compressible(self, response: Any, line: str) -> bool:
        """Tell whether a response has one of the types; `line` is the default type's field."""
        kind = field_of(response.headers, "content-type")
        if kind is None and response.add_content_type and line:
            # Set the type now: a compressed text looks like bytes.
            kind = response.headers["Content-Type"] = line.partition(": ")[2].strip()
        media_type = (kind or "").partition(";")[0].strip().lower()
        return any(pattern.fullmatch(media_type) for pattern in self._types)

    async def _transform(
        self, request: Any, response: Any, data: bytes, stream: AsyncIterator[Any] | None
    ) -> None:
        announced = content_length(response.headers)
        if stream is None and not data and request.method == "HEAD":
            # The body of the GET is not known. Its length only tells whether it is large enough.
            stream, announced = NoStream(), announced or 0
        if stream is None and announced not in {None, len(data)}:
            return  # a wrong length is reported when the response is sent
        size = len(data) if stream is None else announced
        if size is None or size >= max(self._min_size, 1):
            vary_on(response.headers, "Accept-Encoding")
            await self._compress(request, response, data, stream, announced)

    async def _compress(
        self,
        request: Any,
        response: Any,
        data: bytes,
        stream: AsyncIterator[Any] | None,
        announced: int | None,
    ) -> None:
        """Compress a body or a stream in a coding that the client accepts."""
        flushed = stream is not None and not isinstance(stream, FileBody | NoStream)
        offer = self._stream_offer if flushed else self._offer
        for coding in accepted(request.headers.get("ACCEPT-ENCODING", ""), tuple(offer))[:1]:
            body: Any = None
            if stream is not None:
                length = None if isinstance(stream, NoStream) else announced
                body = CompressedStream(stream, offer[coding](), length)
            elif len(shorter := await compressed(data, offer[coding]())) < len(data):
                body = shorter
            if body is not None:
                response.body = body
                say(response.headers, coding)


def say(headers: dict[str, Any], coding: str) -> None:
    """Set the fields for a coding; the tag becomes weak, as the bytes of the content differ."""
    drop(headers, OF_THE_UNCOMPRESSED)
    headers["Content-Encoding"] = coding
    etag = field_of(headers, "etag")
    if etag is not None and etag.startswith('"'):
        set_fields(headers, {"ETag": f"W/{etag}"})


def confirm_weakly(request: Any, headers: dict[str, Any]) -> None:
    """Set the tag of a 304 to the tag of the client, which is that of a compressed response."""
    vary_on(headers, "Accept-Encoding")
    etag = field_of(headers, "etag")
    known = re.findall(TAG, request.headers.get("IF-NONE-MATCH", ""))
    if etag not in known and f"W/{etag}" in known:
        set_fields(headers, {"ETag": f"W/{etag}"})


def is_left_alone(headers: Mapping[str, Any]) -> bool:
    """Tell whether compression would make a response wrong, or is not wanted."""
    if not LEFT_ALONE.isdisjoint(names_of(headers)):
        return True
    caching = field_of(headers, "cache-control") or ""
    return "no-transform" in {each.strip().lower() for each in caching.split(",")}


def content_length(headers: Mapping[str, Any]) -> int | None:
    field = field_of(headers, "content-length") or ""
    return int(field) if field.isdecimal() else None


def checked_type(value: Any) -> re.Pattern[str]:
    """Return the expression for a media type; a star stands for any subtype or its beginning."""
    text = value.lower() if isinstance(value, str) else ""
    before, star, behind = text.partition("*")
    if "/" in behind or "*" in behind or not PATTERN.fullmatch(text):
        raise ValueError(
            f"`types` are media types, such as 'text/html', 'text/*' or 'application/*+json', not"
            f" {value!r}"
        )
    return re.compile(re.escape(before) + (f"[^/]+{re.escape(behind)}" if star else ""))
