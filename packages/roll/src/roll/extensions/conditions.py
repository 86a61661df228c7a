"""Conditional and range requests (RFC 9110 13 and 14), decided from headers and figures alone."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

__all__ = ["Unsatisfiable", "asked_range", "not_modified", "precondition_failed"]

RANGE: Final = re.compile(r"bytes=([0-9]*)-([0-9]*)", re.IGNORECASE)


LONGEST: Final = 19
"""The digits of the positions that no file reaches."""


class Unsatisfiable(ValueError):
    """The range lies outside (RFC 9110 15.5.17)."""


def precondition_failed(headers: Mapping[str, str], etag: str, modified: float) -> bool:
    """Tell whether the client wants another version only (RFC 9110 13.1.1, 13.1.4).

    To be asked before anything else (RFC 9110 13.2.2).
    """
    tags = headers.get("IF-MATCH")
    if tags is not None:
        # The strong comparison: a weak tag is nobody's.
        return tags.strip() != "*" and etag not in [tag.strip() for tag in tags.split(",")]
    since = parsed_date(headers.get("IF-UNMODIFIED-SINCE"))
    return since is not None and int(modified) > since


def not_modified(headers: Mapping[str, str], etag: str, modified: float) -> bool:
    """Tell whether the client has this version already (RFC 9110 13.2.2)."""
    tags = headers.get("IF-NONE-MATCH")
    if tags is not None:
        return tags.strip() == "*" or etag in [weakly(tag) for tag in tags.split(",")]
    since = parsed_date(headers.get("IF-MODIFIED-SINCE"))
    return since is not None and int(modified) <= since


def weakly(tag: str) -> str:
    """Return a tag as the weak comparison sees it (RFC 9110 8.8.3.2)."""
    return tag.strip().removeprefix("W/")


def asked_range(
    headers: Mapping[str, str], size: int, etag: str, modified: float, now: float
) -> tuple[int, int] | None:
    """Return where the range that is asked for begins and ends (exclusive); None for the whole.

    To be asked for a GET only (RFC 9110 14.2). `modified` and `now` are in seconds since the
    epoch. Several ranges, and what is malformed, are answered with the whole (RFC 9110 14.2).

    Raises:
        Unsatisfiable: there is nothing in that range.
    """
    found = RANGE.fullmatch(headers.get("RANGE", "").strip())
    if found is None or not same_version(headers.get("IF-RANGE"), etag, modified, now):
        return None
    first, last = found.groups()
    if not first:
        return suffix(position(last), size) if last else None
    start = position(first)
    end = position(last) + 1 if last else size
    if last and end <= start:
        return None
    if start >= size:
        raise Unsatisfiable(start)
    return start, min(end, size)


def position(digits: str) -> int:
    """Return a number of any length, those that no file reaches as one that none does."""
    digits = digits.lstrip("0")
    return int(digits or "0") if len(digits) < LONGEST else sys.maxsize


def same_version(condition: str | None, etag: str, modified: float, now: float) -> bool:
    """Tell whether an `If-Range` holds (RFC 9110 13.1.5): the very tag, or the very date.

    A second that has not passed may see another version yet: its date is a weak validator
    (RFC 9110 8.8.2.2), and holds for nobody.
    """
    if condition is None or condition.strip() == etag:
        return True
    return parsed_date(condition) == int(modified) < int(now)


def suffix(length: int, size: int) -> tuple[int, int]:
    if length == 0 or size == 0:
        raise Unsatisfiable(length)
    return max(size - length, 0), size


def parsed_date(text: str | None) -> float | None:
    """Return a date in seconds since the epoch, None when there is none or it is malformed."""
    try:
        date = parsedate_to_datetime(text or "")
    except (TypeError, ValueError):
        return None
    return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
