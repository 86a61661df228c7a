"""Classes of an application: their exceptions are answered or logged once."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

import pytest

from roll_http import Cookies, HttpError, HTTPProtocol, Request, Response

NEXT = b"GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
REQUESTS = {
    "GET": b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "HTTP/1.0": b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    "a body": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
    "chunks": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3\r\nabc\r\n0\r\n\r\n",
}


class Odd(BaseException):
    """Neither an error of an application, nor the end of the program."""


class Taken(HttpError):
    status = 409
    message = "taken"


class Unfinished(HttpError):
    def __init__(self):
        pass


def fail(error):
    """Raise an error, and note that it was raised."""
    error.raised = True
    raise error


def raiser(error):
    def raise_it(*_, **__):
        fail(error)

    return raise_it


def in_constructor(error):
    return {"Request": raiser(error)}


def in_init(error):
    class Failing(Request):
        def __init__(self, app, connection):
            super().__init__(app, connection)
            fail(error)

    return {"Request": Failing}


def in_set_head(error):
    class Failing(Request):
        def set_head(self, head):
            super().set_head(head)
            fail(error)

    return {"Request": Failing}


def in_attach(error):
    class Failing(Request):
        attach_body = attach_whole = raiser(error)

    return {"Request": Failing}


def in_response(error):
    return {"Response": raiser(error)}


def in_request_of_response(error):
    class Failing(Response):
        request = property(lambda self: None, raiser(error))

    return {"Response": Failing}


def in_request_cookies(error):
    return {"Cookies": raiser(error)}


BEFORE = [
    *(in_constructor, in_init, in_set_head, in_attach),
    *(in_response, in_request_of_response, in_request_cookies),
]

PLACES = [
    (place, request)
    for place in BEFORE
    for request in REQUESTS
    if place is not in_attach or request in {"a body", "chunks"}
]


def swap(peer, place, error):
    """Replace a class of a server until it has raised; the next request is ordinary."""
    plain = {"Request": Request, "Response": Response, "Cookies": Cookies}
    parts = place(error)

    class App(type(peer.app)):
        def __getattribute__(self, name):
            if name in parts and not hasattr(error, "raised"):
                return parts[name]
            return plain.get(name) or super().__getattribute__(name)

    peer.app.__class__ = App


async def echo(request, response):
    response.headers["X-Cookies"] = str(dict(request.cookies))
    response.body = await request.read() or "nothing"


@pytest.mark.parametrize(("place", "request_"), PLACES)
async def test_an_http_error_of_a_class_is_its_answer(serve, caplog, place, request_):
    cookie = b"\r\nCookie: a=b\r\n\r\n"
    peer = await serve(echo)
    swap(peer, place, Taken())
    answer = await peer.exchange(REQUESTS[request_].replace(b"\r\n\r\n", cookie, 1) + NEXT)
    assert answer.startswith("HTTP/1.1 409 Conflict\r\n")
    assert "\r\n\r\ntaken" in answer
    assert answer.endswith("nothing")
    assert not caplog.records


ERRORS = [RuntimeError, asyncio.CancelledError, Odd, Unfinished]


@pytest.mark.parametrize("kind", ERRORS)
@pytest.mark.parametrize(("place", "request_"), PLACES)
async def test_any_other_error_of_a_class_is_logged_once_and_a_500(
    serve, caplog, place, request_, kind
):
    error = kind()
    peer = await serve(echo)
    swap(peer, place, error)
    cookie = b"\r\nCookie: a=b\r\n\r\n"
    answer = await peer.exchange(REQUESTS[request_].replace(b"\r\n\r\n", cookie, 1) + NEXT)
    assert answer.startswith("HTTP/1.1 500 Internal Server Error\r\n")
    assert answer.endswith("nothing")
    (record,) = caplog.records
    assert record.getMessage().startswith("The application ")
    assert record.exc_info[1] is error


def in_status(error):
    class Failing(Response):
        status = property(raiser(error), lambda self, status: None)

    return Failing


def in_headers(error):
    class Failing(Response):
        headers = property(raiser(error), lambda self, headers: None)

    return Failing


def in_body(error):
    class Failing(Response):
        body = property(raiser(error), lambda self, body: None)

    return Failing


def in_cookie_lines(error):
    class Failing(Response):
        cookie_lines = property(raiser(error))

    return Failing


def in_cookies(error):
    class Failing(Response):
        cookies = property(raiser(error))

    return Failing


def in_content_type(error):
    class Failing(Response):
        add_content_type = property(raiser(error))

        def __init__(self, *arguments):
            super().__init__(*arguments)
            self.body = "text"

    return Failing


def in_a_header(error):
    class Failing(Response):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            self.headers["A"] = type("Value", (), {"__str__": raiser(error)})()

    return Failing


WHILE_SENT = [
    *(in_status, in_headers, in_body, in_cookie_lines, in_cookies, in_content_type, in_a_header),
]


@pytest.mark.parametrize("kind", [*ERRORS, Taken])
@pytest.mark.parametrize("place", WHILE_SENT)
@pytest.mark.parametrize("request_", [*REQUESTS, "a part of a body"])
async def test_an_error_while_a_response_is_sent_is_logged_once_and_a_500(
    serve, caplog, place, request_, kind
):
    error = kind()

    async def nothing(request, response):
        pass

    peer = await serve(nothing)
    peer.app.Response = place(error)
    sent = REQUESTS.get(request_) or REQUESTS["a body"][:-1]
    connection = await peer.connect()
    connection.send(sent)
    assert (await connection.head()).startswith("HTTP/1.1 500 Internal Server Error\r\n")
    assert (await connection.rest()) == b"Internal Server Error"
    (record,) = caplog.records
    assert "can't be sent" in record.getMessage()


@pytest.mark.parametrize("returned", [False, True])
async def test_stream_is_sent_though_reading_the_body_attribute_fails_later(
    serve, caplog, returned
):
    begun = []

    async def items():
        begun.append(True)
        yield b"item"

    class Losing(Response):
        @property
        def body(self):
            if begun:
                raise RuntimeError("lost")
            return items()

        @body.setter
        def body(self, body):
            """A class that has the attribute already."""

    async def handler(request, response):
        return Losing(None, None) if returned else None

    peer = await serve(handler)
    peer.app.Response = Response if returned else Losing
    assert "\r\nitem\r\n0\r\n\r\n" in await peer.exchange(NEXT)
    assert not caplog.records


@pytest.mark.parametrize("name", ["method", "keep_alive", "version"])
async def test_an_error_of_a_request_while_it_is_answered_is_logged_once_and_a_500(
    serve, caplog, name
):
    class Failing(Request):
        ready = False

    def fail(self, *_):
        if self.ready:
            raise RuntimeError("broken")

    def get(self):
        fail(self)
        return {"method": "GET", "keep_alive": True, "version": "1.1"}[name]

    setattr(Failing, name, property(get, fail))

    async def handler(request, response):
        request.ready = True
        response.body = "hello"

    peer = await serve(handler)
    peer.app.Request = Failing
    answer = await peer.exchange(REQUESTS["GET"])
    assert answer.startswith("HTTP/1.1 500 ")
    assert "\r\nConnection: close\r\n" in answer
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    ("message", "text"),
    [({"a": 1}, "{'a': 1}"), ([1], "[1]"), (b"bytes", "bytes"), (5, "5"), (memoryview(b"v"), "v")],
)
async def test_the_message_of_an_http_error_is_any_value(serve, caplog, message, text):
    async def handler(request, response):
        raise HttpError(400, message)

    answer = await (await serve(handler)).exchange(NEXT)
    assert answer.startswith("HTTP/1.1 400 ")
    assert answer.endswith(f"\r\n\r\n{text}")
    assert not caplog.records


async def test_an_error_that_has_no_text_is_logged_and_a_500(serve, caplog):
    class Mute(Exception):
        __str__ = raiser(RuntimeError("no text"))

    async def nothing(request, response):
        pass

    peer = await serve(nothing)
    peer.app.Response = in_headers(Mute())
    assert (await peer.exchange(NEXT)).startswith("HTTP/1.1 500 ")
    (record,) = caplog.records
    assert record.getMessage().endswith("Mute")


async def test_an_http_error_whose_message_has_no_text_is_a_500(serve, caplog):
    async def handler(request, response):
        raise HttpError(400, type("Value", (), {"__str__": raiser(RuntimeError("broken"))})())

    assert (await (await serve(handler)).exchange(NEXT)).startswith("HTTP/1.1 500 ")
    assert len(caplog.records) == 1


# What a subclass gives in place of what is kept.


class Shifted(Response):
    """Its status is another than the one that was set."""

    @property
    def status(self):
        return HTTPStatus(super().status + 1)

    @status.setter
    def status(self, code):
        Response.status.fset(self, code)


class Fixed(Response):
    status = 201


class Checked(Response):
    """Only what its setter does is its own."""

    @Response.status.setter
    def status(self, code):
        Response.status.fset(self, code + 1)


@pytest.mark.parametrize("request_", [NEXT, NEXT.replace(b"Connection: close\r\n", b"")])
@pytest.mark.parametrize("kind", [Shifted, Fixed, Checked])
async def test_an_overridden_status_is_sent(serve, kind, request_):
    async def handler(request, response):
        if kind is not Fixed:
            response.status = 201 if kind is Checked else 200
        else:
            assert response.status == 201

    peer = await serve(handler)
    peer.app.Response = kind
    answer = await peer.exchange(request_ + NEXT)
    assert answer.startswith(f"HTTP/1.1 {202 if kind is Checked else 201} ")


@pytest.mark.parametrize("status", [299, 99, "200", None, 200.5, [200]])
async def test_overridden_status_that_is_invalid_is_logged_and_a_500(serve, caplog, status):
    wrong = type("Wrong", (Response,), {"status": property(lambda self: status)})

    async def handler(request, response):
        response.body = "hello"

    peer = await serve(handler)
    peer.app.Response = wrong
    answer = await peer.exchange(REQUESTS["GET"])
    assert answer.startswith("HTTP/1.1 500 ")
    (record,) = caplog.records
    assert f"{status!r} is not an HTTP status" in record.getMessage()


async def test_overridden_cookies_are_sent(serve):
    class Kept(Response):
        __slots__ = ("kept",)

        @property
        def cookies(self):
            try:
                return self.kept
            except AttributeError:
                self.kept = Cookies()
                return self.kept

    async def handler(request, response):
        response.cookies.set("a", "b")
        assert response.has_cookies

    peer = await serve(handler)
    peer.app.Response = Kept
    assert "Set-Cookie: a=b; Path=/\r\n" in await peer.exchange(REQUESTS["GET"] + NEXT)


def test_shortcuts_read_overridden_headers():
    class Fixed(Request):
        @property
        def headers(self):
            return {
                "COOKIE": "a=b",
                **dict.fromkeys(("CONTENT-TYPE", "HOST", "REFERER", "ORIGIN"), "x"),
            }

    request = Fixed(None, None)
    assert request.cookies == {"a": "b"}
    assert (request.content_type, request.host, request.referrer, request.origin) == ("x",) * 4


# The observers.


@pytest.mark.parametrize("size", [5, 200_000])
@pytest.mark.parametrize("kind", [RuntimeError, Odd, GeneratorExit])
async def test_an_answer_is_whole_though_on_answered_raises(serve, caplog, size, kind):
    class Failing(HTTPProtocol):
        def on_answered(self, request, response, size):
            raise kind("observer")

    async def handler(request, response):
        response.body = "x" * size

    peer = await serve(handler)
    peer.server._factory = lambda: Failing(peer.app)
    answer = await peer.exchange(REQUESTS["GET"] + NEXT)
    assert answer.count("x" * size) == 2
    assert [record.getMessage().split(".")[-1] for record in caplog.records] == [
        "on_answered failed"
    ] * 2


@pytest.mark.parametrize("result", [5, "awaitable"])
async def test_result_of_on_answered_is_ignored(serve, caplog, result):
    given = asyncio.get_running_loop().create_future() if result == "awaitable" else result

    class Returning(HTTPProtocol):
        def on_answered(self, request, response, size):
            return given

    peer = await serve(echo)
    peer.server._factory = lambda: Returning(peer.app)
    assert (await peer.exchange(NEXT)).endswith("nothing")
    assert ("is called, not awaited" in caplog.text) == (result == "awaitable")


async def test_async_on_answered_is_logged_as_an_error(serve, caplog, recwarn):
    class Failing(HTTPProtocol):
        async def on_answered(self, request, response, size):
            raise AssertionError("nobody awaits it")

    peer = await serve(echo)
    peer.server._factory = lambda: Failing(peer.app)
    assert (await peer.exchange(NEXT)).endswith("nothing")
    assert "is called, not awaited: make it a plain function" in caplog.text
    assert not recwarn.list
