"""URL routing for Roll: autoroutes, with no wrong answer."""

from ._build import build, nameless, variables
from ._errors import BuildError, InvalidRoute, RoutingError
from ._router import ListedRoute, Route, Router
from ._routes import Routes

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
