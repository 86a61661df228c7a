"""Roll: the async web framework, simple to read, fast to run, hard to break."""

from http import HTTPStatus
from importlib import import_module
from typing import TYPE_CHECKING, Any

from roll_http import (
    HTTP_METHODS,
    Cookies,
    HttpError,
    HTTPProtocol,
    Limits,
)
from roll_routing import Route, Routes

# So that `roll.http`, `roll.io` and `roll.websocket` work after `import roll` alone.
from . import http as http
from . import io as io
from .advice import RollWarning
from .application import Roll
from .containers import Files, Form, Multidict, Multipart, Query
from .groups import Group
from .request import Request
from .response import Response
from .sse import ServerSentEvent

__version__ = "0.14.0"

__all__ = [
    "HTTP_METHODS",
    "ConnectionClosed",
    "Cookies",
    "Files",
    "Form",
    "Group",
    "HTTPProtocol",
    "HTTPStatus",
    "HttpError",
    "Limits",
    "Multidict",
    "Multipart",
    "Query",
    "Request",
    "Response",
    "Roll",
    "RollWarning",
    "Route",
    "Routes",
    "ServerSentEvent",
    "WSProtocol",
    "__version__",
]

if TYPE_CHECKING:
    from roll_websocket import ConnectionClosed, WSProtocol

    from . import websocket as websocket
else:
    # Type checkers would accept any name.
    def __getattr__(name: str) -> Any:
        # With websockets, it takes 1.4 times as long to import Roll: see `deferred`.
        if name not in {"ConnectionClosed", "WSProtocol", "websocket"}:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        module = import_module(f"{__name__}.websocket")
        value = globals()[name] = getattr(module, name, module)
        return value
