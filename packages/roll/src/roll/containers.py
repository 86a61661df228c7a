"""The containers of roll-multipart, with errors that Roll answers with a 400."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import roll_multipart
from roll_http import HttpError
from roll_multipart.checks import check_callable

from ._core import cycle
from .callables import refuse_async, refuse_misfit

__all__ = [
    "BadValue",
    "Files",
    "Form",
    "Multidict",
    "Multipart",
    "Query",
    "filled",
    "is_own",
    "made_of",
]


T = TypeVar("T")


class BadValue(HttpError):
    """A key is missing, or its value cannot be cast: a 400, because the client caused it."""

    def __init__(self, message: object = None) -> None:
        super().__init__(400, message)


class Multidict(roll_multipart.Multidict[T], Generic[T]):
    """Several values for a key; a missing key raises an `HttpError` 400."""

    Error = BadValue


class Query(Multidict[str], roll_multipart.Query):
    """The parameters of a query string; a value that cannot be cast raises an `HttpError` 400."""


int_in_python: Any = Query.int

if cycle is not None:
    Query.int = update_wrapper(cycle.get_int, int_in_python)  # type: ignore[method-assign]


class Form(Query, roll_multipart.Form):
    """The fields of a form, with the casts of `Query`."""


class Files(Multidict[roll_multipart.UploadedFile], roll_multipart.Files):
    """The files of a form."""


class Multipart(roll_multipart.Multipart):
    """The parser of multipart bodies, which fills a `Form` and `Files` of this package.

    Roll calls `form` with an empty mapping, and `files` without arguments.

    Raises:
        TypeError: `form` or `files` cannot be called.
        ValueError: `form` or `files` is async, but Roll needs the result at once; or it does not
            take these arguments.
    """

    def __init__(
        self, form: Callable[..., Any] = Form, files: Callable[..., Any] = Files, **settings: Any
    ) -> None:
        for name, make, given in (("form", form, ("values",)), ("files", files, ())):
            if not isinstance(make, type):  # most are classes, which are never async
                refuse_async(make, f"`{name}` of a Multipart")
                check_callable(name, make)
                refuse_misfit(make, given, f"`{name}` of a Multipart")
        super().__init__(form=lambda: form({}), files=files, **settings)

    if TYPE_CHECKING:  # the same method, with the types of this package

        def initialize(self, content_type: str) -> tuple[Form, Files]: ...


def is_own(make: Callable[..., Any]) -> bool:
    """Tell whether `make` is a container class of roll-multipart or a subclass."""
    return isinstance(make, type) and issubclass(make, roll_multipart.Multidict)


def made_of(values: roll_multipart.Multidict[str], make: Callable[..., Any]) -> Any:
    """Return the `Query` or `Form` that `make` builds from these values.

    A container of another package that has a method `add` is filled by that method, because
    classes differ in how they treat a list in a mapping.
    """
    if is_own(make):
        return make(values)
    kind = make if isinstance(make, type) else type(make({}))
    return filled(make({}), values) if hasattr(kind, "add") else make(values)


def filled(container: Any, values: roll_multipart.Multidict[Any]) -> Any:
    """Add these values to a container of any class, and return it."""
    for name, several in values.items():
        for value in several:
            if hasattr(container, "add"):
                container.add(name, value)
            else:
                container.setdefault(name, []).append(value)
    return container
