"""The application: a dict, its parts, and the cycle of a request."""

import asyncio
from http import HTTPStatus

import pytest

from roll import (
    Cookies,
    Files,
    Form,
    HttpError,
    HTTPProtocol,
    Multipart,
    Query,
    Request,
    Response,
    Roll,
    Route,
    Routes,
)
from roll.testing import Client
from roll_http import Limits


def test_it_is_a_dict_that_takes_attributes_and_is_falsy_when_empty(app):
    assert not app
    app["key"] = "value"
    app.config = {"debug": True}
    assert app == {"key": "value"}
    assert app.config["debug"]


def test_limits_are_those_given_or_the_defaults():
    limits = Limits(body=10)
    assert Roll(limits=limits).limits is limits
    assert Roll().limits == Limits()


def test_its_factory_makes_protocols(app):
    protocol = app.factory()
    assert isinstance(protocol, HTTPProtocol)
    assert protocol.app is app
    assert app.factory() is not protocol


async def test_the_cycle_can_be_run_without_a_connection(app):
    @app.route("/")
    async def index(request, response):
        response.body = "here"

    request = Request(app, None)
    request.method, request.path, request.body = "GET", "/", b""
    response = await app(request, Response(app, None))
    assert response.body == "here"


async def test_events_and_handler_come_in_the_documented_order(app, client):
    seen = []

    @app.listen("headers")
    async def on_headers(request, response):
        with pytest.raises(HttpError):
            assert request.body
        seen.append("headers")

    @app.listen("request")
    async def on_request(request, response):
        assert request.body == b"data"
        seen.append("request")

    @app.listen("response")
    async def on_response(request, response):
        assert response.body == "done"
        seen.append("response")

    @app.route("/", methods=["POST"])
    async def handler(request, response):
        seen.append("handler")
        response.body = "done"

    await client.post("/", "data")
    assert seen == ["headers", "request", "handler", "response"]


async def test_a_headers_listener_may_answer_everything(app, client):
    seen = []

    @app.listen("headers")
    def answer(request, response):
        response.status = 202
        return True

    for event in ("request", "error", "response"):
        app.listen(event)(lambda request, response, event=event: seen.append(event))
    assert (await client.get("/nowhere")).status is HTTPStatus.ACCEPTED
    assert seen == ["response"]


async def test_a_headers_listener_may_read_the_body(app, client):
    @app.listen("headers")
    async def on_headers(request, response):
        response.body = await request.read()
        return True

    assert (await client.post("/", "data")).body == b"data"


async def test_a_request_listener_may_answer_in_the_handlers_place(app, client):
    @app.listen("request")
    def answer(request, response):
        response.body = "mine"
        return True

    @app.route("/")
    def handler(request, response):
        response.body = "the handler's"

    assert (await client.get("/")).body == b"mine"
    assert (await client.get("/nowhere")).status == 404


async def test_the_response_event_comes_after_an_error_too(app, client):
    @app.listen("response")
    async def on_response(request, response):
        response.headers["X-Status"] = response.status.value

    assert (await client.get("/nowhere")).headers["X-Status"] == 404


async def test_the_protocol_a_subclass_names_either_way_is_used():
    class MyProtocol(HTTPProtocol):
        pass

    class Other(Roll):
        Protocol = MyProtocol

    class Both(Other):
        HttpProtocol = HTTPProtocol

    class Mixin:
        Protocol = MyProtocol

    class Mixed(Mixin, Roll):
        pass

    class Late(Roll):
        pass

    Late.Protocol = MyProtocol
    assert type(Other().factory()) is MyProtocol
    assert type(Both().factory()) is HTTPProtocol
    assert type(Mixed().factory()) is MyProtocol
    assert type(Late().factory()) is MyProtocol


async def test_every_part_of_a_subclass_is_used():
    class MyRoutes(Routes):
        pass

    class MyRoute(Route):
        pass

    class MyRequest(Request):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.extra = "an attribute"

    class MyResponse(Response):
        pass

    class MyQuery(Query):
        def __init__(self, mapping):
            super().__init__(mapping)

        @property
        def year(self):
            return self.int("year")

    class MyForm(Form):
        def __init__(self, mapping):
            super().__init__(mapping)

    class MyFiles(Files):
        pass

    class MyCookies(Cookies):
        def __init__(self, mapping):
            super().__init__(mapping)

    class MyMultipart(Multipart):
        pass

    class MyRoll(Roll):
        Routes = MyRoutes
        Route = MyRoute
        Request = MyRequest
        Response = MyResponse
        Query = MyQuery
        Form = MyForm
        Files = MyFiles
        Multipart = MyMultipart
        Cookies = MyCookies

    app = MyRoll()
    seen = {}

    @app.route("/", methods=["GET", "POST"])
    async def handler(request, response):
        seen["year"] = request.query.year
        seen["extra"] = request.extra
        seen["types"] = [
            type(part)
            for part in (
                request,
                response,
                request.route,
                request.form,
                request.files,
                request.cookies,
                response.cookies,
                app.routes,
            )
        ]

    client = Client(app)
    response = await client.post("/?year=2017", files={"file": "content"})
    assert response.status == 200
    assert seen == {
        "year": 2017,
        "extra": "an attribute",
        "types": [
            *(MyRequest, MyResponse, MyRoute, MyForm, MyFiles, MyCookies, MyCookies, MyRoutes)
        ],
    }
    await client.post("/?year=2017", {"a": "b"}, content_type="application/x-www-form-urlencoded")
    assert seen["types"][3:5] == [MyForm, MyFiles]


async def test_lookup_may_be_overridden():
    class Hosts(Roll):
        def lookup(self, request):
            request.path = f"/{request.host}{request.path}"
            super().lookup(request)

    app = Hosts()

    @app.route("/example.org/page")
    def page(request, response):
        response.body = "example's"

    response = await Client(app).get("/page", headers={"Host": "example.org"})
    assert response.body == b"example's"


async def test_a_cancelled_handler_is_not_an_error(app):
    seen = []
    app.listen("error")(lambda request, response, error: seen.append(error))
    started = asyncio.Event()

    @app.route("/")
    async def handler(request, response):
        started.set()
        await asyncio.Event().wait()

    request = Request(app, None)
    request.method, request.path, request.body = "GET", "/", b""
    task = asyncio.ensure_future(app(request, Response(app, None)))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seen == []


async def test_startup_and_shutdown_send_their_events(app):
    seen = []

    @app.listen("startup")
    async def on_startup():
        seen.append("startup")

    @app.listen("shutdown")
    def on_shutdown():
        seen.append("shutdown")

    await app.startup()
    await app.shutdown()
    assert seen == ["startup", "shutdown"]


async def test_the_loop_is_the_running_one_unless_another_is_set(app):
    assert app.loop is asyncio.get_running_loop()
    app.loop = other = asyncio.new_event_loop()
    assert app.loop is other
    other.close()


def test_loop_is_none_without_a_running_loop(app):
    assert app.loop is None


async def test_a_handler_that_awaits_something_cancelled_is_an_error_like_others(app, client):
    seen = []

    @app.listen("error")
    def see(error):
        seen.append(type(error.__context__))

    @app.listen("response")
    def mark(response):
        response.headers["X-Marked"] = "yes"

    @app.route("/")
    async def handler(request, response):
        task = asyncio.ensure_future(asyncio.sleep(3600))
        task.cancel()
        await task

    response = await client.get("/")
    assert (response.status, response.headers["X-Marked"]) == (500, "yes")
    assert seen == [asyncio.CancelledError]


@pytest.mark.parametrize("limits", [{"body": 3}, 5, "16m", Limits], ids=str)
def test_limits_of_another_type_are_refused_at_once(limits):
    with pytest.raises(ValueError, match=r"write `Roll\(limits=Limits\(\.\.\.\)\)`"):
        Roll(limits=limits)
