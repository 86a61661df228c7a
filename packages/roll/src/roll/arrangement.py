"""Arguments of listeners: built-in events pass them by name, in any order."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from .advice import advise, code_of, described
from .callables import functions_of, refuse_class, signature_of
from .parameters import misplaced, positional, wrapped_by

__all__ = ["arranged", "check_listener"]

Listener = Callable[..., Any]


def check_listener(listener: Listener, event: str, names: tuple[str, ...]) -> None:
    """Check that a listener can be called with the arguments of a built-in event.

    Warn of parameters that have the names of other arguments.

    Raises:
        ValueError: the listener does not accept these arguments.
    """
    signature = known_signature(listener, event)
    if signature is None:
        return
    order, keywords = places(parameters(listener), names)
    given = [names[place] for place in order]
    # `route:add` also passes the extras of a route, which can have any name.
    bind = signature.bind_partial if event == "route:add" else signature.bind
    try:
        bind(*given, **dict(keywords))
    except TypeError as error:
        raise ValueError(
            f"{described(listener)} takes {signature}, but Roll calls listeners of {event!r} with"
            f" ({', '.join(names)}): {error}. Write its parameters as ({', '.join(names)})"
        ) from None
    taken = positional(listener)[: len(given)]
    if misplaced(taken, given):
        advise(
            f"{described(listener)} takes ({', '.join(taken)}), but Roll calls it with"
            f" ({', '.join(given)}): write {' and '.join(f'`{name}`' for name in given)}, because"
            " these arguments are passed by name"
        )


def known_signature(listener: Listener, event: str) -> inspect.Signature | None:
    """Return the signature of a listener; None for a builtin that does not tell its own.

    Raises:
        ValueError: it is a class, such as `int`, that cannot be called with the arguments of any
            event.
    """
    function, _ = functions_of(listener)
    told = code_of(listener) is not None or isinstance(function, type)
    # Of an object of C, the signature may be the one of its class.
    if not told and not inspect.isroutine(function):
        return None
    try:
        return signature_of(listener)
    except (TypeError, ValueError):
        refuse_class(listener, f"A listener of {event!r}")
        return None


def places(
    asked: list[inspect.Parameter], names: tuple[str, ...]
) -> tuple[list[int], list[tuple[str, int]]]:
    """Return the indexes of the positional arguments, and the names and indexes of the others.

    If no parameter asks for an argument by name, all arguments are positional, in order.
    """
    if any(by_name(parameter, names) for parameter in asked):
        return arrangement(asked, names)
    return list(range(len(names))), []


def arranged(listener: Listener, names: tuple[str, ...]) -> Listener:
    """Return a function that calls `listener` with the arguments that its parameters name.

    A parameter with one of the `names` gets that argument, whatever its position. Parameters
    without a default get the remaining arguments, in order. If the order is the same anyway,
    return the listener itself.
    """
    order, keywords = places(parameters(listener), names)
    if not keywords and order == list(range(len(names))):
        return listener

    if len(order) == 1 and not keywords:
        return with_one(listener, order[0], len(names))

    def call(*args: Any, **kwargs: Any) -> Any:
        if len(args) != len(names):  # an application sent the event with other arguments
            return listener(*args, **kwargs)
        named = {name: args[at] for name, at in keywords}
        return listener(*[args[place] for place in order], **named, **kwargs)

    return call


def with_one(listener: Listener, place: int, count: int) -> Listener:
    """Return a function that calls a listener of one argument, 0.5 us faster than `arranged`."""

    def call(*args: Any, **kwargs: Any) -> Any:
        if len(args) != count:  # an application sent the event with other arguments
            return listener(*args, **kwargs)
        return listener(args[place], **kwargs) if kwargs else listener(args[place])

    return call


def by_name(parameter: inspect.Parameter, names: tuple[str, ...]) -> bool:
    """Tell whether a parameter has one of the names, or accepts any name (`**kwargs`)."""
    return parameter.name in names or parameter.kind is parameter.VAR_KEYWORD


def parameters(listener: Listener) -> list[inspect.Parameter]:
    """Return the parameters of a listener, or of the function that its `*args` wrapper calls."""
    try:
        signature = signature_of(listener)
    except (TypeError, ValueError):  # some builtins have no signature
        return []
    own = list(signature.parameters.values())
    wrapped = wrapped_by(listener)
    if wrapped is None or not own or own[0].kind is not inspect.Parameter.VAR_POSITIONAL:
        return own
    return parameters(wrapped)


def arrangement(
    asked: list[inspect.Parameter], names: tuple[str, ...]
) -> tuple[list[int], list[tuple[str, int]]]:
    """Return the indexes of the positional arguments, and the names and indexes of the others."""
    wanted = {parameter.name for parameter in asked}
    left = [place for place, name in enumerate(names) if name not in wanted]
    order: list[int] = []
    keywords: list[tuple[str, int]] = []
    skipped = False
    for parameter in asked:
        if parameter.name in names:
            place = names.index(parameter.name)
            if skipped or parameter.kind is parameter.KEYWORD_ONLY:
                keywords.append((parameter.name, place))
            else:
                order.append(place)
        elif parameter.kind is parameter.VAR_POSITIONAL:
            order += [] if skipped else left
            left = left if skipped else []
        elif left and parameter.default is parameter.empty and is_positional(parameter):
            order.append(left.pop(0))
        elif parameter.kind is parameter.VAR_KEYWORD:
            keywords += [(names[place], place) for place in left]
        else:
            skipped = True
    return order, keywords


def is_positional(parameter: inspect.Parameter) -> bool:
    return parameter.kind in {parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD}
