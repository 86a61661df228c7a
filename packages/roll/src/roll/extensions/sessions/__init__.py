"""Sessions: the data that an application keeps about a user, with a signed cookie."""

from .extension import sessions
from .session import Session
from .stores import MemoryStore, RedisStore, SessionStore

__all__ = ["MemoryStore", "RedisStore", "Session", "SessionStore", "sessions"]
