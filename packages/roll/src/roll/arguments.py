"""The arguments of handlers: do they take those of their path, and what becomes of its text."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from datetime import date
from enum import Enum
from http import HTTPStatus
from keyword import iskeyword
from math import inf, isfinite
from types import NoneType, UnionType
from typing import Annotated, Any, Final, NewType, Union, get_args, get_origin
from uuid import UUID

from roll_http import HttpError
from roll_routing import Routes, variables

from .advice import described
from .callables import functions_of, refuse_async

__all__ = ["Arguments", "Conversions", "Place"]

Convert = Callable[[str], Any]
Conversions = Mapping[str, Convert]
"""What makes the arguments of a handler, by name, from text."""

MAX_DIGITS: Final = 640
"""The time that `int` takes is the square of their number."""

NUMBER: Final = "+-.0123456789"

TAKEN: Final = frozenset({"request", "response", "ws"})
"""The names of the arguments that come before those of the path."""


class Place:
    """Where a route is: its path, and the names with which its handlers are called.

    Raises:
        InvalidRoute: our router cannot read the path.
    """

    def __init__(self, path: str, routes: Any) -> None:
        self.path = path
        self.names: tuple[str, ...] | None = None
        """None where only another router knows."""
        self.own: Conversions = {}
        """The conversions of the path itself."""
        if isinstance(routes, Routes):
            self.names = tuple(variables(path))
            self.own = routes.conversions(path)
        for name, convert in self.own.items():
            refuse_async(convert, f"The conversion of {name!r} in {path!r}")

    def check(self, handler: Any, second: str) -> None:
        """Check that a handler can be called; `second` is what it gets beside the request.

        Raises:
            ValueError: it does not take its arguments.
        """
        try:
            self._bind(handler)
        except TypeError as error:
            raise ValueError(self._misfit(handler, second, error)) from None

    def _bind(self, handler: Any) -> None:
        try:
            signature = inspect.signature(handler, follow_wrapped=False)
        except (TypeError, ValueError):  # some builtins have none that can be read
            return
        if self.names is None:
            signature.bind_partial(None, None)
        else:
            signature.bind(None, None, **dict.fromkeys(self.names))

    def _misfit(self, handler: Any, second: str, error: TypeError) -> str:
        signature = inspect.signature(handler, follow_wrapped=False)
        right = ", ".join(("request", second, *(self.names or ())))
        return (
            f"{described(handler)} takes {signature}, and cannot answer {self.path!r}, for which"
            f" it is called with ({right}): {error}. {self._remedy(right)}"
        )

    def _remedy(self, right: str) -> str:
        """Say what to change: the handler, or a placeholder that no parameter can be named as."""
        names = self.names or ()
        for name in names:
            if name in TAKEN:
                return f"Give the placeholder {name!r} a name of its own"
            if not name.isidentifier() or iskeyword(name):
                return f"No parameter can be named {name!r}: give the placeholder another name"
        return f"Write its parameters as ({right})"

    def conversions(self, handler: Any) -> Conversions:
        """Return how the arguments of a handler are made from the text of a match.

        First by the path's own converter; what is still text then, by the annotation.
        """
        annotated = {name: by_annotation(hint) for name, hint in annotations_of(handler).items()}
        names = annotated if self.names is None else self.names
        steps = {name: (self.own.get(name), annotated.get(name)) for name in names}
        return {name: chained(*each) for name, each in steps.items() if any(each)}


def chained(first: Convert | None, second: Convert | None) -> Convert:
    if first is None or second is None:
        return first or second or str

    def convert(text: str) -> Any:
        value = first(text)
        return second(value) if isinstance(value, str) else value

    return convert


class Arguments:
    """The arguments of one call, converted when the route was found.

    Listeners may change the variables of the route before the handler is called.

    Raises:
        HttpError: 404, as one cannot be converted.
    """

    __slots__ = ("_conversions", "_path", "_text", "values")

    def __init__(self, conversions: Conversions, text: Mapping[str, Any], path: str) -> None:
        self._conversions = conversions
        self._path = path
        self._text = dict(text)
        self.values = self._converted()

    def of(self, text: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the arguments for the variables of the route as they are now."""
        if text != self._text:
            return Arguments(self._conversions, text, self._path).values
        return self.values

    def _converted(self) -> dict[str, Any]:
        values = self._text.copy()
        for name, convert in self._conversions.items():
            text = values.get(name)
            # A router, or a listener, may have converted it before.
            if isinstance(text, str):
                try:
                    values[name] = convert(text)
                except ValueError as error:
                    raise HttpError(HTTPStatus.NOT_FOUND, self._path) from error
        return values


# Annotations.


def annotations_of(handler: Any) -> dict[str, Any]:
    """Return the annotations of parameters, also of what a decorator passes all on to."""
    try:
        parameters = inspect.signature(handler, follow_wrapped=False).parameters.values()
    except (TypeError, ValueError):
        return {}
    own = {each.name: resolved(each.annotation, handler) for each in parameters}
    wrapped = getattr(handler, "__wrapped__", None)
    if wrapped is None or all(each.kind is not each.VAR_KEYWORD for each in parameters):
        return own
    return annotations_of(wrapped) | own


def resolved(annotation: Any, handler: Any) -> Any:
    """Return an annotation that may be written as text; None for one of which nothing is known."""
    if not isinstance(annotation, str):
        return annotation
    try:
        # The text is the application's own code; it may give text again.
        return resolved(eval(annotation, globals_of(handler)), handler)  # noqa: S307
    except Exception:  # noqa: BLE001 - that of a name imported for type checkers only, or any other
        return None


def globals_of(handler: Any) -> dict[str, Any]:
    found = (getattr(function, "__globals__", None) for function in functions_of(handler))
    return next((names for names in found if names is not None), {})


def by_annotation(annotation: Any) -> Convert | None:
    """Return what converts text to what is asked for; None where that is text, or unknown."""
    kind = bare(annotation)
    if not isinstance(kind, type):
        return None
    return enum_conversion(kind) if issubclass(kind, Enum) else CONVERSIONS.get(kind)


def bare(annotation: Any) -> Any:
    """Return the class in an `Annotated`, a `NewType`, or a union with None."""
    while True:
        if get_origin(annotation) is Annotated:
            annotation = annotation.__origin__
        elif get_origin(annotation) in {Union, UnionType}:
            others = [each for each in get_args(annotation) if each is not NoneType]
            if len(others) > 1:
                return None
            annotation = others[0]
        elif isinstance(annotation, NewType):
            annotation = annotation.__supertype__
        else:
            return annotation


# Python's own functions take more than one spelling of a value: digits of other scripts, `1_000`,
# `{...}` around a UUID. Here none of these is the URL of anything.


def to_int(text: str) -> int:
    digits = text[1:] if text.startswith(("+", "-")) else text
    if len(digits) > MAX_DIGITS or not (digits.isascii() and digits.isdigit()):
        raise ValueError(f"{text!r} is no integer")
    return int(text)


def to_float(text: str) -> float:
    number = float(text) if not text.strip(NUMBER) else inf
    if not isfinite(number):
        raise ValueError(f"{text!r} is no number")
    return number


def to_uuid(text: str) -> UUID:
    found = UUID(text)
    if text.lower() not in {str(found), found.hex}:
        raise ValueError(f"{text!r} is no UUID as it is written in URLs")
    return found


def to_date(text: str) -> date:
    found = date.fromisoformat(text)
    if found.isoformat() != text:
        raise ValueError(f"{text!r} is no date of the form YYYY-MM-DD")
    return found


CONVERSIONS: Final[dict[type, Convert]] = {
    int: to_int,
    float: to_float,
    UUID: to_uuid,
    date: to_date,
}


def enum_conversion(kind: type[Enum]) -> Convert:
    # The text of a value, as a URL has no other: 1 is found by "1".
    members = {str(member.value): member for member in kind}

    def convert(text: str) -> Enum:
        found = members.get(text)
        return kind(text) if found is None else found  # it may know more by its `_missing_`

    return convert
