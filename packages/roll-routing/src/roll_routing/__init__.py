"""URL routing for Roll: autoroutes, with no wrong answer."""

from ._build import BuildError, build, nameless, variables
from ._pattern import InvalidRoute, RoutingError
from ._routes import ListedRoute, Route, Router, Routes

__version__ = "0.1.0"

__all__ = [
    "BuildError",
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
