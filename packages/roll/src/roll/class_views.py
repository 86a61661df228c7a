"""Classes as views: an instance has a Python method for each HTTP method that it answers."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from itertools import takewhile
from typing import Any, Final

from roll_http import HTTP_METHODS

from .advice import advise, described

__all__ = ["advise_on_wrapped_class", "class_handlers", "hint_at_class"]

NAMES: Final = {method: f"on_{method.lower()}" for method in HTTP_METHODS}

ORDINARY: Final = frozenset(
    {
        *("set", "net", "let", "met", "reset", "cut", "out", "but"),
        *("read", "lead", "dead", "heat", "heap", "hear"),
        *("past", "pose", "host", "cost", "lost", "most", "port"),
        *("path", "match", "batch", "catch", "watch", "latch", "hatch"),
        *("track", "trade", "race", "deleted", "deletes", "connects"),
    }
)
"""Words that differ from an HTTP method by one letter, but mean something else."""


def class_handlers(view: type) -> dict[str, Callable[..., Any]]:
    """Return the handlers of a class by HTTP method.

    Warn of methods whose names are probably misspelt, because nothing calls them.

    Raises:
        ValueError: the class needs arguments, or it has no method such as `on_get`.
    """
    instance = instance_of(view)
    found = {method: getattr(instance, name, None) for method, name in NAMES.items()}
    advise_on_methods(view, instance)
    # `on_get = None` in a subclass removes the inherited handler.
    handlers = {method: handler for method, handler in found.items() if callable(handler)}
    if not handlers:
        raise ValueError(
            f"The class view {described(view)} has no method that answers requests: write"
            f" {examples(view)}"
        )
    return handlers


def hint_at_class(view: object) -> str:
    """Return what to write for an object of a class view; nothing for other objects."""
    if any(hasattr(view, name) for name in NAMES.values()):
        return f": register the class {type(view).__qualname__}, not an object of it"
    return ""


def advise_on_wrapped_class(view: object) -> None:
    """Warn of a function that a decorator has made of a class view: nothing calls its methods."""
    wrapped = getattr(view, "__wrapped__", None)
    if isinstance(wrapped, type) and any(hasattr(wrapped, name) for name in NAMES.values()):
        advise(
            f"A decorator has made a function of the class view {described(wrapped)}: put the"
            " decorator above its methods"
        )


def instance_of(view: type) -> Any:
    try:
        signature = inspect.signature(view)
    except (TypeError, ValueError):  # some builtins have no readable signature
        return view()
    try:
        signature.bind()
    except TypeError as error:
        raise ValueError(
            f"The class view {described(view)} takes {signature}, but Roll makes its object"
            f" without arguments: {error}. Give them defaults, or make them attributes of the"
            " class"
        ) from None
    return view()


def examples(view: type) -> str:
    """Return the method names that a class probably needs, as text for an error."""
    likely = [NAMES[method] for method in HTTP_METHODS if hasattr(view, method.lower())]
    return " and ".join(f"`{name}`" for name in likely) or "`on_get`, `on_post` or the like"


def advise_on_methods(view: type, instance: Any) -> None:
    for name in dir(view):
        meant = misspelt(name)
        # A method without parameters is not a handler: the view calls it itself.
        if meant and callable(getattr(view, name)) and takes_something(getattr(instance, name)):
            advise(f"{view.__qualname__}.{name} does not answer any HTTP method: write `{meant}`")


def takes_something(method: Any) -> bool:
    try:
        return bool(inspect.signature(method).parameters)
    except (TypeError, ValueError):  # some builtins have no readable signature
        return False


def misspelt(name: str) -> str | None:
    """Return the handler name that differs from `name` by case, `_` or one typing error."""
    if name in NAMES.values() or not name.lower().startswith("on"):
        return None
    plain = name.replace("_", "").lower().removeprefix("on")
    if f"on_{plain}" in NAMES.values():
        return f"on_{plain}"
    word = name.removeprefix("on_")
    if word == name or word in ORDINARY:
        return None
    return next((right for right in NAMES.values() if one_slip(word, right[3:])), None)


def one_slip(word: str, right: str) -> bool:
    """Tell whether one letter is extra, missing or wrong, or two letters are swapped."""
    start = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(word, right)))  # noqa: B905 - to the end of the shorter
    word, right = word[start:], right[start:]
    swapped = word[:2] == right[1::-1] and word[2:] == right[2:]
    return swapped or word[1:] in (right, right[1:]) or word == right[1:]
