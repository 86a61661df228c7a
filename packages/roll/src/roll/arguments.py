"""The arguments of handlers: checks against the path, and conversion of placeholders."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from inspect import ismethod
from keyword import iskeyword
from typing import Any, Final

from roll_http import HttpError
from roll_routing import Routes, variables

from .advice import caller, described
from .annotations import Convert, advise_on_unresolved, annotations_of, by_annotation
from .callables import refuse_async, refuse_awaitable, refuse_class, refuse_unrun, signature_of

__all__ = ["Arguments", "Conversions", "Place"]

Conversions = Mapping[str, Convert]
"""Name of an argument -> the function that converts its text."""

TAKEN: Final = frozenset({"request", "response", "ws"})
"""The names of the arguments that precede the placeholders."""


class Place:
    """The path of a route, and the names of its placeholders.

    Raises:
        InvalidRoute: Roll's router cannot parse the path.
    """

    def __init__(self, path: str, routes: Any) -> None:
        self.path = path
        self.names: tuple[str, ...] | None = None
        """The names of the placeholders; None if the router is not Roll's."""
        self.own: Conversions = {}
        """The conversions by the types of the placeholders."""
        if isinstance(routes, Routes):
            self.names = tuple(variables(path))
            own = routes.conversions(path)
            self.own = {name: checked(convert, name, path) for name, convert in own.items()}

    def check(self, handler: Any, second: str) -> None:
        """Check that a handler accepts its arguments.

        `second` is the name of the argument after the request: `response` or `ws`.

        Raises:
            ValueError: the handler does not accept its arguments.
        """
        try:
            self._bind(handler)
        except TypeError as error:
            raise ValueError(self._misfit(handler, second, error)) from None

    def _bind(self, handler: Any) -> None:
        try:
            signature = signature_of(handler)
        except (TypeError, ValueError):  # some builtins have no readable signature
            refuse_class(handler, f"A view of {self.path!r}")
            return
        if self.names is None:
            signature.bind_partial(None, None)
        else:
            signature.bind(None, None, **dict.fromkeys(self.names))

    def _misfit(self, handler: Any, second: str, error: TypeError) -> str:
        signature = signature_of(handler)
        right = ", ".join(("request", second, *(self.names or ())))
        return (
            f"{described(handler)} takes {signature}, but Roll calls the handlers of {self.path!r}"
            f" with ({right}): {error}. {self._remedy(handler, right)}"
        )

    def _remedy(self, handler: Any, right: str) -> str:
        """Say what to change: the handler, or a placeholder that no parameter can be named as."""
        names = self.names or ()
        for name in names:
            if name in TAKEN:
                return f"Give the placeholder {name!r} a name of its own"
            if not name.isidentifier() or iskeyword(name):
                return f"No parameter can be named {name!r}: give the placeholder another name"
        return remedy_of_self(handler, right) or f"Write its parameters as ({right})"

    def conversions(self, handler: Any) -> Conversions:
        """Return the conversions of the arguments of a handler.

        The type of the placeholder converts first. If the result is still text, the annotation of
        the parameter converts it. Warn of a type that Roll would convert to, but that is imported
        for type checkers only.
        """
        frame, _ = caller()
        hints = annotations_of(handler, frame.f_locals)
        annotated = {name: by_annotation(hint) for name, hint in hints.items()}
        names = annotated if self.names is None else self.names
        for name in names:
            advise_on_unresolved(handler, name, hints.get(name))
        steps = {name: (self.own.get(name), annotated.get(name)) for name in names}
        return {name: chained(*each) for name, each in steps.items() if any(each)}


def remedy_of_self(handler: Any, right: str) -> str | None:
    """Return the remedy for a method, or for a function with `self`; None for others."""
    if ismethod(handler):
        function = handler.__func__
        if (own := first_parameter(function)) in {"self", "cls"}:
            return f"Write its parameters as ({own}, {right})"
        what = (
            "the wrapper of its decorator" if hasattr(function, "__wrapped__") else "this method"
        )
        return f"The first argument of a method is its object: let {what} take (self, {right})"
    if first_parameter(handler) == "self":
        return "Nothing gives a function its `self`: register the class, not its method"
    return None


def first_parameter(function: Any) -> str | None:
    return next(iter(signature_of(function).parameters), None)


def checked(convert: Convert, name: str, path: str) -> Convert:
    """Return a conversion that raises `TypeError` if its result must be awaited or iterated over.

    Raises:
        ValueError: the conversion is async or a generator.
    """
    what = f"The conversion of {name!r} in {path!r}"
    refuse_async(convert, what)
    if isinstance(convert, type):
        return convert

    def call(text: str) -> Any:
        value = convert(text)
        if (
            hasattr(value, "__await__")
            or hasattr(value, "__next__")
            or hasattr(value, "__anext__")
        ):
            refuse_unrun(value, what)
            refuse_awaitable(value, what)
        return value

    return call


def chained(first: Convert | None, second: Convert | None) -> Convert:
    if first is None or second is None:
        return first or second or str

    def convert(text: str) -> Any:
        value = first(text)
        return second(value) if isinstance(value, str) else value

    return convert


class Arguments:
    """The arguments of one call, converted as soon as the route is found.

    Listeners may change the variables of the route before the handler is called.

    Raises:
        HttpError: 404, because an argument cannot be converted.
    """

    __slots__ = ("_conversions", "_path", "_text", "values")

    def __init__(self, conversions: Conversions, text: Mapping[str, Any], path: str) -> None:
        self._conversions = conversions
        self._path = path
        self._text = dict(text)
        self.values = self._converted()

    def of(self, text: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the arguments for `text`, the present variables of the route."""
        if text != self._text:
            return Arguments(self._conversions, text, self._path).values
        return self.values

    def _converted(self) -> dict[str, Any]:
        values = self._text.copy()
        for name, convert in self._conversions.items():
            text = values.get(name)
            # A router or a listener may have converted the value already.
            if isinstance(text, str):
                try:
                    values[name] = convert(text)
                except ValueError as error:
                    raise HttpError(HTTPStatus.NOT_FOUND, self._path) from error
        return values
