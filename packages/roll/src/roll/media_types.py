"""The media type of a body, from its `Content-Type`."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Final

from roll_http import HttpError
from roll_http.syntax import TCHARS

__all__ = ["MULTIPART", "URLENCODED", "media_type", "refuse_several"]

MULTIPART: Final = "multipart/form-data"
URLENCODED: Final = "application/x-www-form-urlencoded"

# Python compiles these with the first field that has a comma. Possessive quantifiers keep each
# search linear in time.
QUOTED: Final = r'(?s)"(?:[^"\\]++|\\(?:.|\Z))*+"?'
NEXT_TYPE: Final = rf",[ \t]*+{TCHARS}+/"


def media_type(field: str) -> str:
    """Return the media type of a `Content-Type`, in lower case, without its parameters."""
    return field if field == URLENCODED else field.partition(";")[0].strip(" \t").lower()


def refuse_several(field: str) -> None:
    """Raise an `HttpError` 400 if a `Content-Type` has several media types (RFC 9110 8.3).

    Recipients choose differently among them: a proxy that inspects bodies could miss a form that
    Roll would parse.
    """
    if "," in field and re.search(NEXT_TYPE, re.sub(QUOTED, "", field)):
        raise HttpError(HTTPStatus.BAD_REQUEST, "Several media types in Content-Type")
