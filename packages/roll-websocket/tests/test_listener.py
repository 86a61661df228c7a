"""The package on a plain asyncio server."""

import asyncio
import contextlib
import json
import logging
import math
from functools import partial
from types import SimpleNamespace
from typing import Any, cast

import pytest
from websockets.datastructures import Headers
from websockets.http11 import Request

from roll_websocket import HandshakeError, HandshakeRequest, Listener, WSProtocol
from roll_websocket.opening import Opening


async def test_a_handler_sees_the_head_of_its_request(serve: Any) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        assert ws.request is request
        await ws.send(f"{request.method} {request.path} {request.version}")
        await ws.send(request.headers["X-TWICE"])

    raw = await (await serve(handler)).raw("X-Twice: a", "x-twice: b")
    assert await raw.frame() == (0x81, b"GET / 1.1")
    assert await raw.frame() == (0x81, b"a, b")


async def test_a_request_may_come_byte_by_byte(serve: Any, wire: Any) -> None:
    raw = await (await serve()).socket()
    raw.writer.transport.set_write_buffer_limits(0)
    for byte in wire.head() + wire.frame(1, b"slow"):
        raw.send(bytes([byte]))
        await raw.writer.drain()
    assert (await raw.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
    assert await raw.frame() == (0x81, b"slow")


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"upgrade": None}, 426, "Upgrade: websocket"),
        ({"sec_websocket_version": "8"}, 426, "Sec-WebSocket-Version: 13"),
        ({"sec_websocket_key": None}, 400, ""),
        ({"sec_websocket_key": "bad"}, 400, ""),
        ({"host": None}, 400, ""),
        ({"line": "POST / HTTP/1.1"}, 405, "Allow: GET"),
        ({"line": "GET / HTTP/1.0"}, 505, ""),
        ({"line": "GET /"}, 400, ""),
        ({"line": "GET / HTTP/1.1\n"}, 400, ""),
        ({"line": "GET /" + "x" * 10_000 + " HTTP/1.1"}, 400, ""),
    ],
)
async def test_a_refused_request_is_answered_and_closed(
    serve: Any, wire: Any, changes: dict[str, Any], status: int, field: str
) -> None:
    site = await serve()
    raw = await site.socket()
    raw.send(wire.head(**changes))
    answer = (await raw.rest()).decode()
    assert answer.startswith(f"HTTP/1.1 {status} ")
    head, body = answer.split("\r\n\r\n", 1)
    assert field in head
    assert "Connection: close" in head
    assert f"Content-Length: {len(body)}" in head
    assert body.endswith(".")
    assert site.ws == []


async def test_connection_without_a_request_is_closed_after_the_timeout(serve: Any) -> None:
    raw = await (await serve(constants={"TIMEOUT": 0.01})).socket()
    assert await raw.rest() == b""


async def test_client_may_disconnect_before_its_request(serve: Any) -> None:
    site = await serve()
    raw = await site.socket()
    raw.writer.write_eof()
    assert await raw.rest() == b""
    client = await site.connect()
    await client.close()


@pytest.mark.parametrize("handler", [dict, print])
async def test_a_handler_that_cannot_be_called_or_awaited_is_logged_and_closed(
    serve: Any, log: pytest.LogCaptureFixture, handler: Any
) -> None:
    site = await serve()
    site.listener.handler = handler
    raw = await site.raw()
    assert await raw.close_code() == 1011
    raw.writer.close()
    await site.listener.stop()
    (record,) = log.records
    assert isinstance(record.exc_info and record.exc_info[1], TypeError)


async def test_stop_closes_connections_that_have_not_opened_yet(serve: Any, wire: Any) -> None:
    site = await serve()
    raw = await site.socket()
    raw.send(wire.head()[:30])
    await wire.until(lambda: any(opening.reader.buffer for opening in site.listener.openings))
    await site.listener.stop()
    assert await raw.rest() == b""
    await wire.until(lambda: not site.listener.openings)


async def test_connection_after_a_stop_is_closed(serve: Any, wire: Any) -> None:
    site = await serve()
    await site.listener.stop()
    raw = await site.socket()
    raw.send(wire.head())
    with contextlib.suppress(ConnectionError):  # a reset, where the request was in time
        assert await raw.rest() == b""
    assert site.ws == []


async def test_callbacks_of_a_closed_transport_are_ignored(serve: Any, wire: Any) -> None:
    """As one over TLS may, with what it had decrypted."""
    site = await serve()
    raw = await site.socket()
    await wire.until(lambda: site.listener.openings)
    (opening,) = site.listener.openings
    opening.transport.close()
    opening.data_received(wire.head())
    assert await raw.rest() == b""
    assert site.ws == []


def test_an_unknown_option_is_an_error_at_once(wire: Any) -> None:
    with pytest.raises(ValueError, match=r"ping_intervall.*ping_interval,"):
        Listener(wire.echo, ping_intervall=5)


async def test_a_request_has_its_parts(serve: Any, wire: Any) -> None:
    async def handler(request: HandshakeRequest, ws: WSProtocol) -> None:
        assert (ws.path, ws.query_string) == (request.path, request.query_string)
        assert (ws.headers, ws.client) == (request.headers, request.client)
        await ws.send_json([ws.path, ws.query_string, ws.headers["HOST"], ws.client])

    site = await serve(handler)
    for target, path, query in [
        ("/caf%C3%A9/%2F?a=1&b=%20?", "/caf\u00e9//", "a=1&b=%20?"),
        ("/", "/", ""),
        ("/?", "/", ""),
        ("//x", "//x", ""),
        ("http://localhost/chat?a", "/chat", "a"),
        ("http://localhost", "/", ""),
        ("http://localhost?a", "/", "a"),
        ("HTTPS://localhost/?a/b", "/", "a/b"),
        ("ws://localhost/a://b", "/a://b", ""),
        ("/a:b@[c]", "/a:b@[c]", ""),
        ("/%zz", "/%zz", ""),
    ]:
        raw = await site.socket()
        raw.send(wire.head(line=f"GET {target} HTTP/1.1"))
        await raw.reader.readuntil(b"\r\n\r\n")
        _, payload = await raw.frame()
        address = list(raw.writer.get_extra_info("sockname"))
        assert json.loads(payload) == [path, query, "localhost", address]


@pytest.mark.parametrize(
    "target",
    [
        "http://[:/",
        "http://[::1/",
        "http://[::1]x/",
        "http://",
        "http:///a",
        "http://a b/",
        "http://u@a/",
        "http://a:b/",
        "http://a/#b",
        "http:/a",
        "ftp://a/",
        "://a/",
        "a",
        "a/b",
        "*",
        "localhost:80",
        "/a#b",
        "#",
        "/caf\u00e9",
        "/\x01",
        "/\x7f",
        "?a",
    ],
)
async def test_a_malformed_target_is_refused(serve: Any, wire: Any, target: str) -> None:
    site = await serve()
    raw = await site.socket()
    raw.send(wire.head(line=f"GET {target} HTTP/1.1"))
    assert (await raw.rest()).startswith(b"HTTP/1.1 400 ")
    assert site.ws == []


async def test_the_host_of_a_whole_url_counts(serve: Any, wire: Any) -> None:
    async def handler(request: HandshakeRequest, ws: WSProtocol) -> None:
        await ws.send(ws.headers["HOST"])

    site = await serve(handler)
    for target, host in [
        ("http://[::1]:80/a", "[::1]:80"),
        ("http://b?c", "b"),
        ("/", "localhost"),
    ]:
        raw = await site.socket()
        raw.send(wire.head(line=f"GET {target} HTTP/1.1"))
        await raw.reader.readuntil(b"\r\n\r\n")
        assert (await raw.frame())[1] == host.encode()


async def test_over_a_unix_socket_a_client_has_no_address(wire: Any, tmp_path: Any) -> None:
    async def handler(request: HandshakeRequest, ws: WSProtocol) -> None:
        await ws.send(str(ws.client))

    loop = asyncio.get_running_loop()
    listener = Listener(handler)
    server = await loop.create_unix_server(listener, str(tmp_path / "socket"))
    reader, writer = await asyncio.open_unix_connection(str(tmp_path / "socket"))
    writer.write(wire.head())
    await reader.readuntil(b"\r\n\r\n")
    assert await reader.readexactly(6) == b"\x81\x04None"
    writer.close()
    server.close()
    await listener.stop()


async def test_each_path_has_its_own_handler(serve: Any, wire: Any) -> None:
    def saying(text: str) -> Any:
        async def handler(request: Any, ws: WSProtocol) -> None:
            await ws.send(text)

        return handler

    site = await serve()
    site.listener.handler = {"/a": saying("one"), "/b/\u00e9": saying("two")}
    for path, text in [("/a", b"one"), ("/a?x", b"one"), ("/b/%C3%A9", b"two")]:
        raw = await site.socket()
        raw.send(wire.head(line=f"GET {path} HTTP/1.1"))
        await raw.reader.readuntil(b"\r\n\r\n")
        assert await raw.frame() == (0x81, text)
    for path in ("/", "/a/", "/A", "/c"):
        raw = await site.socket()
        raw.send(wire.head(line=f"GET {path} HTTP/1.1"))
        answer = await raw.rest()
        assert answer.startswith(b"HTTP/1.1 404 Not Found\r\n")
        assert answer.endswith(b"There is no WebSocket at this path.")


def generator(*args: Any) -> Any:
    yield


async def asynchronous_generator(*args: Any) -> Any:
    yield


def called(call: Any) -> Any:
    """Return an object whose `__call__` is a function."""
    return type("Called", (), {"__call__": staticmethod(call)})()


class Shape:
    """A class with the arguments of a handler."""

    def __init__(self, *args: Any) -> None: ...


class Awaited(Shape):
    """A class whose objects are awaited, as coroutines are."""

    def __await__(self) -> Any:
        return iter(())


@pytest.mark.parametrize(
    ("handler", "message"),
    [
        (None, "A handler is a function, not None"),
        (3, "A handler is a function, not 3"),
        ("/a", "A handler is a function, not '/a'"),
        ([print], "A handler is a function"),
        (generator, "without `yield`"),
        (asynchronous_generator, "without `yield`"),
        (partial(generator, 1), "without `yield`"),
        (called(generator), "without `yield`"),
        (partial(called(asynchronous_generator)), "without `yield`"),
        (Shape, "is a class: nothing is awaited"),
        (partial(Shape, 1), "is a class: nothing is awaited"),
        (lambda: None, r"is called with \(request, ws\), and .* takes \(\): too many"),
        (lambda ws: None, r"takes \(ws\): too many positional arguments"),
        (lambda a, b, c: None, "missing a required argument: 'c'"),
        (partial(lambda a, b: None, 1), "too many positional arguments"),
        ({"/a": lambda: None}, r"The handler of '/a' is called with \(request, ws\)"),
        ({}, "at least one path, not {}"),
        ({"/a": None}, "The handler of '/a' is a function, not None"),
        ({"/a": print, "/b": asynchronous_generator}, "The handler of '/b' is .* without `yield`"),
        ({"a": print}, "begins with '/', not 'a'"),
        ({b"/a": print}, "begins with '/'"),
        ({"": print}, "begins with '/'"),
        ({None: print}, "begins with '/', not None"),
        ({"/\ud800": print}, "text that UTF-8 can encode"),
        ({"/a/\udfff/b": print}, "text that UTF-8 can encode"),
    ],
)
def test_invalid_handler_is_an_error_at_once(handler: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Listener(handler)


@pytest.mark.parametrize(
    "hook",
    [
        *("no", 0, False, [], {}, generator, asynchronous_generator, Shape, partial(Shape, 1)),
        *(partial(generator), called(generator), called(asynchronous_generator)),
    ],
    ids=map(str, range(12)),
)
def test_invalid_hook_is_an_error_at_once(wire: Any, hook: Any) -> None:
    with pytest.raises(ValueError, match="`process_request` is a function"):
        Listener(wire.echo, process_request=hook)


@pytest.mark.parametrize("hook", [lambda: None, lambda a, b: None], ids=["none", "two"])
def test_a_hook_takes_the_request(wire: Any, hook: Any) -> None:
    with pytest.raises(ValueError, match=r"`process_request` is called with \(request\), and"):
        Listener(wire.echo, process_request=hook)


def test_functions_objects_and_classes_that_are_awaited_are_handlers(wire: Any) -> None:
    async def handler(request: Any, ws: Any, *, more: int = 0) -> None: ...

    class Classed:
        @classmethod
        async def __call__(cls, request: Any, ws: Any) -> None: ...

    builtin = max  # one without a signature that can be read
    plain = (partial(handler, more=1), called(handler), Classed(), Awaited, builtin, print)
    for each in (handler, *plain):
        assert Listener(each, process_request=print).handler is each


class NoCodec:
    dumps = loads = None


@pytest.mark.parametrize("protocol", [int, None, 3, "WSProtocol", asyncio.Protocol, print])
def test_protocol_that_is_not_a_class_of_connections_is_an_error(wire: Any, protocol: Any) -> None:
    with pytest.raises(ValueError, match=r"`protocol` is a subclass of WSProtocol, not"):
        Listener(wire.echo, protocol=protocol)


COUNTS = ["MAX_QUEUE", "READ_LIMIT", "WRITE_LIMIT", "BACKLOG_LIMIT", "MAX_SIZE"]
NO_COUNTS = ["1", 1.0, -1, True, float("inf"), b"x", [1], print, 2**63, 10**400]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, value) for name in COUNTS for value in NO_COUNTS),
        *((name, None) for name in COUNTS if name != "MAX_SIZE"),
        ("MAX_SIZE", 0),
        *(
            ("TIMEOUT", value)
            for value in [None, "5", -1, 0, 1e-9, True, float("nan"), float("inf"), 1e9]
        ),
        *(("JSON", value) for value in [None, print, "json", NoCodec()]),
    ],
)
def test_constants_that_cannot_work_are_errors_when_a_listener_is_made(
    wire: Any, name: str, value: Any
) -> None:
    protocol = type("Tuned", (WSProtocol,), {name: value})
    with pytest.raises(ValueError, match=f"`{name}`"):
        Listener(wire.echo, protocol=protocol)


@pytest.mark.parametrize(
    "grace",
    [10**400, 10**5000, 1e300, 31_536_001],
    ids=["400 digits", "5000 digits", "float", "int"],
)
async def test_grace_of_more_than_a_year_is_an_error(wire: Any, grace: Any) -> None:
    listener = Listener(wire.echo)
    with pytest.raises(ValueError, match=r"`grace` is at most 31536000 seconds, or math\.inf"):
        await listener.stop(grace)
    await listener.stop(math.inf)


@pytest.mark.parametrize("grace", [None, "5", -1, True, float("nan"), [5]])
async def test_grace_that_is_not_a_number_of_seconds_is_an_error(wire: Any, grace: Any) -> None:
    listener = Listener(wire.echo)
    with pytest.raises(ValueError, match="`grace` is a number of seconds, not"):
        await listener.stop(grace)
    assert not listener.stopped


async def test_a_response_has_the_fields_of_the_listener(serve: Any, wire: Any) -> None:
    """Except those of the handshake."""
    fields = [("Set-Cookie", "a=1"), ("set-cookie", "b=2"), ("Upgrade", "h2c"), ("X-Count", 3)]
    for headers in (fields, tuple(fields), dict(fields)):
        site = await serve(headers=headers)
        for _ in range(2):
            raw = await site.socket()
            raw.send(wire.head())
            answer = await raw.reader.readuntil(b"\r\n\r\n")
            assert b"\r\nset-cookie: b=2\r\n" in answer
            assert b"\r\nX-Count: 3\r\n" in answer
            assert b"h2c" not in answer


def plain(hook: Any) -> Any:
    return hook


def asynchronous(hook: Any) -> Any:
    async def wrapped(request: HandshakeRequest) -> Any:
        await asyncio.sleep(0)
        return hook(request)

    return wrapped


KINDS = pytest.mark.parametrize("kind", [plain, asynchronous])


@KINDS
async def test_process_request_may_refuse_with_its_own_response(
    serve: Any, wire: Any, kind: Any, log: pytest.LogCaptureFixture
) -> None:
    def hook(request: HandshakeRequest) -> None:
        seen.append((request.method, request.path, request.headers.get("AUTHORIZATION")))
        if "AUTHORIZATION" not in request.headers:
            raise HandshakeError(401, "Who are you?", {"WWW-Authenticate": "Basic"})

    seen: list[Any] = []
    site = await serve(process_request=kind(hook))
    raw = await site.socket()
    raw.send(wire.head(line="GET /secret HTTP/1.1"))
    answer = await raw.rest()
    assert answer.startswith(b"HTTP/1.1 401 Unauthorized\r\n")
    assert b"\r\nWWW-Authenticate: Basic\r\n" in answer
    assert b"\r\nConnection: close\r\n" in answer
    assert answer.endswith(b"\r\n\r\nWho are you?")
    raw = await site.raw("Authorization: Basic x", after=wire.frame(1, b"early"))
    assert await raw.frame() == (0x81, b"early")
    assert seen == [("GET", "/secret", None), ("GET", "/", "Basic x")]
    assert log.records == []


@KINDS
@pytest.mark.parametrize("how", ["raises", "returns", "bad header", "bad status", "changed"])
async def test_failing_hook_refuses_the_request_and_is_logged(
    serve: Any, wire: Any, kind: Any, how: str, log: pytest.LogCaptureFixture
) -> None:
    """A response, which is a refusal in another library, does not count as a yes here."""

    def hook(request: HandshakeRequest) -> Any:
        if how == "raises":
            raise KeyError("user")
        if how == "bad header":
            raise HandshakeError(403, "No", {"X": "a\r\nY: b"})
        if how == "bad status":
            raise HandshakeError(999, "No")
        if how == "changed":
            error = HandshakeError(403, "No")
            error.headers["X"] = "a\r\nY: b"
            raise error
        return False

    site = await serve(process_request=kind(hook))
    raw = await site.socket()
    raw.send(wire.head())
    assert (await raw.rest()).startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
    assert site.ws == []
    assert len(log.records) == 1
    # Nothing of the request is in the log: it may have cookies.
    assert "Sec-WebSocket-Key" not in logging.Formatter().format(log.records[0])
    await wire.until(lambda: not site.listener.openings)


async def test_bytes_wait_while_process_request_waits(serve: Any, wire: Any) -> None:
    async def hook(request: HandshakeRequest) -> None:
        asked.set()
        await passed.wait()

    asked, passed = asyncio.Event(), asyncio.Event()
    site = await serve(process_request=hook)
    raw = await site.socket()
    raw.send(wire.head())
    await asked.wait()
    (opening,) = site.listener.openings
    for _ in range(2):
        raw.send(wire.frame(1, b"x" * 100) * 50)
        await wire.until(lambda: opening.reader.buffer)
    raw.send(wire.frame(1, b"x" * 100) * 50_000)
    await asyncio.sleep(0)
    passed.set()
    await raw.reader.readuntil(b"\r\n\r\n")
    for _ in range(1000):
        assert await raw.frame() == (0x81, b"x" * 100)


@pytest.mark.parametrize("how", ["client", "stop"])
async def test_a_check_ends_with_its_client(
    serve: Any, wire: Any, how: str, log: pytest.LogCaptureFixture
) -> None:
    async def hook(request: HandshakeRequest) -> None:
        asked.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
            if how == "client":
                raise HandshakeError(403, "Too late.")

    asked, ended = asyncio.Event(), asyncio.Event()
    site = await serve(process_request=hook, constants={"TIMEOUT": 1000})
    raw = await site.socket()
    raw.send(wire.head())
    await asked.wait()
    if how == "client":
        raw.reset()
    elif how == "stop":
        await site.listener.stop()
    await ended.wait()
    assert site.ws == []
    assert log.records == []


@pytest.mark.parametrize("how", ["waits", "is cancelled", "goes on", "is late", "times out"])
async def test_a_check_without_an_end_is_answered_and_logged(
    serve: Any, wire: Any, how: str, log: pytest.LogCaptureFixture
) -> None:
    async def hook(request: HandshakeRequest) -> None:
        if how == "is cancelled":
            raise asyncio.CancelledError
        if how == "times out":
            raise TimeoutError
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.set()
            if how == "goes on":
                return
            if how == "is late":
                raise HandshakeError(403, "Too late.") from None
            raise

    ended = asyncio.Event()
    waits = how in {"waits", "goes on", "is late"}
    site = await serve(process_request=hook, constants={"TIMEOUT": 0.05 if waits else 1000})
    raw = await site.socket()
    raw.send(wire.head() + wire.frame(1, b"early"))
    answer = await raw.rest()
    status = b"500 Internal Server Error" if how == "is cancelled" else b"503 Service Unavailable"
    assert answer.startswith(b"HTTP/1.1 " + status + b"\r\n")
    if waits:
        await ended.wait()
    await wire.until(lambda: not site.listener.openings)
    assert site.ws == []
    (record,) = log.records
    assert "Sec-WebSocket-Key" not in logging.Formatter().format(record)


async def test_client_that_stays_after_a_refusal_is_aborted(serve: Any, wire: Any) -> None:
    """It has the same time again."""

    async def hook(request: HandshakeRequest) -> None:
        await asyncio.Event().wait()

    site = await serve(process_request=hook, constants={"TIMEOUT": 0.05})
    raw = await site.socket()
    raw.send(wire.head())
    assert (await raw.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 503 ")
    assert site.listener.openings
    await wire.until(lambda: not site.listener.openings)


@KINDS
async def test_a_connection_that_a_hook_closes_is_not_opened(
    serve: Any, wire: Any, kind: Any
) -> None:
    def hook(request: HandshakeRequest) -> None:
        (opening,) = site.listener.openings
        opening.transport.close()

    site = await serve(process_request=kind(hook))
    raw = await site.socket()
    raw.send(wire.head())
    assert await raw.rest() == b""
    assert site.ws == []


class Odd(BaseException):
    """Neither an error of an application, nor the end of the program."""


@KINDS
@pytest.mark.parametrize("error", [Odd("hook"), GeneratorExit("hook")])
async def test_hook_that_raises_a_base_exception_is_logged_once_and_a_500(
    serve: Any, wire: Any, log: pytest.LogCaptureFixture, kind: Any, error: BaseException
) -> None:
    def hook(request: HandshakeRequest) -> None:
        raise error

    site = await serve(process_request=kind(hook))
    raw = await site.socket()
    raw.send(wire.head())
    assert (await raw.rest()).startswith(b"HTTP/1.1 500 ")
    (record,) = log.records
    assert record.exc_info
    assert record.exc_info[1] is error


async def test_closing_a_waiting_hook_logs_nothing(
    serve: Any, wire: Any, log: pytest.LogCaptureFixture
) -> None:
    begun = asyncio.Event()

    async def hook(request: HandshakeRequest) -> None:
        begun.set()
        await asyncio.get_running_loop().create_future()

    site = await serve(process_request=hook, constants={"TIMEOUT": 1000})
    raw = await site.socket()
    raw.send(wire.head())
    await begun.wait()
    (opening,) = site.listener.openings
    opening.checking.get_coro().close()
    opening.checking.cancel()
    await asyncio.wait([opening.checking])
    assert log.records == []


ENDS = [SystemExit, KeyboardInterrupt]


@pytest.mark.parametrize("kind", ENDS)
def test_error_that_ends_the_program_leaves_a_handler(
    wire: Any, kind: type[BaseException]
) -> None:
    def end(*arguments: Any) -> Any:
        raise kind

    async def end_later(*arguments: Any) -> None:
        raise kind

    request: Any = SimpleNamespace(path="/")
    with pytest.raises(kind):
        Listener(end)._call(request, cast(WSProtocol, None))
    with pytest.raises(kind):
        asyncio.run(
            Listener(lambda request, ws: None)._run(
                request, cast(Any, SimpleNamespace(run=end_later))
            )
        )


@pytest.mark.parametrize("kind", ENDS)
def test_error_that_ends_the_program_leaves_a_hook(kind: type[BaseException]) -> None:
    def end(request: Any) -> Any:
        raise kind

    async def end_later() -> None:
        raise kind

    opening = Opening(cast(Any, SimpleNamespace(check=end)))
    opening.client = None
    with pytest.raises(kind):
        opening.check(Request("/", Headers()))
    with pytest.raises(kind):
        asyncio.run(opening.wait_for(end_later(), cast(Any, None)))


def test_hook_that_is_closed_without_a_loop_is_not_running() -> None:
    assert not Opening(cast(Any, None)).is_checking()
