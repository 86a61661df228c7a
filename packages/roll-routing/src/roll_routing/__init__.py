"""A URL router with documented precedence: the speed of autoroutes, and no wrong answer."""

from ._kinds import Converter
from ._pattern import BuildError, InvalidRoute, RoutingError, nameless
from ._routes import ListedRoute, Route, Router, Routes, build, variables

__version__ = "0.1.0"

__all__ = [
    "BuildError",
    "Converter",
    "InvalidRoute",
    "ListedRoute",
    "Route",
    "Router",
    "Routes",
    "RoutingError",
    "build",
    "nameless",
    "variables",
]
