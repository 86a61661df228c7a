"""The extension `access_log`: its lines, and how they are written."""

import asyncio
import io
import json
import os
import re
import select
import socket
import sys
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from time import perf_counter
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roll import HttpError, Request, Response, Roll
from roll.extensions import access_log, proxy_headers
from roll.logs import batches, clock
from roll.logs.descriptor import LineFile
from roll.logs.lines import Refused, format_of
from roll.logs.signals import send_reopen
from roll.logs.targets import opener_of
from roll.testing import Client

CLF = re.compile(
    r"(\S+) - - \[(\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\] "
    r'"([^"]*)" (\d+) (\d+) (\d+\.\d{6})'
)
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
LAST = b"Host: x\r\nConnection: close\r\n\r\n"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "access.log"


@pytest.fixture
def app(app):
    @app.route("/")
    async def index(request, response):
        response.body = "hello"

    return app


@pytest.fixture
def lines(path, until):
    """Wait for a number of lines in the file."""

    async def lines(count):
        async def enough():
            while len(found := path.read_text().splitlines()) < count:
                await asyncio.sleep(0.01)
            return found

        return await until(enough())

    return lines


# Lines.


async def test_a_line_of_text_is_in_the_common_log_format(app, path, lines, liveclient):
    (access_log(app, path)).open()
    await liveclient.get("/?q=1")
    (line,) = await lines(1)
    peer, when, asked, status, size, seconds = CLF.fullmatch(line).groups()
    assert (peer, asked, status, size) == ("127.0.0.1", "GET /?q=1 HTTP/1.1", "200", "5")
    told = datetime.strptime(when, "%d/%b/%Y:%H:%M:%S %z")
    assert abs((datetime.now(UTC) - told).total_seconds()) < 60
    assert 0 < float(seconds) < 60


TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def test_a_line_of_json_is_an_object(app, path, lines, liveclient):
    access_log(app, path, "json").open()

    @app.route("/users/{name}")
    async def user(request, response, name):
        request.id = "id-1"
        response.body = name

    await liveclient.get("/users/ad%20a?q=1", headers={"User-Agent": 'say "é"'})
    await liveclient.get("/missing", headers={"traceparent": TRACE})
    first, second = map(json.loads, await lines(2))
    for line in (first, second):
        told = datetime.fromisoformat(line.pop("time"))
        assert abs((datetime.now(UTC) - told).total_seconds()) < 60
        assert 0 < line.pop("duration") < 60
    assert first == {
        "peer": "127.0.0.1",
        "method": "GET",
        "path": "/users/ad a",
        "query": "q=1",
        "version": "1.1",
        "status": 200,
        "bytes": 4,
        "request_id": "id-1",
        "route": "/users/{name}",
        "user_agent": 'say "é"',
    }
    del first["user_agent"]
    assert second == first | {
        "path": "/missing",
        "query": "",
        "status": 404,
        "bytes": 8,
        "request_id": None,
        "route": None,
        "user_agent": second["user_agent"],
        "trace_id": "0af7651916cd43dd8448eb211c80319c",
    }


FIELDS = (
    "%(peer)s %(method)s %(url)s %(path)s %(query)s %(version)s %(status)d %(bytes)d %(route)s"
    " %(id)s %(trace)s %(referer)s %(agent)s %({x-a}i)s %({Accept}i)s %({x-b}o)s %({X-None}o)s"
    " 100%% %%(time)s"
)


async def test_custom_format_has_the_fields_that_it_names(app, path, lines, liveclient):
    access_log(app, path, FIELDS).open()

    @app.listen("response")
    def add(request, response):
        response.headers["X-B"] = 'b"'

    headers = {"Referer": "there", "User-Agent": "test", "X-A": "a\tb"}
    await liveclient.get("/?q=1", headers=headers)
    assert (await lines(1)) == [
        '127.0.0.1 GET /?q=1 / q=1 1.1 200 5 / - - there test a\\tb - b\\" - 100% %(time)s'
    ]


async def test_times_have_the_requested_format(app, path, lines, liveclient):
    access_log(app, path, "%(duration).3f [%(time)s] é").open()
    await liveclient.get("/")
    (line,) = await lines(1)
    assert re.fullmatch(r"\d+\.\d{3} \[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] é", line)


async def test_every_answer_has_a_line(app, path, liveclient, connect, until, lines):
    access_log(app, path, "%(method)s %(url)s %(status)d %(bytes)d").open()
    begun = asyncio.Event()

    @app.route("/fails")
    async def fails(request, response):
        raise ValueError

    @app.route("/stream")
    async def stream(request, response):
        async def body():
            yield "abc"
            yield "de"

        response.body = body()

    @app.route("/waits", cancel_on_disconnect=True)
    async def waits(request, response):
        begun.set()
        await asyncio.Event().wait()

    @app.route("/small", methods=["POST"], max_body=1)
    async def small(request, response):
        pass

    @app.route("/ws", protocol="websocket")
    async def ws(request, ws):
        pass

    for path_ in ("/fails", "/stream", "/missing", "/ws"):
        await liveclient.get(path_)
    await liveclient.head("/")
    await liveclient.post("/small", body="too large")
    async with liveclient.websocket("/ws"):
        pass
    _, writer = await connect(GET.replace(b"/ ", b"/waits "))
    await until(begun)
    writer.transport.abort()
    reader, _ = await connect(b"NONSENSE\r\n\r\n")
    await until(reader.read())
    assert sorted(await lines(9)) == sorted(
        [
            "GET /fails 500 21",
            "GET /stream 200 5",
            "GET /missing 404 8",
            "GET /ws 426 40",
            "HEAD / 200 0",
            "POST /small 413 43",
            "GET /ws 101 4",  # a close frame
            "GET /waits 400 0",
            "- - 400 0",
        ]
    )


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("text", '10.0.0.9 - - [x] "-" 431 0 0.000000'),
        (
            "json",
            '{"time":"x","peer":"10.0.0.9","method":null,"path":null,"query":null,"version":null,'
            '"status":431,"bytes":0,"duration":0.000000,"request_id":null,"route":null,'
            '"user_agent":null}',
        ),
        (
            "%(peer)s %(method)s %(url)s %(path)s %({a}i)s %(status)d %(id)s %(route)s %(trace)s",
            "10.0.0.9 - - - - 431 - - -",
        ),
    ],
)
def test_bytes_that_are_refused_before_a_request_have_a_line(form, expected):
    refused = Refused(HTTPStatus(431), ("10.0.0.9", 5))
    line = rendered(form, refused, refused)
    assert re.sub(r'(\[|"time":")[^]"]*', r"\1x", line) == expected + "\n"


async def test_a_websocket_has_a_line_at_its_end_with_its_bytes_and_seconds(
    app, path, liveclient, lines
):
    access_log(app, path, "%(status)d %(bytes)d %(duration)f %(route)s").open()

    @app.route("/ws/{name}", protocol="websocket", compression=False)
    async def echo(request, ws, name):
        async for message in ws:
            await ws.send(message)

    async with liveclient.websocket("/ws/a") as ws:
        begun = perf_counter()
        for _ in range(3):
            await ws.send("x" * 100)
            assert await ws.recv() == "x" * 100
        assert not path.read_text()
        took = perf_counter() - begun
    ((status, size, seconds, route),) = map(str.split, await lines(1))
    assert (status, route) == ("101", "/ws/{name}")
    assert int(size) == 3 * (2 + 100) + 4  # frames with their heads, and the close frame
    assert took <= float(seconds) < 60


async def test_line_names_the_registered_path_of_a_route(app, path, liveclient, lines):
    access_log(app, path, "%(url)s %(route)s").open()

    @app.route("/a/{x}")
    async def get(request, response, x):
        pass

    @app.route("/a/{y}", methods=["POST"])
    async def post(request, response, y):
        pass

    app.group("/shop").route("/{item:int}")(get_item)
    await liveclient.get("/a/1")
    await liveclient.post("/a/2", body="")
    await liveclient.put("/a/3", body="")
    await liveclient.get("/shop/4")
    await liveclient.query("OPTIONS", "/a/5")
    app.routes.add("/by-hand", GET=get_item)
    await liveclient.get("/by-hand")
    assert await lines(6) == [
        "/a/1 /a/{x}",
        "/a/2 /a/{y}",
        "/a/3 /a/{x}",
        "/shop/4 /shop/{item:int}",
        "/a/5 /a/{x}",
        "/by-hand -",
    ]


async def get_item(request, response, item=None):
    pass


async def test_earlier_on_refused_is_still_called(app, connect, path, lines, until):
    seen = []
    app.on_refused = lambda *refusal: seen.append(refusal)
    access_log(app, path).open()
    reader, _ = await connect(b"NONSENSE\r\n\r\n")
    await until(reader.read())
    (line,) = await lines(1)
    assert '"-" 400 0' in line
    assert len(seen) == 1


async def test_a_connection_over_a_unix_socket_has_no_peer(app, path, tmp_path, lines):
    access_log(app, path).open()
    address = str(tmp_path / "socket")
    server = await asyncio.get_running_loop().create_unix_server(app.factory, address)
    reader, writer = await asyncio.open_unix_connection(address)
    writer.write(b"GET / HTTP/1.1\r\n" + LAST)
    await reader.read()
    writer.close()
    server.close()
    (line,) = await lines(1)
    assert line.startswith("- - - [")
    assert json.loads(rendered("json", *exchange()))["peer"] is None


async def test_behind_a_proxy_the_peer_is_the_client(app, path, liveclient, lines):
    proxy_headers(app, trusted=["127.0.0.1"])
    access_log(app, path, "%(peer)s").open()
    for address in ("203.0.113.7", "2001:db8::1"):
        await liveclient.get("/", headers={"X-Forwarded-For": address})
    await liveclient.get("/")
    assert await lines(3) == ["203.0.113.7", "2001:db8::1", "127.0.0.1"]


async def test_a_request_that_finds_its_client_itself_is_asked_each_time(path, lines, until):
    class Own(Request):
        @property
        def client(self):
            return (self.headers.get("X-WHO"), 0)

    class OwnRoll(Roll):
        Request = Own

    app = OwnRoll()
    access_log(app, path, "%(peer)s").open()
    server = await asyncio.get_running_loop().create_server(app.factory, "127.0.0.1", 0)
    _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    for who in (b"a", b"b c"):
        writer.write(GET[:-2] + b"X-Who: " + who + b"\r\n\r\n")
    assert await lines(2) == ["a", "b%20c"]
    writer.close()
    server.close()


async def test_the_duration_begins_when_the_request_has_come(app, path, connect, lines, until):
    access_log(app, path, "%(duration).2f").open()
    access_log(app, os.devnull).open()  # which tells nothing else

    @app.route("/slow", methods=["GET", "POST"])
    async def slow(request, response):
        await asyncio.sleep(0.05)

    loop = asyncio.get_running_loop()
    _, writer = await connect()
    loop.call_later(1, writer.write, GET.replace(b"/ ", b"/slow "))  # idle time does not count
    assert 0.05 <= float((await lines(1))[0]) < 1
    writer.write(b"POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n")
    loop.call_later(0.2, writer.write, b"x")  # the time of an upload does
    assert float((await lines(2))[1]) >= 0.2


async def test_a_connection_of_another_kind_takes_no_time(path, lines):
    class Fixed(asyncio.Protocol):
        __slots__ = ("app", "on_answered", "transport")
        request = None

        def __init__(self, app):
            self.app, self.on_answered = app, None

        def connection_made(self, transport):
            request, response = exchange()
            request.protocol = self
            self.on_answered(request, response, 0)
            transport.close()

    class FixedRoll(Roll):
        HttpProtocol = Fixed

    app = FixedRoll()
    access_log(app, path, "%(duration).2f").open()
    server = await asyncio.get_running_loop().create_server(app.factory, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    await reader.read()
    writer.close()
    server.close()
    assert await lines(1) == ["0.00"]


# Injection.


def exchange(url=b"/", method="GET", client=None, **headers):
    request = Request(None, None)
    request.url, request.method = url, method
    request.path = request.query_string = url.decode("latin-1")
    request.headers = {name.upper(): value for name, value in headers.items()}
    request.forwarded = SimpleNamespace(client=client) if client else None
    response = Response(None, None)
    response.headers["X-A"] = headers.get("x", "")
    return request, response


def rendered(form, request, response):
    made = format_of(form)
    return made.render([made.record(request, response, 0, 0.0)])


HOSTILE = [
    b'/"quoted" 200 5 0.1',
    b"/\\",
    b'/\\"',
    b'/\n10.0.0.1 - - [now] "GET / HTTP/1.1" 200 0 0.000000',
    b"/\r\n",
    b"/\x1b[31mred\x1b[0m",
    b"/\x00\x07\x08\x7f",
    b"/\x85\x9b31m\xa0",
    "/é\u2028\u202e".encode(),
    b"/\xff\xfe",
    b"/%0a%22",
]


@pytest.mark.parametrize("url", HOSTILE, ids=repr)
@pytest.mark.parametrize("form", ["text", "json", '"%(url)s" "%(path)s" "%(query)s"'])
def test_a_target_never_ends_its_field_or_its_line(form, url):
    check_line(form, rendered(form, *exchange(url)))


@given(st.binary(), st.text(), st.text(), st.text())
def test_nothing_that_clients_send_ends_a_field_or_a_line(url, method, client, header):
    request, response = exchange(url, method, (client, 1), x=header)
    for form in ("text", "json", '"%(method)s" "%(referer)s%({x}i)s" "%({x-a}o)s" "%(peer)s"'):
        check_line(form, rendered(form, request, response))


def check_line(form, line):
    assert line.isascii()
    assert line.endswith("\n")
    line = line[:-1]
    assert line.isprintable()
    if form == "json":
        assert set(json.loads(line)) >= {"path", "method", "peer"}
        return
    # Outside of quotes stands what we have written, and within them no quote without a backslash.
    quoted = re.compile(r'"(?:[^"\\]|\\.)*"')
    outside = quoted.sub("", line)
    assert '"' not in outside
    assert len(quoted.findall(line)) == (1 if form == "text" else form.count('"') // 2)
    if form == "text":
        assert len(outside.split()) == 8, outside


@pytest.mark.parametrize(
    ("text", "shown"),
    [("\x1b", "\\x1b"), ("\n", "\\n"), ("é", "\\xe9"), ("€", "\\u20ac"), ('a"\\', 'a\\"\\\\')],
)
def test_escapes_are_those_of_python(text, shown):
    assert rendered("%(path)s", *exchange(text.encode("latin-1", "ignore"))) is not None
    request, response = exchange()
    request.path = text
    assert rendered("%(path)s", request, response) == shown + "\n"


@pytest.mark.parametrize(
    "character", ["x", '"', "\\", "é", "\u2028", "\U0001f600", "\x1b", "\ud800"]
)
@pytest.mark.parametrize("size", [300, 100_000])
@pytest.mark.parametrize(
    "form", ["text", "json", '"%(path)s" "%(query)s" "%(agent)s"', '"%({Referer}i)s" "%({x}i)s"']
)
def test_a_line_is_never_longer_than_a_pipe_takes_at_once(form, size, character):
    long = character * size
    request, response = exchange(long.encode("utf-8", "surrogatepass"), long, referer=long, x=long)
    request.path = request.query_string = request.id = long
    request.headers["USER-AGENT"] = long
    line = rendered(form, request, response)
    assert len(line) <= select.PIPE_BUF
    check_line(form, line)
    if size == 100_000:
        assert "..." in line


def test_long_values_are_cut_between_two_characters():
    request, response = exchange()
    for before in range(12):
        request.path = "x" * before + "\U0001f600" * 2000
        shown = json.loads(rendered("json", request, response))["path"]
        assert shown.removesuffix("...") == request.path[: len(shown) - 3]
        assert len(shown) > 80


def test_months_do_not_follow_the_locale():
    assert clock.clf_time(0)[2:12] in {"/Jan/1970:", "/Dec/1969:"}


@pytest.mark.parametrize(
    ("zone", "shown"), [("UTC", "+0000"), ("IST-5:30", "+0530"), ("XXX3:30", "-0330")]
)
def test_time_has_its_zone(monkeypatch, zone, shown):
    import time

    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert clock.clf_time(0).endswith(shown)
        assert clock.iso_time(0) == "1970-01-01T00:00:00Z"
    finally:
        monkeypatch.undo()
        time.tzset()


# What is refused.


@pytest.mark.parametrize(
    "form", ["", "combined", "%(nothing)s", "%(url)d", "%(url)", "{url}", None, 5, b"text", "%d"]
)
def test_invalid_format_is_refused_at_once(app, form):
    with pytest.raises(ValueError, match="`format`"):
        access_log(app, format=form)


@pytest.mark.parametrize("target", ["", -1, 2**31, True, 1.5, object(), ["a"], "a\0b", "\ud800"])
def test_invalid_target_is_refused_at_once(app, target):
    with pytest.raises(ValueError, match="`target` is a path"):
        access_log(app, target)


async def test_a_target_that_cannot_be_opened_ends_the_startup(app, tmp_path):
    access_log(app, tmp_path / "missing" / "access.log")
    with pytest.raises(FileNotFoundError):
        await app.startup()


# Targets.


async def test_by_default_lines_go_to_the_standard_output_of_the_startup(app, capfd, liveclient):
    log = access_log(app)
    log.open()
    await liveclient.get("/")
    log.close()
    assert CLF.fullmatch(capfd.readouterr().out.strip())


async def test_an_output_without_a_descriptor_is_written_to(app, capsys, client):
    log = access_log(app)
    await client.get("/")
    log.flush()
    assert CLF.fullmatch(capsys.readouterr().out.strip())


@pytest.mark.parametrize("kind", [io.StringIO, io.BytesIO])
async def test_streams_of_text_and_bytes_take_lines(app, client, kind):
    stream = kind()
    log = access_log(app, stream, "%(url)s é")
    await client.get("/")
    log.close()
    text = stream.getvalue()
    assert (text if isinstance(text, str) else text.decode()) == "/ é\n"


async def test_anything_that_can_be_written_to_will_do(app, client):
    written = []
    log = access_log(app, SimpleNamespace(write=written.append), "%(url)s")
    await client.get("/")
    log.reopen()
    assert written == ["/\n"]


async def test_failing_stream_is_logged_once(app, client, caplog):
    class Broken:
        def write(self, text):
            raise ValueError("closed")

    log = access_log(app, Broken())
    for _ in range(3):
        assert (await client.get("/")).status == 200
        log.flush()
    (record,) = caplog.records
    assert "loses lines: closed" in record.getMessage()


async def test_a_descriptor_stays_the_callers(app, client, path):
    fd = os.open(path, os.O_WRONLY | os.O_CREAT)
    log = access_log(app, fd, "%(url)s")
    await client.get("/")
    log.close()
    os.write(fd, b"mine\n")
    os.close(fd)
    assert path.read_text() == "/\nmine\n"


@pytest.mark.parametrize("kind", [str, Path])
async def test_a_path_is_appended_to(app, client, path, kind):
    path.write_text("before\n")
    log = access_log(app, kind(path), "%(url)s")
    await client.get("/")
    log.close()
    assert path.read_text() == "before\n/\n"


async def test_a_path_is_that_of_the_directory_of_the_call(
    app, client, path, monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    log = access_log(app, path.name, "%(url)s")
    monkeypatch.chdir("/")
    await client.get("/")
    log.close()
    assert path.read_text() == "/\n"


async def test_several_logs_of_one_application_have_all_lines(app, tmp_path, liveclient):
    logs = [access_log(app, tmp_path / form, form) for form in ("text", "json")]
    for log in logs:
        log.open()
    await liveclient.get("/")
    for log in logs:
        log.close()
    assert len((tmp_path / "text").read_text().splitlines()) == 1
    assert json.loads((tmp_path / "json").read_text())["duration"] > 0


# Batches.


@pytest.fixture
async def written(app, path):
    """A log, and the writes that it makes."""
    log = access_log(app, path, "%(url)s")
    log.open()
    writes = []
    original = log._file._write

    def write(data):
        writes.append(len(data))
        return original(data)

    log._file._write = write
    yield SimpleNamespace(log=log, writes=writes)
    log.close()


async def test_lines_are_written_together_in_time(written, lines):
    for _ in range(10):  # without an await: no timer can run in between
        written.log.add(*exchange(b"/"), 0, 0.0)
    assert written.writes == []
    assert await lines(10) == ["/"] * 10
    assert written.writes == [20]


async def test_many_lines_are_written_before_their_time(written, path):
    long = "/" + "x" * 1000
    for _ in range(batches.ROW * 2):
        written.log.add(*exchange(long.encode()), 0, 0.0)
    assert len(written.writes) == 1
    assert written.writes[0] >= batches.BATCH
    written.log.flush()
    assert path.read_text().splitlines() == [long] * batches.ROW * 2


@pytest.mark.parametrize("form", ["%(agent)s", " ".join(f"%({{X-{n}}}i)s" for n in range(40))])
async def test_file_gets_lines_of_any_length(app, path, form, caplog):
    log = access_log(app, path, form)
    log.open()
    request, response = exchange(b"/")
    request.headers = {"USER-AGENT": "a" * 20_000} | {f"X-{n}": "x" * 20_000 for n in range(40)}
    for _ in range(100):
        log.add(request, response, 0, 0.0)
    log.close()
    assert len(path.read_text().splitlines()) == 100
    assert caplog.records == []


async def test_file_gets_all_lines_that_are_written_at_once(tmp_path, caplog):
    path = tmp_path / "lines"
    file = LineFile(lambda: os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND))
    data = b"a line of some length\n" * 200_000
    file.write(data)
    file.close()
    assert path.read_bytes() == data
    assert caplog.records == []


async def test_a_slow_reader_gets_the_first_of_the_lines_that_came_at_once(caplog):
    reading, writing = os.pipe()
    file = LineFile(lambda: os.dup(writing))
    lines = [b"%06d" % number + b"x" * 93 for number in range(20_000)]
    file.write(b"\n".join(lines) + b"\n")
    assert "nobody reads it" in caplog.records[0].getMessage()
    got = b""
    while file.waits:
        got += os.read(reading, 65536)
        file.write(b"")
    file.write(b"later\n")
    file.close()
    os.close(writing)
    while more := os.read(reading, 65536):
        got += more
    *first, last = got.splitlines()
    assert last == b"later"
    assert len(got) > 2**20
    assert first == lines[: len(first)]
    os.close(reading)


async def test_line_longer_than_the_buffer_does_not_run_into_the_next(caplog):
    reading, writing = os.pipe()
    file = LineFile(lambda: os.dup(writing))
    file.write(b"x" * 3 * 2**20 + b"\n")
    got = os.read(reading, 65536)
    file.write(b"later\n")
    file.close()
    os.close(writing)
    while more := os.read(reading, 65536):
        got += more
    assert got.splitlines()[1:] == [b"later"]
    os.close(reading)


async def test_lines_are_written_at_shutdown(app, path, client):
    log = access_log(app, path, "%(url)s")
    log.open()
    await client.get("/")
    await app.shutdown()
    assert path.read_text() == "/\n"
    await client.get("/late")
    log.flush()  # what comes all the same is not lost
    log.close()
    assert path.read_text() == "/\n/late\n"


async def test_without_a_startup_the_target_is_opened_for_the_first_lines(app, path):
    log = access_log(app, path, "%(url)s")
    log.flush()
    assert not path.exists()
    await Client(app).get("/")
    log.flush()
    assert path.read_text() == "/\n"
    log.close()


def test_an_application_that_runs_in_one_loop_after_another_writes_in_time(app, path):
    log = access_log(app, path, "%(url)s")

    async def ask():
        async with Client(app) as client:
            await client.get("/")
            log._timer = asyncio.get_running_loop().call_later(60, print)

    for _ in range(2):
        asyncio.run(ask())
    assert path.read_text() == "/\n/\n"


# Files that are moved.


async def test_moved_file_is_opened_again(app, written, client, path):
    await client.get("/before")
    path.rename(path.with_suffix(".1"))
    await client.get("/with")
    send_reopen(app)
    await client.get("/behind")
    written.log.flush()
    assert path.with_suffix(".1").read_text() == "/before\n/with\n"
    assert path.read_text() == "/behind\n"


async def test_file_that_cannot_be_opened_again_is_kept(app, written, client, path, caplog):
    moved = path.parent.with_suffix(".moved")
    path.parent.rename(moved)
    send_reopen(app)
    await client.get("/kept")
    written.log.flush()
    assert (moved / path.name).read_text() == "/kept\n"
    assert "cannot be opened again" in caplog.text
    moved.rename(path.parent)


async def test_a_listener_of_reopen_logs_that_fails_is_logged(app, caplog):
    @app.listen("reopen_logs")
    def fail():
        raise ValueError("no disk")

    send_reopen(app)
    assert "no disk" in caplog.text


def test_listeners_of_reopen_logs_are_plain_functions(app):
    async def listener():
        """A coroutine function."""

    with pytest.raises(ValueError, match="plain function"):
        app.listen("reopen_logs")(listener)


async def test_a_log_that_was_not_opened_is_not_reopened(app, path):
    access_log(app, path).reopen()
    assert not path.exists()


# Trouble.


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
async def test_full_disk_is_logged_once_and_the_server_continues(app, liveclient, caplog):
    log = access_log(app, "/dev/full")
    log.open()
    for _ in range(3):
        assert (await liveclient.get("/")).status == 200
        log.flush()
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("roll", "ERROR")
    assert "loses lines: No space left on device" in record.getMessage()


async def test_disk_with_space_again_is_written_to_and_a_new_failure_is_logged(tmp_path, caplog):
    """A write that was cut is followed by whole lines."""
    path = tmp_path / "log"
    file = opener_of(path)()
    room = [4, 0]

    def write(data):
        if not room:
            return os.write(file._fd, data)
        left = room.pop(0)
        if not left:
            raise OSError(28, "No space left on device")
        return os.write(file._fd, data[:left])

    file._write = write
    file.write(b"one\ntwo\n")  # the second line is not written at all
    file.write(b"three\n")
    room += [2, 0]
    file.write(b"four\n")  # this one is cut
    file.write(b"five\n")
    file.close()
    assert path.read_text() == "one\nthree\nfo\nfive\n"
    assert len(caplog.records) == 2


@pytest.mark.parametrize("kind", ["pipe", "socket"])
async def test_closed_reader_is_logged_once_and_the_server_continues(
    app, liveclient, caplog, kind
):
    reading, writing = ends(kind)
    log = access_log(app, writing)
    log.open()
    reading.close()
    for _ in range(3):
        assert (await liveclient.get("/")).status == 200
        log.flush()
    assert len(caplog.records) == 1
    assert "loses lines" in caplog.text
    log.close()
    writing.close()


def ends(kind):
    """The two ends of a pipe or a socket, as files that block."""
    if kind == "socket":
        return socket.socketpair()
    reading, writing = os.pipe()
    return os.fdopen(reading, "rb", 0), Pipe(os.fdopen(writing, "wb", 0))


class Pipe:
    """A stream on the writing end of a pipe."""

    def __init__(self, raw):
        self.fileno, self.close = raw.fileno, raw.close

    def write(self, data):
        pytest.fail("the descriptor is written to")


@pytest.mark.parametrize("kind", ["pipe", "socket"])
async def test_reader_that_does_not_read_does_not_block_requests(
    app, liveclient, caplog, kind, until
):
    reading, writing = ends(kind)
    log = access_log(app, writing, "%(url)s")
    log.open()
    asked = [f"/{number:04}{'x' * 996}" for number in range(3000)]
    for url in asked[:500]:
        log.add(*exchange(url.encode()), 0, 0.0)
    log.flush()
    assert log._file.waits
    assert (await until(liveclient.get("/"))).status == 200
    assert caplog.records == []
    for url in asked[500:]:
        log.add(*exchange(url.encode()), 0, 0.0)
    log.flush()
    (record,) = caplog.records
    assert "nobody reads it" in record.getMessage()
    # Whole lines arrive, in order, when somebody reads.
    got = await until(asyncio.to_thread(read_all, reading, log))
    # By their numbers: of so much text, pytest would show what differs for minutes.
    whole = [numbered(line, asked) for line in got.decode().splitlines()]
    assert whole == sorted(whole)
    assert whole[:501] == [*range(500), 499.5]
    assert len(whole) > 900
    log.close()
    reading.close()
    writing.close()


def numbered(line, asked):
    """The place of a line among those that were asked for; the answer to `/` comes between."""
    if line == "/":
        return 499.5
    number = int(line[1:5])
    assert line == asked[number], f"{line[:20]}...{line[-20:]}"
    return number


def read_all(reading, log):
    """Read as long as the log has something that waits."""
    read = reading.recv if isinstance(reading, socket.socket) else reading.read
    found = b""
    # What waits may have been written and read already, and be about to be forgotten.
    while (readable := is_readable(reading)) or log._file.waits:
        if readable:
            found += read(65536)
    return found


def is_readable(reading):
    import select

    poll = select.poll()
    poll.register(reading.fileno(), select.POLLIN)
    return bool(poll.poll(300))


async def test_a_slow_reader_gets_the_last_lines_at_the_end(app, client):
    reading, writing = ends("pipe")
    log = access_log(app, writing, "%(url)s")
    log.open()
    for _ in range(100):
        log.add(*exchange(b"/" + b"x" * 999), 0, 0.0)
    log.flush()
    assert log._file.waits
    got = asyncio.ensure_future(asyncio.to_thread(drain, reading, 100_000))
    await asyncio.to_thread(log.close)
    writing.close()
    assert (await got).count(b"\n") > 70
    reading.close()


def drain(reading, size):
    found = b""
    while len(found) < size and (data := reading.read(65536)):
        found += data
    return found


async def test_a_descriptor_that_does_not_block_is_waited_for(tmp_path):
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    file = LineFile(lambda: os.dup(writing))
    file._poll = lambda seconds: True  # as if another process had filled it meanwhile
    for _ in range(40):
        file.write(b"x" * 4095 + b"\n")
    assert file.waits
    os.read(reading, 65536)
    file.write(b"")
    os.close(reading)
    file.close()
    os.close(writing)


def fifo(path):
    """Make a FIFO; return what reads it."""
    os.mkfifo(path)
    return os.open(path, os.O_RDONLY | os.O_NONBLOCK)


async def test_fifo_without_a_reader_fails_the_startup_instead_of_waiting(app, path):
    os.mkfifo(path)
    access_log(app, path)
    with pytest.raises(OSError, match="No such device or address"):
        await app.startup()


async def test_fifo_whose_reader_has_gone_is_kept_when_logs_are_reopened(
    app, client, path, caplog
):
    reading = fifo(path)
    log = access_log(app, path, "%(url)s")
    log.open()
    os.close(reading)
    send_reopen(app)  # does not wait for a reader
    assert "cannot be opened again" in caplog.text
    await client.get("/lost")
    log.flush()
    assert "loses lines: Broken pipe" in caplog.text
    reading = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    await client.get("/kept")
    log.close()
    assert os.read(reading, 1000) == b"/kept\n"
    os.close(reading)


async def test_a_slow_reader_of_a_fifo_gets_all_lines_in_order(app, path, until):
    reading = fifo(path)
    log = access_log(app, path, "%(url)s")
    log.open()
    asked = [b"/%d" % number + b"x" * 500 for number in range(1000)]
    for url in asked:
        log.add(*exchange(url), 0, 0.0)
    log.flush()
    assert log._file.waits
    got = b""
    while log._file.waits:
        got += os.read(reading, 1000)
        log.flush()
    log.close()
    while data := os.read(reading, 65536):
        got += data
    assert got.split(b"\n")[:-1] == asked
    os.close(reading)


# Several processes.


@pytest.mark.parametrize("kind", ["pipe", "socket", "path", "file"])
def test_lines_of_several_processes_are_never_mixed(path, kind):
    if kind in {"pipe", "socket"}:
        reading, writing = ends(kind)
        opener = opener_of(writing.fileno())
    else:
        # A path is opened by each, with O_APPEND. A descriptor is shared, with its offset.
        writing = path.open("wb")
        opener = opener_of(path if kind == "path" else writing.fileno())
    children = [fork_writer(opener, name) for name in b"abcd"]
    writing.close()
    if kind in {"pipe", "socket"}:
        got = read_to_end(reading)
        reading.close()
    statuses = [os.waitpid(child, 0)[1] for child in children]
    assert statuses == [0] * 4
    lines = (got if kind in {"pipe", "socket"} else path.read_bytes()).split(b"\n")[:-1]
    for name in b"abcd":
        mine = [line for line in lines if line.startswith(bytes([name]))]
        assert mine == [line_of(name, number) for number in range(COUNT)]
    assert len(lines) == 4 * COUNT


COUNT = 300


def line_of(name, number):
    return bytes([name]) * (1 + number * 37 % 4095)  # with its end, PIPE_BUF at most


def fork_writer(opener, name):
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        file = opener()
        for first in range(0, COUNT, 6):
            batch = [line_of(name, number) for number in range(first, first + 6)]
            file.write(b"\n".join([*batch, b""]))
            while file.waits:
                file._poll(1)
                file.write(b"")
        file.close(5)
        status = 0
    finally:
        os._exit(status)


def read_to_end(reading):
    read = reading.recv if isinstance(reading, socket.socket) else reading.read
    found = b""
    while data := read(1 << 16):
        found += data
    return found


async def test_a_terminal_is_written_to(app, client):
    import pty

    main, terminal = pty.openpty()
    log = access_log(app, terminal, "%(url)s")
    log.open()
    await client.get("/")
    log.close()
    assert os.read(main, 100) == b"/\r\n"
    os.close(main)
    os.close(terminal)


async def test_an_error_in_the_request_does_not_keep_its_line_from_being_written(
    app, path, client
):
    log = access_log(app, path, "%(status)d")
    log.open()

    @app.listen("headers")
    def refuse(request, response):
        raise HttpError(403)

    class Odd(type(app)):
        def lookup(self, request):
            raise ValueError

    await client.get("/")
    app.__class__ = Odd
    await client.get("/")
    log.close()
    assert path.read_text() == "403\n500\n"


def test_access_log_is_not_imported_unless_it_is_used():
    import subprocess

    code = "import sys, roll; sys.exit('roll.logs.batches' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_pipe_is_written_to_where_the_system_cannot_tell_who_reads(monkeypatch):
    monkeypatch.delattr(select, "poll")
    reader, writer = os.pipe()
    log = LineFile(lambda: writer)
    log.write(b"line\n")
    log.close()
    assert os.read(reader, 100) == b"line\n"
    os.close(reader)
