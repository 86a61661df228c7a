"""The extensions `options`, `websockets_store`, `traceback` and `igniter`."""

import logging

import pytest
from websockets.asyncio.client import connect

from roll import HttpError
from roll.extensions import igniter, observe, options, traceback, websockets_store
from roll.testing import Client

ALLOWED = "GET, HEAD, POST, PUT, DELETE, TRACE, OPTIONS, PATCH"


async def test_options_of_any_path_are_answered(app, client):
    options(app)
    assert (await client.options("/nowhere")).status == 200
    assert (await client.get("/nowhere")).status == 404


async def test_options_star_lists_the_allowed_methods(app, client):
    options(app)
    response = await client.options("*")
    assert (response.status, response.headers["Allow"]) == (200, ALLOWED)


async def test_open_websockets_are_kept(app, liveclient):
    websockets_store(app)

    @app.route("/", protocol="websocket")
    async def tell(request, ws):
        async for _ in ws:
            for peer in app["websockets"]:
                await peer.send(str(len(app["websockets"])))

    assert app["websockets"] == set()
    async with connect(liveclient.wsl) as one, connect(liveclient.wsl) as two:
        await one.send("?")
        assert (await one.recv(), await two.recv()) == ("2", "2")
    await liveclient.stop()
    assert app["websockets"] == set()


async def test_the_traceback_of_a_500_is_printed_and_its_text_shown(app, client, capsys, caplog):
    traceback(app)

    @app.route("/")
    async def handler(request, response):
        raise ValueError("what <happened>")

    response = await client.get("/")
    assert (response.status, response.body) == (500, b"what <happened>")
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    printed = capsys.readouterr().err
    assert "Traceback (most recent call last)" in printed
    assert "ValueError: what <happened>" in printed
    assert caplog.records == []


async def test_a_500_on_purpose_is_printed_too_and_others_are_not(app, client, capsys):
    traceback(app)

    @app.route("/{code:digit}")
    async def handler(request, response, code):
        raise HttpError(int(code), "message")

    assert (await client.get("/500")).body == b"message"
    assert "500 message" in capsys.readouterr().err
    assert (await client.get("/404")).body == b"message"
    assert capsys.readouterr().err == ""


async def test_intended_500_keeps_its_message(app, client, capsys):
    traceback(app)

    @app.route("/")
    async def handler(request, response):
        try:
            response.headers["where it began"]
        except KeyError as error:
            raise HttpError(500, "message") from error

    assert (await client.get("/")).body == b"message"
    printed = capsys.readouterr().err
    assert "where it began" in printed
    assert "500 message" in printed


async def test_no_listener_keeps_a_traceback_from_being_printed(app, client, capsys, caplog):
    @app.listen("error")
    def fail(error):
        raise RuntimeError("in the listener")

    traceback(app)

    @app.route("/")
    async def handler(request, response):
        raise ValueError("what happened")

    assert (await client.get("/")).body == b"Internal Server Error"
    assert "ValueError: what happened" in capsys.readouterr().err
    assert [str(record.exc_info[1]) for record in caplog.records] == ["in the listener"]


async def test_the_traceback_of_a_websocket_is_printed(app, liveclient, capsys, caplog):
    traceback(app)

    @app.route("/", protocol="websocket")
    async def handler(request, ws):
        raise ValueError("what happened")

    async with connect(liveclient.wsl) as peer:
        await peer.wait_closed()
    await liveclient.stop()
    assert "ValueError: what happened" in capsys.readouterr().err
    assert caplog.records == []


async def test_the_banner_is_logged_on_startup(app, caplog):
    igniter(app)
    caplog.set_level(logging.DEBUG, "roll")
    await app.startup()
    (record,) = caplog.records
    assert record.levelno == logging.DEBUG
    assert "ready to roll" in record.getMessage()


async def never():
    """Never started."""


@pytest.mark.parametrize("make", [never, lambda: (x for x in "a")], ids=["coroutine", "generator"])
@pytest.mark.parametrize("hook", ["observe", "answered"])
async def test_report_that_never_started_is_logged(app, caplog, hook, make):
    if hook == "observe":
        observe(app, lambda request, response, size, seconds: make())
    elif make is never:
        return  # Roll awaits it
    else:
        app.listen("answered")(lambda request, response: make())
    app.route("/")(lambda request, response: None)
    async with Client(app) as watched:  # `observe` holds for the connections made from now on
        assert (await watched.get("/")).status == 200
    assert "which never started" in caplog.text
