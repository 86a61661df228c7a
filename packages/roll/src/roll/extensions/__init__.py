"""Extensions: functions that take an application and add to it."""

from roll_http import HTTP_METHODS

from .access_log import logger
from .cross_origin import cors
from .debugging import igniter, traceback
from .negotiation import content_negociation
from .preflight import options
from .proxy_headers import proxy_headers
from .server import simple_server
from .sockets import websockets_store
from .static_files import static
from .urls import named_url

__all__ = [
    "HTTP_METHODS",
    "content_negociation",
    "cors",
    "igniter",
    "logger",
    "named_url",
    "options",
    "proxy_headers",
    "simple_server",
    "static",
    "traceback",
    "websockets_store",
]
