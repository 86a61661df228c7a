"""The registration of views, and how requests find them."""

import asyncio
import functools
import types

import pytest

from roll import HTTP_METHODS, Request, Response, Roll, Route, Routes
from roll.testing import Client
from roll_http import Limits
from roll_routing import InvalidRoute


def ok(request, response, **placeholders):
    response.body = "ok"


def test_the_view_is_returned_so_that_decorators_stack(app):
    assert app.route("/a")(app.route("/b")(ok)) is ok


async def test_get_is_the_default_method(app, client):
    app.route("/")(ok)
    assert (await client.get("/")).body == b"ok"
    assert (await client.post("/")).status == 405


@pytest.mark.parametrize("methods", ["put", "PUT", ["put"], ("Put",), {"PUT"}])
async def test_methods_take_any_case_and_a_single_name(app, client, methods):
    app.route("/", methods=methods)(ok)
    assert (await client.put("/")).status == 200
    assert (await client.get("/")).status == 405


async def test_a_path_may_be_given_again_with_other_methods(app, client):
    @app.route("/", methods=["GET"], one=1, both=1)
    def get(request, response):
        response.json = [request.route.payload[name] for name in ("one", "two", "both")]

    @app.route("/", methods=["POST"], two=2, both=2)
    def post(request, response):
        assert request.route.payload["GET"] is get
        assert request.route.payload["POST"] is post
        response.body = "post"

    assert (await client.get("/")).body == b"[1,2,2]"
    assert (await client.post("/")).body == b"post"


async def test_placeholders_are_keyword_strings(app, client):
    @app.route("/{kind}/{number:digit}.json")
    async def view(request, response, number, kind):
        response.json = [kind, number, request.route.vars]

    response = await client.get("/b%C3%A9b%C3%A9/12.json")
    assert response.body == '["bébé","12",{"kind":"bébé","number":"12"}]'.encode()


async def test_an_unknown_path_is_a_404_that_says_which(app, client):
    response = await client.get("/caf%C3%A9<b>")
    assert (response.status, response.body) == (404, "/café<b>".encode())
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"


async def test_another_method_is_a_405_that_says_which_are_allowed(app, client):
    app.route("/", methods=["POST", "GET"])(ok)
    app.route("/put", methods=["PUT", "HEAD"])(ok)
    app.route("/ws", protocol="websocket")(ok)
    response = await client.delete("/")
    assert (response.status, response.headers["Allow"]) == (405, "GET, HEAD, POST")
    assert (await client.get("/put")).headers["Allow"] == "HEAD, PUT"
    assert (await client.post("/ws")).headers["Allow"] == "GET"


@pytest.mark.parametrize("methods", ["GET,POST", "GET POST"])
def test_several_methods_in_one_text_are_an_error(app, methods):
    with pytest.raises(ValueError, match=rf"the method '{methods}': .* 'PATCH': write a list of"):
        app.route("/", methods)(ok)


async def test_connect_is_a_501_unless_it_is_declared(app, client):
    app.route("/")(ok)
    app.route("/tunnel", methods="CONNECT")(ok)
    assert (await client.connect("/")).status == 501
    assert (await client.connect("/nowhere")).status == 501
    assert (await client.connect("/tunnel")).status == 200


@pytest.mark.parametrize("method", ["shelf", "GET:endpoint"])
async def test_extra_is_not_taken_for_a_method(app, method):
    app.route("/", shelf=ok)(ok)
    request = Request(app, None)
    request.method, request.path = method, "/"
    assert (await app(request, Response(app, None))).status == 405


async def test_head_is_answered_by_get(app, client):
    @app.route("/")
    def view(request, response):
        response.body = "12345"

    response = await client.head("/")
    assert (response.status, response.body) == (200, b"")
    assert b"Content-Length: 5" in client.protocol.transport.data


async def test_handler_of_head_wins_over_get(app, client):
    app.route("/")(ok)

    @app.route("/", methods=["HEAD"])
    def head(request, response):
        response.headers["X-Own"] = "yes"

    assert (await client.head("/")).headers["X-Own"] == "yes"


async def test_handlers_given_straight_to_the_router_work(app, client):
    app.routes.add("/", GET=ok)
    app.routes.add("/post", POST=ok)
    assert (await client.get("/")).body == b"ok"
    assert (await client.head("/")).status == 200
    assert (await client.head("/post")).status == 405
    assert (await client.delete("/")).headers["Allow"] == "GET, HEAD"


def other(request, response, **placeholders):
    response.body = "other"


async def test_the_handler_is_the_one_in_the_payload(app, client):
    app.route("/added")(ok)
    app.routes.add("/added", GET=other)
    app.route("/put")(ok)
    app.routes.match("/put")[0]["GET"] = other
    for path in ("/added", "/put"):
        assert (await client.get(path)).body == b"other"
        await client.head(path)
        assert b"Content-Length: 5\r\n" in client.protocol.transport.data


async def test_settings_of_a_handler_apply_to_its_replacement_in_the_payload(app, client):
    @app.route("/", methods=["POST"], lazy_body=True, max_body=3)
    def first(request, response):
        """Never called."""

    async def second(request, response):
        response.body = await request.read()

    app.routes.add("/", POST=second)
    assert (await client.post("/", b"123")).body == b"123"
    assert (await client.post("/", b"1234")).status == 413


async def test_a_router_may_wrap_and_remove_handlers():
    class Wrapping(Routes):
        def match(self, path):
            payload, variables = super().match(path)
            shown = {name: value for name, value in payload.items() if name != "POST"}
            return {**shown, "GET": other}, variables

    class App(Roll):
        Routes = Wrapping

    app = App()
    app.route("/", methods=["GET", "POST"])(ok)
    client = Client(app)
    assert (await client.get("/")).body == b"other"
    response = await client.post("/")
    assert (response.status, response.headers["Allow"]) == (405, "GET, HEAD")


async def test_a_listener_may_put_another_handler_in_the_route(app, client):
    app.route("/")(ok)

    @app.listen("request")
    def wrap(request):
        payload, variables = request.route
        request.route = Route({**payload, "GET": other}, variables)

    assert (await client.get("/")).body == b"other"


class CallableView:
    def __call__(self, request, response):
        response.body = "called"


def decorated(view):
    def wrapper(*args, **kwargs):
        return view(*args, **kwargs)

    return wrapper


@decorated
async def awaitable(request, response):
    response.body = "called"


@types.coroutine
def old_style(request, response):
    yield from asyncio.sleep(0).__await__()
    response.body = "called"


def with_argument(argument, request, response):
    response.body = argument


@pytest.mark.parametrize(
    "view", [CallableView(), awaitable, functools.partial(with_argument, "called"), old_style]
)
async def test_any_callable_is_a_view(app, client, view):
    app.route("/")(view)
    assert (await client.get("/")).body == b"called"


async def test_result_of_a_view_is_ignored(app, client):
    @app.route("/")
    def view(request, response):
        response.body = "this"
        return response

    assert (await client.get("/")).body == b"this"


async def test_a_class_answers_the_methods_it_defines(app, client):
    made = []

    class Base:
        def __init__(self):
            made.append(self)

        async def on_get(self, request, response):
            response.body = "get"

    @app.route("/")
    class View(Base):
        def on_post(self, request, response):
            response.body = "post"

    assert isinstance(View, type)
    assert (await client.get("/")).body == b"get"
    assert (await client.post("/")).body == b"post"
    response = await client.put("/")
    assert (response.status, response.headers["Allow"]) == (405, "GET, HEAD, POST")
    assert len(made) == 1


async def test_handler_set_to_none_is_not_called(app, client):
    class Base:
        on_get = on_trace = on_post = staticmethod(ok)

    @app.route("/")
    class View(Base):
        on_trace = None

        def on_post(self, request, response):
            """Say nothing."""

    response = await client.request("/", "TRACE")
    assert (response.status, response.headers["Allow"]) == (405, "GET, HEAD, POST")


@pytest.mark.parametrize("method", HTTP_METHODS)
async def test_a_class_may_answer_every_method(app, method):
    view = type("View", (), {f"on_{method.lower()}": lambda self, request, response: None})
    app.route("/")(view)
    payload, _ = app.routes.match("/")
    assert callable(payload[method])


def test_a_class_says_its_methods_itself(app):
    class View:
        def on_get(self, request, response):
            """Do nothing."""

    with pytest.raises(AttributeError, match="methods"):
        app.route("/", methods=["GET"])(View)


def test_class_without_handler_methods_is_refused(app):
    class View:
        def get(self, request, response):
            """Do nothing."""

    with pytest.raises(ValueError, match="on_get"):
        app.route("/")(View)


def test_a_class_on_a_websocket_route_only_answers_get(app):
    class View:
        def on_post(self, request, ws):
            """Do nothing."""

    with pytest.raises(ValueError, match="'POST'"):
        app.route("/", protocol="websocket")(View)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"protocol": "gopher"}, "'gopher': must be one of 'http', 'websocket'"),
        ({"methods": ["BREW"]}, "'BREW': must be one of 'GET'"),
        ({"methods": []}, "empty"),
        ({"protocol": "websocket", "methods": ["POST"]}, "'POST': must be one of 'GET'"),
        ({"GET": ok}, "'GET'"),
    ],
)
def test_mistake_is_a_value_error_that_says_what_to_write(app, settings, message):
    with pytest.raises(ValueError, match=message):
        app.route("/", **settings)(ok)
    assert app.routes.match("/") == (None, None)


def test_view_that_cannot_be_called_is_refused(app):
    with pytest.raises(ValueError, match="'a view'"):
        app.route("/")("a view")


def test_payload_has_the_extras_of_the_route(app):
    app.route("/lazy", lazy_body=True, extra=1)(ok)
    app.route("/ws", protocol="websocket")(ok)
    app.route("/both", protocol="websocket")(ok)
    app.route("/both", methods="POST")(ok)
    lazy, _ = app.routes.match("/lazy")
    assert (lazy["protocol"], lazy["lazy_body"], lazy["extra"]) == ("http", True, 1)
    websocket, _ = app.routes.match("/ws")
    assert websocket["protocol"] == "websocket"
    assert "lazy_body" not in websocket
    both, _ = app.routes.match("/both")
    assert both["protocol"] == "http"


def test_a_path_that_cannot_be_parsed_is_an_invalid_route(app):
    with pytest.raises(InvalidRoute):
        app.route("/{unbalanced")(ok)


def test_one_name_is_for_one_path(app):
    app.route("/a", name="home")(ok)
    app.route("/a", methods=["POST"], name="home")(ok)
    with pytest.raises(ValueError, match=r"'home' of '/b' is taken by '/a'"):
        app.route("/b", name="home")(ok)


def test_a_registration_that_fails_takes_no_name(app):
    with pytest.raises(InvalidRoute):
        app.route("/{a", name="home")(ok)
    app.route("/a", name="home")(ok)


def test_a_route_that_a_listener_refuses_is_not_there(app):
    @app.listen("route:add")
    def refuse(path, view, **extras):
        raise ValueError("not here")

    with pytest.raises(ValueError, match="not here"):
        app.route("/a", name="home")(ok)
    assert app.routes.match("/a") == (None, None)
    app.hooks.clear()
    app.route("/b", name="home")(ok)


def test_registering_sends_an_event(app):
    seen = []

    @app.listen("route:add")
    def listener(path, view, **extras):
        seen.append((path, view, extras))

    app.route("/a", methods=["POST"], lazy_body=True, name="home", extra=1)(ok)
    assert seen == [("/a", ok, {"name": "home", "extra": 1})]


async def test_settings_hold_for_their_own_methods(app, client):
    @app.route("/", methods=["POST"], lazy_body=True, max_body=3)
    async def post(request, response):
        response.body = await request.read()

    @app.route("/", methods=["PUT"])
    async def put(request, response):
        response.body = request.body

    assert (await client.put("/", b"12345")).body == b"12345"
    assert (await client.post("/", b"123")).body == b"123"
    assert (await client.post("/", b"12345")).status == 413


async def test_a_lazy_body_is_not_loaded_before_the_handler(app, client):
    @app.route("/", methods=["POST"], lazy_body=True)
    async def post(request, response):
        response.json = [chunk.decode() async for chunk in request]

    assert (await client.post("/", b"12345")).body == b'["12345"]'


async def test_max_body_replaces_the_limit_either_way():
    app = Roll(limits=Limits(body=4))
    app.route("/more", methods="POST", max_body=8)(ok)
    app.route("/any", methods="POST", max_body=None)(ok)
    app.route("/default", methods="POST")(ok)
    client = Client(app)
    assert (await client.post("/default", b"12345")).status == 413
    assert (await client.post("/more", b"12345")).status == 200
    assert (await client.post("/more", b"123456789")).status == 413
    assert (await client.post("/any", b"123456789" * 99)).status == 200


async def test_cancel_on_disconnect_is_set_on_the_request(app):
    seen = []
    app.route("/", methods="GET", cancel_on_disconnect=True)(
        lambda request, response: seen.append(request.cancel_on_disconnect)
    )
    app.route("/no", cancel_on_disconnect=False)(
        lambda request, response: seen.append(request.cancel_on_disconnect)
    )
    client = Client(app)
    await client.get("/")
    await client.get("/no")
    assert seen == [True, False]


def test_the_route_is_set_even_when_nothing_matches(app):
    request = Request(app, None)
    request.path = "/nowhere"
    app.lookup(request)
    assert request.route.payload is None


async def never_run(request, response):
    yield "nothing"


class Generating:
    on_get = staticmethod(never_run)


def iterated(request, response):
    yield "nothing"


class Callable:
    """A callable object that is a generator."""

    async def __call__(self, request, response):
        yield "nothing"


@pytest.mark.parametrize(
    "view",
    [
        never_run,
        Generating,
        functools.partial(never_run),
        functools.partial(iterated),
        iterated,
        Callable(),
        Callable().__call__,
        functools.partial(Callable()),
    ],
)
def test_generator_is_refused_as_a_view(app, view):
    with pytest.raises(ValueError, match=r"is a generator.*response\.body"):
        app.route("/")(view)
    assert app.routes.match("/") == (None, None)


@pytest.mark.parametrize("most", ["10", 1.5, -1])
def test_a_largest_body_is_a_number_of_bytes(app, most):
    with pytest.raises(ValueError, match="max_body"):
        app.route("/", max_body=most)(print)


@pytest.mark.parametrize("value", ["no", 1, None, "True"], ids=repr)
@pytest.mark.parametrize("name", ["lazy_body", "cancel_on_disconnect"])
def test_a_flag_is_true_or_false(app, name, value):
    async def view(request, response): ...

    with pytest.raises(ValueError, match=f"`{name}` is True or False, not {value!r}"):
        app.route("/", **{name: value})(view)


def test_true_is_refused_as_a_number_of_bytes(app):
    async def view(request, response): ...

    with pytest.raises(ValueError, match="`max_body` is a number of bytes"):
        app.route("/", max_body=True)(view)
