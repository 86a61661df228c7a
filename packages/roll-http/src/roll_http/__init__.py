"""HTTP/1.1 over asyncio: requests, responses, cookies, and the protocol of a connection."""

import warnings
from typing import Any

from ._core import is_native
from .accept_errors import throttle_accept_errors
from .application import Application
from .connection.protocol import HTTPProtocol
from .cookies import Cookies, parse_cookies
from .errors import ClientDisconnected, HttpError
from .files import FileBody
from .h1.response_body import as_stream
from .h1.response_fields import each_field
from .json_codec import JSONCodec, SpeaksJSON
from .limits import Limits
from .request import Request
from .response import Response
from .server import Server
from .signals import serve_until_signalled

__all__ = [
    "HTTP_METHODS",
    "Application",
    "ClientDisconnected",
    "Cookies",
    "FileBody",
    "HTTPProtocol",
    "HttpError",
    "JSONCodec",
    "Limits",
    "Request",
    "Response",
    "Server",
    "SpeaksJSON",
    "__version__",
    "as_stream",
    "each_field",
    "is_native",
    "parse_cookies",
    "serve_until_signalled",
    "throttle_accept_errors",
]

__version__ = "0.1.0"

HTTP_METHODS = [
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "DELETE",
    "TRACE",
    "OPTIONS",
    "CONNECT",
    "PATCH",
]
"""The methods of RFC 9110 9.3 and RFC 5789."""


def __getattr__(name: str) -> Any:
    if name != "thin_accept_errors":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    warnings.warn(f"{name} is now throttle_accept_errors", DeprecationWarning, stacklevel=2)
    return throttle_accept_errors
