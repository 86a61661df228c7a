"""The containers of roll-multipart, whose errors answer 400 by themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import roll_multipart
from roll_http import HttpError

from .callables import refuse_async

__all__ = ["BadValue", "Files", "Form", "Multidict", "Multipart", "Query", "made_of"]


T = TypeVar("T")


class BadValue(HttpError):
    """A key is missing, or its value cannot be cast: the client's fault, so a 400."""

    def __init__(self, message: object = None) -> None:
        super().__init__(400, message)


class Multidict(roll_multipart.Multidict[T], Generic[T]):
    """Several values for a key; a missing key raises an `HttpError` 400."""

    Error = BadValue


class Query(Multidict[str], roll_multipart.Query):
    """The parameters of a query string; a value that cannot be cast raises an `HttpError` 400."""


class Form(Query, roll_multipart.Form):
    """The fields of a form, with the casts of `Query`."""


class Files(Multidict[roll_multipart.UploadedFile], roll_multipart.Files):
    """The files of a form."""


class Multipart(roll_multipart.Multipart):
    """The parser of multipart bodies, which fills a `Form` and `Files` of this package.

    `form` is called with an empty mapping, `files` without arguments.

    Raises:
        ValueError: one of them is async: its result is needed at once.
    """

    def __init__(
        self, form: Callable[..., Any] = Form, files: Callable[..., Any] = Files, **settings: Any
    ) -> None:
        for name, make in (("form", form), ("files", files)):
            if not isinstance(make, type):  # a class is most of them, and never async
                refuse_async(make, f"`{name}` of a Multipart")
        super().__init__(form=lambda: form({}), files=files, **settings)

    if TYPE_CHECKING:  # the same, with what this package fills

        def initialize(self, content_type: str) -> tuple[Form, Files]: ...


def made_of(values: roll_multipart.Multidict[str], make: Callable[..., Any]) -> Any:
    """Return the container that `make` makes of these values, a `Query` or a `Form`.

    One that has a method `add` is filled by it, but for those of this package: classes differ in
    what they make of a list in a mapping.
    """
    kind = make if isinstance(make, type) else type(make({}))
    if issubclass(kind, roll_multipart.Multidict) or not hasattr(kind, "add"):
        return make(values)
    made = make({})
    for name, texts in values.items():
        for text in texts:
            made.add(name, text)
    return made
