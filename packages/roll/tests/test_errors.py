"""The handling of an exception: the response, the event, the log."""

import asyncio
import logging
from http import HTTPStatus

import pytest

from roll import HttpError
from roll_http import ClientDisconnected


@pytest.fixture
def failing(app):
    """Register a handler that raises what it is given."""

    def register(error):
        @app.route("/", replace=True)
        async def handler(request, response):
            raise error

    return register


def described(response):
    """Return the fields of a response, except the length of its body."""
    return {name: value for name, value in response.headers.items() if name != "Content-Length"}


@pytest.mark.parametrize("code", [418, HTTPStatus.IM_A_TEAPOT], ids=["int", "status"])
async def test_an_http_error_sets_status_and_body(client, failing, code):
    failing(HttpError(code, "short and stout"))
    response = await client.get("/")
    assert response.status is HTTPStatus.IM_A_TEAPOT
    assert response.body == b"short and stout"


@pytest.mark.parametrize(
    ("message", "body"),
    [
        (None, b"Conflict"),
        (b"\xe9", b"\xe9"),
        ("é", "é".encode()),
        ({"a": 1}, b"{'a': 1}"),
        (["x"], b"['x']"),
    ],
)
async def test_a_message_may_be_anything(client, failing, message, body):
    failing(HttpError(409, message))
    assert (await client.get("/")).body == body


async def test_text_is_plain_and_bytes_are_bytes(client, app):
    @app.route("/{kind}")
    def handler(request, response, kind):
        raise HttpError(400, b"bytes" if kind == "bytes" else "text")

    assert (await client.get("/t")).headers["Content-Type"] == "text/plain; charset=utf-8"
    assert (await client.get("/bytes")).headers["Content-Type"] == "application/octet-stream"


async def test_a_content_type_that_is_there_is_kept(client, app):
    @app.route("/")
    def handler(request, response):
        response.headers["content-type"] = "application/problem+json"
        raise HttpError(400, "{}")

    headers = described(await client.get("/"))
    assert headers == {"content-type": "application/problem+json"}


async def test_content_length_of_the_failed_body_is_dropped(client, app):
    @app.route("/")
    def handler(request, response):
        response.headers["Content-length"] = 1000
        raise HttpError(400, "text")

    assert (await client.get("/")).body == b"text"
    assert b"Content-Length: 4" in client.protocol.transport.data


async def test_a_subclass_need_not_call_its_parents_constructor(client, failing):
    class Mine(HttpError):
        def __init__(self):
            self.status = 404
            self.message = "mine"

    class Bare(HttpError):
        def __init__(self):
            self.status = HTTPStatus.GONE

    failing(Mine())
    assert (await client.get("/")).body == b"mine"
    failing(Bare())
    assert (await client.get("/")).body == b"Gone"


async def test_an_unexpected_exception_shows_nothing_and_is_logged(client, failing, caplog):
    failing(ValueError("a secret"))
    response = await client.get("/")
    assert (response.status, response.body) == (500, b"Internal Server Error")
    assert b"secret" not in client.protocol.transport.data
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("roll", logging.ERROR)
    assert record.getMessage() == "Unexpected exception: GET /"
    assert record.exc_info[1].args == ("a secret",)


async def test_a_log_that_is_not_wanted_is_not_written(app, client, failing, caplog):
    app.log_errors = False
    failing(ValueError("a secret"))
    assert (await client.get("/")).status == 500
    assert caplog.records == []


async def test_an_http_error_is_not_logged(client, failing, caplog):
    failing(HttpError(500, "on purpose"))
    assert (await client.get("/")).body == b"on purpose"
    assert caplog.records == []


async def test_listeners_have_the_original_as_context(app, client, failing):
    original = ValueError("a secret")
    failing(original)

    @app.listen("error")
    async def on_error(request, response, error):
        assert isinstance(error, HttpError)
        assert error.__context__ is original
        assert (error.status, error.message) == (500, "a secret")
        response.headers["X-Seen"] = "yes"

    response = await client.get("/")
    assert response.headers["X-Seen"] == "yes"
    assert response.body == b"Internal Server Error"


class Wordless(Exception):
    def __str__(self):
        raise RuntimeError("no words")


@pytest.mark.parametrize("error", [ValueError(), Wordless()], ids=["empty", "broken"])
async def test_exception_without_a_text_has_the_phrase_as_message(app, client, failing, error):
    failing(error)
    app.log_errors = False  # the log would ask for the text
    seen = []
    app.listen("error")(lambda error: seen.append(error.message))
    assert (await client.get("/")).body == b"Internal Server Error"
    assert seen == ["Internal Server Error"]


async def test_an_empty_message_is_answered_with_the_phrase(app, client, failing):
    class Silent(HttpError):
        def __init__(self):
            self.status = 409
            self.message = ""

    failing(Silent())
    assert (await client.get("/")).body == b"Conflict"


async def test_a_class_with_a_status_is_raised_without_arguments(client, failing):
    class NotFound(HttpError):
        status = 404

    failing(NotFound)
    response = await client.get("/")
    assert (response.status, response.body) == (404, b"Not Found")


async def test_a_listener_may_change_everything(app, client, failing):
    failing(HttpError(400, {"why": "not"}))

    @app.listen("error")
    def on_error(request, response, error):
        error.message = {"error": error.message}
        response.json = error.message
        response.status = 422

    response = await client.get("/")
    assert (response.status, response.body) == (422, b'{"error":{"why":"not"}}')
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"


async def test_text_of_an_error_listener_is_plain_unless_it_sets_a_type(app, client):
    @app.listen("error")
    def on_error(request, response, error):
        response.body = f"<h1>No {error.message}</h1>"
        if "typed" in request.query:
            response.headers["Content-Type"] = "text/html"

    response = await client.get("/<script>")
    assert described(response) == {"Content-Type": "text/plain; charset=utf-8"}
    assert described(await client.get("/?typed")) == {"Content-Type": "text/html"}


async def test_an_exception_in_an_error_listener_is_a_plain_500(app, client, failing, caplog):
    failing(HttpError(404, "message"))

    @app.listen("error")
    async def on_error(request, response, error):
        response.body = "half of it"
        raise ValueError("a secret")

    response = await client.get("/")
    assert (response.status, response.body) == (500, b"Internal Server Error")
    assert "a secret" in caplog.text


@pytest.mark.parametrize("event", ["headers", "request", "response"])
async def test_an_exception_in_a_listener_is_answered(app, client, event):
    app.route("/")(lambda request, response: None)

    @app.listen(event)
    async def listener(request, response):
        raise HttpError(402, event)

    response = await client.get("/")
    assert (response.status, response.body) == (402, event.encode())


async def test_an_unknown_status_is_a_500(app, client):
    @app.route("/")
    def handler(request, response):
        response.status = 799

    assert (await client.get("/")).status == 500


async def test_value_that_json_cannot_encode_is_a_500(app, client):
    @app.route("/")
    def handler(request, response):
        response.json = float("nan")

    assert (await client.get("/")).status == 500


async def test_disconnected_client_is_not_logged(app, client, failing, caplog):
    app.listen("error")(lambda error: pytest.fail("told"))
    failing(ClientDisconnected("gone"))
    assert (await client.get("/")).status == 400
    assert caplog.records == []


async def test_on_error_may_be_overridden(app, client, failing):
    async def on_error(request, response, error):
        response.body = f"mine: {error}"

    app.on_error = on_error
    failing(ValueError("text"))
    assert (await client.get("/")).body == b"mine: text"


@pytest.mark.parametrize("name", ["Content-Type", "content-type"])
async def test_a_path_is_never_html_whatever_type_was_set_before(client, app, name):
    @app.listen("headers")
    def all_is_html(response):
        response.headers[name] = "text/html; charset=utf-8"

    response = await client.get("/<script>alert(1)</script>")
    assert response.body == b"/<script>alert(1)</script>"
    assert described(response) == {"Content-Type": "text/plain; charset=utf-8"}


async def test_a_page_that_a_listener_gives_for_an_error_keeps_its_type(client, app):
    @app.listen("headers")
    def all_is_html(response):
        response.headers["Content-Type"] = "text/html; charset=utf-8"

    @app.listen("error")
    def show(response, error):
        response.body = f"<h1>{error.status.phrase}</h1>"

    response = await client.get("/nowhere")
    assert response.body == b"<h1>Not Found</h1>"
    assert described(response) == {"Content-Type": "text/html; charset=utf-8"}


async def test_fields_of_the_failed_body_are_not_sent_with_the_error(client, app):
    @app.route("/")
    def handler(request, response):
        response.headers |= {"Content-Encoding": "gzip", "etag": '"1"', "X-Kept": "yes"}
        raise HttpError(400, "text")

    headers = described(await client.get("/"))
    assert headers == {"X-Kept": "yes", "Content-Type": "text/plain; charset=utf-8"}


async def test_no_request_writes_a_line_of_the_log_by_itself(client, app, caplog):
    @app.route("/{name}")
    def handler(request, response, name):
        raise RuntimeError

    await client.get("/a%0AINFO%20admin%20logged%20in%1B")
    assert caplog.messages == ["Unexpected exception: GET /a%0AINFO%20admin%20logged%20in%1B"]


async def test_an_error_listener_that_fails_is_logged_whoever_reports_errors(client, app, caplog):
    app.log_errors = False

    @app.listen("error")
    def fail(error):
        raise RuntimeError("in the listener")

    assert (await client.get("/nowhere")).status == 500
    assert [str(record.exc_info[1]) for record in caplog.records] == ["in the listener"]


@pytest.mark.parametrize("body", ["", b"", None, "0", "/", "a", "/a.b", "[]", "{}"], ids=repr)
@pytest.mark.parametrize("kind", ["application/json", "text/html", "image/svg+xml"])
async def test_a_type_that_an_error_listener_sets_is_kept(client, app, body, kind):
    @app.listen("error")
    def show(response):
        response.headers["content-type"] = kind
        response.body = body

    assert described(await client.get("/a.b/0[]{}")) == {"content-type": kind}


@pytest.mark.parametrize("body", ["", b"", "0", "/"], ids=repr)
@pytest.mark.parametrize("event", ["headers", "request", "response"])
async def test_a_type_that_a_listener_sets_is_kept(client, app, event, body):
    app.route("/{rest:path}")(lambda request, response, rest: None)

    @app.listen(event)
    def answer(response):
        response.headers["Content-Type"] = "application/json"
        response.body = body
        return True

    assert (await client.get("/0/")).headers["Content-Type"] == "application/json"


async def test_type_that_an_error_sets_is_kept(client, app):
    @app.route("/{name}")
    def handler(request, response, name):
        response.headers["Content-Type"] = "application/json"
        raise HttpError(400, name)

    response = await client.get("/null")
    assert response.body == b"null"
    assert described(response) == {"Content-Type": "application/json"}


async def test_markup_of_a_path_is_plain_whoever_set_the_type(client, app):
    @app.listen("error")
    def all_is_html(response):
        response.headers["Content-Type"] = "text/html; charset=utf-8"

    response = await client.get("/<script>alert(1)</script>")
    assert described(response) == {"Content-Type": "text/plain; charset=utf-8"}


ATTACK = "<script>alert(1)</script>"


@pytest.mark.parametrize(
    "kind",
    [
        "text/html",
        "text/html; charset=utf-8",
        "TEXT/HTML",
        "application/xhtml+xml",
        "image/svg+xml",
        "text/xml",
        "image/png",
        "nonsense",
        "application/json, text/html",
        "",
        " ",
        ["text/html"],
    ],
    ids=repr,
)
@pytest.mark.parametrize("name", ["Content-Type", "content-type"])
@pytest.mark.parametrize("where", ["handler", "headers", "request"])
async def test_text_of_a_client_is_never_markup_in_an_error(client, app, kind, name, where):
    def refuse(request, response):
        response.headers[name] = kind
        raise HttpError(400, f"Bad name: {request.query.get('name')}")

    if where == "handler":
        app.route("/")(refuse)
    else:
        app.route("/")(lambda request, response: None)
        app.listen(where)(refuse)
    response = await client.get("/", params={"name": ATTACK})
    assert response.text == f"Bad name: {ATTACK}"
    assert described(response) == {"Content-Type": "text/plain; charset=utf-8"}


async def test_bytes_of_a_client_are_never_markup_in_an_error(client, app):
    @app.route("/")
    def refuse(request, response):
        response.html = "<p>"
        raise HttpError(400, request.query.get("name").encode())

    await client.get("/", params={"name": ATTACK})
    assert b"Content-Type: application/octet-stream\r\n" in client.protocol.transport.data


@pytest.mark.parametrize(
    "kind", ["application/json", "application/problem+json; charset=utf-8", "text/plain"]
)
async def test_type_that_is_not_markup_is_kept_for_any_error(client, app, kind):
    @app.route("/")
    def refuse(request, response):
        response.headers["Content-Type"] = kind
        raise HttpError(400, ATTACK)

    assert described(await client.get("/")) == {"Content-Type": kind}


async def test_error_may_set_its_own_type(client, app):
    @app.route("/")
    def refuse(request, response):
        error = HttpError(400, "<h1>No</h1>")
        error.headers = {"Content-Type": "text/html"}
        raise error

    assert described(await client.get("/")) == {"Content-Type": "text/html"}


async def test_text_without_markup_is_plain_where_the_type_is_empty(client, app):
    @app.route("/")
    def refuse(request, response):
        response.headers["Content-Type"] = ""
        raise HttpError(400, "text")

    assert described(await client.get("/")) == {"Content-Type": "text/plain; charset=utf-8"}


class Closable:
    """A stream that tells when it is closed."""

    def __init__(self):
        self.closed = 0

    def __aiter__(self):
        return self

    async def __anext__(self):
        raise StopAsyncIteration

    async def aclose(self):
        self.closed += 1


@pytest.mark.parametrize("error", [HttpError(402), ValueError("wrong")])
@pytest.mark.parametrize("event", [None, "error", "response"])
async def test_stream_that_an_error_replaces_is_closed(app, liveclient, error, event):
    streams = []

    @app.route("/")
    def handler(request, response):
        set_stream(response)
        if event != "response":
            raise error

    def set_stream(response):
        streams.append(Closable())
        response.body = streams[-1]

    if event is not None:

        @app.listen(event)
        def listener(response):
            if event == "error":
                set_stream(response)  # of the error page
            raise error

    assert (await liveclient.get("/")).status >= 400
    assert [stream.closed for stream in streams] == [1] * (2 if event == "error" else 1)


async def test_answer_of_an_error_does_not_wait_for_the_stream_that_it_replaces(app, client):
    """Before, a dead server behind a proxy held up even the 503 of a time limit."""
    released, closed = asyncio.Event(), asyncio.Event()

    class Upstream:
        def __aiter__(self):
            return self

        async def __anext__(self):
            raise StopAsyncIteration

        async def aclose(self):
            await released.wait()
            closed.set()

    @app.route("/")
    async def view(request, response):
        response.body = Upstream()
        raise HttpError(400, "no")

    async with asyncio.timeout(20):
        assert (await client.get("/")).status == 400
        assert not closed.is_set()
        released.set()
        await closed.wait()
