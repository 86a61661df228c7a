"""Validators of a response, and the answers to conditional requests (RFC 9110 8.8, 13)."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final

from roll_http.h1.dates import format_date
from roll_http.shown import shown

from .conditions import not_modified, precondition_failed
from .dates import FIRST, parse_date
from .errors import drop, forget_lifetime
from .fields import field_of

__all__ = [
    "OF_THE_BODY",
    "answer_conditions",
    "drop_body",
    "formatted_date",
    "formatted_etag",
    "parsed_etag",
    "parsed_modified",
]

# A tag with quotes, strong or weak, and a tag without quotes (RFC 9110 8.8.3).
QUOTED: Final = re.compile(r'(?:W/)?"[!#-~]*"')
UNQUOTED: Final = re.compile(r"[!#-~]*")

CONDITIONS: Final = ("IF-MATCH", "IF-NONE-MATCH", "IF-MODIFIED-SINCE", "IF-UNMODIFIED-SINCE")

OF_THE_BODY: Final = frozenset(
    {"content-encoding", "content-language", "content-length", "content-range", "content-type"}
)
"""The fields that a response without a body does not need (RFC 9110 15.4.5)."""


def formatted_etag(text: Any) -> str:
    """Return the `ETag` field for a text; add quotes unless it has them.

    Raises:
        ValueError: the value is not text, or has spaces, quotes, control characters or
            characters outside of ASCII.
    """
    if isinstance(text, str):
        if QUOTED.fullmatch(text):
            return text
        if UNQUOTED.fullmatch(text):
            return f'"{text}"'
    raise ValueError(
        f"`response.etag` is visible ASCII text without quotes and spaces, such as a hash or"
        f" `str(version)`: not {shown(text)}"
    )


def parsed_etag(field: str | None) -> str | None:
    """Return the text of an `ETag` field without quotes; a weak tag keeps its `W/` and quotes."""
    return field if field is None or field.startswith("W/") else field.strip('"')


def formatted_date(moment: Any) -> str:
    """Return the `Last-Modified` field for a moment, never later than now (RFC 9110 8.8.2.1).

    A moment without a time zone is in UTC.

    Raises:
        ValueError: the moment is not a `datetime`, or lies before the year 1 in UTC.
    """
    if not isinstance(moment, datetime):
        raise ValueError(f"`response.last_modified` is a datetime: not {shown(moment)}")  # noqa: TRY004 - as for any value that cannot be sent
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    seconds = int(aware.timestamp())
    if seconds < FIRST:
        raise ValueError(f"`response.last_modified` is not before the year 1 in UTC: {moment}")
    return format_date(min(seconds, time.time()))


def parsed_modified(field: str | None) -> datetime | None:
    """Return the moment of a `Last-Modified` field in UTC; None without a valid date."""
    seconds = None if field is None else parse_date(field)
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


async def answer_conditions(request: Any, response: Any) -> None:
    """Replace the response to a GET or HEAD by a 304 or 412 if the client's conditions say so.

    Other methods have already acted, so their conditions come too late. Conditions apply to
    successful responses only (RFC 9110 13.2.1).
    """
    asked = request.headers
    if request.method not in {"GET", "HEAD"} or not any(name in asked for name in CONDITIONS):
        return
    if HTTPStatus.OK <= response.status < HTTPStatus.MULTIPLE_CHOICES:
        etag = field_of(response.headers, "etag")
        date = field_of(response.headers, "last-modified")
        version = etag, None if date is None else parse_date(date)
        if precondition_failed(asked, *version):
            await drop_body(response, HTTPStatus.PRECONDITION_FAILED)
            forget_lifetime(response.headers)
        elif not_modified(asked, *version):
            await drop_body(response, HTTPStatus.NOT_MODIFIED)


async def drop_body(response: Any, status: HTTPStatus) -> None:
    """Set a status without a body, drop the fields of the body, and close the old body."""
    body, response.body = response.body, b""
    response.status = status
    drop(response.headers, OF_THE_BODY)
    if hasattr(body, "aclose"):
        await body.aclose()
    elif hasattr(body, "close"):
        body.close()
