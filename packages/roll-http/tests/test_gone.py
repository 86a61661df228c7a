"""Clients that disconnect early or send too much, tested without a socket in a fixed order."""

import asyncio
import contextlib
import socket
from types import SimpleNamespace

import pytest

from roll_http import (
    ClientDisconnected,
    Cookies,
    FileBody,
    HTTPProtocol,
    Limits,
    Request,
    Response,
    Server,
    throttle_accept_errors,
)
from roll_http.h1.state import CLOSING


class Line(asyncio.Transport):
    """A transport whose client says what the test says."""

    def __init__(self):
        super().__init__()
        self.data = b""
        self.closed = self.paused = False

    def write(self, data):
        self.data += data

    def is_closing(self):
        return self.closed

    def close(self):
        self.closed = True

    abort = close

    def get_write_buffer_size(self):
        return 0

    def pause_reading(self):
        self.paused = True

    def resume_reading(self):
        self.paused = False


class App:
    Request, Response, Cookies = Request, Response, Cookies
    limits = Limits()

    def __init__(self, handler):
        self.handler = handler

    async def __call__(self, request, response):
        return await self.handler(request, response)


def connect(handler):
    protocol = HTTPProtocol(App(handler))
    protocol.connection_made(Line())
    return protocol


async def turns():
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_body_is_not_awaited_after_the_client_disconnected(caplog):
    raised = []

    async def read(request, response):
        try:
            await request.read()
        except ClientDisconnected as error:
            raised.append(error)
            raise

    protocol = connect(read)
    protocol.data_received(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel")
    protocol.eof_received()
    await turns()
    assert len(raised) == 1
    assert protocol.transport.closed
    assert (protocol.transport.data, caplog.text) == (b"", "")
    protocol.connection_lost(None)


async def test_an_incomplete_body_at_the_end_of_the_input_is_not_awaited():
    seen = []

    async def read(request, response):
        await asyncio.sleep(0)
        seen.append(request.path)
        await request.read()
        return response

    protocol = connect(read)
    second = b"POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel"
    protocol.data_received(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n" + second)
    assert protocol.eof_received()
    await turns()
    assert seen == ["/a", "/b"]
    assert protocol.transport.data.count(b"HTTP/1.1 200 OK") == 1
    assert protocol.transport.closed
    protocol.connection_lost(None)


@pytest.mark.parametrize("sent", [b"Content-Length: 5\r\n\r\nhel", b"Content-Length: 5\r\n\r\n"])
async def test_answer_to_an_incomplete_body_at_the_end_of_the_input_closes(sent):
    async def answer_the_error(request, response):
        with contextlib.suppress(ClientDisconnected):
            await request.read()
        return response

    protocol = connect(answer_the_error)
    protocol.data_received(b"POST / HTTP/1.1\r\nHost: a\r\n" + sent)
    assert protocol.eof_received()
    await turns()
    assert b"\r\nConnection: close\r\n" in protocol.transport.data
    assert protocol.transport.closed
    protocol.connection_lost(None)


CHUNKED = b"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("reads", [True, False])
@pytest.mark.parametrize("at", [0, 7, 10])
async def test_pipelined_request_after_a_body_is_answered_while_the_client_does_not_read(
    reads, at
):
    seen = []

    async def answer(request, response):
        seen.append(request.path)
        await asyncio.sleep(0)
        if reads:
            await request.read()
        protocol.pause_writing()  # as a transport does whose client does not read
        return response

    protocol = connect(answer)
    rest = b"2\r\nab\r\n0\r\n\r\n"
    protocol.data_received(CHUNKED + rest[:at])
    await turns()
    protocol.data_received(rest[at:] + b"GET /b HTTP/1.1\r\nHost: a\r\n\r\n")
    await turns()
    for number in range(10):
        protocol.registry._check_deadlines(protocol.registry.now + 1000 * number)
    assert (seen, protocol.transport.closed) == (["/a"], False)
    protocol.resume_writing()
    await turns()
    assert seen == ["/a", "/b"]
    assert protocol.transport.data.count(b"HTTP/1.1 200 OK") == 2
    protocol.connection_lost(None)


async def test_incomplete_head_at_the_end_of_the_input_is_dropped():
    async def hello(request, response):
        await asyncio.sleep(0)
        return response

    protocol = connect(hello)
    protocol.data_received(b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /x HT")
    assert protocol.eof_received()
    await turns()
    assert protocol.transport.data.count(b"HTTP/1.1 200 OK") == 1
    assert protocol.transport.closed
    protocol.connection_lost(None)


@pytest.mark.parametrize(("gone", "cancelled"), [(True, ["cancel"]), (False, [])])
def test_cancel_on_disconnect_cancels_at_once_if_the_client_has_gone(gone, cancelled):
    calls = []
    request = Request(None, SimpleNamespace(gone=gone, cancel=lambda: calls.append("cancel")))
    assert not request.cancel_on_disconnect
    request.cancel_on_disconnect = True
    assert request.cancel_on_disconnect
    assert calls == cancelled


def test_cancel_on_disconnect_can_be_set_without_a_connection():
    request = Request(None, None)
    request.cancel_on_disconnect = True
    assert request.cancel_on_disconnect


async def test_reading_pauses_when_a_client_sends_too_much():
    go_on = asyncio.Event()

    async def wait(request, response):
        await go_on.wait()
        return response

    protocol = connect(wait)
    get = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    protocol.data_received(get)
    await turns()
    protocol.data_received(get * 3000)
    assert protocol.transport.paused
    go_on.set()
    await turns()
    while protocol.transport.paused:
        await turns()
    protocol.connection_lost(None)


async def test_a_closed_server_reports_no_accept_errors():
    """asyncio books its next try a hundred times when it finds no descriptor."""
    loop = asyncio.get_running_loop()
    reported = []
    loop.set_exception_handler(lambda _, context: reported.append(context))
    throttle_accept_errors(loop)
    again = "Exception in callback BaseSelectorEventLoop._start_serving(<function>, ...)"
    loop.call_exception_handler({"message": again, "exception": ValueError()})
    assert reported == []


@pytest.mark.parametrize(
    "body",
    [b"x" * 262_145, b"x" * 5_000_000, "file"],
    ids=["262145 bytes", "5 MB", "file"],
)
@pytest.mark.parametrize("early", [True, False], ids=["before the answer", "within"])
@pytest.mark.parametrize("eager_cancel", [True, False], ids=["cancels", "runs on"])
async def test_bytes_and_files_are_sent_whole_to_a_half_closed_client(
    serve, tmp_path, body, early, eager_cancel
):
    path = tmp_path / "file"
    path.write_bytes(b"x" * 5_000_000)
    half_closed = asyncio.Event()

    async def handler(request, response):
        if early:
            await half_closed.wait()
        request.cancel_on_disconnect = eager_cancel and not early
        response.headers["Content-Length"] = 5_000_000 if body == "file" else len(body)
        response.body = FileBody(path, 0, 5_000_000) if body == "file" else body

    peer = await serve(handler)
    connection = await peer.connect(limit=1024)
    connection.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    if not early:
        await connection.head()
    protocol = next(peer.server.connections)
    connection.send_eof()
    while early and not protocol.gone:
        await asyncio.sleep(0)
    half_closed.set()
    if early:
        await connection.head()
    assert len(await connection.rest()) == (5_000_000 if body == "file" else len(body))
    assert protocol.gone


async def test_a_generator_for_a_half_closed_client_ends(serve):
    ended = asyncio.Event()

    async def handler(request, response):
        async def body():
            try:
                yield b"x"
                await asyncio.Event().wait()
            finally:
                ended.set()

        response.body = body()

    peer = await serve(handler)
    connection = await peer.connect()
    connection.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    await connection.head()
    connection.send_eof()
    with pytest.raises(ConnectionError):
        await connection.rest()
    assert ended.is_set()


async def test_a_file_that_fails_is_logged_though_its_client_is_half_closed(
    serve, caplog, tmp_path
):
    class Failing(FileBody):
        async def fetch(self, size):
            raise OSError("disk")

    gone = asyncio.Event()

    async def handler(request, response):
        await gone.wait()
        response.headers["Content-Length"] = 5
        response.body = Failing(tmp_path / "a", 0, 5)

    (tmp_path / "a").write_bytes(b"hello")

    peer = await serve(handler)
    connection = await peer.connect()
    connection.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    connection.send_eof()
    while not any(protocol.gone for protocol in peer.server.connections):
        await asyncio.sleep(0)
    gone.set()
    with pytest.raises(ConnectionError):
        await connection.rest()
    assert "OSError: disk" in caplog.text


async def test_a_server_without_a_descriptor_left_stops(monkeypatch):
    server = Server(lambda: connect(None))
    await server.listen("127.0.0.1", 0)

    def dup():
        raise OSError(24, "Too many open files")

    sock = server.sockets[0]
    address = sock.getsockname()
    scarce = SimpleNamespace(dup=dup, fileno=sock.fileno)
    monkeypatch.setattr(Server, "sockets", (scarce,))
    await server.stop()
    with pytest.raises(ConnectionRefusedError), socket.create_connection(address):
        pass


async def test_a_request_after_a_large_body_waits_for_its_answer():
    async def read(request, response):
        response.body = f"{request.path} {sum([len(chunk) async for chunk in request])}"
        return response

    protocol = connect(read)
    protocol.data_received(b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n")
    await turns()
    protocol.data_received(b"x" * 200_000 + b"GET /b HTTP/1.1\r\nHost: a\r\n\r\n")
    await turns()
    answers = protocol.transport.data
    assert 0 < answers.find(b"/a 200000") < answers.find(b"/b 0")
    protocol.connection_lost(None)


async def test_input_after_a_connection_closes_is_ignored():
    async def close(request, response):
        response.headers["Connection"] = "close"
        return response

    protocol = connect(close)
    protocol.data_received(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    await turns()
    assert protocol.state == CLOSING
    protocol.data_received(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert protocol.eof_received() is False
    await turns()
    assert protocol.state == CLOSING
    assert protocol.transport.data.count(b"HTTP/1.1 200 OK") == 1
    protocol.connection_lost(None)


async def test_a_switched_connection_stays_switched_when_it_is_lost():
    async def switch(request, response):
        request.protocol.switch(asyncio.Protocol(), b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
        return response

    protocol = connect(switch)
    assert not protocol.switched
    protocol.transport.set_protocol = lambda successor: None
    protocol.data_received(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    await turns()
    assert protocol.switched
    protocol.connection_lost(None)
    assert protocol.switched
