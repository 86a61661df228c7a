"""Requests, responses and errors are copied, pickled, and read by several tasks at once."""

import asyncio
import copy
import importlib
import inspect
import pickle
import pkgutil
import typing
from types import SimpleNamespace

import pytest

import roll_http
from roll_http import ClientDisconnected, Cookies, HttpError, Request, Response
from roll_http.h1.body_encoders import InvalidResponse
from roll_http.h1.head import RequestError
from roll_http.h1.state import IllegalTransition

POST = b"POST / HTTP/1.1\r\nHost: here\r\nUser-Agent: me\r\nConnection: close\r\n"


class NotFound(HttpError):
    status = 404


class Own(HttpError):
    def __init__(self, *, code):
        super().__init__(code, {"code": code}, context=[code])


ERRORS = [
    HttpError(404, "gone", {"more": 1}),
    NotFound(),
    Own(code=503),
    ClientDisconnected("gone"),
    InvalidResponse("no body"),
    RequestError(400, "Malformed request"),
    IllegalTransition("never"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_is_the_same_once_unpickled(error):
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        same = pickle.loads(pickle.dumps(error, protocol))
        assert (type(same), same.args, vars(same)) == (type(error), error.args, vars(error))
        assert str(same) == str(error)
    assert str(copy.copy(error)) == str(copy.deepcopy(error)) == str(error)


def modules():
    found = pkgutil.walk_packages(roll_http.__path__, "roll_http.")
    return [roll_http, *(importlib.import_module(module.name) for module in found)]


def test_every_error_is_pickled_above():
    classes = {
        one for module in modules() for _, one in inspect.getmembers(module, inspect.isclass)
    }
    ours = {
        one
        for one in classes
        if issubclass(one, BaseException) and one.__module__.startswith("roll_http")
    }
    assert ours <= {type(error) for error in ERRORS}


@pytest.mark.parametrize("name", roll_http.__all__)
def test_type_hints_can_be_resolved(name):
    public = getattr(roll_http, name)
    if not inspect.isclass(public):
        return
    typing.get_type_hints(public)
    for function in filter(inspect.isfunction, vars(public).values()):
        typing.get_type_hints(function)


async def test_deep_copy_of_a_request_shares_only_the_application_and_connection(serve):
    async def handler(request, response):
        await request.read()
        request["user"] = {"name": "ada"}
        twin = copy.deepcopy(request)
        assert twin.json == {"a": 1}
        assert (twin.app, twin.protocol) == (request.app, request.protocol)
        twin["user"]["name"] = "bob"
        twin.headers["X-A"] = "1"
        twin.json["a"] = 2
        assert (request["user"], request.json) == ({"name": "ada"}, {"a": 1})
        assert "X-A" not in request.headers
        again = copy.deepcopy(request)
        assert again.json == {"a": 1}
        assert copy.copy(request).json is request.json
        response.body = copy.deepcopy(response).status.phrase

    body = b'{"a": 1}'
    answer = await (await serve(handler)).exchange(
        POST + b"Content-Length: %d\r\n\r\n" % len(body) + body
    )
    assert answer.endswith("\r\n\r\nOK")


def test_a_subclass_is_copied_with_its_attributes():
    class Mine(Request):
        def __init__(self, *args):
            super().__init__(*args)
            self.user = ["ada"]

    request = Mine(object(), object())
    request.user.append(request)
    twin = copy.deepcopy(request)
    assert twin.user == ["ada", twin]
    assert twin.app is request.app
    assert twin.user[1] is twin


def test_deep_copy_of_a_response_shares_only_the_application_and_connection():
    response = Response(SimpleNamespace(Cookies=Cookies), None)
    response.json = [1]
    response.cookies["a"] = "b"
    twin = copy.deepcopy(response)
    twin.headers["X-A"] = "1"
    assert (twin.app, twin.body) == (response.app, b"[1]")
    assert (list(twin.cookie_lines), "X-A" in response.headers) == (["a=b; Path=/"], False)


# Headers of requests.


async def test_a_field_is_found_by_its_name_in_any_case(serve):
    async def handler(request, response):
        headers = request.headers
        assert headers["User-Agent"] == headers["user-agent"] == headers["USER-AGENT"] == "me"
        assert headers is request.headers
        for missing in ("X-None", "X-NONE", 1):
            with pytest.raises(KeyError) as caught:
                headers[missing]
            assert caught.value.args == (missing,)
        assert ("User-Agent" in headers, headers.get("User-Agent")) == (False, None)
        assert (headers.get("USER-AGENT"), dict(headers.copy())) == ("me", headers)
        assert headers.copy()["Host"] == "here"
        response.body = "fine"

    assert (await (await serve(handler)).exchange(POST + b"\r\n")).endswith("fine")


def test_headers_of_a_request_created_by_hand_ignore_case():
    request = Request(None, None)
    request.headers["X-TOKEN"] = "abc"
    assert request.headers["X-Token"] == "abc"
    request.headers = {"HOST": "here"}
    assert (request.headers["Host"], request.host) == ("here", "here")


# Bodies that are read by several tasks.


def chunked(size):
    return POST + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (size, b"x" * size)


async def test_all_concurrent_readers_get_the_body(serve):
    async def handler(request, response):
        bodies = await asyncio.gather(request.read(), request.read(), request.read())
        assert bodies[0] is bodies[1] is bodies[2]
        response.body = str(len(bodies[0]))

    assert (await (await serve(handler)).exchange(chunked(500_000))).endswith("500000")


async def test_all_concurrent_readers_get_the_error(serve):
    async def handler(request, response):
        tasks = [request.read(), request.read()]
        errors = await asyncio.gather(*tasks, return_exceptions=True)
        response.body = " ".join(str(getattr(error, "status", error)) for error in errors)

    malformed = POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nz\r\n"
    assert (await (await serve(handler)).exchange(malformed)).endswith("400 400")
