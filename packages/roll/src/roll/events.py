"""Events: listeners, the chain that calls them, and their arguments."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Generator
from inspect import isawaitable
from typing import Any, Final, TypeVar

from .advice import advise, advise_at, code_of, described, resembled
from .arrangement import arranged, check_listener
from .callables import is_async, is_generator, refuse_async, refuse_awaitable, refuse_unrun

__all__ = ["ARGUMENTS", "NOTHING", "Chain", "Events", "Listener"]

Listener = Callable[..., Any]
L = TypeVar("L", bound=Listener)

# For each listener: the function that calls it, whether it is async, and the listener.
Chain = list[tuple[Listener, bool, Listener]]

# Tells whether a result of a listener ends the chain.
IsLast = Callable[[Any, str, Listener], bool]

ARGUMENTS: Final[dict[str, tuple[str, ...]]] = {
    "headers": ("request", "response"),
    "request": ("request", "response"),
    "response": ("request", "response"),
    "answered": ("request", "response"),
    "error": ("request", "response", "error"),
    "websocket_connect": ("request", "ws"),
    "websocket_disconnect": ("request", "ws"),
    "websocket_error": ("request", "ws", "error"),
    "task_error": ("task", "error"),
    "route:add": ("path", "view"),
    "room_join": ("room", "ws"),
    "room_leave": ("room", "ws"),
    "room_gap": ("room",),
}
"""The names of the arguments that each built-in event gives to its listeners."""

TO_ALL: Final = frozenset({"startup", "shutdown", "answered", "task_error", "reopen_logs"})
"""The events that call all their listeners, whatever a listener returns."""

BUILT_IN: Final = frozenset({*ARGUMENTS, *TO_ALL})
"""The events that Roll sends. A true result of a listener ends the chain, except for the events in
`TO_ALL`."""

SYNCHRONOUS: Final = frozenset({"route:add", "reopen_logs"})
"""The events whose listeners must be plain functions, because Roll cannot await there."""


class Events:
    """An object that has listeners (`listen`) and sends events (`hook`)."""

    hooks: dict[str, list[Listener]]
    """The listeners of each event, in the order they are called."""

    def __init__(self) -> None:
        self.hooks = {}
        self._chains: dict[str, tuple[list[Listener], Chain]] = {}
        self._listener_advice = ListenerAdvice()

    def listen(self, name: str) -> Callable[[L], L]:
        """Return a decorator that appends a listener, `async def` or `def`, to an event.

        Warns with a `RollWarning` if the name resembles a built-in event, or if the parameters of
        the listener are in the wrong order.

        Raises:
            ValueError: the name is not text, or the listener cannot be called. For a built-in
                event: the listener is a generator, which would never run, or it does not take
                the arguments of the event. For `route:add` and `reopen_logs`: the listener is
                async, but these events are never awaited.
        """
        check_event(name)

        def register(listener: L) -> L:
            if not callable(listener):
                raise ValueError(f"A listener of {name!r} is a function, not {listener!r}")  # noqa: TRY004 - as every mistake in a listener
            if name in SYNCHRONOUS:
                refuse_async(listener, f"A listener of {name!r}")
            if name in BUILT_IN and is_generator(listener):
                raise ValueError(
                    f"{listener!r} is a generator, so it cannot be a listener of {name!r}. If you "
                    "mean a lifespan, write `@app.lifespan` above it"
                )
            if name in BUILT_IN:
                check_listener(listener, name, ARGUMENTS.get(name, ()))
            self.hooks.setdefault(name, []).append(listener)
            return listener

        return register

    # Any, not Coroutine: type checkers would ask for an await that may be left out.
    def hook(self, name: str, /, *args: Any, **kwargs: Any) -> Any:
        """Send the event `name`; await the result, or give it to `create_task`.

        Listeners run in order. The first true result ends the chain, and the await returns it
        (else None). The events `startup`, `shutdown`, `answered`, `task_error` and `reopen_logs`
        always call all their listeners. The listeners before the first `async` one run at the
        call. If no listener is `async`, the await may be left out. Python warns if a needed await
        is missing.

        Raises:
            TypeError: a listener of a built-in event returns a generator, which has not run.
        """
        known = self._chains.get(name)
        # If nothing has changed, do not call `chain`: this saves 0.1 us for each event.
        same = known is not None and known[0] == self.hooks.get(name)
        chain = known[1] if known is not None and same else self.chain(name)
        for position, (call, waits, listener) in enumerate(chain):
            if waits:
                return unfinished_hook(self._is_last, name, chain[position:], args, kwargs)
            result = call(*args, **kwargs) if kwargs else call(*args)
            if result is None:
                continue
            if hasattr(result, "__await__") or (result and isawaitable(result)):
                rest = chain[position:]
                return unfinished_hook(self._is_last, name, rest, args, kwargs, result)
            if result and self._is_last(result, name, listener):
                return Done(result)
        return NOTHING

    def _hook_now(self, name: str, /, *args: Any, **kwargs: Any) -> None:
        """Send an event at a place that cannot await.

        Raises:
            TypeError: a listener returns an awaitable.
        """
        for call, _, listener in self.chain(name):
            result = call(*args, **kwargs)
            refuse_awaitable(result, f"A listener of {name!r}")
            if result and self._is_last(result, name, listener):
                return

    def chain(self, name: str) -> Chain:
        """Return the calls of an event's listeners, each with its arguments in order."""
        listeners = self.hooks.get(name)
        if not listeners:
            return []
        known = self._chains.get(name)
        # `hooks` is public: an application may have changed the list.
        if known is None or known[0] != listeners:
            names = ARGUMENTS.get(name, ())
            chain = [(arranged(call, names), is_async(call), call) for call in listeners]
            known = self._chains[name] = (listeners.copy(), chain)
        return known[1]

    def _is_last(self, result: Any, name: str, listener: Listener) -> bool:
        """Tell whether a true result of a listener ends the chain.

        Warns once if the result may be an accident.

        Raises:
            TypeError: the result is a generator or a coroutine, which has not run.
        """
        if name not in BUILT_IN:
            return True
        refuse_unrun(result, f"{described(listener)}, a listener of {name!r},")
        refuse_awaitable(result, f"The result of a listener of {name!r}")
        if name in TO_ALL:
            return False
        if result is not True:
            self._listener_advice.look_at(listener, name, result)
        return True


def check_event(name: Any) -> None:
    """Warn if a name resembles that of a built-in event; any other name is allowed."""
    if not isinstance(name, str):
        raise ValueError(  # noqa: TRY004 - as every mistake in a listener
            f"`@app.listen` needs the name of an event: write `@app.listen('startup')`, or another"
            f" name, before {name!r}"
        )
    if name not in BUILT_IN and (meant := resembled(name, BUILT_IN)) is not None:
        advise(f"Roll does not send an event {name!r}: write {meant!r}, which it sends")


async def unfinished_hook(
    is_last: IsLast,
    name: str,
    chain: Chain,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    begun: Awaitable[Any] | None = None,
) -> Any:
    """Run the rest of a chain; `begun` is the awaitable of its first listener."""
    for call, _, listener in chain:
        result: Any = call(*args, **kwargs) if begun is None else begun
        begun = None
        if hasattr(result, "__await__") or (result and isawaitable(result)):
            result = await result
        if result and is_last(result, name, listener):
            return result
    return None


# Python's warning about a missing await shows this name.
unfinished_hook.__qualname__ = "Roll.hook"


class ListenerAdvice:
    """Warnings about results that keep other listeners from running: one for each listener."""

    def __init__(self) -> None:
        self._told: set[Any] = set()

    def look_at(self, listener: Listener, name: str, result: Any) -> None:
        """Warn, at the listener's line, of a true result that is not `True`."""
        key = code_of(listener) or type(listener)
        if key in self._told:
            return
        advise_at(
            key,
            f"{described(listener)}, a listener of {name!r}, returned a {type(result).__name__}: "
            "a true result keeps the later listeners from running. Return True if that is "
            "meant, else nothing",
        )
        # After the warning: if warnings are errors, each call raises it.
        self._told.add(key)


class Done(Coroutine[Any, Any, Any]):
    """A coroutine that has already ended: Python does not warn if it is not awaited."""

    __slots__ = ("result",)

    def __init__(self, result: Any) -> None:
        self.result = result

    def __await__(self) -> Generator[Any, Any, Any]:
        return self  # an await only needs an iterator

    def __iter__(self) -> Done:
        return self

    def __next__(self) -> Any:
        raise StopIteration(self.result)

    def send(self, value: Any) -> Any:
        raise StopIteration(self.result)

    def throw(self, *error: Any) -> Any:
        try:
            raise error[0]
        finally:
            del error  # otherwise this frame refers to the error, which refers to this frame

    def close(self) -> None:
        """Do nothing: the coroutine has already ended."""


NOTHING: Final = Done(None)
"""The result of an event whose listeners have all run and returned nothing."""
