"""`content_negociation`: what a client accepts, and what a route offers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from roll_http import HttpError

from ..views import endpoint_of

if TYPE_CHECKING:
    from ..application import Roll

__all__ = ["content_negociation"]

TOKEN: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 - RFC 9110 5.6.2
RANGE: Final = re.compile(rf"({TOKEN})/({TOKEN})")
QUALITY: Final = re.compile(r"(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)")

# A media range, and its quality.
Range = tuple[str, str, float]


def content_negociation(app: Roll) -> None:
    """Answer 406 when a request accepts nothing of its route's extra `accepts`.

    A request without `Accept` gets a 406 too; a route without `accepts` takes all, which holds
    for the methods that are registered with it. Wildcards and qualities count (RFC 9110 12.5.1),
    parameters do not; what is malformed is passed over.
    """

    @app.listen("request")
    def refuse(request: Any) -> None:
        payload = request.route.payload
        extras = endpoint_of(payload, request).extras
        offered = (payload if extras is None else extras).get("accepts")
        if offered is not None and not acceptable(request.headers.get("ACCEPT", ""), offered):
            raise HttpError(HTTPStatus.NOT_ACCEPTABLE)


def acceptable(accept: str, offered: str | list[str]) -> bool:
    ranges = list(parse_accept(accept))
    media_types = [offered] if isinstance(offered, str) else offered
    return any(quality(ranges, media_type) > 0 for media_type in media_types)


def parse_accept(accept: str) -> Iterator[Range]:
    for element in accept.lower().split(","):
        media_range, *parameters = (part.strip() for part in element.split(";"))
        found = RANGE.fullmatch(media_range)
        weight = weight_of(parameters)
        if found is not None and weight is not None and not malformed(*found.groups()):
            yield found[1], found[2], weight


def malformed(kind: str, subtype: str) -> bool:
    return kind == "*" and subtype != "*"


def weight_of(parameters: list[str]) -> float | None:
    """Return the quality, 1 when there is none, None when it is malformed."""
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            return float(value) if QUALITY.fullmatch(value.strip()) else None
    return 1.0


def quality(ranges: list[Range], media_type: str) -> float:
    """Return the quality that the most specific of the ranges gives a media type."""
    kind, _, subtype = media_type.lower().partition(";")[0].strip().partition("/")
    for wanted in ((kind, subtype), (kind, "*"), ("*", "*")):
        found = [weight for *media_range, weight in ranges if tuple(media_range) == wanted]
        if found:
            return max(found)
    return 0.0
