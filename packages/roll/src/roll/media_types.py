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

# Compiled with the first field that has a comma. Possessive, so that each is linear.
QUOTED: Final = r'(?s)"(?:[^"\\]++|\\(?:.|\Z))*+"?'
NEXT_TYPE: Final = rf",[ \t]*+{TCHARS}+/"


def media_type(field: str) -> str:
    """Return the media type of a field, in lower case, without its parameters."""
    return field if field == URLENCODED else field.partition(";")[0].strip(" \t").lower()


def refuse_several(field: str) -> None:
    """Raise an `HttpError`, 400, for several media types in place of one (RFC 9110 8.3).

    Each recipient would choose another one of them: a proxy that looks at bodies may have seen
    none in what is a form here.
    """
    if "," in field and re.search(NEXT_TYPE, re.sub(QUOTED, "", field)):
        raise HttpError(HTTPStatus.BAD_REQUEST, "Several media types in Content-Type")
