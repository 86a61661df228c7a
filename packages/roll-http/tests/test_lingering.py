"""Early responses to uploads: the rest is dropped, so that the response arrives."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import re

import pytest

from roll_http.connection.ending import LAST_SECONDS

GET = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"
SIZE = 15_000_000


async def early(request, response):
    """Answer without reading the body."""
    response.status = 404 if request.path != "/large" else 200
    response.body = b"x" * 8_000_000 if request.path == "/large" else request.path


def post(fields, path="/"):
    return f"POST {path} HTTP/1.1\r\nHost: here\r\n{fields}\r\n\r\n".encode()


def upload(address, path, chunked):
    """Send all of a large body before the answer is read, as http.client does."""
    client = http.client.HTTPConnection(*address, timeout=10)
    with contextlib.closing(client):
        pieces = (b"x" * 100_000 for _ in range(SIZE // 100_000))
        fields = {"Transfer-Encoding": "chunked"} if chunked else {"Content-Length": str(SIZE)}
        client.request("POST", path, pieces, fields, encode_chunked=chunked)
        answer = client.getresponse()
        return answer.status, len(answer.read())


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
@pytest.mark.parametrize(
    ("path", "expected"), [("/", (404, 1)), ("/large", (200, 8_000_000))], ids=["short", "large"]
)
async def test_a_client_that_writes_before_it_reads_gets_an_early_answer(
    serve, path, expected, chunked
):
    peer = await serve(early)
    assert await asyncio.to_thread(upload, peer.address, path, chunked) == expected


async def test_an_early_answer_arrives_over_tls(serve, tls):
    server, client = tls
    peer = await serve(early, tls=server)
    connection = await peer.connect(ssl=client, server_hostname="localhost")
    connection.send(post(f"Content-Length: {SIZE}"))
    for _ in range(SIZE // 100_000):
        connection.send(b"x" * 100_000)
        await connection.writer.drain()
    assert "404" in await connection.head()


CHUNKS = b"%x\r\n%b\r\n0\r\n\r\n" % (300_000, b"x" * 300_000)


@pytest.mark.parametrize(
    ("fields", "body"),
    [
        ("Content-Length: 300000\r\nConnection: close", b"x" * 300_000),
        ("Transfer-Encoding: chunked\r\nConnection: close", CHUNKS),
    ],
    ids=["length", "chunked"],
)
@pytest.mark.parametrize("cut", [0, 1, 299_999])
async def test_over_tls_the_connection_ends_with_the_upload(serve, tls, fields, body, cut):
    """Before, a client that waited for the end of the connection waited for `linger_silence`."""
    server, client = tls
    peer = await serve(early, tls=server, linger_silence=3600, linger_timeout=3600)
    connection = await peer.connect(ssl=client, server_hostname="localhost")
    async with asyncio.timeout(30):
        connection.send(post(fields) + body[:cut])
        await connection.head()
        connection.send(body[cut:])
        assert await connection.rest() == b"/"


@pytest.mark.parametrize("more", [GET, b"x"])
async def test_over_tls_input_behind_the_upload_is_dropped_too(serve, tls, more):
    server, client = tls
    peer = await serve(early, tls=server, linger_silence=0.05)
    connection = await peer.connect(ssl=client, server_hostname="localhost")
    connection.send(post("Content-Length: 300000\r\nConnection: close") + b"x" * 300_000 + more)
    await connection.head()
    assert await connection.rest() == b"/"


async def test_over_tls_a_silent_client_is_aborted(serve, tls):
    server, client = tls
    peer = await serve(early, tls=server, linger_silence=0.05)
    connection = await peer.connect(ssl=client, server_hostname="localhost")
    connection.send(post("Content-Length: 5000000"))
    assert (await connection.rest()).endswith(b"/")
    while any(peer.server.connections):
        await asyncio.sleep(0.01)


async def test_over_tls_a_client_that_never_answers_the_closing_alert_is_aborted(serve, tls):
    server, client = tls
    peer = await serve(early, tls=server, linger_silence=0.05)
    connection = await peer.connect(ssl=client, server_hostname="localhost")
    connection.send(post("Content-Length: 5000000"))
    await connection.head()
    connection.writer.transport.pause_reading()
    while any(peer.server.connections):
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("limit", [{"linger_silence": 0.05}, {"linger_timeout": 0.05}])
async def test_silence_ends_lingering(serve, limit):
    peer = await serve(early, **limit)
    connection = await peer.connect()
    connection.send(post("Content-Length: 5000000"))
    assert (await connection.rest()).endswith(b"/")
    while any(peer.server.connections):
        await asyncio.sleep(0.01)


async def test_client_that_reads_its_last_response_slowly_gets_all_of_it(serve):
    sent = []

    async def handler(request, response):
        async def fill():
            # After the last piece, the transport still has unsent bytes, and is not paused.
            while not request.protocol.transport.get_write_buffer_size():
                sent.append(b"x" * 60_000)
                yield sent[-1]

        response.body = fill()

    peer = await serve(handler, linger_silence=0.05)
    connection = await peer.connect(limit=1024)
    connection.send(GET.replace(b"Host", b"Connection: close\r\nHost").replace(b"1.1", b"1.0"))
    await connection.head()
    protocol = next(peer.server.connections)
    while not protocol.transport.is_closing():
        await asyncio.sleep(0)
    first = protocol.read_deadline
    while protocol.read_deadline == first:  # its time to end the connection has passed
        await asyncio.sleep(0.01)
    assert await connection.rest() == b"".join(sent)


async def test_a_client_that_trickles_is_limited_by_linger_timeout(serve):
    peer = await serve(early, linger_silence=3600, linger_timeout=0.1)
    connection = await peer.connect()
    connection.send(post("Content-Length: 5000000"))
    await connection.head()
    while any(peer.server.connections):
        with contextlib.suppress(ConnectionError):
            connection.send(b"x")
        await asyncio.sleep(0.01)


async def test_dropped_input_is_not_buffered(serve):
    peer = await serve(early)
    connection = await peer.connect()
    connection.send(post(f"Content-Length: {SIZE}"))
    await connection.head()
    protocol = next(peer.server.connections)
    for _ in range(50):
        connection.send(b"x" * 100_000)
        await connection.writer.drain()
        assert not protocol.reader.has_bytes
        assert protocol.reader.body.size == 0


@pytest.mark.parametrize("before", [True, False], ids=["before the stop", "after"])
async def test_a_stop_shortens_lingering(serve, before, monkeypatch):
    assert LAST_SECONDS < 5
    monkeypatch.setattr("roll_http.connection.ending.LAST_SECONDS", 0.05)
    go_on = asyncio.Event()
    begun = asyncio.Event()

    async def handler(request, response):
        begun.set()
        await go_on.wait()
        response.body = "early"

    peer = await serve(handler)
    connection = await peer.connect()
    connection.send(post("Content-Length: 5000000"))
    await begun.wait()
    if before:
        go_on.set()
        await connection.head()
    stopping = asyncio.ensure_future(peer.server.stop(3600))
    while peer.server.sockets:
        await asyncio.sleep(0)
    go_on.set()
    async with asyncio.timeout(10):
        await stopping


async def test_a_stop_shortens_the_skipping_of_a_body(serve, monkeypatch):
    monkeypatch.setattr("roll_http.connection.ending.LAST_SECONDS", 0.05)
    peer = await serve(early, body_timeout=3600)
    connection = await peer.connect()
    connection.send(post("Content-Length: 5") + b"hel")
    await connection.head()
    async with asyncio.timeout(10):
        await peer.server.stop(3600)


async def test_a_body_that_ends_after_the_stop_began_ends_its_connection(serve):
    peer = await serve(early)
    connection = await peer.connect()
    connection.send(post("Content-Length: 5") + b"hel")
    assert not says_close(await connection.head())
    stopping = asyncio.ensure_future(peer.server.stop(3600))
    while peer.server.sockets:
        await asyncio.sleep(0)
    connection.send(b"lo")
    assert await connection.rest() == b"/"
    connection.abort()
    await stopping


async def test_reset_at_the_beginning_of_lingering_is_not_logged(serve, caplog):
    """asyncio raises OSError 107 when the output of a connection that was reset is ended."""
    peer = await serve()
    connection = await peer.connect()
    while not any(peer.server.connections):
        await asyncio.sleep(0)
    protocol = next(peer.server.connections)
    protocol.transport.pause_reading()  # the loop does not learn of it
    connection.abort()
    await asyncio.sleep(0)
    protocol.data_received(b"nonsense\r\n\r\nmore")
    while any(peer.server.connections):
        await asyncio.sleep(0)
    assert not caplog.records


# What an answer says of the connection is kept.


def says_close(answer):
    return "connection: close" in answer.lower()


@pytest.mark.parametrize("path", ["/", "/large"])
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
@pytest.mark.parametrize("with_head", [0, 1, 20_000, 130_000])
@pytest.mark.parametrize("size", [3, 262_143, 262_144, 262_145, 270_000, 390_000])
async def test_an_answer_that_does_not_say_close_is_followed_by_another(
    serve, size, with_head, chunked, path
):
    """Whatever part of the unread body comes with the head."""
    peer = await serve(early)
    connection = await peer.connect(limit=2**20)
    body = b"x" * size
    fields = f"Content-Length: {size}"
    if chunked:
        body, fields = b"%x\r\n%b\r\n0\r\n\r\n" % (size, body), "Transfer-Encoding: chunked"
    connection.send(post(fields, path) + body[:with_head])
    head = await connection.head()
    connection.send(body[with_head:])
    await connection.exactly(int(re.search(r"Content-Length: (\d+)", head)[1]))
    if says_close(head):
        assert await connection.rest() == b""
    else:
        connection.send(GET)
        assert "404" in await connection.head()
