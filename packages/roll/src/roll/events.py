"""Events: listeners, the chain they run in, and how their arguments reach them."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Coroutine, Generator
from inspect import isawaitable
from types import MethodType
from typing import Any, Final, TypeVar

from .advice import advise, resembled
from .callables import is_async, is_generator, refuse_async, refuse_awaitable, refuse_generator

__all__ = ["ARGUMENTS", "Events", "Listener"]

Listener = Callable[..., Any]
L = TypeVar("L", bound=Listener)

# A listener, and whether it is an `async def`.
Chain = list[tuple[Listener, bool]]

ARGUMENTS: Final[dict[str, tuple[str, ...]]] = {
    "headers": ("request", "response"),
    "request": ("request", "response"),
    "response": ("request", "response"),
    "error": ("request", "response", "error"),
    "websocket_connect": ("request", "ws"),
    "websocket_disconnect": ("request", "ws"),
    "websocket_error": ("request", "ws", "error"),
}
"""The names under which the listeners of the built-in events may ask for their arguments."""

BUILT_IN: Final = frozenset({*ARGUMENTS, "startup", "shutdown", "route:add"})
"""The events whose listeners say by a true result that nothing else is to be done."""

SYNCHRONOUS: Final = frozenset({"route:add"})
"""The events that are sent where nothing can be awaited: their listeners are plain functions."""


class Events:
    """What listens and what is sent: `listen` and `hook`."""

    hooks: dict[str, list[Listener]]
    """The listeners of each event, in the order they are called."""

    def __init__(self) -> None:
        self.hooks = {}
        self._chains: dict[str, tuple[list[Listener], Chain]] = {}

    def listen(self, name: str) -> Callable[[L], L]:
        """Return a decorator that appends a listener, `async def` or `def`, to an event.

        Warns with a `RollWarning` of a name that resembles that of a built-in event.

        Raises:
            ValueError: the name or the listener is none; the event is built in and the listener a
                generator, which nobody would run; or the listener is async and the event
                `route:add`, which is sent where nothing can be awaited.
        """
        check_event(name)

        def register(listener: L) -> L:
            if not callable(listener):
                raise ValueError(f"A listener of {name!r} is a function, not {listener!r}")  # noqa: TRY004 - as every mistake in a listener
            if name in SYNCHRONOUS:
                refuse_async(listener, f"A listener of {name!r}")
            if name in BUILT_IN and is_generator(listener):
                raise ValueError(f"{listener!r} is a generator, which a listener cannot be")
            self.hooks.setdefault(name, []).append(listener)
            return listener

        return register

    # Any, not Coroutine: type checkers would ask for an await that may be left out.
    def hook(self, name: str, /, *args: Any, **kwargs: Any) -> Any:
        """Send the event `name`; what is returned may be awaited or given to `create_task`.

        Listeners run in order; the first true result ends the chain, and is what the await
        gives (else None). Those before the first `async` one run at the call: with none of
        that kind the await may be left out. Python warns when one was due and is missing.

        Raises:
            TypeError: a listener of a built-in event gives a generator, of which nothing has run.
        """
        chain = self._chain(name)
        for position, (listener, waits) in enumerate(chain):
            if waits:
                return unfinished_hook(name, chain[position:], args, kwargs)
            result = listener(*args, **kwargs)
            if result is None:
                continue
            if hasattr(result, "__await__") or (result and isawaitable(result)):
                return unfinished_hook(name, chain[position + 1 :], args, kwargs, result)
            if result:
                return Done(checked(result, name))
        return NOTHING

    def _hook_now(self, name: str, /, *args: Any, **kwargs: Any) -> None:
        """Send an event where nothing can be awaited.

        Raises:
            TypeError: a listener gives what is to be awaited.
        """
        for listener, _ in self._chain(name):
            result = listener(*args, **kwargs)
            refuse_awaitable(result, f"A listener of {name!r}")
            if result and checked(result, name):
                return

    def _chain(self, name: str) -> Chain:
        listeners = self.hooks.get(name)
        if not listeners:
            return []
        known = self._chains.get(name)
        # `hooks` is public, so a change behind our back has to be seen.
        if known is None or known[0] != listeners:
            names = ARGUMENTS.get(name, ())
            chain = [(arranged(call, names), is_async(call)) for call in listeners]
            known = self._chains[name] = (listeners.copy(), chain)
        return known[1]


def check_event(name: Any) -> None:
    """Warn of a name that resembles that of a built-in event: any other is free."""
    if not isinstance(name, str):
        raise ValueError(  # noqa: TRY004 - as every mistake in a listener
            f"`@app.listen` needs the name of an event: write `@app.listen('startup')`, or another"
            f" name, before {name!r}"
        )
    if name not in BUILT_IN and (meant := resembled(name, BUILT_IN)) is not None:
        advise(f"The event {name!r} is not sent by Roll: write {meant!r} for the one that is")


async def unfinished_hook(
    name: str,
    chain: Chain,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    begun: Awaitable[Any] | None = None,
) -> Any:
    """Run what is left of a chain, once what a listener of it `begun` has ended."""
    # Its name is the one that Python's warning shows to whoever forgot the await.
    if begun is not None and (result := await begun):
        return checked(result, name)
    for listener, _ in chain:
        result = listener(*args, **kwargs)
        if hasattr(result, "__await__") or (result and isawaitable(result)):
            result = await result
        if result:
            return checked(result, name)
    return None


def checked(result: Any, name: str) -> Any:
    """Return a true result of a listener; where only its truth counts, no generator is one."""
    if name in BUILT_IN:
        refuse_generator(result, f"A listener of {name!r}")
    return result


class Done(Coroutine[Any, Any, Any]):
    """A coroutine that has ended before it began: awaited or not, nobody complains."""

    __slots__ = ("result",)

    def __init__(self, result: Any) -> None:
        self.result = result

    def __await__(self) -> Generator[Any, Any, Any]:
        return self  # as an iterator: all that an await needs

    def __iter__(self) -> Done:
        return self

    def __next__(self) -> Any:
        raise StopIteration(self.result)

    def send(self, value: Any) -> Any:
        raise StopIteration(self.result)

    def throw(self, *error: Any) -> Any:
        raise error[0]

    def close(self) -> None:
        """Do nothing: there is nothing to end."""


NOTHING: Final = Done(None)


def arranged(listener: Listener, names: tuple[str, ...]) -> Listener:
    """Return what calls `listener` with the arguments `names`, each where it is asked for.

    A parameter that bears one of the names gets that argument, wherever it stands; those without
    a default get what is left, in order. A listener that uses none of them is called as it is.
    """
    asked = parameters(listener)
    if not any(parameter.name in names for parameter in asked):
        return listener
    order, keywords = arrangement(asked, names)
    if not keywords and order == list(range(len(names))):
        return listener

    def call(*args: Any, **kwargs: Any) -> Any:
        if kwargs or len(args) != len(names):  # an application sends the event by itself
            return listener(*args, **kwargs)
        return listener(
            *[args[place] for place in order], **{name: args[at] for name, at in keywords}
        )

    return call


def parameters(listener: Listener) -> list[inspect.Parameter]:
    """Return the parameters of a listener: its own, or those of what it passes all on to."""
    try:
        signature = inspect.signature(listener, follow_wrapped=False)
    except (TypeError, ValueError):  # some builtins have no signature
        return []
    own = list(signature.parameters.values())
    wrapped = wrapped_by(listener)
    if wrapped is None or not own or own[0].kind is not inspect.Parameter.VAR_POSITIONAL:
        return own
    return parameters(wrapped)


def wrapped_by(listener: Listener) -> Listener | None:
    wrapped: Listener | None = getattr(listener, "__wrapped__", None)
    if wrapped is not None and inspect.ismethod(listener):
        return MethodType(wrapped, listener.__self__)
    return wrapped


def arrangement(
    asked: list[inspect.Parameter], names: tuple[str, ...]
) -> tuple[list[int], list[tuple[str, int]]]:
    """Return the places of the positional arguments, and of those that go by keyword."""
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
        elif left and parameter.default is parameter.empty and is_positional(parameter):
            order.append(left.pop(0))
        else:
            skipped = True
    return order, keywords


def is_positional(parameter: inspect.Parameter) -> bool:
    return parameter.kind in {parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD}
