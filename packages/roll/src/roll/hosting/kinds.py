"""What is an application of ASGI 3, and what is something else."""

from __future__ import annotations

import inspect
from typing import Any, Final

from ..advice import described

__all__ = ["WRAP", "check_application", "is_application", "is_wsgi"]

ASGI: Final = ("scope", "receive", "send")
WSGI: Final = ("environ", "start_response")

WRAP: Final = "wrap it: `a2wsgi.WSGIMiddleware(application)`"


def is_application(found: Any) -> bool:
    """Tell whether something can be called as an application of ASGI 3."""
    return fault_of(found) is None


def check_application(found: Any) -> None:
    """Raise a `ValueError` for anything else than an application of ASGI 3."""
    fault = fault_of(found)
    if fault is not None:
        raise ValueError(f"{shown(found)} is no application of ASGI 3: {fault}")


def fault_of(found: Any) -> str | None:
    """Return why something is no application; None if it is one."""
    if inspect.iscoroutine(found):
        found.close()  # or Python warns that nobody awaited it
        return "it is a coroutine, which a call of an `async def` gives: leave the call out"
    if not callable(found):
        return "it cannot be called"
    if inspect.isclass(found):
        return fault_of_class(found)
    if takes(found, ASGI):
        return None
    if is_wsgi(found):
        return f"it is called as one of WSGI is; {WRAP}"
    if takes(found, ()):
        return "it is called without arguments: if it makes an application, call it"
    return "it is not called with `scope`, `receive` and `send`"


def is_wsgi(found: Any) -> bool:
    """Tell whether something is called as an application of WSGI is (PEP 3333)."""
    if inspect.isclass(found) or not callable(found):
        return False
    return takes(found, WSGI) and not takes(found, ())


def fault_of_class(found: type) -> str:
    if takes(found, ("scope",)):
        return "it is a class; one of ASGI 2 is wrapped with `asgiref.compatibility`"
    return "it is a class: make an instance of it"


def takes(call: Any, names: tuple[str, ...]) -> bool:
    """Tell whether something can be called with so many arguments."""
    try:
        inspect.signature(call).bind(*names)
    except TypeError:
        return False
    except ValueError:  # the signature cannot be read
        return len(names) == len(ASGI)
    return True


def shown(found: Any) -> str:
    return described(found) if callable(found) else repr(found)
