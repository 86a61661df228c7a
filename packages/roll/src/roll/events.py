"""Events: listeners, the chain they run in, and how their arguments reach them."""

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

# What calls a listener, whether that is an `async def`, and the listener itself.
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
"""The names under which the listeners of the built-in events may ask for their arguments."""

TO_ALL: Final = frozenset({"startup", "shutdown", "answered", "task_error", "reopen_logs"})
"""The events that reach all their listeners, whatever these return."""

BUILT_IN: Final = frozenset({*ARGUMENTS, *TO_ALL})
"""The events that Roll sends. By a true result a listener says that nothing else is to be done;
for those in `TO_ALL`, a result says nothing."""

SYNCHRONOUS: Final = frozenset({"route:add", "reopen_logs"})
"""The events that are sent where nothing can be awaited: their listeners are plain functions."""


class Events:
    """What listens and what is sent: `listen` and `hook`."""

    hooks: dict[str, list[Listener]]
    """The listeners of each event, in the order they are called."""

    def __init__(self) -> None:
        self.hooks = {}
        self._chains: dict[str, tuple[list[Listener], Chain]] = {}
        self._listener_advice = ListenerAdvice()

    def listen(self, name: str) -> Callable[[L], L]:
        """Return a decorator that appends a listener, `async def` or `def`, to an event.

        Warns with a `RollWarning` of a name that resembles that of a built-in event, and of a
        listener whose parameters have the names of other arguments than they get.

        Raises:
            ValueError: the name or the listener is none; the event is built in and the listener a
                generator, which nobody would run, or does not take the arguments of the event; or
                the listener is async and the event `route:add`, which is sent where nothing can
                be awaited.
        """
        check_event(name)

        def register(listener: L) -> L:
            if not callable(listener):
                raise ValueError(f"A listener of {name!r} is a function, not {listener!r}")  # noqa: TRY004 - as every mistake in a listener
            if name in SYNCHRONOUS:
                refuse_async(listener, f"A listener of {name!r}")
            if name in BUILT_IN and is_generator(listener):
                raise ValueError(
                    f"{listener!r} is a generator, which a listener of {name!r} cannot be. If a "
                    "lifespan is meant: write `@app.lifespan` above it"
                )
            if name in BUILT_IN:
                check_listener(listener, name, ARGUMENTS.get(name, ()))
            self.hooks.setdefault(name, []).append(listener)
            return listener

        return register

    # Any, not Coroutine: type checkers would ask for an await that may be left out.
    def hook(self, name: str, /, *args: Any, **kwargs: Any) -> Any:
        """Send the event `name`; what is returned may be awaited or given to `create_task`.

        Listeners run in order; the first true result ends the chain, and is what the await
        gives (else None). All listeners of `startup`, `shutdown`,
        `answered`, `task_error` and `reopen_logs` run.
        Those before the first `async` one run at the call: with none of
        that kind the await may be left out. Python warns when one was due and is missing.

        Raises:
            TypeError: a listener of a built-in event gives a generator, of which nothing has run.
        """
        known = self._chains.get(name)
        # Without the call of `chain`, where nothing has changed: 0.1 us of each event.
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
        """Send an event where nothing can be awaited.

        Raises:
            TypeError: a listener gives what is to be awaited.
        """
        for call, _, listener in self.chain(name):
            result = call(*args, **kwargs)
            refuse_awaitable(result, f"A listener of {name!r}")
            if result and self._is_last(result, name, listener):
                return

    def chain(self, name: str) -> Chain:
        """Return what calls the listeners of an event, each with its arguments arranged."""
        listeners = self.hooks.get(name)
        if not listeners:
            return []
        known = self._chains.get(name)
        # `hooks` is public, so a change behind our back has to be seen.
        if known is None or known[0] != listeners:
            names = ARGUMENTS.get(name, ())
            chain = [(arranged(call, names), is_async(call), call) for call in listeners]
            known = self._chains[name] = (listeners.copy(), chain)
        return known[1]

    def _is_last(self, result: Any, name: str, listener: Listener) -> bool:
        """Tell whether a true result of a listener ends the chain.

        Warns once of one that may be there by accident.

        Raises:
            TypeError: it is a generator or a coroutine: a true object, of which nothing has run.
        """
        if name not in BUILT_IN:
            return True
        refuse_unrun(result, f"{described(listener)}, a listener of {name!r},")
        refuse_awaitable(result, f"What a listener of {name!r} gives")
        if name in TO_ALL:
            return False
        if result is not True:
            self._listener_advice.look_at(listener, name, result)
        return True


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
    is_last: IsLast,
    name: str,
    chain: Chain,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    begun: Awaitable[Any] | None = None,
) -> Any:
    """Run what is left of a chain, once what its first listener has `begun` has ended."""
    for call, _, listener in chain:
        result: Any = call(*args, **kwargs) if begun is None else begun
        begun = None
        if hasattr(result, "__await__") or (result and isawaitable(result)):
            result = await result
        if result and is_last(result, name, listener):
            return result
    return None


# What Python's warning shows to whoever forgot the await.
unfinished_hook.__qualname__ = "Roll.hook"


class ListenerAdvice:
    """Warnings about results by which a listener silences the others: one a listener."""

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
            "a true result keeps the listeners behind it from running. Return True if that is "
            "meant, else nothing",
        )
        # Behind the warning: where warnings are errors, each call raises it.
        self._told.add(key)


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
"""What an event gives of which nothing is left to be awaited, and whose listeners gave nothing."""
