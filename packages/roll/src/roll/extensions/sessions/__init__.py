"""Sessions: what an application remembers of a user, by a signed cookie."""

from .extension import sessions
from .session import Session
from .stores import MemoryStore, RedisStore, SessionStore

__all__ = ["MemoryStore", "RedisStore", "Session", "SessionStore", "sessions"]
