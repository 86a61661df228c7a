"""Recognition of ASGI 3 applications."""

from __future__ import annotations

import inspect
from typing import Any, Final

from ..advice import described
from ..callables import is_generator

__all__ = ["UNRUN", "WRAP", "check_application", "is_application", "is_wsgi"]

ASGI: Final = ("scope", "receive", "send")
WSGI: Final = ("environ", "start_response")

UNRUN: Final = "it is a generator function, which nothing would run: write it without `yield`"

WRAP: Final = "wrap it: `a2wsgi.WSGIMiddleware(application)`"


def is_application(found: Any) -> bool:
    """Tell whether an object can be called as an ASGI 3 application."""
    return fault_of(found) is None


def check_application(found: Any) -> None:
    """Raise a `ValueError` for an object that is not an ASGI 3 application."""
    fault = fault_of(found)
    if fault is not None:
        raise ValueError(f"{shown(found)} is not an ASGI 3 application: {fault}")


def fault_of(found: Any) -> str | None:
    """Return why an object is not an application; None if it is one."""
    if inspect.iscoroutine(found):
        found.close()  # otherwise Python warns that it was not awaited
        return "it is a coroutine, the result of calling an `async def`: remove the call"
    if not callable(found):
        return "it cannot be called"
    if inspect.isclass(found):
        return fault_of_class(found)
    if takes(found, ASGI):
        return UNRUN if is_generator(found) else None
    if is_wsgi(found):
        return f"it has the parameters of a WSGI application; {WRAP}"
    if takes(found, ()):
        return "it takes no arguments: if it returns an application, call it"
    return "it does not take `scope`, `receive` and `send`"


def is_wsgi(found: Any) -> bool:
    """Tell whether an object is called as a WSGI application (PEP 3333)."""
    if inspect.isclass(found) or not callable(found):
        return False
    return takes(found, WSGI) and not takes(found, ())


def fault_of_class(found: type) -> str:
    if takes(found, ("scope",)):
        return "it is a class; one of ASGI 2 is wrapped with `asgiref.compatibility`"
    return "it is a class: make an instance of it"


def takes(call: Any, names: tuple[str, ...]) -> bool:
    """Tell whether an object can be called with this number of arguments."""
    try:
        inspect.signature(call).bind(*names)
    except TypeError:
        return False
    except ValueError:  # the signature cannot be read
        return len(names) == len(ASGI)
    return True


def shown(found: Any) -> str:
    return described(found) if callable(found) else repr(found)
