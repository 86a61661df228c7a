"""Mistakes cause warnings and errors at their line; the tests compare their texts."""

import asyncio
import copy
import datetime
import functools
import itertools
import json
import re
import sys
import warnings
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from unittest.mock import Mock

import pytest
from websockets.asyncio.client import connect

from roll import HttpError, Request, Response, Roll, RollWarning
from roll.advice import described
from roll.testing import Client


def ok(request, response, **placeholders):
    response.body = "ok"


def numbers():
    return map(str, itertools.count())


def told(call):
    """Give the texts of the warnings of a call, all of which name this file and the line of it."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        line = sys._getframe(1).f_lineno
        call()
    for each in caught:
        assert each.category is RollWarning
        assert (each.filename, each.lineno) == (__file__, line)
    return [str(each.message) for each in caught]


def test_roll_warning_is_a_user_warning():
    assert issubclass(RollWarning, UserWarning)


# What handlers return.


@dataclass
class Point:
    x: int


@pytest.mark.parametrize(
    ("result", "text"),
    [
        ({"a": 1}, "a dict, which is ignored: set response.json"),
        ([1], "a list, which is ignored: set response.json"),
        (("text", 404), "a tuple, which is ignored: set response.body and response.status"),
        (({}, 404), "a tuple, which is ignored: set response.json and response.status"),
        (
            (b"", HTTPStatus.OK, {}),
            "a tuple, which is ignored: set response.body and response.status and"
            " response.headers",
        ),
        (
            ("text", {"A": "b"}),
            "a tuple, which is ignored: set response.body and response.headers",
        ),
        (("a", "b"), "a tuple, which is ignored: set response.json"),
        ((), "a tuple, which is ignored: set response.json"),
        ("text", "a str, which is ignored: set response.body"),
        (404, "an int, which is ignored: set response.status"),
        (HttpError(404), "an HttpError, which is ignored: raise it"),
        (
            Response(None, None),
            "a Response, which is ignored: fill the response that the handler is given",
        ),
        (b"bytes", "a bytes, which is ignored: set response.body"),
        (HTTPStatus.NOT_FOUND, "an HTTPStatus, which is ignored: set response.status"),
        ((c for c in "abc"), "a generator, which is ignored: set response.body"),
        (Point(1), "a Point, which is ignored: set response.json"),
        ({1}, "a set, which is ignored: set response.json"),
        (frozenset(), "a frozenset, which is ignored: set response.json"),
        ({"a": 1}.keys(), "a dict_keys, which is ignored: set response.json"),
        (MappingProxyType({}), "a mappingproxy, which is ignored: set response.json"),
        (SimpleNamespace(), "a SimpleNamespace, which is ignored: fill the response"),
        (datetime.date(2026, 1, 2), "a date, which is ignored: fill the response"),
        (Path("a"), "a PosixPath, which is ignored: fill the response"),
    ],
)
@pytest.mark.parametrize("form", ["plain", "async"])
async def test_returned_answer_is_ignored_with_one_warning(app, client, result, text, form):
    def plain(request, response):
        response.body = "filled"
        return result

    async def later(request, response):
        return plain(request, response)

    handler = plain if form == "plain" else later
    app.route("/")(handler)
    with pytest.warns(RollWarning) as caught:
        responses = [await client.get("/") for _ in "12"]
    assert [response.body for response in responses] == [b"filled", b"filled"]
    (warning,) = caught
    assert str(warning.message) == f"{described(handler)} returned {text}"
    assert (warning.filename, warning.lineno) == (__file__, handler.__code__.co_firstlineno)


@pytest.mark.parametrize(
    "give",
    [
        lambda request, response: None,
        lambda request, response: response,
        lambda request, response: request,
        lambda request, response: True,
        lambda request, response: 42,
        lambda request, response: 1.5,
        lambda request, response: False,
    ],
    ids=numbers(),
)
async def test_result_that_does_not_look_like_an_answer_causes_no_warning(app, client, give):
    app.route("/")(give)
    assert (await client.get("/")).status == 200


@pytest.mark.parametrize("kind", ["function", "method", "object", "wrapper"])
async def test_a_handler_that_returns_a_coroutine_is_a_500_that_says_await(
    app, client, caplog, kind
):
    async def work(request, response):
        response.body = "done"

    class View:
        async def __call__(self, request, response):
            return work(request, response)

        async def on_get(self, request, response):
            return work(request, response)

    @functools.wraps(work)
    async def wrapper(*args, **kwargs):
        return work(*args, **kwargs)

    async def function(request, response):
        return work(request, response)

    kinds = {"function": function, "method": View, "object": View(), "wrapper": wrapper}
    app.route("/")(kinds[kind])
    assert (await client.get("/")).status == 500
    told = {"method": View.on_get}.get(kind, kinds[kind])
    name = f"{work.__qualname__}()"
    assert caplog.text.strip().endswith(
        f"{described(told)} returned a coroutine, {name}, which never started: `await` it first"
    )


async def test_task_returned_by_an_async_handler_causes_a_warning(app, client):
    tasks = []

    @app.route("/")
    async def handler(request, response):
        tasks.append(asyncio.ensure_future(asyncio.sleep(0)))
        return tasks[0]

    with pytest.warns(RollWarning, match=r"returned a Task, which is ignored: `await` it$"):
        assert (await client.get("/")).status == 200
    await tasks[0]


async def test_plain_handler_may_return_an_awaitable(app, client):
    @app.route("/")
    def handler(request, response):
        return asyncio.ensure_future(asyncio.sleep(0))

    assert (await client.get("/")).status == 200


async def test_each_handler_is_warned_of_also_an_object(app, client):
    class View:
        def on_get(self, request, response):
            return "get"

        def on_post(self, request, response):
            return "post"

    class Callable:
        def __call__(self, request, response):
            return "called"

    app.route("/view")(View)
    app.route("/object")(Callable())
    app.route("/partial")(functools.partial(Callable()))
    app.route("/mock")(Mock(return_value="mocked"))
    paths = ["/view", "/object", "/mock", "/partial"] * 2
    with pytest.warns(RollWarning) as caught:
        _ = [await client.get(path) for path in paths] + [await client.post("/view")]
    texts = " ".join(str(each.message) for each in caught)
    for name in ("View.on_get", "View.on_post", "Callable", "mock.Mock"):
        assert texts.count(f"{name} ") == 1


async def test_builtin_that_returns_an_answer_causes_a_warning(app, client):
    app.route("/")("ignored".format)
    with pytest.warns(RollWarning, match=r"^str\.format returned a str, which is ignored"):
        assert (await client.get("/")).status == 200


async def test_where_warnings_are_errors_each_answer_is_one(app, client):
    app.log_errors = False
    app.route("/")(lambda request, response: "ignored")
    assert (await client.get("/")).status == 500
    assert (await client.get("/")).status == 500


# Whether a handler takes its arguments.


class Takes:
    """Handlers of other kinds than functions, which take what `/{isbn}` gives."""

    def __call__(self, request, response, isbn): ...

    def method(self, request, response, isbn): ...

    @staticmethod
    def static(request, response, isbn): ...

    @classmethod
    def of_class(cls, request, response, isbn): ...


class Unreadable:
    __signature__ = "none"

    def __call__(self, request, response, isbn): ...


@functools.wraps(lambda: None)
def wrapper(*args, **kwargs): ...


@pytest.mark.parametrize(
    "handler",
    [
        lambda req, resp, isbn: None,
        lambda request, response, /, isbn: None,
        lambda request, response, *, isbn: None,
        lambda request, response, isbn=None: None,
        lambda request, response, isbn, more=None: None,
        lambda request, response, **names: None,
        lambda *args, **names: None,
        lambda request, *args, isbn: None,
        functools.partial(lambda more, request, response, isbn: None, 1),
        functools.partial(lambda request, response, isbn, more: None, more=1),
        Takes(),
        Takes().method,
        Takes.static,
        Takes.of_class,
        wrapper,
        min,
        Unreadable(),
        Mock(),
    ],
    ids=numbers(),
)
def test_a_handler_may_take_its_arguments_in_any_way(app, handler):
    app.route("/{isbn}")(handler)


@pytest.mark.parametrize(
    ("handler", "reason"),
    [
        (lambda: None, "too many positional arguments"),
        (lambda request: None, "too many positional arguments"),
        (lambda request, response: None, "got an unexpected keyword argument 'isbn'"),
        (lambda request, response, ident: None, "missing a required argument: 'ident'"),
        (lambda request, response, isbn, more: None, "missing a required argument: 'more'"),
        (lambda request, response, isbn, *, more: None, "missing a required"),
        (lambda isbn, request: None, "multiple values for argument 'isbn'"),
        (lambda request, response, isbn, /: None, "isbn"),
        (lambda **names: None, "too many positional arguments"),
        (functools.partial(lambda request, response, isbn: None, 1), "multiple values"),
        (functools.wraps(ok)(lambda request: None), "too many positional arguments"),
    ],
    ids=numbers(),
)
@pytest.mark.parametrize(("protocol", "second"), [("http", "response"), ("websocket", "ws")])
def test_a_handler_that_does_not_take_its_arguments_is_refused(
    app, handler, reason, protocol, second
):
    with pytest.raises(ValueError, match=re.escape(reason)) as caught:
        app.route("/{isbn}", protocol=protocol)(handler)
    text = str(caught.value)
    assert text.startswith(f"{described(handler)} takes (")
    assert f"the handlers of '/{{isbn}}' with (request, {second}, isbn): " in text
    assert text.endswith(f" Write its parameters as (request, {second}, isbn)")
    assert app.routes.match("/1") == (None, None)


def guarded(view):
    """Decorate a function as examples do: the wrapper has no place for an object."""

    @functools.wraps(view)
    async def wrapper(request, response, **names):
        await view(request, response, **names)

    return wrapper


class Decorated:
    @guarded
    async def on_get(self, request, response, isbn): ...


class TooMany:
    async def on_get(self, request, response, isbn, more): ...


class OfClass:
    @classmethod
    async def on_get(cls, request, response): ...


class WithoutSelf:
    async def on_get(request, response, isbn): ...


@pytest.mark.parametrize(
    ("view", "remedy"),
    [
        (Decorated, "let the wrapper of its decorator take (self, request, response, isbn)"),
        (TooMany, "Write its parameters as (self, request, response, isbn)"),
        (OfClass, "Write its parameters as (cls, request, response, isbn)"),
        (WithoutSelf, "let this method take (self, request, response, isbn)"),
        (Takes.method, "register the class, not its method"),
        (lambda self, request, response, isbn: None, "register the class, not its method"),
    ],
)
def test_error_shows_self_among_the_parameters_of_a_method(app, view, remedy):
    with pytest.raises(ValueError, match=re.escape(remedy) + r"\Z"):
        app.route("/{isbn}")(view)


def test_wrapper_that_passes_all_arguments_on_decorates_methods_too(app):
    def passed_on(view):
        @functools.wraps(view)
        async def wrapper(*args, **names):
            await view(*args, **names)

        return wrapper

    class View:
        @passed_on
        async def on_get(self, request, response, isbn): ...

    assert app.route("/{isbn}")(View) is View


def test_each_method_of_a_class_takes_its_arguments(app):
    class View:
        def on_get(self, request, response, isbn): ...

        def on_post(self, request, response): ...

    with pytest.raises(ValueError, match=r"View\.on_post \(.*\.py:\d+\) takes .*'/\{isbn\}'"):
        app.route("/{isbn}")(View)


def test_of_the_names_of_another_router_nothing_is_known():
    class Mine(Roll):
        Routes = lambda self: SimpleNamespace(add=lambda path, **payload: None)  # noqa: E731

    app = Mine()
    app.route("/<int:isbn>")(lambda request, response, isbn: None)
    app.route("no path")(lambda request, response, **names: None)
    with pytest.raises(ValueError, match="too many positional arguments"):
        app.route("/<int:isbn>", methods="post")(lambda request: None)


# Extras, methods of classes, events.


@pytest.mark.parametrize(
    ("extra", "meant"),
    [
        ("lazybody", "lazy_body"),
        ("lazyBody", "lazy_body"),
        ("method", "methods"),
        ("protocoll", "protocol"),
        ("maxbody", "max_body"),
        ("accept", "accepts"),
        ("origin", "origins"),
        ("replaces", "replace"),
        ("ping_intervall", "ping_interval"),
        ("cancel_on_disconnection", "cancel_on_disconnect"),
    ],
)
def test_extra_that_resembles_a_parameter_causes_a_warning(app, extra, meant):
    texts = told(lambda: app.route("/", **{extra: True})(ok))
    assert texts == [f"The extra {extra!r} of a route means nothing to Roll: write `{meant}=`"]
    assert app.routes.match("/")[0][extra] is True


@pytest.mark.parametrize(
    "extra",
    ["unprotected", "version", "roles", "permission", "cache_control", "title", "limit"],
)
def test_custom_extras_cause_no_warning(app, extra):
    assert told(lambda: app.route("/", **{extra: True})(ok)) == []


def test_warning_of_a_group_s_extra_is_at_the_line_of_the_group(app):
    groups = []
    assert len(told(lambda: groups.append(app.group("/api", method="POST")))) == 1
    assert told(lambda: groups[0].route("/x")(ok)) == []


@pytest.mark.parametrize(
    "name",
    [
        *("on_gets", "on_psot", "on_delet", "on_pach", "on_option", "on_trcae", "on_gst"),
        *("on_GET", "onGet", "onget", "on_get_", "on_Post"),
    ],
)
def test_misspelt_method_of_a_class_view_causes_a_warning(app, name):
    view = type("View", (), {"on_get": lambda self, request, response: None, name: ok})
    (text,) = told(lambda: app.route("/")(view))
    assert re.fullmatch(rf"View\.{name} does not answer any HTTP method: write `on_\w+`", text)


def test_other_methods_of_a_view_cause_no_warning(app):
    names = (
        *(
            "on_error",
            "on_login",
            "get",
            "on",
            "on_path",
            "on_ready",
            "on_reset",
            "on_set",
            "only",
        ),
        *("on_read", "on_past", "on_match", "on_connected", "on_trade", "on_deleted", "once"),
    )
    view = type(
        "View", (), {"on_get": lambda self, request, response: None} | dict.fromkeys(names, ok)
    )
    assert told(lambda: app.route("/")(view)) == []


def test_other_methods_of_a_class_view_cause_no_warning(app):
    class Unread(Unreadable):
        """A method whose parameters cannot be read."""

    class View:
        on_pst = "text"
        on_pots = Unread()

        def on_get(self, request, response): ...

        def on_gets(self): ...

        @property
        def on_delet(self):
            raise NotImplementedError

    assert told(lambda: app.route("/")(View)) == []


def test_class_view_that_needs_arguments_is_an_error(app):
    class View:
        def __init__(self, database):
            self.database = database

        def on_get(self, request, response): ...

    with pytest.raises(ValueError, match=r"takes \(database\), but Roll makes its object"):
        app.route("/")(View)


def test_a_class_view_whose_making_fails_says_how(app):
    class View:
        def __init__(self):
            raise TypeError("of its own")

    with pytest.raises(TypeError, match="of its own"):
        app.route("/")(View)


def test_a_class_whose_signature_cannot_be_read_may_be_a_view(app):
    class View:
        __signature__ = "none"

        def on_get(self, request, response): ...

    app.route("/")(View)
    assert "GET" in app.routes.match("/")[0]


def test_class_with_the_methods_of_another_framework_is_an_error(app):
    class View:
        def get(self, request, response): ...

        def post(self, request, response): ...

    with pytest.raises(
        ValueError,
        match=r"View has no method that answers requests: write `on_get` and `on_post`$",
    ):
        app.route("/")(View)


def test_decorator_above_a_class_view_causes_a_warning(app):
    @guarded
    class View:
        async def on_get(self, request, response): ...

    (text,) = told(lambda: app.route("/")(View))
    assert re.fullmatch(
        r"A decorator has made a function of the class view .*View: put the decorator above its"
        " methods",
        text,
    )

    @guarded
    class Answer:
        """A class whose objects are made for each request, which may be meant."""

    assert told(lambda: app.route("/answer")(Answer)) == []


def test_object_of_a_class_view_is_refused_with_its_class(app):
    class View:
        def on_get(self, request, response): ...

    with pytest.raises(ValueError, match=r": register the class .*View, not an object of it\Z"):
        app.route("/")(View())
    with pytest.raises(ValueError, match=r"a callable object, not <object object at \w+>\Z"):
        app.route("/")(object())


# The order of the arguments.


class Swapped:
    def on_get(self, resp, req): ...


@pytest.mark.parametrize(
    ("handler", "names"),
    [
        (lambda response, request: None, "response, request"),
        (lambda resp, req: None, "resp, req"),
        (lambda res, request, **more: None, "res, request"),
        (lambda response, other: None, "response, other"),
        (lambda other, request: None, "other, request"),
        (functools.partial(lambda more, response, request: None, 1), "response, request"),
        (Swapped().on_get, "resp, req"),
    ],
    ids=numbers(),
)
def test_parameters_in_another_order_cause_a_warning(app, handler, names):
    assert told(lambda: app.route("/")(handler)) == [
        f"{described(handler)} takes ({names}), but Roll calls it with (request, response): write"
        " its parameters as (request, response)"
    ]


@pytest.mark.parametrize("depth", [1, 2])
def test_parameters_in_another_order_are_found_through_decorators(app, depth):
    def handler(response, request): ...

    for _ in range(depth):
        handler = functools.wraps(handler)(lambda *args, **kwargs: None)
    (text,) = told(lambda: app.route("/")(handler))
    assert " takes (response, request), but Roll calls it with (request, response): " in text


def test_a_decorator_may_give_arguments_in_another_order(app):
    @functools.wraps(lambda response, request: None)
    def wrapper(request, response): ...

    assert told(lambda: app.route("/")(wrapper)) == []


def test_parameters_in_another_order_in_a_class_view_cause_a_warning(app):
    (text,) = told(lambda: app.route("/")(Swapped))
    assert "Swapped.on_get" in text


def test_websocket_handler_without_its_protocol_causes_a_warning(app):
    handler = lambda request, ws: None  # noqa: E731
    assert told(lambda: app.route("/")(handler)) == [
        f"{described(handler)} takes (request, ws), but Roll calls it with (request, response): if"
        " it is for websockets, write `protocol='websocket'`"
    ]


def test_a_websocket_may_be_called_a_response(app):
    assert told(lambda: app.route("/", protocol="websocket")(ok)) == []
    (text,) = told(lambda: app.route("/a", protocol="websocket")(lambda ws, request: None))
    assert text.endswith("(request, ws): write its parameters as (request, ws)")


@pytest.mark.parametrize(
    "handler",
    [
        lambda req, resp: None,
        lambda r, w: None,
        lambda *args: None,
        lambda self, client: None,
        max,
        Mock(),
    ],
    ids=numbers(),
)
def test_parameters_with_other_names_cause_no_warning(app, handler):
    assert told(lambda: app.route("/")(handler)) == []


# What a setting may be.


@pytest.mark.parametrize(
    ("extras", "text"),
    [
        ({"methods": 5}, "`methods` is a list of methods, such as ['GET', 'POST'], or one of"),
        ({"methods": [5]}, "or one of them, not 5"),
        ({"methods": b"GET"}, "or one of them, not b'GET'"),
        ({"methods": bytearray(b"GET")}, "or one of them, not bytearray(b'GET')"),
        ({"methods": {"GET": ok}}, "or one of them, not {'GET'"),
        ({"methods": ok}, "or one of them, not <function ok"),
        ({"protocol": None}, "Unknown protocol None: must be one of 'http', 'websocket'"),
        ({"protocol": []}, "Unknown protocol []: must be one of"),
        ({"lazy_body": "no"}, "`lazy_body` is True or False, not 'no'"),
        ({"cancel_on_disconnect": 1}, "`cancel_on_disconnect` is True or False, not 1"),
        ({"replace": "old"}, "`replace` is True or False, not 'old'"),
        ({"max_body": -1}, "`max_body` is a number of bytes, or None for no limit, not -1"),
        ({"max_body": True}, "`max_body` is a number of bytes, or None for no limit, not True"),
        ({"name": 5}, "`name` is the name of a route, such as 'home', not 5"),
        ({"name": ""}, "`name` is the name of a route, such as 'home', not ''"),
        ({"name": ["a"]}, "`name` is the name of a route, such as 'home', not ['a']"),
        *[
            (
                {"accepts": value},
                "`accepts` is a list of media types, such as ['text/html', 'application/json'],"
                f" or one of them, not {value!r}",
            )
            for value in (5, [], {}, {"text/html": 1}, b"text/html", True)
        ],
        *[
            (
                {"accepts": value},
                "`accepts` has media types, such as 'text/html', without a '*': it cannot have"
                f" {wrong!r}",
            )
            for value, wrong in (
                ("", ""),
                ("json", "json"),
                (["text/html", "json"], "json"),
                ("text/html, text/plain", "text/html, text/plain"),
                (["text/*"], "text/*"),
                ("*/*", "*/*"),
                ([5], 5),
                ([b"text/html"], b"text/html"),
                (["text /html"], "text /html"),
            )
        ],
    ],
    ids=str,
)
@pytest.mark.parametrize("protocol", ["http", "websocket"])
def test_invalid_setting_is_an_error_where_it_is_given(app, extras, text, protocol):
    with pytest.raises(ValueError, match=re.escape(text)):
        app.route("/", **{"protocol": protocol} | extras)


def test_an_iterator_of_media_types_is_refused(app):
    with pytest.raises(ValueError, match=r"`accepts` is a list of media types.*not <generator"):
        app.route("/", accepts=(kind for kind in ["text/html"]))


@pytest.mark.parametrize(
    "extras",
    [
        {"accepts": None},
        {"accepts": "text/html; charset=utf-8"},
        {"accepts": {"text/html", "application/ld+json"}},
        {"methods": ("GET", "post")},
        {"methods": iter(["GET"])},
        {"name": None},
        {"max_body": None},
        {"replace": False},
    ],
    ids=numbers(),
)
def test_valid_setting_is_accepted(app, extras):
    app.route("/", **extras)(ok)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("startupp", "startup"),
        ("start_up", "startup"),
        ("Startup", "startup"),
        ("shut_down", "shutdown"),
        ("header", "headers"),
        ("requests", "request"),
        ("responses", "response"),
        ("errors", "error"),
        ("route_add", "route:add"),
        ("websocket_connected", "websocket_connect"),
        ("websocket_errors", "websocket_error"),
    ],
)
def test_event_that_resembles_a_built_in_one_causes_a_warning(app, name, meant):
    assert told(lambda: app.listen(name)(ok)) == [
        f"Roll does not send an event {name!r}: write {meant!r}, which it sends"
    ]
    assert app.hooks == {name: [ok]}


@pytest.mark.parametrize("name", ["new_connection", "login", "items", "before:save", "stop"])
def test_custom_events_cause_no_warning(app, name):
    assert told(lambda: app.listen(name)(ok)) == []


@pytest.mark.parametrize("page", ["tutorial", "reference"])
def test_pages_warn_of_a_dict_method_as_a_decorator(app, page):
    with pytest.raises(TypeError):  # that of Python: an application is a dict
        app.get("/x")(ok)
    text = (Path(__file__).parents[3] / "docs" / f"{page}.md").read_text()
    assert "app.get(" in text
    assert '@app.route("/' in text.partition("app.get(")[2]


def test_listen_without_a_call_is_an_error(app):
    with pytest.raises(
        ValueError, match=r"needs the name of an event: write `@app\.listen\('star"
    ):

        @app.listen
        def listener(): ...


@pytest.mark.parametrize("listener", [None, "startup"])
def test_listener_that_cannot_be_called_is_refused(app, listener):
    with pytest.raises(ValueError, match="A listener of 'startup' is a function, not"):
        app.listen("startup")(listener)
    assert app.hooks == {}


# The same path and method twice.


def first(request, response, **placeholders):
    response.body = "first"


def second(request, response, **placeholders):
    response.body = "second"


async def test_second_view_for_a_method_causes_a_warning(app, client):
    app.route("/a")(first)
    (text,) = told(lambda: app.route("/a")(second))
    assert text == (
        f"GET '/a' of {described(second)} replaces {described(first)}:"
        " if you mean that, write `replace=True`"
    )
    assert (await client.get("/a")).body == b"second"


async def test_replace_allows_a_second_view_and_stays_an_extra(app, client):
    app.route("/a", replace=True)(first)
    assert told(lambda: app.route("/a", replace=True)(second)) == []
    assert (await client.get("/a")).body == b"second"
    assert app.routes.match("/a")[0]["replace"] is True


def test_only_the_methods_in_common_cause_a_warning(app):
    app.route("/a", methods=["GET", "POST"])(first)
    assert told(lambda: app.route("/a", methods=["PUT"])(second)) == []
    (text,) = told(lambda: app.route("/a", methods=["PATCH", "POST"])(second))
    assert text.startswith("POST '/a' of ")


def test_the_same_view_may_come_again(app):
    class View:
        def on_get(self, request, response): ...

    for view in (first, View, Takes().method):
        place = f"/{view.__qualname__}/{{isbn}}" if view != first else "/first"
        if view is View:
            place = "/view"
        app.route(place)(view)
        assert told(lambda view=view, place=place: app.route(place)(view)) == []


@pytest.mark.parametrize("replace", [False, True])
async def test_view_that_never_answers_is_reported(app, client, replace):
    app.route("/user/{isbn}")(first)
    text = (
        f"GET '/user/{{name}}' of {described(second)} is never used: {described(first)} answers"
        " at '/user/{isbn}'"
    )
    if replace:
        with pytest.raises(
            ValueError, match=re.escape(f"{text}. To replace it, write the path as")
        ):
            app.route("/user/{name}", replace=True)(second)
    else:
        assert told(lambda: app.route("/user/{name}")(second)) == [text]
    assert (await client.get("/user/1")).body == b"first"


async def test_a_path_that_is_spelt_otherwise_is_the_same(app, client):
    app.route("/{a}")(first)
    assert len(told(lambda: app.route("/{a:string}")(second))) == 1
    assert (await client.get("/x")).body == b"second"


def test_a_view_that_was_given_to_the_router_is_not_known(app):
    app.routes.add("/a", GET=first)
    assert told(lambda: app.route("/a")(second)) == []


def test_a_route_that_was_removed_may_come_again(app):
    app.route("/a/{b}")(first)
    app.route("/c")(first)
    app.routes.remove("/a/{b}")
    assert told(lambda: app.route("/a/{b}")(second)) == []


def test_another_router_has_one_place_a_path():
    class Flat(dict):
        def add(self, path, **payload):
            self[path] = payload

    app = type("App", (Roll,), {"Routes": Flat})()
    app.route("/{a}")(first)
    assert told(lambda: app.route("/{b}")(second)) == []
    (text,) = told(lambda: app.route("/{a}")(second))
    assert "replaces" in text


# Where it is told.


def test_warning_in_a_startup_listener_is_at_its_line(app):
    @app.listen("startup")
    def register():
        app.route("/", lazybody=True)(ok)

    with pytest.warns(RollWarning) as caught:
        app.hook("startup")
    (warning,) = caught
    assert warning.filename == __file__
    assert warning.lineno == register.__code__.co_firstlineno + 2


# WSGI.


def test_error_for_a_wsgi_server_names_the_worker(app):
    with pytest.raises(
        RuntimeError,
        match=r"--worker-class roll\.worker\.Worker",
    ):
        app({"wsgi.version": (1, 0)}, lambda status, headers: None)


# An `await` that is forgotten.


def calls(app):
    request = Request(app, None)
    client = Client(app)
    return {
        "Request.read": request.read,
        "Request.load_body": request.load_body,
        "Request.load_form": request.load_form,
        "Request.disconnected": request.disconnected,
        "Roll.startup": app.startup,
        "Roll.shutdown": app.shutdown,
        "Roll.on_error": lambda: app.on_error(request, None, ValueError()),
        "Roll.__call__": lambda: app(request, Response(app, None)),
        "Roll.hook": lambda: app.hook("startup"),
        "Client.request": lambda: client.request("/"),
        "Client.get": lambda: client.get("/"),
        "Client.post": lambda: client.post("/"),
        **{
            f"WSProtocol.{name}": functools.partial(getattr(app.WebsocketProtocol, name), None)
            for name in ("ping", "pong", "close")
        },
        "WSProtocol.send": functools.partial(app.WebsocketProtocol.send, None, ""),
    }


@pytest.mark.parametrize("name", calls(Roll()))
def test_pythons_warning_of_a_forgotten_await_names_the_call(app, name):
    @app.listen("startup")
    async def startup(): ...

    with pytest.warns(RuntimeWarning, match=f"coroutine '{re.escape(name)}' was never awaited"):
        calls(app)[name]()


def test_a_hook_with_plain_listeners_needs_no_await(app):
    app.listen("new")(lambda: None)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        app.hook("new")
    assert caught == []


async def test_result_of_a_websocket_handler_causes_a_warning(app, liveclient):
    @app.route("/ws", protocol="websocket")
    async def handler(request, ws):
        return "bye"

    async def talk():
        async with connect(f"{liveclient.wsl}/ws") as ws:
            await ws.wait_closed()
        return ws.close_code

    with pytest.warns(RollWarning) as caught:
        assert await talk() == 1000
    (warning,) = caught
    assert str(warning.message) == (
        f"{described(handler)} returned a str, which is ignored: write `await ws.send(...)`"
    )


async def test_a_coroutine_that_a_websockets_handler_returns_ends_it(app, liveclient, caplog):
    async def work(): ...

    ended = asyncio.Event()
    app.listen("websocket_disconnect")(lambda ws: ended.set())

    @app.route("/ws", protocol="websocket")
    async def handler(request, ws):
        return work()

    async with connect(f"{liveclient.wsl}/ws") as ws:
        await ws.wait_closed()
    await ended.wait()
    assert ws.close_code == 1011
    assert f"{described(handler)} returned a coroutine, {work.__qualname__}()" in caplog.text


# A request is a dict.


@pytest.mark.parametrize("lazy", [False, True])
async def test_body_that_is_iterated_without_async_causes_a_warning(app, client, lazy):
    lines = []

    @app.route("/", methods=["POST"], lazy_body=lazy)
    async def upload(request, response):
        lines.append(sys._getframe().f_lineno + 1)
        for chunk in request:
            pytest.fail(chunk)
        response.body = await request.read()

    with pytest.warns(
        RollWarning, match="write `async for chunk in request` for its body"
    ) as all_:
        assert (await client.post("/", "body")).body == b"body"
    assert [(each.filename, each.lineno) for each in all_] == [(__file__, lines[0])]


async def test_plain_for_over_a_streamed_body_causes_a_warning(app, liveclient):
    @app.route("/", methods=["POST"], lazy_body=True)
    async def upload(request, response):
        for _ in request:
            pass
        response.body = b"".join([chunk async for chunk in request])

    with pytest.warns(RollWarning, match="is iterated as a dict"):
        assert (await liveclient.query("POST", "/", body=(b"a", b"b"))).body == b"ab"


async def test_request_is_still_iterated_as_a_dict(app, client):
    @app.route("/", methods=["GET", "POST"])
    async def handler(request, response):
        assert dict(request) == {**request} == {} | request == {}
        assert list(request.keys()) == list(request.items()) == []
        assert "a" not in request
        request["a"] = 1
        assert [*request] == list(request) == sorted(request) == ["a"]
        assert dict(request) == {**request} == copy.deepcopy(request) == {"a": 1}
        assert (len(request), json.dumps(request)) == (1, '{"a": 1}')
        request.clear()
        response.body = "".join(request) if request.method == "GET" else ""

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (await client.get("/")).status == 200
        assert (await client.post("/", "body")).status == 200
