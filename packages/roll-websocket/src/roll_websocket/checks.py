"""Checks of the arguments of a Listener."""

import inspect
import math
import sys
from collections.abc import Callable, Mapping
from functools import partial
from typing import cast

from roll_websocket.options import LONGEST, SHORTEST, is_between
from roll_websocket.protocol import WSProtocol

__all__ = ["check_grace", "check_handlers", "check_names", "check_protocol"]

SIZES = ["MAX_QUEUE", "READ_LIMIT", "WRITE_LIMIT", "BACKLOG_LIMIT"]


def check_protocol(protocol: object) -> None:
    """Raise ValueError unless this is a class of connections whose constants can work."""
    if not (isinstance(protocol, type) and issubclass(protocol, WSProtocol)):
        raise ValueError(f"`protocol` is a subclass of WSProtocol, not {protocol!r}")  # noqa: TRY004 - as all options
    if not is_between(protocol.TIMEOUT, SHORTEST, LONGEST):
        raise ValueError(
            f"`TIMEOUT` is a number of seconds from {SHORTEST} to {LONGEST}, "
            f"not {protocol.TIMEOUT!r}"
        )
    for name in SIZES:
        check_count(name, getattr(protocol, name), 0)
    if protocol.MAX_SIZE is not None:
        check_count("MAX_SIZE", protocol.MAX_SIZE, 1)
    for name in ("dumps", "loads"):
        check_method(protocol.JSON, name)


def check_method(codec: object, name: str) -> None:
    """Raise ValueError unless a codec of JSON has a plain method that takes one argument."""
    method = getattr(codec, name, None)
    if not callable(method):
        raise ValueError(f"`JSON` must have the methods dumps and loads: {codec!r}")  # noqa: TRY004 - as all options
    call = method.func if isinstance(method, partial) else method
    if inspect.iscoroutinefunction(call) or inspect.isasyncgenfunction(call):
        raise ValueError(f"`JSON.{name}` is never awaited: {method!r} must be a plain function")
    try:
        signature = inspect.signature(method)
    except (TypeError, ValueError):  # some functions in C have none that can be read
        return
    try:
        signature.bind(b"")
    except TypeError as error:
        raise ValueError(f"`JSON.{name}` is called with one argument: {error}") from None


def check_count(name: str, value: object, least: int) -> None:
    """Raise ValueError unless a value is a number of bytes or messages that C code can take."""
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ValueError(f"`{name}` is an int of at least {least}, not {value!r}")
    if value > sys.maxsize:
        raise ValueError(f"`{name}` is an int of at most {sys.maxsize}")


def check_grace(grace: object) -> None:
    """Raise ValueError unless a value is a number of seconds."""
    if not is_between(grace, 0, math.inf):
        raise ValueError(f"`grace` is a number of seconds, not {grace!r}")
    if LONGEST < cast("float", grace) < math.inf:  # the loops cannot count all of these
        raise ValueError(f"`grace` is at most {LONGEST} seconds, or math.inf")


def check_names(handshake: Callable[..., object], options: Mapping[str, object]) -> None:
    """Raise ValueError for an option that the handshake does not take."""
    signature = inspect.signature(handshake)
    try:
        signature.bind(None, **options)
    except TypeError as error:
        known = ", ".join(list(signature.parameters)[1:])
        raise ValueError(f"Unknown option: {error}. The options are {known}.") from None


def check_handlers(handler: object, hook: object) -> None:
    """Raise ValueError for a handler or hook that cannot be called as expected."""
    for name, value in named_handlers(handler):
        check_function(name, value, ("request", "ws"))
    if hook is not None:
        check_function("`process_request`", hook, ("request",))


def named_handlers(handler: object) -> list[tuple[str, object]]:
    """Return the handlers, each with its name for messages."""
    if not isinstance(handler, Mapping):
        return [("A handler", handler)]
    if not handler:
        raise ValueError("A mapping of paths to handlers has at least one path, not {}")
    for path in handler:
        if not (isinstance(path, str) and path[:1] == "/"):
            raise ValueError(f"A path is a str that begins with '/', not {path!r}")
        check_text(path)
    return [(f"The handler of {path!r}", value) for path, value in handler.items()]


def check_text(path: str) -> None:
    """Raise ValueError for a path with a lone surrogate: no request has such a path."""
    try:
        path.encode()
    except UnicodeEncodeError:
        raise ValueError(f"A path is text that UTF-8 can encode, not {path!r}") from None


def check_function(name: str, value: object, arguments: tuple[str, ...]) -> None:
    """Raise ValueError unless this is a function, not a generator, with these arguments."""
    if not callable(value):
        raise ValueError(f"{name} is a function, not {value!r}")  # noqa: TRY004 - as all options
    function: Callable[..., object] = value
    while isinstance(function, partial):
        function = function.func
    if isinstance(function, type) and not hasattr(function, "__await__"):
        raise ValueError(f"{name} is a function, and {value!r} is a class: nothing is awaited")
    if is_generator(function) or is_generator(getattr(function, "__call__", None)):  # noqa: B004 - the method itself is wanted
        raise ValueError(f"{name} is a function without `yield`: {value!r} is a generator")
    check_arguments(name, value, arguments)


def is_generator(function: object) -> bool:
    """Return whether a call returns a generator, of which nothing would run."""
    return inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)


def called_by(function: Callable[..., object]) -> Callable[..., object]:
    """Return the function that is called, without the parameter of a bound object.

    Before Python 3.13, `inspect` drops the first parameter of a static or class method.
    """
    called = inspect.getattr_static(type(function), "__call__", None)
    if isinstance(called, staticmethod | classmethod):
        return function.__call__  # type: ignore[operator,no-any-return]  # a function, too
    return function


def check_arguments(
    name: str, function: Callable[..., object], arguments: tuple[str, ...]
) -> None:
    """Raise ValueError for a function that does not take these arguments by position."""
    try:
        signature = inspect.signature(called_by(function), follow_wrapped=False)
    except (TypeError, ValueError):  # some builtins have no signature
        return
    try:
        signature.bind(*arguments)
    except TypeError as error:
        given = ", ".join(arguments)
        raise ValueError(
            f"{name} is called with ({given}), and {function!r} takes {signature}: {error}"
        ) from None
