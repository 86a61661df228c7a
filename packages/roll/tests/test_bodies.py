"""Invalid bodies: a 500, and a line in the log that names the handler and what to write."""

import asyncio
from types import SimpleNamespace

import pytest

from roll import HttpError
from roll.advice import described


async def work(): ...


class Object:
    pass


def later(make):
    return asyncio.ensure_future(make())


MISTAKES = [
    (work, "a coroutine, work(): `await` it first"),
    (lambda: later(work), "a Task: `await` it first"),
    (lambda: {"a": 1}, "a dict: set `response.json` instead"),
    (lambda: [1], "a list: set `response.json` instead"),
    (lambda: ({}, 404), "a tuple: set `response.json` instead"),
    (lambda: {1}, "a set: set `response.json` instead"),
    (lambda: len, "<built-in function len>: call it, and `await` the call if it is async"),
    (Object, "a Object, which has no `__str__` of its own: give text, bytes or an iterator, or"),
]


@pytest.mark.parametrize(("make", "text"), MISTAKES, ids=map(str, range(len(MISTAKES))))
@pytest.mark.parametrize("lazy", [False, True])
async def test_invalid_body_is_a_500_and_the_log_names_the_handler(
    app, client, caplog, make, text, lazy
):
    seen = []
    app.listen("error")(lambda error: seen.append(error.message))

    @app.route("/", lazy_body=lazy)
    async def handler(request, response):
        response.headers["ETag"] = "x"
        response.body = make()

    response = await client.get("/")
    assert (response.status, response.body) == (500, b"Internal Server Error")
    (record,) = caplog.records
    assert record.getMessage() == "Unexpected exception: GET /"
    expected = f"`response.body` is {text}"
    line = caplog.text.splitlines()[-1]
    assert expected in line
    assert line.endswith(f". The handler is {described(handler)}")
    assert __file__.endswith(described(handler).partition("(")[2].partition(":")[0])
    assert len(seen) == 1
    assert seen[0].startswith(expected)


async def test_invalid_bodies_of_heads_and_listeners_are_logged_too(app, client, caplog):
    @app.route("/page")
    def page(request, response):
        response.body = {}

    @app.listen("headers")
    def answer(request, response):
        response.body = []
        return request.path != "/page"

    assert (await client.head("/page")).status == 500
    assert f"a dict: set `response.json` instead. The handler is {described(page)}" in caplog.text
    assert (await client.get("/nowhere")).status == 500
    assert "The handler is none: a listener answered" in caplog.text


async def test_invalid_body_of_an_error_listener_is_logged(app, client, caplog):
    @app.listen("error")
    def show(response, error):
        response.body = {"error": error.message}

    assert (await client.get("/")).status == 500
    assert caplog.text.count("`response.body` is a dict: set `response.json` instead") == 2


async def test_files_of_a_request_are_closed_after_an_invalid_body(app, client):
    files = []

    @app.route("/", methods=["POST"])
    async def handler(request, response):
        files.append(request.files.get("file"))
        response.body = {}

    response = await client.post("/", files={"file": ("x" * 2_000_000, "a.txt")})
    assert (response.status, files[0].closed) == (500, True)


@pytest.mark.parametrize(
    "make",
    [
        lambda: bytearray(b"text"),
        lambda: memoryview(b"text"),
        lambda: iter(["te", "xt"]),
        lambda: SimpleText(),  # noqa: PLW0108 - it is below
    ],
    ids=map(str, range(4)),
)
async def test_a_body_that_is_one_is_sent(app, client, make):
    app.route("/")(lambda request, response: setattr(response, "body", make()))
    assert (await client.get("/")).body == b"text"


class SimpleText(SimpleNamespace):
    def __str__(self):
        return "text"


async def test_message_of_an_error_that_is_a_coroutine_is_a_500(app, client, caplog):
    @app.route("/")
    async def handler(request, response):
        raise HttpError(404, work())

    assert (await client.get("/")).status == 500
    assert "The message of an `HttpError` is never awaited" in caplog.text
