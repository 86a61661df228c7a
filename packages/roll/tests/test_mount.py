"""`app.mount`: ASGI applications on Roll's server, over HTTP."""

import asyncio
import contextlib
import functools
import gc
import gzip
import logging
import os
import re
import socket

import pytest

from roll import Roll, extensions
from roll.alone import alone
from roll.hosting.fields import known, set_fields
from roll.hosting.scope import fields_of
from roll.server import AppServer
from roll.testing import Client, Transport
from roll_http import HttpError, Limits


class Recorded:
    """An application of ASGI that keeps its scopes, and answers by a function."""

    def __init__(self, answer=None):
        self.answer = answer or hello
        self.scopes = []
        self.lives = []

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            await self.live(scope, receive, send)
        else:
            self.scopes.append(scope)
            await self.answer(scope, receive, send)

    async def live(self, scope, receive, send):
        scope["state"]["count"] = []
        while len(self.lives) < 2:
            kind = (await receive())["type"]
            self.lives.append(kind)
            await send({"type": f"{kind}.complete"})

    @property
    def scope(self):
        return self.scopes[-1]


def start(status=200, *headers, **more):
    return {"type": "http.response.start", "status": status, "headers": list(headers), **more}


def body(data=b"", more=False):
    return {"type": "http.response.body", "body": data, "more_body": more}


async def hello(scope, receive, send):
    await send(start(200, (b"content-type", b"text/plain"), (b"content-length", b"5")))
    await send(body(b"hello"))


async def read_all(receive):
    data, more = b"", True
    while more:
        message = await receive()
        assert message["type"] == "http.request", message
        data += message["body"]
        more = message["more_body"]
    return data


async def echo(scope, receive, send):
    data = await read_all(receive)
    await send(start(200, (b"content-type", b"application/octet-stream")))
    await send(body(data))


@pytest.fixture
def mounted(app):
    return answers(app, hello)


def answers(app, answer, path="/admin", **settings):
    """Mount an application that answers by a function; return it."""
    application = Recorded(answer)
    mount(app, path, application, **settings)
    return application


def mount(app, path, application, **settings):
    """Mount, though the fixtures have started the application: it goes without a lifespan."""
    lifespans = app._lifespans
    entered, lifespans._entered = lifespans._entered, None
    app.mount(path, application, **settings)
    lifespans._entered = entered


REQUEST = b"GET /admin%s HTTP/1.1\r\nHost: example.org\r\n%s\r\n"
LAST = b"Connection: close\r\n"
MIB = 1024 * 1024


# What the application is told.


@pytest.mark.parametrize("path", ["/admin", "/admin/", "/admin/a/b", "/admin/a%20b", "/admin//x"])
async def test_path_and_below_are_served_by_the_application(client, mounted, path):
    response = await client.get(path)
    assert (response.status, response.body) == (200, b"hello")
    assert mounted.scope["root_path"] == "/admin"
    assert mounted.scope["path"] == path.replace("%20", " ")


@pytest.mark.parametrize("path", ["/", "/adminx", "/ADMIN", "/other"])
async def test_other_paths_are_not_served_by_the_application(client, mounted, path):
    assert (await client.get(path)).status == 404
    assert mounted.scopes == []


async def test_scope_has_the_keys_of_the_asgi_specification(liveclient, mounted, talk):
    await talk(REQUEST % (b"/a%20b?x=%201", b"X-One: 1\r\nx-two: 2\r\nX-One: 3\r\n" + LAST))
    scope = mounted.scope
    assert scope["type"] == "http"
    assert scope["asgi"] == {"version": "3.0", "spec_version": "2.3"}
    assert scope["http_version"] == "1.1"
    assert scope["method"] == "GET"
    assert scope["scheme"] == "http"
    assert scope["path"] == "/admin/a b"
    assert scope["raw_path"] == b"/admin/a%20b"
    assert scope["query_string"] == b"x=%201"
    assert scope["server"] == ("127.0.0.1", liveclient.port)
    assert scope["client"][0] == "127.0.0.1"
    assert isinstance(scope["client"][1], int)
    assert scope["headers"] == [
        (b"host", b"example.org"),
        (b"x-one", b"1"),
        (b"x-two", b"2"),
        (b"x-one", b"3"),
        (b"connection", b"close"),
    ]


async def test_absolute_target_gives_its_host_and_path(liveclient, mounted, talk):
    await talk(b"GET http://right.org/admin/x?y HTTP/1.1\r\nHost: wrong.org\r\n" + LAST + b"\r\n")
    assert mounted.scope["raw_path"] == b"/admin/x"
    assert mounted.scope["query_string"] == b"y"
    assert (b"host", b"right.org") in mounted.scope["headers"]
    assert (b"host", b"wrong.org") not in mounted.scope["headers"]


async def test_scope_has_http_version_1_0(liveclient, mounted, talk):
    answer = await talk(b"GET /admin HTTP/1.0\r\n\r\n")
    assert mounted.scope["http_version"] == "1.0"
    assert answer.endswith(b"hello")


async def test_trusted_proxy_gives_client_scheme_host_and_prefix(app, client):
    extensions.proxy_headers(app, trusted=["127.0.0.1"])
    application = answers(app, hello)
    headers = {
        "X-Forwarded-For": "203.0.113.9",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "shop.example",
        "X-Forwarded-Prefix": "/outer",
    }
    await client.get("/admin/x", headers=headers)
    scope = application.scope
    assert scope["client"][0] == "203.0.113.9"
    assert scope["scheme"] == "https"
    assert (b"host", b"shop.example") in scope["headers"]
    assert scope["root_path"] == "/outer/admin"
    assert scope["path"] == "/outer/admin/x"
    assert scope["raw_path"] == b"/outer/admin/x"


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_each_method_is_served(client, mounted, method):
    response = await client.request("/admin/x", method)
    assert response.status == 200
    assert mounted.scope["method"] == method
    assert response.body == (b"" if method == "HEAD" else b"hello")


async def test_unusual_method_is_served(liveclient, mounted, talk):
    answer = await talk(b"PROPFIND /admin/x HTTP/1.1\r\nHost: x\r\n" + LAST + b"\r\n")
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert mounted.scope["method"] == "PROPFIND"


async def test_connect_is_not_served(liveclient, mounted, talk):
    answer = await talk(b"CONNECT /admin/x HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 501 ")
    assert mounted.scopes == []


async def test_root_mount_serves_all_paths(client, app):
    application = answers(app, hello, path="/")
    for path in ("/", "/a", "/a/b/"):
        assert (await client.get(path)).body == b"hello"
        assert (application.scope["root_path"], application.scope["path"]) == ("", path)


async def test_more_specific_route_wins_over_the_mount(client, app, mounted):
    @app.route("/admin/health")
    async def health(request, response):
        response.body = "well"

    assert (await client.get("/admin/health")).body == b"well"
    assert (await client.get("/admin/healthy")).body == b"hello"


async def test_longer_mount_wins_over_a_shorter_one(client, app, mounted):
    inner = answers(app, hello, path="/admin/inner")
    await client.get("/admin/inner/x")
    assert inner.scope["root_path"] == "/admin/inner"
    assert mounted.scopes == []


async def test_roll_is_mounted_in_roll(client, app):
    other = Roll()

    @other.route("/greet/{name}")
    async def greet(request, response, name):
        response.body = f"Hello {name}"

    mount(app, "/other", other)
    assert (await client.get("/other/greet/Ada")).body == b"Hello Ada"
    assert (await client.get("/other/none")).status == 404


# The body of a request.


async def test_body_arrives_whole(client, app):
    answers(app, echo)
    assert (await client.post("/admin", body=b"x" * 5000)).body == b"x" * 5000


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
async def test_long_body_is_streamed(liveclient, app, chunked):
    sizes = []

    async def count(scope, receive, send):
        more = True
        while more:
            message = await receive()
            sizes.append(len(message["body"]))
            more = message["more_body"]
        await send(start())
        await send(body(b"done"))

    answers(app, count)
    data = b"x" * 3_000_000
    framing = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % len(data)
    reader, writer = await asyncio.open_connection("127.0.0.1", liveclient.port)
    writer.write(b"POST /admin HTTP/1.1\r\nHost: x\r\n%b\r\n\r\n" % framing)
    writer.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(data), data) if chunked else data)
    assert b"200 OK" in await reader.readline()
    writer.close()
    assert sum(sizes) == len(data)
    assert len(sizes) > 1


async def test_unread_body_is_held_back(liveclient, app):
    go, entered = asyncio.Event(), asyncio.Event()

    async def wait(scope, receive, send):
        entered.set()
        await go.wait()
        while (await receive())["more_body"]:
            pass
        await hello(scope, receive, send)

    answers(app, wait)
    size = 12_000_000
    reader, writer = await asyncio.open_connection("127.0.0.1", liveclient.port)
    writer.transport.set_write_buffer_limits(0)
    writer.write(b"POST /admin HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size)
    writing = asyncio.ensure_future(write_all(writer, size))
    await entered.wait()
    for _ in range(50):
        await asyncio.sleep(0)
    assert not writing.done()
    go.set()
    await writing
    assert b"200 OK" in await reader.readline()
    writer.close()


async def write_all(writer, size):
    piece = b"x" * 1_000_000
    for _ in range(size // len(piece)):
        writer.write(piece)
        await writer.drain()


@pytest.mark.parametrize("framing", ["length", "chunked"])
async def test_body_above_max_body_is_413(liveclient, app, talk, framing):
    seen = []

    async def read(scope, receive, send):
        seen.append(await receive())
        seen.append(await receive())
        await send(start(500))
        await send(body(b"not to be seen"))

    answers(app, read, max_body=10)
    head = b"POST /admin HTTP/1.1\r\nHost: x\r\n" + LAST
    if framing == "length":
        answer = await talk(head + b"Content-Length: 11\r\n\r\n" + b"x" * 11)
        assert seen == []
    else:
        answer = await talk(head + b"Transfer-Encoding: chunked\r\n\r\n14\r\n" + b"x" * 20)
        assert seen[0] == {"type": "http.disconnect"}
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"not to be seen" not in answer


async def test_application_that_raises_for_a_refused_body_does_not_hide_it(liveclient, app, talk):
    async def read(scope, receive, send):
        message = await receive()
        raise RuntimeError(message["type"])

    answers(app, read, max_body=10)
    head = b"POST /admin HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert (await talk(head + b"14\r\n" + b"x" * 20)).startswith(b"HTTP/1.1 413 ")


async def test_malformed_body_is_400(liveclient, app, talk):
    answers(app, echo_or_nothing)
    head = b"POST /admin HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert (await talk(head + b"nonsense\r\n")).startswith(b"HTTP/1.1 400 ")


async def echo_or_nothing(scope, receive, send):
    if (await receive())["type"] == "http.request":
        await hello(scope, receive, send)


async def test_body_that_a_listener_has_loaded_is_given(client, app):
    @app.listen("headers")
    async def load(request, response):
        await request.read()

    answers(app, echo)
    assert (await client.post("/admin", body=b"loaded")).body == b"loaded"


async def test_body_that_a_listener_has_streamed_is_an_error(client, app, caplog):
    @app.listen("headers")
    async def stream(request, response):
        async for _ in request:
            pass

    answers(app, echo)
    assert (await client.post("/admin", body=b"x" * 10)).status == 500
    assert "it can be streamed only once" in caplog.text


async def test_client_that_leaves_within_its_body_is_a_disconnect(liveclient, app):
    got = asyncio.get_running_loop().create_future()

    async def read(scope, receive, send):
        messages = [await receive(), await receive(), await receive()]
        got.set_result([message["type"] for message in messages])

    answers(app, read)
    _, writer = await asyncio.open_connection("127.0.0.1", liveclient.port)
    writer.write(b"POST /admin HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc")
    await writer.drain()
    writer.close()
    assert await got == ["http.request", "http.disconnect", "http.disconnect"]


# The response.


async def test_fields_arrive_unchanged(liveclient, app, talk):
    async def fields(scope, receive, send):
        await send(
            start(
                200,
                (b"Content-Type", b"text/plain"),
                (b"set-cookie", b"a=1"),
                (b"set-cookie", b"b=2"),
                (b"set-cookie", b"c=3"),
                (b"x-latin", b"caf\xe9"),
                (b"x-utf-8", "café".encode()),
            )
        )
        await send(body(b"x"))

    answers(app, fields)
    answer = await talk(REQUEST % (b"", LAST))
    lines = answer.lower().split(b"\r\n")
    cookies = [line for line in lines if line.startswith(b"set-cookie")]
    assert cookies == [b"set-cookie: a=1", b"set-cookie: b=2", b"set-cookie: c=3"]
    assert b"x-latin: caf\xe9" in lines
    assert "x-utf-8: café".encode() in lines
    assert lines.count(b"content-length: 1") == 1


@pytest.mark.parametrize("status", [200, 201, 204, 299, 304, 404, 499, 503, 599])
async def test_each_final_status_is_sent(liveclient, app, talk, status):
    async def answer(scope, receive, send):
        await send(start(status))
        await send(body())

    answers(app, answer)
    answer = await talk(REQUEST % (b"", LAST))
    assert answer.startswith(b"HTTP/1.1 %d " % status)


@pytest.mark.parametrize("status", [100, 199, 1000, "200", None])
async def test_invalid_status_is_an_error(client, app, caplog, status):
    async def answer(scope, receive, send):
        await send(start(status))

    answers(app, answer)
    assert (await client.get("/admin")).status == 500
    assert f"from 200 to 999, not {status!r}" in caplog.text


async def test_head_has_the_length_of_the_body_that_is_not_sent(liveclient, app, talk):
    async def answer(scope, receive, send):
        await send(start(200, (b"content-length", b"1234")))
        await send(body())

    answers(app, answer)
    answer = await talk(b"HEAD /admin HTTP/1.1\r\nHost: x\r\n" + LAST + b"\r\n")
    assert b"\r\nContent-Length: 1234\r\n" in answer
    assert answer.endswith(b"\r\n\r\n")


async def test_bytearray_and_memoryview_are_bodies(client, app):
    async def answer(scope, receive, send):
        await send(start())
        await send(body(bytearray(b"ab"), more=True))
        await send(body(memoryview(b"cd")))

    answers(app, answer)
    assert (await client.get("/admin")).body == b"abcd"


def streaming(*pieces, **fields):
    async def stream(scope, receive, send):
        named = [(name.replace("_", "-").encode(), text) for name, text in fields.items()]
        await send(start(200, *named))
        for piece in pieces:
            await send(body(piece, more=True))
        await send(body())

    return stream


async def test_stream_is_chunked(liveclient, app, talk):
    answers(app, streaming(b"one", b"", b"two"))
    answer = await talk(REQUEST % (b"", LAST))
    head, _, sent = answer.partition(b"\r\n\r\n")
    assert b"Transfer-Encoding: chunked" in head
    assert sent == b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"


async def test_stream_with_a_length_is_not_chunked(liveclient, app, talk):
    answers(app, streaming(b"one", b"two", content_length=b"6"))
    answer = await talk(REQUEST % (b"", LAST))
    assert b"Content-Length: 6\r\n" in answer
    assert answer.endswith(b"\r\n\r\nonetwo")


async def test_stream_to_http_1_0_ends_with_its_connection(liveclient, app, talk):
    answers(app, streaming(b"one", b"two"))
    answer = await talk(b"GET /admin HTTP/1.0\r\n\r\n")
    assert answer.endswith(b"\r\n\r\nonetwo")


async def test_stream_to_head_sends_nothing(liveclient, app, talk):
    answers(app, streaming(b"one", b"two"))
    answer = await talk(b"HEAD /admin HTTP/1.1\r\nHost: x\r\n" + LAST + b"\r\n")
    assert answer.endswith(b"\r\n\r\n")
    assert b"one" not in answer


async def test_pieces_arrive_before_the_end(liveclient, app):
    go = asyncio.Event()

    async def stream(scope, receive, send):
        await send(start())
        await send(body(b"first", more=True))
        await go.wait()
        await send(body(b"second"))

    answers(app, stream)
    reader, writer = await asyncio.open_connection("127.0.0.1", liveclient.port)
    writer.write(REQUEST % (b"", b""))
    assert (await reader.readuntil(b"first\r\n")).startswith(b"HTTP/1.1 200")
    go.set()
    await reader.readuntil(b"6\r\nsecond\r\n0\r\n\r\n")
    writer.close()


async def test_stream_waits_for_a_slow_client(liveclient, app):
    sent = 0

    async def stream(scope, receive, send):
        nonlocal sent
        await send(start())
        for _ in range(400):
            await send(body(b"x" * 100_000, more=True))
            sent += 1
        await send(body())

    answers(app, stream)
    reader, writer = await asyncio.open_connection("127.0.0.1", liveclient.port, limit=1000)
    writer.write(REQUEST % (b"", LAST))
    await reader.readline()
    for _ in range(200):
        await asyncio.sleep(0)
    assert sent < 400
    total = 0
    while data := await reader.read(1_000_000):
        total += len(data)
    assert total > 400 * 100_000
    writer.close()


async def test_connection_stays_open_after_responses(liveclient, app, talk):
    answers(app, streaming(b"a", b"b"), path="/stream")
    answers(app, hello, path="/plain")
    requests = b"".join(
        b"GET /%b HTTP/1.1\r\nHost: x\r\n\r\n" % path for path in (b"plain", b"stream") * 20
    )
    answer = await talk(requests + b"GET /plain HTTP/1.1\r\nHost: x\r\n" + LAST + b"\r\n")
    assert answer.count(b"HTTP/1.1 200 OK") == 41
    assert answer.count(b"hello") == 21
    assert answer.count(b"1\r\na\r\n1\r\nb\r\n0\r\n\r\n") == 20


async def test_response_is_sent_before_the_application_returns(liveclient, app):
    go, ended = asyncio.Event(), asyncio.Event()

    async def background(scope, receive, send):
        await hello(scope, receive, send)
        await go.wait()
        ended.set()

    answers(app, background)
    reader, writer = await asyncio.open_connection("127.0.0.1", liveclient.port)
    for _ in range(3):  # the connection goes on meanwhile
        writer.write(REQUEST % (b"", b""))
        await reader.readuntil(b"hello")
    go.set()
    await ended.wait()
    writer.close()


async def test_shutdown_waits_for_work_after_a_response(app):
    go, ended = asyncio.Event(), []

    async def background(scope, receive, send):
        await hello(scope, receive, send)
        await go.wait()
        ended.append(True)

    answers(app, background)
    await app.startup()
    protocol = app.factory()
    transport = Transport(protocol)
    protocol.connection_made(transport)
    protocol.data_received(REQUEST % (b"", b""))
    while b"hello" not in transport.data:
        await asyncio.sleep(0)
    ending = asyncio.ensure_future(app.shutdown())
    for _ in range(50):
        await asyncio.sleep(0)
    assert not ended
    assert not ending.done()
    go.set()
    await ending
    assert ended
    transport.lose()


async def test_error_after_a_response_is_logged_and_the_connection_stays_open(
    liveclient, app, talk, caplog
):
    async def late(scope, receive, send):
        await hello(scope, receive, send)
        raise ValueError("too late")

    answers(app, late)
    answer = await talk(REQUEST % (b"", b"") + REQUEST % (b"", LAST))
    assert answer.count(b"hello") == 2
    assert "too late" in caplog.text


STRAY = {
    "whole": [start(299), body(b"stray")],
    "stream": [start(299), body(b"stray", more=True)],
    "body": [body(b"stray")],
    "part": [body(b"stray", more=True)],
    "file": [start(299), {"type": "http.response.pathsend", "path": __file__}],
    "hint": [{"type": "http.response.early_hint", "links": [b"</stray>"]}],
    "trailers": [{"type": "http.response.trailers", "headers": [(b"x-stray", b"1")]}],
}


async def returns(send):
    return


async def raises(send):
    raise ValueError("on purpose")


async def begins(send):
    await send(start())


async def answers_whole(send):
    await send(start())
    await send(body(b"whole"))


async def answers_with_trailers(send):
    await send(start() | {"trailers": True})
    await send(body(b"whole"))
    await send({"type": "http.response.trailers", "headers": [(b"x-seen", b"1")]})


@pytest.mark.parametrize("messages", STRAY.values(), ids=STRAY)
@pytest.mark.parametrize("way", [returns, raises, begins, answers_whole, answers_with_trailers])
async def test_task_of_an_ended_call_sends_nothing_into_the_next_response(
    liveclient, app, way, messages
):
    sent, errors, waits = asyncio.Event(), [], asyncio.Event()

    async def stray(send):
        await waits.wait()
        for message in messages:
            try:
                await send(message)
            except RuntimeError as error:
                errors.append(error)
        sent.set()

    async def leaves(scope, receive, send):
        app.create_task(stray(send))
        await way(send)

    async def slow(scope, receive, send):
        waits.set()
        await sent.wait()
        await hello(scope, receive, send)

    answers(app, leaves, path="/leaves")
    answers(app, slow, path="/slow")
    reader, writer = await asyncio.open_connection("127.0.0.1", liveclient.port)
    writer.write(b"GET /leaves HTTP/1.1\r\nHost: x\r\n\r\n")
    writer.write(b"GET /slow HTTP/1.1\r\nHost: x\r\n" + LAST + b"\r\n")
    answer = await reader.read()
    writer.close()
    assert b"tray" not in answer
    assert answer.count(b"HTTP/1.1 ") == 2
    assert answer.endswith(b"hello")
    assert len(errors) == len(messages)


async def test_task_that_sends_between_two_requests_sends_nothing(liveclient, app, talk):
    kept = []

    async def leaves(scope, receive, send):
        kept.append(send)

    answers(app, leaves)
    reader, writer = await asyncio.open_connection("127.0.0.1", liveclient.port)
    writer.write(REQUEST % (b"", b""))
    await reader.readuntil(b"\r\n\r\n")
    for messages in STRAY.values():
        for message in messages:
            with pytest.raises(RuntimeError, match="has sent"):
                await kept[0](message)
    writer.close()


async def test_call_that_returns_while_listeners_run_is_a_500_without_its_body(
    liveclient, app, talk
):
    go, returned = asyncio.Event(), []

    @app.listen("response")
    async def wait(request, response):
        if not returned:
            returned.append(True)
            await go.wait()

    async def leaves(scope, receive, send):
        await send(start(299))
        app.create_task(refused_when_late(send))
        while not returned:
            await asyncio.sleep(0)

    async def refused_when_late(send):
        with pytest.raises(RuntimeError, match="after the end of its response"):
            await send(body(b"late"))

    @app.listen("error")
    async def release(request, response, error):
        go.set()

    answers(app, leaves)
    answers(app, hello, path="/next")
    requests = REQUEST % (b"", b"") + b"GET /next HTTP/1.1\r\nHost: x\r\n" + LAST + b"\r\n"
    answer = await talk(requests)
    assert answer.startswith(b"HTTP/1.1 500 ")
    assert b"late" not in answer
    assert answer.count(b"HTTP/1.1 ") == 2
    assert answer.endswith(b"hello")


async def test_two_bodies_sent_at_once_are_one_response(liveclient, app, talk):
    @app.listen("response")
    async def wait(request, response):
        await asyncio.sleep(0)

    async def twice(scope, receive, send):
        await send(start())
        sending = [send(body(b"first")), send(body(b"second"))]
        results = await asyncio.gather(*sending, return_exceptions=True)
        assert "while the listeners" in str(results[1])

    answers(app, twice)
    answer = await talk(REQUEST % (b"", b"") + REQUEST % (b"", LAST))
    assert answer.count(b"HTTP/1.1 200 ") == answer.count(b"first") == 2
    assert b"second" not in answer


@pytest.mark.parametrize("more", [False, True], ids=["whole", "stream"])
async def test_response_can_be_sent_again_after_its_sending_was_cancelled(
    liveclient, app, talk, more
):
    entered, go, tries = asyncio.Event(), asyncio.Event(), []

    @app.listen("response")
    async def wait(request, response):
        tries.append(response)
        response.headers.setdefault("X-Tries", str(len(tries)))
        entered.set()
        await go.wait()

    async def patient(scope, receive, send):
        await send(start(299, (b"x-own", b"1")))
        sending = asyncio.ensure_future(send(body(b"first", more)))
        await entered.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        go.set()
        await send(body(b"again", more))
        await send(body()) if more else None

    answers(app, patient)
    answer = await talk(REQUEST % (b"", LAST))
    assert answer.startswith(b"HTTP/1.1 299 ")
    assert b"X-Own: 1\r\nX-Tries: 2" in answer
    assert b"again" in answer
    assert b"first" not in answer


async def test_task_that_is_cancelled_after_its_call_has_returned_sends_nothing(liveclient, app):
    entered, stray = asyncio.Event(), []

    @app.listen("response")
    async def wait(request, response):
        if not entered.is_set():
            entered.set()
            await asyncio.Event().wait()

    async def leaves(scope, receive, send):
        await send(start(299))
        stray.append(asyncio.ensure_future(send_twice(send)))
        await entered.wait()

    async def send_twice(send):
        with pytest.raises(asyncio.CancelledError):
            await send(body(b"late"))
        with pytest.raises(RuntimeError, match="after the end of its response"):
            await send(body(b"late"))

    answers(app, leaves)
    answers(app, hello, path="/next")
    reader, writer = await asyncio.open_connection("127.0.0.1", liveclient.port)
    writer.write(REQUEST % (b"", b""))
    assert b" 500 " in await reader.readuntil(b"\r\n\r\nInternal Server Error")
    stray[0].cancel()
    await stray[0]
    writer.write(b"GET /next HTTP/1.1\r\nHost: x\r\n" + LAST + b"\r\n")
    answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"hello")


async def letters(send, letter):
    for _ in range(3):
        await send(body(letter * 3_000_000, more=True))


async def short(send):
    for _ in range(50):
        await send(body(b"s", more=True))
        await asyncio.sleep(0)


def unpacked(answer):
    """The body of a chunked response, which may be compressed, and what follows it."""
    head, _, rest = answer.partition(b"\r\n\r\n")
    data = b""
    while (size := int(rest[: rest.index(b"\r\n")], 16)) != 0:
        start = rest.index(b"\r\n") + 2
        assert rest[start + size : start + size + 2] == b"\r\n"
        data, rest = data + rest[start : start + size], rest[start + size + 2 :]
    return gzip.decompress(data) if b"gzip" in head else data, rest[len(b"0\r\n\r\n") :]


@pytest.mark.parametrize("fields", [b"", b"Accept-Encoding: gzip\r\n"], ids=["plain", "gzip"])
async def test_pieces_that_several_tasks_send_stay_whole(liveclient, app, talk, fields):
    extensions.compress(app)

    async def together(scope, receive, send):
        await send(start(200, (b"content-type", b"text/plain")))
        await send(body(b"first", more=True))
        await asyncio.gather(letters(send, b"x"), letters(send, b"y"), short(send))
        last = asyncio.ensure_future(send(body(b"z" * 3_000_000, more=True)))
        await asyncio.sleep(0)
        await send(body(b"last"))
        await last

    answers(app, together)
    answers(app, hello, path="/after")
    after = b"GET /after HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    sent, rest = unpacked(await talk(REQUEST % (b"", fields) + after))
    pieces = re.findall(rb"x{3000000}|y{3000000}|z{3000000}|s+|first|last", sent)
    assert b"".join(pieces) == sent
    assert pieces[0] == b"first"
    assert pieces[-2:] == [b"z" * 3_000_000, b"last"]
    assert sent.count(b"s") == 50 + b"firstlast".count(b"s")
    assert rest.endswith(b"hello")


@pytest.mark.parametrize("fields", [b"", b"Accept-Encoding: gzip\r\n"], ids=["plain", "gzip"])
async def test_piece_behind_the_last_one_is_an_error_while_that_is_still_written(
    liveclient, app, talk, fields
):
    """Before, it was dropped, and the application heard nothing of it."""
    extensions.compress(app)

    async def too_many(scope, receive, send):
        await send(start(200, (b"content-type", b"text/plain")))
        await send(body(b"first", more=True))
        last = asyncio.ensure_future(send(body(os.urandom(8_000_000) + b"last")))
        await asyncio.sleep(0)
        for more in (False, True):
            with pytest.raises(RuntimeError, match="after the end of its response"):
                await send(body(b"late", more=more))
        await last

    answers(app, too_many)
    sent, rest = unpacked(await talk(REQUEST % (b"", fields) + REQUEST % (b"", LAST)))
    assert sent.startswith(b"first")
    assert sent.endswith(b"last")
    assert rest.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("begun", [False, True], ids=["head too", "body"])
@pytest.mark.parametrize("sizes", [[3], [3] * 400, [100_000, 3], [3, 100_000, 3, 0, 3]])
async def test_messages_of_several_tasks_keep_the_order_in_which_the_tasks_start(
    liveclient, app, talk, sizes, begun
):
    """Before, with the core, the last message of a turn overtook the pieces before it."""
    pieces = [bytes([97 + number % 26]) * size for number, size in enumerate(sizes)]

    async def together(scope, receive, send):
        messages = [body(piece, more=True) for piece in pieces]
        if begun:
            await send(start())
            await send(messages.pop(0))
        else:
            messages.insert(0, start())
        sending = [asyncio.ensure_future(send(one)) for one in [*messages, body(b"END")]]
        await asyncio.gather(*sending)

    answers(app, together)
    sent, rest = unpacked(await talk(REQUEST % (b"", b"") + REQUEST % (b"", LAST)))
    assert sent == b"".join([*pieces, b"END"])
    assert rest.startswith(b"HTTP/1.1 200 ")


async def test_tasks_whose_pieces_were_sent_get_no_error_when_the_connection_then_closes(
    liveclient, app
):
    """Before, those that waited for the client to read were told that it had gone."""
    sent = []

    async def together(scope, receive, send):
        await send(start())
        messages = [body(bytes(4000), more=True) for _ in range(400)] + [body(b"END")]
        sent.extend(await asyncio.gather(*(send(one) for one in messages), return_exceptions=True))

    answers(app, together)
    reader, writer = await asyncio.open_connection("127.0.0.1", liveclient.port)
    writer.write(REQUEST % (b"", LAST))
    await asyncio.sleep(0.05)  # the client does not read: the server has to wait
    data, _ = unpacked(await reader.read())
    writer.close()
    assert data.endswith(b"END")
    while not sent:
        await asyncio.sleep(0)
    assert sent == [None] * 401


def that_ends_at_the_disconnect(*pieces):
    """Return an application that cancels its response at the disconnect, as Starlette's do."""

    async def application(scope, receive, send):
        async def stream():
            await send(start(200, (b"content-type", b"text/plain")))
            for piece in pieces[:-1]:
                await send(body(piece, more=True))
            await send(body(pieces[-1]))

        async def listen():
            while (await receive())["type"] != "http.disconnect":
                pass

        tasks = {asyncio.ensure_future(stream()), asyncio.ensure_future(listen())}
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)

    return application


@pytest.mark.parametrize("fields", [b"", b"Accept-Encoding: gzip\r\n"], ids=["plain", "gzip"])
@pytest.mark.parametrize(
    "pieces", [[b"x" * 250] * 20 + [b""], [b"", b"end"], [bytes(8_000_000)], [bytes(90_000), b""]]
)
async def test_application_that_ends_at_the_disconnect_has_sent_its_response(
    liveclient, app, talk, fields, pieces
):
    """Before, the disconnect was reported while the end was still compressed or written."""
    extensions.compress(app)
    answers(app, that_ends_at_the_disconnect(*pieces))
    answer = await talk(REQUEST % (b"", fields) + REQUEST % (b"", LAST))
    if b"chunked" in answer:
        sent, rest = unpacked(answer)
    else:
        head, _, rest = answer.partition(b"\r\n\r\n")
        size = int(re.search(rb"Content-Length: (\d+)", head)[1])
        sent, rest = rest[:size], rest[size:]
        sent = gzip.decompress(sent) if b"gzip" in head else sent
    assert sent == b"".join(pieces)
    assert rest.startswith(b"HTTP/1.1 200 ")


async def of_known_length(scope, receive, send):
    length = (b"content-length", b"10")
    await send(start(200, (b"content-type", b"text/plain"), length))
    await send(body(b"" if scope["method"] == "HEAD" else b"0123456789"))


async def of_pieces(scope, receive, send):
    await send(start(200, (b"content-length", b"10")))
    await send(body(b"01234", more=True))
    await send(body(b"56789"))


async def of_a_file(scope, receive, send):
    await send(start(200))
    await send({"type": "http.response.pathsend", "path": __file__})


@pytest.mark.parametrize("answer", [of_known_length, of_pieces, of_a_file])
@pytest.mark.parametrize("replaced", ["bytes", "nothing", "stream", "wrapped"])
@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
async def test_listener_may_replace_a_body_of_known_length(
    liveclient, app, talk, answer, replaced, method
):
    """Before, the length of the former body was sent with it, or was a 500."""

    @app.listen("response")
    async def replace(request, response):
        former = response.body

        async def stream():
            if replaced == "wrapped" and hasattr(former, "__aiter__"):
                async for piece in former:
                    yield piece
            yield b"END"

        bodies = {"bytes": b"END", "nothing": b""}
        response.body = bodies[replaced] if replaced in bodies else stream()

    answers(app, answer)
    found = await talk(REQUEST.replace(b"GET", method) % (b"", LAST))
    head, _, sent = found.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    if method == b"HEAD":
        assert sent == b""
    elif replaced == "bytes":
        assert (sent, b"Content-Length: 3\r\n" in head + b"\r\n") == (b"END", True)
    elif replaced == "nothing":
        assert (sent, b"Content-Length: 0\r\n" in head + b"\r\n") == (b"", True)
    else:
        assert b"END\r\n0\r\n\r\n" in sent


@pytest.mark.parametrize("lazy", [False, True])
async def test_mounted_roll_whose_body_a_listener_has_read_answers_with_an_error(
    liveclient, app, talk, caplog, lazy
):
    """Before, it waited for ever."""
    inner = Roll()

    @inner.route("/form", methods=["POST"], lazy_body=lazy)
    async def form(request, response):
        response.body = str(len(await request.read()))

    @app.listen("headers")
    async def token(request, response):
        await request.load_form()

    mount(app, "/m", inner)
    data = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--x--\r\n'
    fields = b"Content-Type: multipart/form-data; boundary=x\r\nConnection: close\r\n"
    head = b"POST /m/form HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n%b\r\n"
    answer = await talk(head % (len(data), fields) + data)
    assert answer.startswith(b"HTTP/1.1 500 ")
    assert "The body was read as a form" in caplog.text


@pytest.mark.parametrize("event", ["headers", "request"])
async def test_field_of_a_listener_is_replaced_by_that_of_the_application(
    liveclient, app, talk, event
):
    """Two lines of such a field mean something else to each client (RFC 9110 5.3)."""

    @app.listen(event)
    async def mark(request, response):
        response.headers["Content-Type"] = "own"
        response.headers["X-Frame-Options"] = "DENY"
        response.headers["X-Own"] = "kept"
        response.headers["Vary"] = "Origin"

    async def marked(scope, receive, send):
        fields = [(b"content-type", b"a/b"), (b"x-frame-options", b"SAMEORIGIN"), (b"vary", b"A")]
        several = [(b"x-several", b"1"), (b"X-Several", b"2")]
        await send(start(200, *fields, *several))
        await send(body(b"hello"))

    answers(app, marked)
    head = (await talk(REQUEST % (b"", LAST))).decode().partition("\r\n\r\n")[0].split("\r\n")
    found = [line.partition(": ") for line in head[1:]]
    values = {name: [value for key, _, value in found if key == name] for name, *_ in found}
    assert values["Content-Type"] == ["a/b"]
    assert values["X-Frame-Options"] == ["SAMEORIGIN"]
    assert values["X-Own"] == ["kept"]
    assert values["Vary"] == ["Origin", "A"]
    assert values["X-Several"] == ["1", "2"]


async def test_tasks_that_send_while_listeners_run_wait_for_the_head(liveclient, app, talk):
    """Before, all of them but one got an error, if a listener of `response` waited."""

    @app.listen("response")
    async def wait(request, response):
        await asyncio.sleep(0.01)

    async def together(scope, receive, send):
        await send(start())
        await asyncio.gather(*(send(body(b"%d" % number, more=True)) for number in range(9)))
        await send(body(b"last"))

    answers(app, together)
    answer = await talk(REQUEST % (b"", LAST))
    assert unpacked(answer)[0] == b"012345678last"


@pytest.mark.parametrize("length", [None, 30_000_004])
@pytest.mark.parametrize("whole", [False, True])
async def test_connection_ends_if_a_call_of_send_is_cancelled_within_its_piece(
    liveclient, app, length, whole
):
    """The next response on it would be taken for the rest of the body."""
    given_up = asyncio.Event()

    async def gives_up(scope, receive, send):
        fields = [(b"content-type", b"text/plain")]
        if length is not None:
            fields.append((b"content-length", b"%d" % length))
        await send(start(200, *fields))
        piece = os.urandom(3_000_000) * 10 + b"last" * whole
        sending = asyncio.ensure_future(send(body(piece, more=not whole)))
        with contextlib.suppress(TimeoutError, asyncio.CancelledError):
            await asyncio.wait_for(sending, 0.1)
        given_up.set()
        with contextlib.suppress(Exception):
            await send(body(b"last"))

    answers(app, gives_up)
    answers(app, hello, path="/after")
    reader, writer = await asyncio.open_connection("127.0.0.1", liveclient.port, limit=1000)
    after = b"GET /after HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    writer.write(REQUEST % (b"", b"") + after)
    await given_up.wait()
    answer = b""
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(1_000_000):
            answer += data
    assert b"hello" not in answer[-200:]
    writer.close()


@pytest.mark.parametrize("fails", [False, True], ids=["returns", "raises"])
async def test_compressed_stream_without_an_end_is_cut(liveclient, app, talk, fails):
    extensions.compress(app, min_size=1)

    async def leaves(scope, receive, send):
        await send(start(200, (b"content-type", b"text/plain")))
        await send(body(b"part", more=True))
        if fails:
            raise KeyError("within")

    answers(app, leaves)
    with pytest.raises(ConnectionError):
        await talk(REQUEST % (b"", b"Accept-Encoding: gzip\r\n"))


# Disconnects.


async def test_receive_waits_for_the_disconnect(liveclient, app):
    got = asyncio.get_running_loop().create_future()

    async def stream(scope, receive, send):
        assert (await receive())["body"] == b""
        await send(start())
        await send(body(b"first", more=True))
        got.set_result(await receive())

    answers(app, stream)
    reader, writer = await asyncio.open_connection("127.0.0.1", liveclient.port)
    writer.write(REQUEST % (b"", b""))
    await reader.readuntil(b"first")
    writer.close()
    assert await got == {"type": "http.disconnect"}


@pytest.mark.parametrize("size", [0, 10, 100_000, 300_000])
@pytest.mark.parametrize("pieces", [1, 3])
async def test_receive_after_the_response_gives_no_body_however_it_arrived(
    liveclient, app, size, pieces
):
    received = asyncio.Queue()

    async def answer_first(scope, receive, send):
        await hello(scope, receive, send)
        for _ in range(2):
            received.put_nowait((await receive())["type"])

    answers(app, answer_first)
    reader, writer = await asyncio.open_connection("127.0.0.1", liveclient.port)
    body = b"x" * size
    step = max(1, size // pieces)
    writer.write(b"POST /admin HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size)
    for start in range(0, size, step):
        writer.write(body[start : start + step])
    async with asyncio.timeout(5):
        assert [await received.get() for _ in range(2)] == ["http.disconnect"] * 2
        assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
    writer.close()


async def test_receive_after_the_response_returns_the_disconnect(client, app):
    got = []

    async def answer(scope, receive, send):
        await receive()
        waiting = asyncio.ensure_future(receive())
        await asyncio.sleep(0)
        await hello(scope, receive, send)
        got.append(await waiting)
        got.append(await receive())

    answers(app, answer)
    await client.get("/admin")
    assert got == [{"type": "http.disconnect"}] * 2


async def test_send_to_a_client_that_has_gone_raises_the_second_time(liveclient, app):
    got = asyncio.get_running_loop().create_future()

    async def stream(scope, receive, send):
        await receive()
        await send(start())
        await send(body(b"first", more=True))
        await receive()
        sent = 0
        try:
            while True:
                await send(body(b"more", more=True))
                sent += 1
        except OSError as error:
            got.set_result((sent, str(error)))

    answers(app, stream)
    reader, writer = await asyncio.open_connection("127.0.0.1", liveclient.port)
    writer.write(REQUEST % (b"", b""))
    await reader.readuntil(b"first")
    writer.close()
    assert await got == (1, "The client has gone")


async def test_client_that_has_gone_leaves_nothing_in_the_log(liveclient, app, caplog):
    ended = asyncio.Event()

    async def stream(scope, receive, send):
        try:
            await send(start())
            while True:
                await send(body(b"x" * 65536, more=True))
        finally:
            ended.set()

    answers(app, stream)
    reader, writer = await asyncio.open_connection("127.0.0.1", liveclient.port)
    writer.write(REQUEST % (b"", b""))
    await reader.readline()
    writer.transport.abort()
    await ended.wait()
    await asyncio.sleep(0)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_requests_are_freed_after_their_responses(client, app):
    answers(app, hello)
    await client.get("/admin")
    gc.collect()
    before = sum(isinstance(one, app.Request) for one in gc.get_objects())
    for _ in range(5):
        await client.get("/admin")
    gc.collect()
    assert sum(isinstance(one, app.Request) for one in gc.get_objects()) <= before


# Events, and what extensions do.


async def test_events_fire_as_for_a_handler_with_a_lazy_body(client, app, mounted):
    fired = []
    for name in ("headers", "request", "response", "answered"):

        @app.listen(name)
        async def note(request, response, name=name):
            fired.append(name)

    await client.get("/admin")
    await asyncio.sleep(0)
    assert fired == ["headers", "request", "response", "answered"]


@pytest.mark.parametrize("name", ["headers", "request"])
async def test_listener_can_answer_in_place_of_the_application(client, app, mounted, name):
    @app.listen(name)
    async def refuse(request, response):
        response.status = 401
        return True

    assert (await client.get("/admin")).status == 401
    assert mounted.scopes == []


async def test_listener_of_response_can_change_the_response(client, app):
    answers(app, hello, path="/whole")
    answers(app, streaming(b"a", b"b"), path="/stream")

    @app.listen("response")
    def change(request, response):
        response.headers["X-Seen"] = "yes"
        response.status = 202

    for path in ("/whole", "/stream"):
        response = await client.get(path)
        assert (response.status, response.headers["X-Seen"]) == (202, "yes")


async def test_listener_of_response_that_raises_is_answered_by_its_error(client, app):
    answers(app, hello, path="/whole")
    answers(app, streaming(b"a", b"b"), path="/stream")

    @app.listen("response")
    def refuse(request, response):
        raise HttpError(403, "No")

    for path in ("/whole", "/stream"):
        response = await client.get(path)
        assert (response.status, response.body) == (403, b"No")


async def test_stream_is_compressed(liveclient, app):
    import gzip

    extensions.compress(app, min_size=1)
    pieces = [b"piece %d " % number * 1000 for number in range(20)]
    answers(app, streaming(*pieces, content_type=b"text/plain"))
    headers = {"Accept-Encoding": "gzip"}
    response = await liveclient.get("/admin", headers=headers)
    sent = response.body
    assert gzip.decompress(sent) == b"".join(pieces)
    assert len(sent) < len(b"".join(pieces)) / 5
    head = await liveclient.head("/admin", headers=headers)
    assert head.body == b""


async def test_client_that_leaves_a_compressed_stream_ends_it(liveclient, app):
    extensions.compress(app, min_size=1)
    ended = asyncio.Event()

    async def stream(scope, receive, send):
        try:
            await send(start(200, (b"content-type", b"text/plain")))
            for number in range(100_000):
                await send(body(b"%d " % number * 10_000, more=True))
        finally:
            ended.set()

    answers(app, stream)
    reader, writer = await asyncio.open_connection("127.0.0.1", liveclient.port)
    writer.write(REQUEST % (b"", b"Accept-Encoding: gzip\r\n"))
    await reader.readline()
    writer.transport.abort()
    await ended.wait()


async def test_csrf_and_cookies_of_the_outer_application_hold(client, app):
    answers(app, hello)

    @app.listen("response")
    def mark(request, response):
        response.cookies.set("seen", "1")

    response = await client.get("/admin")
    assert "seen=1" in client.protocol.transport.data.decode()
    assert response.status == 200


# Errors.


async def test_error_before_a_response_is_a_500_and_an_event(client, app, caplog):
    seen = []

    @app.listen("error")
    async def note(request, response, error):
        seen.append(error.__context__)
        response.body = "sorry"

    async def fail(scope, receive, send):
        await send(start(200, (b"x-half", b"1")))
        raise KeyError("boom")

    answers(app, fail)
    response = await client.get("/admin")
    assert isinstance(seen[0], KeyError)
    assert (response.status, response.body) == (500, b"sorry")
    assert "KeyError: 'boom'" in caplog.text
    assert b"X-Half" not in client.protocol.transport.data


MISTAKES = {
    "nothing": ([], "has returned without a response: it has sent no 'http.response.start'"),
    "start alone": ([start()], "it has sent no 'http.response.body'"),
    "body alone": ([body()], "has sent 'http.response.body' before 'http.response.start'"),
    "two starts": ([start(), start()], "'http.response.start' after 'http.response.start'"),
    "unknown": ([{"type": "http.nonsense"}], "'http.nonsense', which does not belong to"),
    "trailers": ([start(), {"type": "http.response.trailers"}], "after 'http.response.start'"),
    "text": ([start(), body("text")], "The body of a message is bytes, not str"),
    "name": ([start(200, ("x", b"y"))], "The name of a field is bytes, not 'x'"),
    "value": ([start(200, (b"x", "y"))], "The value of a field is bytes, not 'y'"),
}


@pytest.mark.parametrize("name", MISTAKES)
async def test_mistake_of_an_application_is_named(client, app, caplog, name):
    messages, text = MISTAKES[name]

    async def answer(scope, receive, send):
        for message in messages:
            await send(message)

    answers(app, answer)
    assert (await client.get("/admin")).status == 500
    assert text in caplog.text


@pytest.mark.parametrize(
    "field", [(b"x\r\ny", b"1"), (b"x y", b"1"), (b"x", b"1\r\ny: 2"), (b"x", b"1\0")]
)
@pytest.mark.parametrize("more", [False, True], ids=["whole", "stream"])
async def test_field_that_would_split_the_response_is_a_500(liveclient, app, talk, field, more):
    async def answer(scope, receive, send):
        await send(start(200, field))
        await send(body(b"x", more=more))

    answers(app, answer)
    answer = await talk(REQUEST % (b"", LAST))
    assert answer.startswith(b"HTTP/1.1 500 ")
    assert b"y: 2" not in answer


async def test_page_for_an_unsendable_stream_is_sent(client, app):
    async def answer(scope, receive, send):
        await send(start(200, (b"x", b"\0")))
        with pytest.raises(ValueError, match="control character"):
            await send(body(b"x", more=True))
        await send(start(503))
        await send(body(b"sorry"))

    answers(app, answer)
    response = await client.get("/admin")
    assert (response.status, response.body) == (503, b"sorry")


@pytest.mark.parametrize("sent", [b"x" * 4, b"x" * 6])
@pytest.mark.parametrize("more", [False, True], ids=["whole", "stream"])
async def test_wrong_length_is_never_taken_for_a_whole_response(liveclient, app, sent, more):
    answers(app, streaming(sent, content_length=b"5") if more else whole(sent))
    reader, writer = await asyncio.open_connection("127.0.0.1", liveclient.port)
    writer.write(REQUEST % (b"", b""))
    if more:
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(5)
    else:
        assert (await reader.readline()).startswith(b"HTTP/1.1 500 ")
    writer.close()


def whole(sent):
    async def answer(scope, receive, send):
        await send(start(200, (b"content-length", b"5")))
        await send(body(sent))

    return answer


@pytest.mark.parametrize("fails", [False, True], ids=["returns", "raises"])
async def test_stream_without_an_end_is_cut_and_logged(liveclient, app, caplog, fails):
    async def stream(scope, receive, send):
        await send(start())
        await send(body(b"part", more=True))
        if fails:
            raise KeyError("within")

    answers(app, stream)
    reader, writer = await asyncio.open_connection("127.0.0.1", liveclient.port)
    writer.write(REQUEST % (b"", b""))
    with pytest.raises(ConnectionError):
        while True:
            if not await reader.read(1000):
                break
    assert ("within" if fails else "its last 'http.response.body' has `more_body`") in caplog.text
    writer.close()


async def test_log_errors_off_logs_nothing(liveclient, app, talk, caplog):
    app.log_errors = False

    async def late(scope, receive, send):
        await hello(scope, receive, send)
        raise ValueError("too late")

    answers(app, late)
    await talk(REQUEST % (b"", LAST))
    assert "too late" not in caplog.text


async def test_cancelled_request_is_not_answered(app):
    entered = asyncio.Event()
    cancelled = asyncio.Event()

    async def wait(scope, receive, send):
        entered.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    answers(app, wait)
    protocol = app.factory()
    transport = Transport(protocol)
    protocol.connection_made(transport)
    protocol.data_received(REQUEST % (b"", b""))
    await entered.wait()
    protocol.cancel()
    await cancelled.wait()
    assert transport.data == b""


# Extensions of ASGI.


async def test_file_is_sent_by_its_path(liveclient, app, tmp_path):
    file = tmp_path / "page.txt"
    file.write_bytes(b"x" * 300_000)

    async def answer(scope, receive, send):
        assert "http.response.pathsend" in scope["extensions"]
        fields = [(b"content-length", b"300000")] if scope["path"] == "/admin/known" else []
        await send(start(200, *fields))
        await send({"type": "http.response.pathsend", "path": str(file)})

    answers(app, answer)
    for path in ("/admin/known", "/admin/unknown"):
        assert (await liveclient.get(path)).body == file.read_bytes()


def pathsend(path):
    return {"type": "http.response.pathsend", "path": str(path)}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("kind", ["missing", "folder", "pipe", "socket", "nul", "number"])
async def test_path_that_names_no_file_is_an_error(
    liveclient, app, caplog, tmp_path, kind, method
):
    paths = {"nul": "a\0b", "folder": str(tmp_path), "number": 0}
    path = paths.get(kind, str(tmp_path / kind))
    if kind == "pipe":
        os.mkfifo(path)
    listening = socket.socket(socket.AF_UNIX)
    if kind == "socket":
        listening.bind(path)

    async def answer(scope, receive, send):
        await send(start(200, (b"x-file", b"1")))
        await send({"type": "http.response.pathsend", "path": path})

    answers(app, answer)
    with listening:
        response = await liveclient.query(method, "/admin")
    assert (response.status, "x-file" in response.headers) == (500, False)
    assert "Unexpected exception" in caplog.text


async def test_application_may_answer_for_a_file_that_is_missing(client, app, tmp_path):
    async def answer(scope, receive, send):
        await send(start(200))
        with contextlib.suppress(OSError):
            await send(pathsend(tmp_path / "none"))
        await send(body(b"instead"))

    answers(app, answer)
    assert (await client.get("/admin")).body == b"instead"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("size", [0, 1, 300_000])
async def test_file_without_a_length_gets_its_own(liveclient, app, tmp_path, size, method):
    file = tmp_path / "file"
    file.write_bytes(b"x" * size)

    async def answer(scope, receive, send):
        await send(start(200))
        await send(pathsend(file))

    answers(app, answer)
    response = await liveclient.query(method, "/admin")
    assert response.headers["content-length"] == str(size)
    assert "transfer-encoding" not in response.headers
    assert len(response.body) == (size if method == "GET" else 0)


async def test_file_to_a_response_without_a_body_is_not_sent(liveclient, app, tmp_path, talk):
    file = tmp_path / "file"
    file.write_bytes(b"not sent")

    async def answer(scope, receive, send):
        await send(start(304))
        await send(pathsend(file))

    answers(app, answer)
    received = await talk(REQUEST % (b"", LAST))
    assert received.startswith(b"HTTP/1.1 304 ")
    assert received.endswith(b"\r\n\r\n")


async def changed_while_sent(liveclient, app, file, change):
    """Send a file that changes when its head is there; return the size of what arrives."""
    size = 64 * MIB
    with file.open("wb") as out:
        out.truncate(size)

    async def answer(scope, receive, send):
        await send(start(200))
        await send(pathsend(file))

    answers(app, answer)
    reader, writer = await asyncio.open_connection("127.0.0.1", liveclient.port)
    writer.write(REQUEST % (b"", LAST))
    assert b"Content-Length: %d\r\n" % size in await reader.readuntil(b"\r\n\r\n")
    change()
    received = 0
    with contextlib.suppress(ConnectionError):
        while part := await reader.read(MIB):
            received += len(part)
    writer.close()
    return received


async def test_file_that_shrinks_while_it_is_sent_cuts_the_response(
    liveclient, app, tmp_path, caplog
):
    file = tmp_path / "file"
    received = await changed_while_sent(liveclient, app, file, lambda: os.truncate(file, 0))
    assert received < 64 * MIB
    assert "was cut while it was read" in caplog.text


@pytest.mark.parametrize("how", ["grows", "vanishes", "is replaced"])
async def test_file_that_changes_while_it_is_sent_is_sent_as_it_was(
    liveclient, app, tmp_path, how
):
    file = tmp_path / "file"

    def change():
        if how == "grows":
            with file.open("ab") as out:
                out.write(bytes(MIB))
            return
        file.unlink()
        if how == "is replaced":
            file.write_bytes(b"another")

    assert await changed_while_sent(liveclient, app, file, change) == 64 * MIB


async def test_file_has_trailers(liveclient, app, talk, tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"x" * 300_000)

    async def answer(scope, receive, send):
        await send(start(200, trailers=True))
        await send(pathsend(file))
        await send({"type": "http.response.trailers", "headers": [(b"x-sum", b"5")]})

    answers(app, answer)
    received = await talk(REQUEST % (b"", LAST))
    assert received.count(b"x") >= 300_000
    assert received.endswith(b"\r\n0\r\nx-sum: 5\r\n\r\n")


async def test_response_that_another_task_has_sent_is_not_followed_by_a_file(
    client, app, tmp_path
):
    file = tmp_path / "file"
    file.write_bytes(b"late")
    refused = []

    async def answer(scope, receive, send):
        await send(start(200))
        late = asyncio.ensure_future(send(pathsend(file)))
        await asyncio.sleep(0)  # the file is opened in a thread
        await send(body(b"first"))
        with pytest.raises(RuntimeError, match="after the end") as caught:
            await late
        refused.append(caught)

    answers(app, answer)
    assert (await client.get("/admin")).body == b"first"
    assert len(refused) == 1


REFUSED_STARTS = {
    "name": start(404, (b"set-cookie", b"a=1"), ("x", b"y")),
    "value": start(404, (b"set-cookie", b"a=1"), (b"x", None)),
    "pair": start(404, (b"set-cookie", b"a=1"), (b"x",)),
    "list": start(404, (b"set-cookie", b"a=1"), (b"x-outer", b"2"), (b"x", 1)),
    "trailers": start(404, (b"set-cookie", b"a=1"), (b"x", 1), trailers=True),
    "status": start(99, (b"set-cookie", b"a=1")),
    "float": start(200.0, (b"set-cookie", b"a=1")),
    "no status": {"type": "http.response.start", "headers": [(b"set-cookie", b"a=1")]},
}


@pytest.mark.parametrize("name", REFUSED_STARTS)
@pytest.mark.parametrize("outer", [None, "1", ["0", "1"]], ids=["none", "one", "two"])
async def test_refused_start_leaves_nothing_in_the_page_that_follows(client, app, name, outer):
    async def answer(scope, receive, send):
        with pytest.raises((KeyError, TypeError, ValueError)):
            await send(REFUSED_STARTS[name])
        await send(start(200, (b"x-page", b"1")))
        await send(body(b"page"))

    @app.listen("headers")
    def set_outer(request, response):
        if outer is not None:
            response.headers["X-Outer"] = list(outer) if isinstance(outer, list) else outer

    answers(app, answer)
    response = await client.get("/admin")
    assert (response.status, response.body) == (200, b"page")
    assert response.headers["X-Page"] == "1"
    assert "Set-Cookie" not in response.headers
    assert "X" not in response.headers
    assert response.headers.get("X-Outer") == outer


async def test_refused_stream_leaves_no_trailers_in_the_page_that_follows(liveclient, app, talk):
    async def answer(scope, receive, send):
        await send(start(200, (b"x", b"1\r\ny: 2"), trailers=True))
        with pytest.raises(ValueError, match="control character"):
            await send(body(b"part", more=True))
        await send(start(404))
        await send(body(b"page"))

    answers(app, answer)
    assert (await talk(REQUEST % (b"", LAST))).endswith(b"\r\n\r\npage")


@pytest.mark.parametrize("fails", [False, True], ids=["returns", "raises"])
@pytest.mark.parametrize("length", [2, 20], ids=["error", "refused body"])
async def test_error_has_nothing_of_the_response_that_was_begun(
    liveclient, app, talk, fails, length
):
    async def answer(scope, receive, send):
        await send(start(200, (b"set-cookie", b"a=1"), (b"cache-control", b"public")))
        while (await receive()).get("more_body", False):
            pass
        if fails:
            raise LookupError

    answers(app, answer, max_body=10)
    fields = b"Transfer-Encoding: chunked\r\n" + LAST
    sent = b"%x\r\n%b\r\n0\r\n\r\n" % (length, b"x" * length)
    request = (REQUEST % (b"", fields)).replace(b"GET", b"POST") + sent
    received = (await talk(request)).lower()
    assert received.startswith(b"http/1.1 500" if length == 2 else b"http/1.1 413")
    assert b"set-cookie" not in received
    assert b"cache-control" not in received


@pytest.mark.parametrize("more", [False, True], ids=["whole", "stream"])
async def test_trailers_follow_the_body(liveclient, app, talk, more):
    async def answer(scope, receive, send):
        await send(start(200, trailers=True))
        if more:
            await send(body(b"a", more=True))
        await send(body(b"b"))
        trailers = {"type": "http.response.trailers"}
        await send({**trailers, "headers": [(b"x-sum", b"1")], "more_trailers": True})
        await send({**trailers, "headers": [(b"x-end", b"2")]})

    answers(app, answer)
    answer = await talk(REQUEST % (b"", LAST))
    assert answer.endswith(b"1\r\nb\r\n0\r\nx-sum: 1\r\nx-end: 2\r\n\r\n")


@pytest.mark.parametrize(
    "name", [b"content-length", b"Transfer-Encoding", b"TRAILER", b"connection", b"x\r\ny", b"x y"]
)
async def test_trailer_that_cannot_be_sent_is_refused(liveclient, app, talk, name):
    async def answer(scope, receive, send):
        await send(start(200, trailers=True))
        await send(body(b"a"))
        trailers = {"type": "http.response.trailers"}
        with pytest.raises(ValueError, match="RFC 9110"):
            await send({**trailers, "headers": [(b"x-lost", b"1"), (name, b"1")]})
        await send({**trailers, "headers": [(b"x-end", b"2")]})

    answers(app, answer)
    assert (await talk(REQUEST % (b"", LAST))).endswith(b"1\r\na\r\n0\r\nx-end: 2\r\n\r\n")


async def test_early_hints_come_before_the_response(liveclient, app, talk):
    async def answer(scope, receive, send):
        await send({"type": "http.response.early_hint", "links": [b"</a.css>; rel=preload"]})
        await hello(scope, receive, send)

    answers(app, answer)
    answer = await talk(REQUEST % (b"", LAST))
    hints, _, rest = answer.partition(b"\r\n\r\n")
    assert hints == b"HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload"
    assert rest.startswith(b"HTTP/1.1 200 OK")
    assert b"103" not in await talk(b"GET /admin HTTP/1.0\r\n\r\n")


async def test_hint_that_would_split_the_response_is_an_error(client, app, caplog):
    async def answer(scope, receive, send):
        await send({"type": "http.response.early_hint", "links": [b"x\r\ny: z"]})

    answers(app, answer)
    assert (await client.get("/admin")).status == 500
    assert "cannot be sent as a field" in caplog.text


# Startup and shutdown.


async def test_lifespan_runs_with_that_of_the_outer_application(app):
    mounted = answers(app, hello)
    order = []
    app.listen("startup")(lambda: order.append(list(mounted.lives)))
    app.listen("shutdown")(lambda: order.append(list(mounted.lives)))
    await app.startup()
    await app.shutdown()
    assert order == [["lifespan.startup"]] * 2
    assert mounted.lives == ["lifespan.startup", "lifespan.shutdown"]


async def test_each_request_gets_a_copy_of_the_state(app):
    mounted = answers(app, hello)
    client = Client(app)
    await app.startup()
    await client.get("/admin")
    first = mounted.scope["state"]
    first["mine"] = 1
    await client.get("/admin")
    assert "mine" not in mounted.scope["state"]
    assert mounted.scope["state"]["count"] is first["count"]
    await app.shutdown()


async def test_application_without_lifespan_is_served(app):
    client = Client(app)

    async def application(scope, receive, send):
        if scope["type"] != "http":
            raise ValueError(f"Only HTTP, not {scope['type']}")
        await hello(scope, receive, send)

    app.mount("/admin", application)
    await app.startup()
    assert (await client.get("/admin")).body == b"hello"
    await app.shutdown()


async def test_failed_startup_ends_that_of_the_outer_application(app):
    async def application(scope, receive, send):
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})
        raise RuntimeError("no database")

    app.mount("/admin", application)
    with pytest.raises(RuntimeError, match="mounted at '/admin' failed to start: no database"):
        await app.startup()


@pytest.mark.parametrize("how", ["failed", "raised", "hangs"])
async def test_failed_shutdown_is_logged(app, caplog, how):
    async def application(scope, receive, send):
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        if how == "raised":
            raise RuntimeError("lost it")
        if how == "failed":
            await send({"type": "lifespan.shutdown.failed", "message": "lost it"})
        else:
            await send({"type": "lifespan.shutdown.complete"})
            await asyncio.Event().wait()

    app.mount("/admin", application)
    await app.startup()
    await app.shutdown()
    assert ("lost it" in caplog.text) is (how != "hangs")


@pytest.mark.parametrize("waits_for", ["receive", "event"])
async def test_lifespan_that_never_ends_is_cancelled(app, caplog, monkeypatch, waits_for):
    monkeypatch.setattr("roll.lifecycle.CLEANUP_SECONDS", 0)
    monkeypatch.setattr("roll.lifespans.LAST_SECOND", 0.01)
    ended = []

    async def application(scope, receive, send):
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        try:
            await (receive() if waits_for == "receive" else asyncio.Event().wait())
        finally:
            ended.append(True)

    app.limits = Limits(graceful_timeout=0)
    app.mount("/admin", application)
    await app.startup()
    await app.shutdown()
    await asyncio.sleep(0)
    assert ended == [True]
    assert "is cancelled, because it has not ended in time" in caplog.text


@pytest.mark.parametrize("message", [None, {}, {"type": "http.response.start"}, 5])
async def test_message_that_does_not_belong_to_a_lifespan_is_refused(app, message):
    errors = []

    async def application(scope, receive, send):
        await receive()
        with pytest.raises(RuntimeError, match="does not belong to a lifespan") as info:
            await send(message)
        errors.append(info.value)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})

    app.mount("/admin", application)
    await app.startup()
    await app.shutdown()
    assert len(errors) == 1


async def test_application_that_cancels_itself_has_no_lifespan(app):
    async def application(scope, receive, send):
        raise asyncio.CancelledError

    app.mount("/admin", application)
    await app.startup()
    await app.shutdown()


async def test_mount_after_the_start_is_refused(app):
    await app.startup()
    with pytest.raises(ValueError, match="too late"):
        app.mount("/admin", hello)
    await app.shutdown()
    assert list(app.routes) == []


# Mistakes.


async def wsgi(environ, start_response):
    return []


class Version2:
    def __init__(self, scope):
        self.scope = scope


async def one_message(scope, receive, send):
    yield await receive()


def no_message(scope, receive, send):
    yield


class Generator:
    async def __call__(self, scope, receive, send):
        yield

    def run(self, scope, receive, send):
        yield


class Made:
    async def __call__(self, scope, receive, send):
        pass


@pytest.mark.parametrize(
    ("application", "text"),
    [
        (None, "None is not an ASGI 3 application: it cannot be called"),
        ("app", "it cannot be called"),
        (wsgi, "it has the parameters of a WSGI application; wrap it: `a2wsgi.WSGIMiddleware"),
        (Version2, "one of ASGI 2"),
        (Made, "it is a class: make an instance of it"),
        (lambda: None, "it takes no arguments: if it returns an application, call it"),
        (lambda one: None, "it does not take `scope`, `receive` and `send`"),
        (one_message, "it is a generator function, which nothing would run: write it without `yi"),
        (no_message, "it is a generator function"),
        (Generator(), "it is a generator function"),
        (Generator().run, "it is a generator function"),
        (functools.partial(one_message), "it is a generator function"),
    ],
)
def test_object_that_is_not_an_application_is_refused(app, application, text):
    with pytest.raises(ValueError, match=re.escape(text)):
        app.mount("/admin", application)


def test_coroutine_is_refused_and_closed(app):
    with pytest.raises(ValueError, match="remove the call"):
        app.mount("/admin", hello({}, None, None))


def test_builtin_without_a_signature_is_accepted_as_an_application(app):
    app.mount("/admin", max)


@pytest.mark.parametrize(
    "returned",
    [lambda: None, lambda: no_message({}, None, None), lambda: one_message({}, None, None), dict],
    ids=["None", "generator", "async generator", "dict"],
)
async def test_application_that_returns_nothing_to_await_is_named_at_startup(app, returned):
    app.mount("/admin", lambda scope, receive, send: returned())
    text = r"The application mounted at '/admin' returned .*, which cannot be awaited: an ASGI 3 "
    with pytest.raises(TypeError, match=text):
        await app.startup()


async def test_application_that_raises_before_it_is_awaited_has_no_lifespan():
    def apart(scope, receive, send):
        if scope["type"] == "lifespan":
            raise NotImplementedError
        return hello(scope, receive, send)

    app = Roll()
    app.mount("/admin", apart)
    async with Client(app) as client:
        assert (await client.get("/admin")).body == b"hello"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (1, "A path is text"),
        ("admin", "begins with a '/'"),
        ("/a//b", "begins with a '/'"),
        ("/{x}", "has no placeholders"),
    ],
)
def test_path_of_a_mount_is_checked(app, path, text):
    with pytest.raises(ValueError, match=text):
        app.mount(path, hello)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"max_size": "x"}, "max_size"),
        ({"max_body": -1}, "max_body"),
        ({"methods": ["GET"]}, "`mount` takes no 'methods': its settings are max_body, origins"),
        ({"subprotocols": ["a"]}, "takes no 'subprotocols'"),
    ],
)
def test_settings_of_a_mount_are_checked(app, settings, text):
    with pytest.raises(ValueError, match=text):
        app.mount("/admin", hello, **settings)


def test_application_in_itself_is_refused(app):
    with pytest.raises(ValueError, match="mounted in itself"):
        app.mount("/admin", app)


async def test_empty_path_is_the_root(client, app):
    application = answers(app, hello, path="")
    assert (await client.get("/x")).body == b"hello"
    assert application.scope["root_path"] == ""


async def test_application_alone_is_served_at_the_root():
    application = Recorded()
    async with Client(alone(application)) as client:
        assert (await client.get("/x")).body == b"hello"
    assert application.lives == ["lifespan.startup", "lifespan.shutdown"]
    assert application.scope["root_path"] == ""


async def test_unix_socket_has_a_path_and_no_client(app, tmp_path):
    application = answers(app, hello)
    server = AppServer(app)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(tmp_path / "s"))
        await server.serve([sock])
        reader, writer = await asyncio.open_unix_connection(tmp_path / "s")
        writer.write(REQUEST % (b"", LAST))
        assert (await reader.read()).endswith(b"hello")
        writer.close()
        await server.stop()
    assert application.scope["server"] == (str(tmp_path / "s"), None)
    assert application.scope["client"] is None


async def test_request_for_another_upgrade_is_served_and_is_the_last(liveclient, app, talk):
    answers(app, hello, path="/whole")
    answers(app, streaming(b"a"), path="/stream")
    upgrade = b"Upgrade: websocket\r\nConnection: Upgrade\r\n"
    for path in (b"whole", b"stream"):
        answer = await talk(b"POST /%b HTTP/1.1\r\nHost: x\r\n%b\r\n" % (path, upgrade))
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b"Connection: close" in answer


async def test_refused_body_can_be_asked_for_again(liveclient, app, talk):
    seen = []

    async def read(scope, receive, send):
        seen.extend([(await receive())["type"] for _ in range(3)])

    answers(app, read, max_body=10)
    head = b"POST /admin HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert (await talk(head + b"14\r\n" + b"x" * 20)).startswith(b"HTTP/1.1 413 ")
    assert seen == ["http.disconnect"] * 3


async def test_send_may_be_given_to_a_task(client, app):
    async def answer(scope, receive, send):
        await asyncio.create_task(send(start()))
        await asyncio.create_task(send(body(b"by a task")))

    answers(app, answer)
    assert (await client.get("/admin")).body == b"by a task"


async def test_cancelled_send_raises_in_its_task(client, app):
    async def answer(scope, receive, send):
        task = asyncio.create_task(send(start()))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        send(start()).close()
        await hello(scope, receive, send)

    answers(app, answer)
    assert (await client.get("/admin")).status in {200, 500}


def test_request_made_by_hand_has_its_fields(app):
    request = app.Request(app, None)
    request.headers = {"HOST": "example.org"}
    assert fields_of(request, None) == [(b"host", b"example.org")]


async def test_error_of_an_application_that_has_waited_is_a_500(liveclient, app, talk, caplog):
    async def answer(scope, receive, send):
        await asyncio.sleep(0)
        raise KeyError("later")

    answers(app, answer)
    assert (
        await talk(REQUEST % (b"", LAST.replace(b"close", b"x")) + REQUEST % (b"", LAST))
    ).count(b"HTTP/1.1 500 ") == 2
    assert "later" in caplog.text


async def test_second_task_that_receives_the_body_at_once_gets_an_error(liveclient, app):
    raised = asyncio.get_running_loop().create_future()

    async def read(scope, receive, send):
        first = asyncio.ensure_future(receive())
        await asyncio.sleep(0)
        try:
            await receive()
        except RuntimeError as error:
            raised.set_result(str(error))
        await first
        await hello(scope, receive, send)

    answers(app, read)
    reader, writer = await asyncio.open_connection("127.0.0.1", liveclient.port)
    writer.write(b"POST /admin HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n")
    assert "read elsewhere already" in await raised
    writer.write(b"abc")
    await reader.readuntil(b"hello")
    writer.close()


async def test_end_of_a_body_may_come_alone(liveclient, app):
    parts = []
    came = asyncio.Event()

    async def read(scope, receive, send):
        more = True
        while more:
            message = await receive()
            parts.append((message["body"], message["more_body"]))
            more = message["more_body"]
            came.set()
        await hello(scope, receive, send)

    answers(app, read)
    reader, writer = await asyncio.open_connection("127.0.0.1", liveclient.port)
    writer.write(
        b"POST /admin HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
    )
    await came.wait()
    writer.write(b"0\r\n\r\n")
    await reader.readuntil(b"hello")
    writer.close()
    assert parts == [(b"abc", True), (b"", False)]


async def test_long_body_that_a_listener_began_to_read_continues(liveclient, app, caplog):
    @app.listen("headers")
    async def begin(request, response):
        async for _ in request:
            break

    async def read(scope, receive, send):
        total = 0
        while (message := await receive())["more_body"]:
            total += len(message["body"])
        await send(start())
        await send(body(b"%d" % (total + len(message["body"]))))

    answers(app, read)
    response = await liveclient.post("/admin", body=b"x" * 1_000_000)
    assert response.status == 200
    assert 0 < int(response.body) < 1_000_000


async def test_long_body_that_a_listener_has_read_is_an_error(liveclient, app, caplog):
    @app.listen("headers")
    async def stream(request, response):
        async for _ in request:
            pass

    answers(app, echo)
    response = await liveclient.post("/admin", body=b"x" * 1_000_000)
    assert response.status == 500
    assert "it can be streamed only once" in caplog.text


async def test_transfer_encoding_of_the_application_is_the_servers(liveclient, app, talk):
    async def answer(scope, receive, send):
        await send(start(200, (b"transfer-encoding", b"gzip"), (b"x-new-name", b"1")))
        await send(body(b"x"))

    answers(app, answer)
    answer = await talk(REQUEST % (b"", LAST))
    assert b"gzip" not in answer
    assert b"X-New-Name: 1" in answer


def test_names_that_clients_make_up_do_not_fill_the_memory():
    headers = {}
    set_fields(headers, [(b"x-made-up-%d" % number, b"1") for number in range(3000)])
    assert len(headers) == 3000
    assert len(known) <= 1024
