"""Extensions: functions that take an application and add to it."""

from roll_http import HTTP_METHODS

from .accesses import access_log
from .compression import compress
from .cross_origin import cors
from .csrf import csrf
from .debugging import igniter, traceback
from .negotiation import content_negociation
from .observing import observe
from .preflight import options
from .proxy_headers import proxy_headers
from .request_ids import request_ids
from .request_log import logger
from .rooms import Room, Rooms, rooms
from .server import simple_server
from .sessions import MemoryStore, RedisStore, Session, SessionStore, sessions
from .sockets import websockets_store
from .static_files import static
from .urls import named_url

__all__ = [
    "HTTP_METHODS",
    "MemoryStore",
    "RedisStore",
    "Room",
    "Rooms",
    "Session",
    "SessionStore",
    "access_log",
    "compress",
    "content_negociation",
    "cors",
    "csrf",
    "igniter",
    "logger",
    "named_url",
    "observe",
    "options",
    "proxy_headers",
    "request_ids",
    "rooms",
    "sessions",
    "simple_server",
    "static",
    "traceback",
    "websockets_store",
]
