"""A connection that another protocol has taken ends, whatever happens."""

from __future__ import annotations

import asyncio

import pytest

from roll_http import ClientDisconnected, HttpError

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
HEAD = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"


class Odd(BaseException):
    """Neither an error of an application, nor the end of the program."""


class Taker(asyncio.Protocol):
    transport = None

    def connection_made(self, transport):
        self.transport = transport


ERRORS = [RuntimeError("broken"), HttpError(409), asyncio.CancelledError(), Odd()]


@pytest.mark.parametrize("waits", [False, True])
@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
async def test_an_error_after_a_switch_ends_the_connection_and_is_logged_once(
    serve, caplog, error, waits
):
    go_on = asyncio.Event()

    async def handler(request, response):
        request.protocol.switch(Taker(), HEAD)
        if waits:
            await go_on.wait()
        raise error

    peer = await serve(handler)
    connection = await peer.connect()
    connection.send(GET)
    if waits:
        assert await connection.head() == HEAD.decode()
        go_on.set()
    with pytest.raises(ConnectionError):
        await connection.rest()
    (record,) = caplog.records
    assert (
        record.getMessage()
        == "The application raised after the switch of its connection for GET b'/'"
    )
    assert record.exc_info[1] is error
    assert not any(peer.server.connections)


async def test_a_connection_that_the_application_closes_after_a_switch_is_not_reset(serve, caplog):
    async def handler(request, response):
        taker = Taker()
        request.protocol.switch(taker, HEAD)
        taker.transport.write(b"farewell")
        taker.transport.close()
        raise RuntimeError("broken")

    connection = await (await serve(handler)).connect()
    connection.send(GET)
    assert await connection.rest() == HEAD + b"farewell"
    assert len(caplog.records) == 1


async def test_the_departure_of_the_client_after_a_switch_is_not_logged(serve, caplog):
    async def handler(request, response):
        request.protocol.switch(Taker(), HEAD)
        raise ClientDisconnected("gone")

    peer = await serve(handler)
    connection = await peer.connect()
    connection.send(GET)
    with pytest.raises(ConnectionError):
        await connection.rest()
    assert not caplog.records
    assert not any(peer.server.connections)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((Taker(), "text"), "The head of a switch is bytes, not str"),
        ((Taker(), None), "The head of a switch is bytes, not NoneType"),
        ((Taker, HEAD), "is not an asyncio.Protocol object"),
        ((object(), HEAD), "is not an asyncio.Protocol object"),
        ((None, HEAD), "None is not an asyncio.Protocol object"),
    ],
)
async def test_switch_to_another_object_than_a_protocol_is_an_ordinary_error(
    serve, caplog, arguments, message
):
    async def handler(request, response):
        try:
            request.protocol.switch(*arguments)
        except TypeError as error:
            response.body = str(error)

    connection = await (await serve(handler)).connect()
    connection.send(GET.replace(b"Host", b"Connection: close\r\nHost"))
    assert message in (await connection.rest()).decode()


async def test_only_a_request_that_is_being_answered_can_be_switched(serve):
    protocols = []

    async def handler(request, response):
        protocols.append(request.protocol)
        if request.path == "/twice":
            request.protocol.switch(Taker(), HEAD)
            with pytest.raises(
                RuntimeError, match="No request is being answered on this connection"
            ):
                request.protocol.switch(Taker(), HEAD)
            protocols.append("refused")

    peer = await serve(handler)
    connection = await peer.connect()
    connection.send(GET)
    await connection.head()
    with pytest.raises(RuntimeError, match="No request is being answered on this connection"):
        protocols[0].switch(Taker(), HEAD)
    connection.send(GET.replace(b"/ ", b"/twice "))
    await connection.head()
    assert protocols[-1] == "refused"


class Keeper(Taker):
    """Keeps what it gets, up to the end of the connection."""

    def __init__(self):
        self.got = b""
        self.ended = asyncio.Event()

    def data_received(self, data):
        self.got += data

    def connection_lost(self, error):
        self.ended.set()


POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
SIZE = 500_000
BODIES = {
    "short": (POST + b"Content-Length: 2\r\n\r\na", b"b"),
    "nothing yet": (POST + b"Content-Length: 2\r\n\r\n", b"ab"),
    "expected": (POST + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n", b"ab"),
    "long": (POST + b"Content-Length: %d\r\n\r\n" % SIZE + b"a" * (SIZE - 1), b"b"),
    "chunked": (POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\n", b"b\r\n0\r\n\r\n"),
    "no last chunk": (POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n", b"0\r\n\r\n"),
}


@pytest.mark.parametrize("waits", [False, True], ids=["at once", "later"])
@pytest.mark.parametrize("sent", BODIES)
async def test_a_connection_is_switched_only_when_the_whole_body_has_arrived(serve, sent, waits):
    first, rest = BODIES[sent]
    keeper, refused = Keeper(), asyncio.Event()

    async def handler(request, response):
        for _ in range(100 * waits):  # what was sent arrives, and reading pauses
            await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="has not arrived"):
            request.protocol.switch(keeper, HEAD)
        refused.set()
        await request.read()
        request.protocol.switch(keeper, HEAD)
        await keeper.ended.wait()

    connection = await (await serve(handler)).connect()
    connection.send(first)
    await refused.wait()
    connection.send(rest + b"other")
    await connection.until(HEAD)
    connection.send(b" bytes")
    connection.send_eof()
    await asyncio.wait_for(keeper.ended.wait(), 10)
    assert keeper.got == b"other bytes"


async def test_a_client_that_ends_within_its_body_cannot_switch(serve):
    gone, raised = asyncio.Event(), []

    async def handler(request, response):
        request.protocol.on_gone = gone.set
        await gone.wait()
        try:
            request.protocol.switch(Taker(), HEAD)
        except ClientDisconnected as error:
            raised.append(str(error))

    connection = await (await serve(handler)).connect()
    connection.send(BODIES["short"][0])
    connection.send_eof()
    assert b" 200 OK" in await connection.rest()
    assert raised == ["The client has gone before its body's end"]


async def test_a_malformed_body_cannot_be_followed_by_another_protocol(serve):
    async def handler(request, response):
        with pytest.raises(HttpError):
            await request.read()
        with pytest.raises(RuntimeError, match="has not arrived"):
            request.protocol.switch(Taker(), HEAD)

    connection = await (await serve(handler)).connect()
    connection.send(POST + b"Transfer-Encoding: chunked\r\n\r\nx")
    assert b" 200 OK" in await connection.rest()
