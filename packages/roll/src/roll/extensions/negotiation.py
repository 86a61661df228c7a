"""`content_negociation`: match what a client accepts with what a route offers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final

from roll_http import HttpError
from roll_http.syntax import TCHARS

from ..application import Roll
from ..fields import vary_on
from ..views import endpoint_of

__all__ = ["content_negociation"]

RANGE: Final = re.compile(rf"({TCHARS})/({TCHARS})")
QUALITY: Final = re.compile(r"(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)")

# The text before a separator; quoted strings may hold separators (RFC 9110 5.6.4). The quantifiers
# are possessive, so that an unclosed quote costs linear time only.
QUOTED: Final = r'"(?:[^"\\]++|\\.)*+"'
ELEMENT: Final = re.compile(rf'((?:[^",]++|{QUOTED})*+)(,|\Z)', re.DOTALL)
PARAMETER: Final = re.compile(rf'((?:[^";]++|{QUOTED})*+)(;|\Z)', re.DOTALL)

# The only white space around the parts of a field (RFC 9110 5.6.3).
OWS: Final = " \t"

Range = tuple[str, str]
"""A type and a subtype in lower case; each may be `*`."""


def content_negociation(app: Roll) -> None:
    """Answer 406 when a request accepts no media type of its route's extra `accepts`.

    A request without `Accept` gets a 406 too. A route without `accepts` takes all requests. The
    extra holds for the methods that are registered with it. Wildcards and qualities count (RFC
    9110 12.5.1), parameters do not. Malformed media ranges are ignored. Responses of a route with
    `accepts` have `Vary: Accept`.
    """

    @app.listen("request")
    def refuse(request: Any, response: Any) -> None:
        payload = request.route.payload
        extras = endpoint_of(payload, request).extras
        offered = (payload if extras is None else extras).get("accepts")
        if offered is None:
            return
        vary_on(response.headers, "Accept")
        if not acceptable(request.headers.get("ACCEPT", ""), offered):
            raise HttpError(HTTPStatus.NOT_ACCEPTABLE)


def acceptable(accept: str, offered: str | list[str]) -> bool:
    ranges = qualities(accept)
    media_types = [offered] if isinstance(offered, str) else offered
    return any(quality(ranges, media_type) > 0 for media_type in media_types)


def qualities(accept: str) -> dict[Range, float]:
    """Return the quality of each media range; a repeated range has its best quality."""
    best: dict[Range, float] = {}
    for media_range, weight in parse_accept(accept):
        best[media_range] = max(weight, best.get(media_range, 0.0))
    return best


def parse_accept(accept: str) -> Iterator[tuple[Range, float]]:
    for element in split(accept, ELEMENT):
        media_range, *parameters = split(element, PARAMETER)
        # Lower the case only afterwards: otherwise a Kelvin sign (U+212A) would become a k.
        found = RANGE.fullmatch(media_range.strip(OWS))
        weight = weight_of(parameters)
        if found is not None and weight is not None and not malformed(*found.groups()):
            yield (found[1].lower(), found[2].lower()), weight


def split(text: str, piece: re.Pattern[str]) -> Iterator[str]:
    """Yield the pieces between separators, up to a quote that is not closed."""
    found = piece.match(text)
    while found is not None:
        yield found[1]
        found = piece.match(text, found.end()) if found[2] else None


def malformed(kind: str, subtype: str) -> bool:
    return kind == "*" and subtype != "*"


def weight_of(parameters: list[str]) -> float | None:
    """Return the quality: 1 if there is none, None if it is malformed."""
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip(OWS) in {"q", "Q"}:
            found = QUALITY.fullmatch(value.strip(OWS))
            return None if found is None else float(found[1])
    return 1.0


def quality(ranges: Mapping[Range, float], media_type: str) -> float:
    """Return the quality of a media type, by the most specific range."""
    kind, _, subtype = media_type.lower().partition(";")[0].strip().partition("/")
    for wanted in ((kind, subtype), (kind, "*"), ("*", "*")):
        if wanted in ranges:
            return ranges[wanted]
    return 0.0
