"""Roll: the async web framework, simple to read, fast to run, hard to break."""

from http import HTTPStatus

from roll_http import (
    HTTP_METHODS,
    Cookies,
    HttpError,
    HTTPProtocol,
    Limits,
)
from roll_routing import Route, Routes
from roll_websocket import ConnectionClosed, WSProtocol

# `roll.http` and the like are there for those who only import `roll`.
from . import http as http
from . import io as io
from . import websocket as websocket
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
