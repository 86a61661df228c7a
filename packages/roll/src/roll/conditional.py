"""Validators of a response, and the answers to conditional requests (RFC 9110 8.8, 13)."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final

from roll_http.h1.dates import format_date

from .conditions import not_modified, precondition_failed
from .dates import parse_date
from .errors import drop
from .fields import field_of

__all__ = [
    "answer_conditions",
    "drop_body",
    "formatted_date",
    "formatted_etag",
    "parsed_etag",
    "parsed_modified",
]

# A tag that was given in quotes, or as a weak one, and a tag without quotes (RFC 9110 8.8.3).
QUOTED: Final = re.compile(r'(?:W/)?"[!#-~]*"')
UNQUOTED: Final = re.compile(r"[!#-~]*")

CONDITIONS: Final = ("IF-MATCH", "IF-NONE-MATCH", "IF-MODIFIED-SINCE", "IF-UNMODIFIED-SINCE")

OF_THE_BODY: Final = frozenset(
    {"content-encoding", "content-language", "content-length", "content-range", "content-type"}
)
"""The fields that a response without a body does not need (RFC 9110 15.4.5)."""


def formatted_etag(text: Any) -> str:
    """Return the `ETag` field for a text: in quotes, unless it has them.

    Raises:
        ValueError: it is not text, or has spaces, quotes, control characters or letters outside
            of ASCII.
    """
    if isinstance(text, str):
        if QUOTED.fullmatch(text):
            return text
        if UNQUOTED.fullmatch(text):
            return f'"{text}"'
    raise ValueError(
        f"`response.etag` is visible ASCII text without quotes and spaces, such as a hash or"
        f" `str(version)`: not {text!r}"
    )


def parsed_etag(field: str | None) -> str | None:
    """Return the text of an `ETag` field; that of a weak one with its `W/` and its quotes."""
    return field if field is None or field.startswith("W/") else field.strip('"')


def formatted_date(moment: Any) -> str:
    """Return the `Last-Modified` field for a moment, never later than now (RFC 9110 8.8.2.1).

    Raises:
        ValueError: it is no `datetime`.
    """
    if not isinstance(moment, datetime):
        raise ValueError(f"`response.last_modified` is a datetime: not {moment!r}")  # noqa: TRY004 - as for any value that cannot be sent
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return format_date(min(int(aware.timestamp()), time.time()))


def parsed_modified(field: str | None) -> datetime | None:
    """Return the moment of a `Last-Modified` field, in UTC; None where there is none."""
    seconds = None if field is None else parse_date(field)
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


async def answer_conditions(request: Any, response: Any) -> None:
    """Replace a response to GET or HEAD by the 304 or 412 that the client's conditions ask for.

    After another method has acted, there is nothing to be asked any more; and the conditions mean
    nothing for what is no success (RFC 9110 13.2.1).
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
        elif not_modified(asked, *version):
            await drop_body(response, HTTPStatus.NOT_MODIFIED)


async def drop_body(response: Any, status: HTTPStatus) -> None:
    """Send a status without a body in place of a response."""
    body, response.body = response.body, b""
    response.status = status
    drop(response.headers, OF_THE_BODY)
    if hasattr(body, "aclose"):
        await body.aclose()
    elif hasattr(body, "close"):
        body.close()
