"""Arguments of another type or value: each is an error that says what is wrong, at once."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import re
from collections import UserString
from decimal import Decimal
from http import HTTPStatus
from pathlib import PurePosixPath
from urllib.parse import urlsplit

import pytest

from roll_http import (
    Cookies,
    HttpError,
    HTTPProtocol,
    Limits,
    Request,
    Response,
    Server,
    parse_cookies,
)
from roll_http.application import check_application

LAST = b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc"


@pytest.mark.parametrize("code", ["404", 999, True, b"4", [404], {}, 404.5])
def test_an_error_has_a_registered_status(code):
    with pytest.raises(ValueError, match=r"is not an HTTP status: give .* such as 404"):
        HttpError(code)


@pytest.mark.parametrize("code", ["200", None, 99, 200.5, [200], {}, b"2"])
def test_a_response_has_a_registered_status(code):
    response = Response(None, None)
    response.status = 404
    with pytest.raises(ValueError, match=r"is not an HTTP status: give .* such as 200"):
        response.status = code
    assert response.status == 404


async def location():
    """Return nothing: nobody awaits it."""


NO_LOCATIONS = {
    "None": None,
    "bytes": b"/a",
    "bytearray": bytearray(b"/a"),
    "memoryview": memoryview(b"/"),
    "int": 5,
    "bool": True,
    "float": 1.5,
    "decimal": Decimal(5),
    "status": HTTPStatus.FOUND,
    "list": ["/a", "/b", "/c"],
    "tuple": ("/",),
    "three": ("/", 302, 1),
    "dict": {"/": 302},
    "set": {"/a"},
    "empty": (),
    "parts of a URL": urlsplit("/a"),
    "object": object(),
    "class": str,
    "function": location,
    "generator": (one for one in "/"),
    "iterator": iter("/"),
}


@pytest.mark.parametrize("wrap", [lambda to: to, lambda to: (to, 301)], ids=["alone", "in a pair"])
@pytest.mark.parametrize("to", NO_LOCATIONS.values(), ids=NO_LOCATIONS)
def test_a_redirect_is_a_location_or_a_pair(to, wrap):
    response = Response(None, None)
    with pytest.raises(TypeError, match="takes a location, or a pair of location and status"):
        response.redirect = wrap(to)
    assert response.headers == {}
    assert response.status == HTTPStatus.OK


@pytest.mark.parametrize("wrap", [lambda to: to, lambda to: (to, 301)], ids=["alone", "in a pair"])
def test_a_coroutine_as_a_location_is_closed(wrap):
    made = location()
    with pytest.raises(TypeError, match=r"not (a pair of )?coroutine( and status)?$"):
        Response(None, None).redirect = wrap(made)
    assert inspect.getcoroutinestate(made) == inspect.CORO_CLOSED


@pytest.mark.parametrize(
    "to", ["/a", UserString("/a"), PurePosixPath("/a")], ids=lambda to: type(to).__name__
)
def test_a_location_is_text_or_an_object_with_a_text_of_its_own(to):
    response = Response(None, None)
    response.redirect = to
    assert response.redirect == (to, HTTPStatus.FOUND)
    response.redirect = [to, 301]
    assert response.redirect == (to, HTTPStatus.MOVED_PERMANENTLY)


@pytest.mark.parametrize("header", [None, b"a=b", 5, ["a"], {}])
def test_a_cookie_header_is_text(header):
    with pytest.raises(TypeError, match="A Cookie header is text, not"):
        parse_cookies(header)


@pytest.mark.parametrize("value", ["false", 0, None])
def test_cancel_on_disconnect_is_true_or_false(value):
    with pytest.raises(TypeError, match="on_disconnect` is True or False, not"):
        Request(None, None).cancel_on_disconnect = value


@pytest.mark.parametrize("limit", ["10", 1.5, [10]])
@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("streamed", [False, True])
async def test_max_body_is_a_whole_number(serve, caplog, limit, whole, streamed):
    async def handler(request, response):
        request.max_body = limit
        if streamed:
            async for _ in request:
                pass
        else:
            await request.read()

    connection = await (await serve(handler)).connect()
    connection.send(LAST if whole else LAST[:-1])
    head = await connection.head()
    if streamed and whole:
        return
    assert head.startswith("HTTP/1.1 500 ")
    assert "`request.max_body` is a number of bytes, or None for no limit, not" in caplog.text


@pytest.mark.parametrize("limits", [None, {"body": 1}, 5, Limits])
async def test_the_limits_of_an_application_are_limits(serve, caplog, limits):
    peer = await serve()
    peer.app.limits = limits
    connection = await peer.connect()
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await connection.exactly(1)
    assert "The `limits` of an application are a roll_http.Limits, not" in caplog.text
    assert len(caplog.records) == 1


class Whole:
    Request = Request
    Response = Response
    Cookies = Cookies
    limits = Limits()

    async def __call__(self, request, response):
        return response


WRONG_APPLICATIONS = {
    "the class itself": (Whole, "is an object, not a class: write `Whole()`"),
    "no call": (type("App", (), {"limits": Limits()})(), "App is not an application: it needs "),
    "no Request": (type("App", (Whole,), {"Request": None})(), "`Request` of the application App"),
    "no Response": (type("App", (Whole,), {"Response": 5})(), "`Response` of the application App"),
    "no Cookies": (type("App", (Whole,), {"Cookies": {}})(), "`Cookies` of the application App"),
}


@pytest.mark.parametrize("wrong", WRONG_APPLICATIONS)
async def test_wrong_application_is_logged_at_its_first_connection(caplog, wrong):
    app, message = WRONG_APPLICATIONS[wrong]
    server = Server(lambda: HTTPProtocol(app))
    await server.listen("127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    with contextlib.suppress(ConnectionError):
        assert await reader.read() == b""
    writer.close()
    await server.stop()
    assert message in caplog.text


def test_application_without_a_name_of_its_class_attribute_says_which_is_missing():
    bare = type("Bare", (), {"limits": Limits(), "__call__": Whole.__call__})()
    with pytest.raises(TypeError, match="`Request` of the application Bare is None: write"):
        check_application(bare)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((None,), "The factory of protocols is a plain function, not None"),
        (("app",), "The factory of protocols is a plain function, not 'app'"),
        ((HTTPProtocol, {"body": 1}), "`limits` cannot be {'body': 1}: write `Limits(...)`"),
        ((HTTPProtocol, None, "cert.pem"), "`tls` is not 'cert.pem': write `ssl.create_default_"),
        ((HTTPProtocol, None, True), "`tls` is not True"),
        ((HTTPProtocol,), "The factory of protocols is called without arguments: <class"),
        ((lambda loop: None,), "The factory of protocols is called without arguments: <function"),
    ],
)
def test_server_refuses_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        Server(*arguments)


@pytest.mark.parametrize("seconds", ["5", -1, float("nan"), True, [1]])
async def test_stop_with_an_invalid_time_raises_and_the_server_continues(serve, seconds):
    peer = await serve()
    for end in (peer.server.stop, peer.server.drain):
        with pytest.raises(ValueError, match="must be a number of seconds"):
            await end(seconds)
    assert (await peer.exchange(LAST)).startswith("HTTP/1.1 200 ")


@pytest.mark.parametrize("made", [None, 5])
async def test_a_factory_that_makes_no_protocol_is_logged(serve, caplog, made):
    peer = await serve()
    peer.server._factory = lambda: made
    connection = await peer.connect()
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await connection.exactly(1)
    assert "No protocol could be made for a connection" in caplog.text


class Value:
    """An object that is not a response."""


@pytest.mark.parametrize("given", ["text", 5, ("a",), Value(), {"a": 1}, b"bytes"])
@pytest.mark.parametrize("whole", [False, True])
async def test_log_names_a_returned_object_that_is_not_a_response(serve, caplog, given, whole):
    async def handler(request, response):
        return given

    connection = await (await serve(handler)).connect()
    connection.send(LAST if whole else LAST[:-1])
    assert (await connection.head()).startswith("HTTP/1.1 500 ")
    (record,) = caplog.records
    assert f"it is a {type(given).__name__}, not a Response" in record.getMessage()


async def old_style(self):
    """Gave an iterator to be awaited, in Python 3.5."""
    return self


@pytest.mark.parametrize("given", [5, [1], None, "a coroutine"])
async def test_aiter_that_returns_no_iterator_is_a_500_and_the_log_says_why(
    serve, caplog, recwarn, given
):
    aiter_ = old_style if given == "a coroutine" else lambda self: given

    async def handler(request, response):
        response.body = type("Body", (), {"__aiter__": aiter_})()

    answer = await (await serve(handler)).exchange(LAST)
    assert answer.startswith("HTTP/1.1 500 ")
    assert "`__aiter__` of Body returned a" in caplog.text
    assert not recwarn.list


@pytest.mark.parametrize("length", ["9" * 21, "9" * 5000, "-1", "1.0", "", "٣"])
@pytest.mark.parametrize("streamed", [False, True])
async def test_invalid_content_length_is_a_500_and_the_log_names_it(
    serve, caplog, length, streamed
):
    async def handler(request, response):
        response.headers["Content-Length"] = length
        response.body = iter(["a"]) if streamed else "a"

    assert (await (await serve(handler)).exchange(LAST)).startswith("HTTP/1.1 500 ")
    assert "is not a number of bytes" in caplog.text


class Odd(BaseException):
    """Neither an error of an application, nor the end of the program."""


class Failing:
    """An iterator that raises after its item, or when it is closed."""

    def __init__(self, error, place):
        self.error, self.place, self.asked = error, place, 0

    def __aiter__(self):
        return self

    async def __anext__(self):
        self.asked += 1
        if self.asked == 1:
            return b"item"
        raise self.error if self.place == "item" else StopAsyncIteration

    async def aclose(self):
        if self.place == "close":
            raise self.error


ODD = [asyncio.CancelledError("broken"), Odd("broken")]
OF_ITEMS = [*ODD, GeneratorExit("broken")]
NEXT = b"GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


@pytest.fixture
def failing(serve):
    """A client that has got the item of a stream which then fails."""

    async def failing(error, place):
        async def handler(request, response):
            if request.method == "POST":
                response.body = Failing(error, place)

        failing.peer = await serve(handler)
        connection = await failing.peer.connect()
        connection.send(LAST.replace(b"Connection: close\r\n", b""))
        await connection.until(b"item\r\n")
        return connection

    return failing


@pytest.mark.parametrize("error", OF_ITEMS, ids=lambda error: type(error).__name__)
async def test_any_exception_of_a_stream_is_logged_once_and_resets_the_connection(
    failing, caplog, error
):
    connection = await failing(error, "item")
    with pytest.raises(ConnectionError):
        await connection.rest()
    (record,) = caplog.records
    assert record.exc_info[1] is error
    assert not any(failing.peer.server.connections)


@pytest.mark.parametrize("error", ODD, ids=lambda error: type(error).__name__)
async def test_any_exception_of_closing_a_stream_is_logged_once(failing, caplog, error):
    connection = await failing(error, "close")
    connection.send(NEXT)
    assert (await connection.rest()).startswith(b"0\r\n\r\nHTTP/1.1 200 ")
    (record,) = caplog.records
    assert record.exc_info[1] is error
