"""Hosting: ASGI applications of other frameworks on Roll's server, below a path or alone."""

from __future__ import annotations

from .host import Host
from .kinds import UNRUN, WRAP, check_application, is_application, is_wsgi
from .mounting import mount

__all__ = ["UNRUN", "WRAP", "Host", "check_application", "is_application", "is_wsgi", "mount"]
