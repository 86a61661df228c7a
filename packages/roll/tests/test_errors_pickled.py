"""The errors of all packages, pickled."""

import importlib
import inspect
import pickle
import pkgutil
from concurrent.futures import ProcessPoolExecutor
from email.message import Message

import pytest

from roll import ConnectionClosed, HttpError, Query
from roll.command.loading import BrokenModule, LoadError
from roll.conditions import Unsatisfiable
from roll.containers import BadValue
from roll.errors import Unexpected
from roll.extras import MissingExtra
from roll.inventory import NotListed
from roll.testing import LiveResponse, WebsocketRefused
from roll.timeouts import Overdue
from roll.views import Refused
from roll_http import ClientDisconnected
from roll_http.h1.body_encoders import InvalidResponse
from roll_http.h1.head import RequestError
from roll_http.h1.state import IllegalTransition
from roll_multipart import FieldError, LimitError, MultipartError, NestedError
from roll_routing import BuildError, InvalidRoute, RoutingError
from roll_websocket import HandshakeError, InvalidMessage

ERRORS = [
    HttpError(404),
    LoadError("no application"),
    BrokenModule("KeyError()", "Traceback ..."),
    MissingExtra("needs redis", name="redis"),
    NotListed("of type X"),
    BadValue("Missing 'a' key"),
    Unexpected(ValueError("no")),
    Refused(405, None, {"Allow": "GET"}),
    Unsatisfiable("bytes"),
    Overdue(None),
    WebsocketRefused(LiveResponse(403, "Forbidden", Message(), b"no", None)),
    ClientDisconnected("gone"),
    InvalidResponse("none"),
    RequestError(400, "Malformed request"),
    IllegalTransition("never"),
    MultipartError("cut"),
    LimitError("large"),
    NestedError("nested"),
    FieldError("missing"),
    RoutingError("mistake"),
    InvalidRoute("/{", 1, "unbalanced"),
    BuildError("missing"),
    HandshakeError(426, "Upgrade", {"Upgrade": "websocket"}),
    ConnectionClosed(1001, "bye"),
    InvalidMessage("no JSON"),
]
PACKAGES = ["roll", "roll_http", "roll_multipart", "roll_routing", "roll_websocket"]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_is_the_same_once_unpickled(error):
    same = pickle.loads(pickle.dumps(error))
    assert (type(same), same.args, vars(same)) == (type(error), error.args, vars(error))
    assert str(same) == str(error)


def modules_of(package):
    root = importlib.import_module(package)
    names = [module.name for module in pkgutil.walk_packages(root.__path__, f"{package}.")]
    return [root, *map(importlib.import_module, names)]


@pytest.mark.parametrize("package", PACKAGES)
def test_every_error_is_pickled_above(package):
    ours = {
        one
        for module in modules_of(package)
        for one in vars(module).values()
        if inspect.isclass(one)
        and issubclass(one, BaseException)
        and not issubclass(one, Warning)
        and one.__module__.partition(".")[0] == package
    }
    assert ours <= {type(error) for error in ERRORS}


def ask(key):
    return Query({}).int(key)


def throw(error):
    raise error


def test_every_error_is_passed_through_a_process_pool():
    with ProcessPoolExecutor(1) as pool:
        error = pool.submit(ask, "page").exception()
        assert (error.status, error.message) == (400, "Missing 'page' key")
        for error in ERRORS:
            same = pool.submit(throw, error).exception()
            assert (type(same), same.args, vars(same)) == (type(error), error.args, vars(error))
        assert pool.submit(len, "abc").result() == 3
