"""Conversion of placeholders to the types that handlers annotate."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import date
from enum import Enum
from math import inf, isfinite
from types import NoneType, UnionType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Final,
    ForwardRef,
    NewType,
    Union,
    get_args,
    get_origin,
)

from .advice import advise, described
from .callables import functions_of, signature_of

if TYPE_CHECKING:
    from uuid import UUID

__all__ = ["Convert", "advise_on_unresolved", "annotations_of", "by_annotation", "uuid_class"]

Convert = Callable[[str], Any]

MAX_DIGITS: Final = 640
"""The most digits of an integer, because `int` takes quadratic time in their number."""

NUMBER: Final = "+-.0123456789"

DEEPEST: Final = 32
"""The most aliases, `Annotated`s and the like around a class."""

Names = Mapping[str, Any]


def annotations_of(handler: Any, near: Names) -> dict[str, Any]:
    """Return the annotations of a handler's parameters, through decorators with `**kwargs`.

    Annotations that are text are resolved if possible, and stay text otherwise. `near` are the
    local names where the handler is registered, such as those of a function that creates the
    application.
    """
    try:
        parameters = signature_of(handler).parameters.values()
    except (TypeError, ValueError):
        return {}
    scopes = (globals_of(handler), vars(type(getattr(handler, "__self__", None))), near)
    own = {each.name: resolved(each.annotation, scopes) for each in parameters}
    wrapped = getattr(handler, "__wrapped__", None)
    if wrapped is None or all(each.kind is not each.VAR_KEYWORD for each in parameters):
        return own
    return annotations_of(wrapped, near) | own


def globals_of(handler: Any) -> Names:
    found = (getattr(function, "__globals__", None) for function in functions_of(handler))
    return next((names for names in found if names is not None), {})


def resolved(annotation: Any, scopes: Iterable[Names]) -> Any:
    """Return the class that an annotation means, without aliases, `Annotated` or `| None`."""
    for _ in range(DEEPEST):  # a limit, because names may refer to each other in a circle
        if isinstance(annotation, ForwardRef):
            annotation = annotation.__forward_arg__
        if not isinstance(annotation, str):
            inner = unwrapped(annotation)
        elif (inner := evaluated(annotation, scopes)) is None:
            return annotation
        if inner is annotation:
            break
        annotation = inner
    return annotation


def evaluated(text: str, scopes: Iterable[Names]) -> Any:
    """Return the value of an annotation that is text; None if it cannot be evaluated."""
    for names in scopes:
        # `eval` is safe here: the text is code of the application. It fails for names that are
        # imported for type checkers only.
        with suppress(Exception):
            return eval(text, dict(names))  # noqa: S307
    return None


def unwrapped(annotation: Any) -> Any:
    """Return the inner type of an `Annotated`, a `NewType`, an alias or a union with None."""
    if get_origin(annotation) is Annotated:
        return annotation.__origin__
    if get_origin(annotation) in {Union, UnionType}:
        others = [each for each in get_args(annotation) if each is not NoneType]
        return others[0] if len(others) == 1 else annotation
    if isinstance(annotation, NewType):
        return annotation.__supertype__
    return getattr(annotation, "__value__", annotation)  # an alias such as `type Page = int`


def advise_on_unresolved(handler: Any, name: str, annotation: Any) -> None:
    """Warn of a type that Roll would convert to, but that is imported for type checkers only."""
    if isinstance(annotation, str) and re.search(r"\b(UUID|date)\b", annotation):
        advise(
            f"{described(handler)} annotates {name!r} with {annotation!r}, which cannot be found"
            f" at run time: the argument stays text. Import it outside of `if TYPE_CHECKING`"
        )


def by_annotation(annotation: Any) -> Convert | None:
    """Return the function that converts text to a class; None for `str` and other types."""
    if not isinstance(annotation, type):
        return None
    if issubclass(annotation, Enum):
        return enum_conversion(annotation)
    return to_uuid if annotation is uuid_class() else CONVERSIONS.get(annotation)


def uuid_class() -> Any:
    """Return the class `UUID`; an empty tuple if nothing has imported it.

    The module `uuid` takes 1.7 ms to import. A program without it has no UUID.
    """
    return getattr(sys.modules.get("uuid"), "UUID", ())


# Python's own functions accept several spellings of a value: digits of other scripts, `1_000`,
# `{...}` around a UUID. These functions accept one, so that a resource has one URL.


def to_int(text: str) -> int:
    digits = text[1:] if text.startswith(("+", "-")) else text
    if len(digits) > MAX_DIGITS or not (digits.isascii() and digits.isdigit()):
        raise ValueError(f"{text!r} is not an integer")
    return int(text)


def to_float(text: str) -> float:
    number = float(text) if not text.strip(NUMBER) else inf
    if not isfinite(number):
        raise ValueError(f"{text!r} is not a number")
    return number


def to_uuid(text: str) -> UUID:
    found: UUID = uuid_class()(text)
    if text.lower() not in {str(found), found.hex}:
        raise ValueError(f"{text!r} is not a UUID as URLs have it")
    return found


def to_date(text: str) -> date:
    found = date.fromisoformat(text)
    if found.isoformat() != text:
        raise ValueError(f"{text!r} is not a date of the form YYYY-MM-DD")
    return found


CONVERSIONS: Final[dict[type, Convert]] = {
    int: to_int,
    float: to_float,
    date: to_date,
}


def enum_conversion(kind: type[Enum]) -> Convert:
    # URLs have only text: the value 1 is found by "1".
    members = {str(member.value): member for member in kind}

    def convert(text: str) -> Enum:
        found = members.get(text)
        if found is not None:
            return found
        try:
            return kind(text)  # the enum may define `_missing_`
        except Exception as error:
            # `_missing_` may raise anything, often a KeyError: the text is not a member.
            raise ValueError(f"{text!r} is not a {kind.__qualname__}") from error

    return convert
