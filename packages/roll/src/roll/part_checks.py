"""Checks that each part of an application is a suitable class."""

from __future__ import annotations

import inspect
from itertools import takewhile
from typing import Any, Final, Protocol

from roll_http import SpeaksJSON
from roll_routing import Router

from .advice import advise, resembled
from .callables import refuse_async
from .deferred import is_deferred
from .heartbeat import check_interval
from .old_hooks import refuse_old_hooks
from .part_trials import refuse_async_calls, try_part
from .parts import HttpConnection, MultipartParser, WebsocketConnection
from .request import Request
from .response import Response

__all__ = ["check_part", "check_parts"]

CONTRACTS: Final[dict[str, type]] = {
    "HttpProtocol": HttpConnection,
    "Protocol": HttpConnection,
    "WebsocketProtocol": WebsocketConnection,
    "Routes": Router,
    "Multipart": MultipartParser,
    "JSON": SpeaksJSON,
}
"""Part -> the protocol (`typing.Protocol`) whose members it must have."""

BASES: Final[dict[str, type]] = {"Request": Request, "Response": Response}
"""Part -> the class of Roll that it must extend."""

CALLED: Final = (
    "HttpProtocol",
    "Protocol",
    "WebsocketProtocol",
    "Routes",
    "Route",
    "Query",
    "Form",
    "Files",
    "Multipart",
    "Request",
    "Response",
    "Cookies",
)
"""The parts that Roll calls, without awaiting them."""

UNUSED: Final = frozenset({"WebsocketProtocol", "Routes"})
"""The parts that are not checked when the application is created.

The router is checked at startup, and the websocket class with the first route that needs it.
"""

MEANT: Final = {
    **{name.lower(): name for name in (*CALLED, "JSON")},
    "wsprotocol": "WebsocketProtocol",
    "websocket": "WebsocketProtocol",
    "router": "Routes",
}
"""Name that an application may use by mistake, in lower case -> the part."""


def advise_on_parts(kind: type) -> None:
    """Warn of attributes of a subclass that are probably misspelt parts, which nothing uses."""
    for owner in takewhile(is_a_subclass, kind.__mro__):
        for name, value in vars(owner).items():
            meant = None if name in MEANT.values() else resembled(name, MEANT, 0.85)
            if meant is not None and looks_like_part(value):
                advise(
                    f"{owner.__qualname__}.{name} is not a part of an application: write"
                    f" `{MEANT[meant]}`"
                )


def is_a_subclass(owner: type) -> bool:
    """Tell whether a class is not `Roll` itself; `__module__` can be missing."""
    return getattr(owner, "__module__", "") != "roll.application"


def looks_like_part(value: Any) -> bool:
    return isinstance(value, type) or (hasattr(value, "dumps") and hasattr(value, "loads"))


def check_parts(app: Any) -> None:
    """Check the parts of a new application; warn of misspelt ones.

    Raises:
        ValueError: a part is async or unsuitable, or has a method of 0.13 that nothing calls. The
            message says what is missing, or what to use instead.
    """
    advise_on_parts(type(app))
    for name in CALLED:
        if is_deferred(app, name):
            continue
        part = getattr(app, name, None)
        where = f"{type(app).__name__}.{name}"
        refuse_async(part, where)
        if not callable(part) and not (part is None and name == "Protocol"):
            raise ValueError(f"{where} is {part!r}: it must be a class or a function")
    for name in ("JSON", *CALLED):
        if name not in UNUSED:
            check_part(app, name)


def check_part(app: Any, name: str) -> None:
    """Check one part of an application; raise `ValueError` as `check_parts` does."""
    part: Any = getattr(app, name, None)
    if part is None and name == "Protocol":  # optional: another name of `HttpProtocol`
        return
    where = f"{type(app).__name__}.{name}"
    refuse_old_hooks(part, name, where)
    if name in BASES:
        check_base(part, BASES[name], where)
    elif name in CONTRACTS and (name == "JSON" or isinstance(part, type)):
        # The result of a function is checked when the function is called.
        check_contract(part, CONTRACTS[name], where)
    if name == "WebsocketProtocol":
        check_constants(part, where)
    if name == "Response":
        interval = inspect.getattr_static(part, "sse_interval", None)  # a function has none
        if not hasattr(interval, "__get__"):  # a property may depend on the request
            check_interval(interval)
    refuse_async_calls(part, name, where)
    if name != "JSON":
        base = next(owner for owner in type(app).__mro__ if not is_a_subclass(owner))
        try_part(part, name, where, getattr(base, name, None))


def check_constants(part: Any, where: str) -> None:
    """Check the constants of a class of websockets, such as `TIMEOUT`."""
    from roll_websocket import WSProtocol, check_protocol  # noqa: PLC0415 - see `deferred`

    if isinstance(part, type) and issubclass(part, WSProtocol):
        try:
            check_protocol(part)
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None


def check_base(part: Any, base: type, where: str) -> None:
    if isinstance(part, type) and not issubclass(part, base):
        raise ValueError(  # noqa: TRY004 - as every part that does not fit
            f"{where} is {part!r}: it must extend `roll.{base.__name__}`"
        )


def check_contract(part: Any, contract: type, where: str) -> None:
    missing = [name for name in members(contract) if not has(part, name)]
    if missing:
        raise ValueError(
            f"{where} is {part!r}, which lacks {', '.join(f'`{name}`' for name in missing)}: "
            f"see `{contract.__module__}.{contract.__name__}` for what Roll calls"
        )


def members(contract: type) -> list[str]:
    """Return the names of the public members of a contract."""
    owners = [base for base in reversed(contract.__mro__) if base not in {object, Protocol}]
    names = [name for base in owners for name in {**vars(base), **inspect.get_annotations(base)}]
    return [name for name in names if not name.startswith("_")]


def has(part: Any, name: str) -> bool:
    """Tell whether a class or an object has an attribute, or a class annotates it."""
    owners = part.__mro__ if isinstance(part, type) else ()
    return hasattr(part, name) or any(name in inspect.get_annotations(owner) for owner in owners)
