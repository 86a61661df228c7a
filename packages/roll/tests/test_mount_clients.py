"""Unusual clients of mounted applications: half-closed, waiting for a 100, large, or hostile."""

import asyncio
import contextlib
import json
import os
import random
import re

import pytest

from roll import Roll, extensions
from roll.testing import LiveClient

MIB = 1024 * 1024
SIZE = 64 * MIB
LARGEST_CHUNK = MIB


async def hosted(scope, receive, send):
    """Answer `/m/name` by the function of that name."""
    if scope["type"] == "lifespan":
        for _ in range(2):
            await send({"type": f"{(await receive())['type']}.complete"})
        return
    await HANDLERS[scope["path"].rpartition("/")[2]](receive, send)


async def start(send, status=200, *fields):
    await send({"type": "http.response.start", "status": status, "headers": fields})


async def body(send, data=b"", more=False):
    await send({"type": "http.response.body", "body": data, "more_body": more})


async def chunks(receive):
    more = True
    while more:
        message = await receive()
        assert message["type"] == "http.request"
        assert len(message["body"]) <= LARGEST_CHUNK
        yield message["body"]
        more = message["more_body"]


async def count(receive):
    return sum([len(chunk) async for chunk in chunks(receive)])


async def late(receive, send):
    """Answer after the client has closed its sending side."""
    size = await count(receive)
    assert (await receive())["type"] == "http.disconnect"
    await start(send)
    await body(send, b"late %d" % size)


async def size(receive, send):
    total = await count(receive)
    await start(send)
    await body(send, b"%d" % total)


async def started(receive, send):
    """Read between the start of the response, which is not sent yet, and its body."""
    await start(send)
    await body(send, b"%d" % await count(receive))


async def opened(receive, send):
    """Read after the head was sent."""
    await start(send)
    await body(send, b"begun", more=True)
    await body(send, b"%d" % await count(receive))


async def unread(receive, send):
    await start(send, 403)
    await body(send, b"no")


async def echo(receive, send):
    await start(send)
    async for chunk in chunks(receive):
        await body(send, chunk, more=True)
    await body(send)


async def own_ids(receive, send):
    await start(send, 799, (b"x-request-id", b"one"), (b"X-REQUEST-ID", b"two"))
    await body(send, b"ids")


HANDLERS = {
    "a\r\nforged": size,
    "echo": echo,
    "ids": own_ids,
    "late": late,
    "opened": opened,
    "size": size,
    "started": started,
    "unread": unread,
}


@pytest.fixture
def site():
    app = Roll()
    app.mount("/m", hosted)
    return app


async def talk(client, data, *, ends=False):
    """Send bytes; return all that comes back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    writer.write(data)
    if ends:
        writer.write_eof()
    answer = await reader.read()
    writer.close()
    return answer


GET = b"GET /m/%b HTTP/1.1\r\nHost: a\r\n%b\r\n"
POST = b"POST /m/%b HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n%b\r\n"
LAST = b"Connection: close\r\n"


# Half-closed clients.


@pytest.mark.parametrize(
    ("sent", "end"),
    [(GET % (b"late", b""), b"late 0"), (POST % (b"late", 5, b"") + b"hello", b"late 5")],
)
async def test_half_closed_client_gets_its_late_answer(site, sent, end):
    async with LiveClient(site) as client:
        answer = await talk(client, sent, ends=True)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(end)


async def test_half_closed_client_gets_all_answers_to_what_it_has_pipelined(site):
    sent = (POST % (b"size", 3, b"") + b"abc") + GET % (b"late", b"") + GET % (b"size", b"")
    async with LiveClient(site) as client:
        answer = await talk(client, sent, ends=True)
    assert re.findall(rb"\r\n\r\n(\d|late \d)", answer) == [b"3", b"late 0", b"0"]


def in_pieces(fields=(), *, caught=False):
    """Return an application that sends its response in pieces, once the client has half-closed."""

    async def application(scope, receive, send):
        await until_gone(scope, receive)
        start = {"type": "http.response.start", "status": 200, "headers": list(fields)}
        pieces = [{"body": b"first half", "more_body": True}, {"body": b"secondhalf"}]
        for message in [start, *({"type": "http.response.body", **piece} for piece in pieces)]:
            with contextlib.suppress(OSError if caught else ()):
                await send(message)

    return application


async def until_gone(scope, receive):
    assert scope["type"] == "http"  # no lifespan
    while (await receive())["type"] != "http.disconnect":
        pass


async def returns_without_an_answer(scope, receive, send):
    await until_gone(scope, receive)


@pytest.mark.parametrize(
    "application",
    [
        in_pieces(),
        in_pieces(caught=True),
        in_pieces([(b"content-length", b"20")]),
        in_pieces([(b"content-length", b"20")], caught=True),
        returns_without_an_answer,
    ],
    ids=["stream", "caught", "length", "length caught", "returns"],
)
@pytest.mark.parametrize("sent", [GET % (b"", b""), POST % (b"", 5, b"") + b"hello"])
async def test_half_closed_client_never_takes_an_end_or_an_error_for_the_response(
    application, sent, caplog
):
    """Before, it got the last piece as a whole 200, or a 400 for a faultless request."""
    app = Roll()
    app.mount("/m", application)
    async with LiveClient(app) as client:
        with pytest.raises(ConnectionError):
            await talk(client, sent, ends=True)
    assert not caplog.records


async def test_half_closed_client_of_a_compressed_stream_ends_it_at_once():
    """Before, the task that sent it waited for ever, and with it the connection and the stop."""
    ended = asyncio.Event()

    async def streams(scope, receive, send):
        assert scope["type"] == "http"  # no lifespan
        fields = [(b"content-type", b"text/plain")]
        try:
            await send({"type": "http.response.start", "status": 200, "headers": fields})
            while True:
                piece = {"type": "http.response.body", "body": os.urandom(8000)}
                await send({**piece, "more_body": True})
        finally:
            ended.set()

    app = Roll()
    extensions.compress(app)
    app.mount("/m", streams)
    async with LiveClient(app) as client:
        reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
        writer.write(GET % (b"", b"Accept-Encoding: gzip\r\n"))
        await reader.readexactly(1000)
        writer.write_eof()
        with pytest.raises(ConnectionError):
            await reader.read()
        writer.close()
        await ended.wait()
        while [*client.server.connections]:
            await asyncio.sleep(0)


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd", ""])
async def test_half_closed_client_gets_a_compressed_file_to_its_end(tmp_path, coding):
    path = tmp_path / "large.txt"
    path.write_bytes(random.Random(0).randbytes(500_000).hex().encode())
    app = Roll()
    extensions.compress(app)

    @app.route("/file")
    async def file(request, response):
        response.file = path

    async with LiveClient(app) as client:
        head = b"GET /file HTTP/1.1\r\nHost: a\r\nAccept-Encoding: %b\r\n\r\n"
        answer = await talk(client, head % coding.encode(), ends=True)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert (b"Content-Encoding: " in answer) == bool(coding)
    assert len(answer) > 400_000
    assert not coding or answer.endswith(b"\r\n0\r\n\r\n")


# Expect: 100-continue.


async def expect(client, name):
    """Send a head, then the body when something comes back; return both answers."""
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    writer.write(POST % (name, 5, b"Expect: 100-continue\r\n" + LAST))
    first = await reader.readuntil(b"\r\n\r\n")
    writer.write(b"hello")
    rest = await reader.read()
    writer.close()
    return first, rest


@pytest.mark.parametrize("name", [b"size", b"started"])
async def test_client_is_told_to_go_on_once_the_application_reads(site, name):
    async with LiveClient(site) as client:
        first, rest = await expect(client, name)
    assert first == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert rest.startswith(b"HTTP/1.1 200 ")
    assert rest.endswith(b"\r\n\r\n5")


async def test_client_is_not_told_to_go_on_behind_the_head_of_the_response(site):
    async with LiveClient(site) as client:
        first, rest = await expect(client, b"opened")
    assert first.startswith(b"HTTP/1.1 200 ")
    assert rest == b"5\r\nbegun\r\n1\r\n5\r\n0\r\n\r\n"


async def test_client_whose_body_is_not_read_is_not_told_to_go_on(site):
    async with LiveClient(site) as client:
        answer = await talk(client, POST % (b"unread", 5, b"Expect: 100-continue\r\n"))
    assert answer.startswith(b"HTTP/1.1 403 ")
    assert b"\r\nConnection: close\r\n" in answer  # it may send the body, or not


# Large uploads.


async def upload(writer):
    piece = bytes(MIB)
    for _ in range(SIZE // MIB):
        writer.write(piece)
        await writer.drain()


async def test_large_upload_arrives_in_short_pieces(site):
    async with LiveClient(site) as client:
        reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
        writer.write(POST % (b"size", SIZE, LAST))
        await upload(writer)
        answer = await reader.read()
        writer.close()
    assert answer.endswith(b"\r\n\r\n%d" % SIZE)


async def test_large_upload_is_echoed_while_it_arrives(site):
    async with LiveClient(site) as client:
        reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
        writer.write(POST % (b"echo", SIZE, LAST))
        sending = asyncio.ensure_future(upload(writer))
        received, last = 0, b""
        while part := await reader.read(MIB):
            received += part.count(b"\0")
            last = part
        await sending
        writer.close()
    assert (received, last[-5:]) == (SIZE, b"0\r\n\r\n")


ANSWER = 120  # pieces of 100 KB: more than the systems of both sides keep


async def written_before_reading(client, path):
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port, limit=1000)
    writer.write(b"POST %b HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n" % (path, 15 * MIB))
    writer.write(LAST + b"\r\n" + bytes(15 * MIB))
    async with asyncio.timeout(20):
        await reader.readuntil(b" 200 ")
        writer.transport.pause_reading()
        await written(writer)
        writer.transport.resume_reading()
        answer = await reader.read()
    writer.close()
    return answer


async def written(writer):
    while writer.transport.get_write_buffer_size():
        await asyncio.sleep(0)


async def many(receive, send):
    await start(send)
    for _ in range(ANSWER):
        await body(send, b"x" * 100_000, more=True)
    await body(send, b"%d" % await count(receive) if receive else b"")


async def unread_many(receive, send):
    await many(None, send)


HANDLERS |= {"many": many, "unread many": unread_many}


@pytest.mark.parametrize("path", [b"/m/many", b"/m/unread%20many", b"/lazy"])
async def test_client_that_writes_a_large_body_before_it_reads_gets_a_long_stream(site, path):
    @site.route("/lazy", methods=["POST"], lazy_body=True)
    async def lazy(request, response):
        async def pieces():
            for _ in range(ANSWER):
                yield b"x" * 100_000

        response.body = pieces()

    async with LiveClient(site) as client:
        answer = await written_before_reading(client, path)
    assert answer.count(b"x") == ANSWER * 100_000
    assert (b"%d" % (15 * MIB) in answer[-100:]) == (path == b"/m/many")


# Ids of requests, and observers.

HOSTILE = [
    b"",
    b"X-Request-ID: " + b"a" * 3000 + b"\r\n",
    b"X-Request-ID: a\r\nX-Request-ID: b\r\n",
    b"X-Request-ID: a b\r\n",
    b'X-Request-ID: \xff"\\\r\n',
    b"X-Request-ID: %0d%0aX: 1\r\n",
]


@pytest.mark.parametrize("fields", HOSTILE)
async def test_response_has_one_id_whatever_client_and_application_send(site, fields):
    extensions.request_ids(site, trusted=["127.0.0.1"])
    async with LiveClient(site) as client:
        answer = await talk(client, GET % (b"ids", fields + LAST))
    ids = re.findall(rb"(?i)\r\nx-request-id: ([^\r]*)", answer)
    assert len(ids) == 1
    assert re.fullmatch(rb"[0-9a-f]{32}", ids[0])


@pytest.mark.parametrize("fields", HOSTILE)
async def test_each_exchange_is_observed_even_if_the_observer_fails(site, caplog, fields):
    seen = []

    def report(request, response, size, seconds):
        seen.append((request.path, int(response.status), size))
        raise RuntimeError("of the observer")

    extensions.observe(site, report)
    async with LiveClient(site) as client:
        answer = await talk(client, GET % (b"ids", fields) + GET % (b"size", LAST))
    assert answer.count(b"HTTP/1.1 ") == 2
    assert seen == [("/m/ids", 799, 3), ("/m/size", 200, 1)]
    assert caplog.text.count("RuntimeError: of the observer") == 2


async def test_log_has_one_line_for_a_path_that_would_forge_another(site, capsys):
    extensions.access_log(site, format="json")
    async with LiveClient(site) as client:
        await talk(client, GET % (b"a%0d%0aforged", b"User-Agent: \x85x\r\n" + LAST))
    (line,) = capsys.readouterr().out.splitlines()
    logged = json.loads(line)
    assert (logged["path"], logged["user_agent"]) == ("/m/a\r\nforged", "\x85x")
