"""Responses that are sent while the application still runs: `respond`, and `open_response`."""

import asyncio
import math

import pytest

from roll_http import ClientDisconnected
from roll_http._core import is_native
from roll_http.connection.writer import SLICE, TURN, WRITE
from roll_http.h1.statuses import set_status
from roll_http.raw_fields import lower_fields, lower_fields_in_python

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
HEAD = b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"
LAST = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


class Stream:
    """A body that is never read: it stands for the pieces that are written."""

    def __aiter__(self):
        return self

    async def __anext__(self):
        raise AssertionError("it is not to be read")


async def respond(request, response):
    sending = request.protocol.respond(response)
    if sending is not None:
        await sending


@pytest.mark.parametrize("body", [b"short", b"x" * 300_000], ids=["short", "long"])
@pytest.mark.parametrize("waits", [False, True], ids=["at once", "later"])
async def test_response_arrives_while_the_application_runs(serve, body, waits):
    go, ended = asyncio.Event(), []

    async def handler(request, response):
        if waits:
            await asyncio.sleep(0)
        response.body = body
        await respond(request, response)
        await go.wait()
        ended.append(request.path)
        return response

    peer = await serve(handler)
    connection = await peer.connect()
    for _ in range(3):  # the connection goes on meanwhile
        connection.send(GET)
        assert f"Content-Length: {len(body)}" in await connection.head()
        assert await connection.exactly(len(body)) == body
    assert ended == []
    go.set()
    connection.send(LAST)
    assert (await connection.rest()).endswith(body)
    assert len(ended) >= 3


async def test_pipelined_requests_are_answered_in_order(serve):
    number = 0

    async def handler(request, response):
        nonlocal number
        number += 1
        response.body = f"{number:03}"
        await respond(request, response)
        await asyncio.sleep(0)
        return response

    peer = await serve(handler)
    answer = await peer.exchange(GET * 49 + LAST)
    bodies = [part[:3] for part in answer.split("\r\n\r\n")[1:]]
    assert bodies == [f"{number:03}" for number in range(1, 51)]


async def test_error_after_an_early_response_is_logged_and_sends_nothing(serve, caplog):
    async def handler(request, response):
        response.body = b"first"
        await respond(request, response)
        raise KeyError("behind")

    peer = await serve(handler)
    answer = await peer.exchange(GET + LAST)
    assert answer.count("first") == 2
    assert "500" not in answer
    assert caplog.text.count("raised after its response") == 2


@pytest.mark.parametrize("waits", [False, True], ids=["at once", "later"])
@pytest.mark.parametrize("field", ["A: b", "Expect: ", "Connection: keep-alive, x"])
async def test_error_after_an_early_response_is_logged_for_its_own_request(
    serve, caplog, field, waits
):
    go, raised = asyncio.Event(), asyncio.Event()

    async def handler(request, response):
        response.body = b"first"
        if request.path != "/early":
            return response
        if waits:
            await asyncio.sleep(0)
        await respond(request, response)
        await go.wait()
        asyncio.get_running_loop().call_soon(raised.set)
        raise KeyError("behind")

    connection = await (await serve(handler)).connect()
    # The parser remembers fields that come again, and reuses what it has made of them.
    for path in ("one", "two", "early", "other", "last"):
        connection.send(f"GET /{path} HTTP/1.1\r\nHost: a\r\n{field}\r\n\r\n".encode())
        await connection.until(b"first")
    go.set()
    await raised.wait()
    (record,) = caplog.records
    assert record.getMessage() == "The application raised after its response for GET b'/early'"


@pytest.mark.parametrize("waits", [False, True], ids=["at once", "later"])
async def test_task_cancelled_after_its_response_leaves_the_connection_open(serve, caplog, waits):
    tasks = []

    async def handler(request, response):
        if waits:
            await asyncio.sleep(0)
        response.body = b"first"
        await respond(request, response)
        tasks.append(asyncio.current_task())
        await asyncio.Event().wait()

    peer = await serve(handler)
    connection = await peer.connect()
    for number in range(3):
        connection.send(GET)
        await connection.until(b"first")
        tasks[number].cancel()
        await asyncio.wait([tasks[number]])
        assert tasks[number].cancelled()
    assert not caplog.records


async def test_response_that_cannot_be_sent_is_a_500(serve):
    async def handler(request, response):
        response.headers["X"] = "a\r\nb"
        await respond(request, response)
        return response

    peer = await serve(handler)
    assert (await peer.exchange(GET)).startswith("HTTP/1.1 500 ")


async def test_head_and_1_0_are_answered_as_usual(serve):
    async def handler(request, response):
        response.body = b"body"
        await respond(request, response)
        return response

    peer = await serve(handler)
    assert (await peer.exchange(HEAD + LAST)).count("body") == 1
    assert (await peer.exchange(b"GET / HTTP/1.0\r\n\r\n")).endswith("\r\n\r\nbody")


def opening(*pieces, length=None, end=True):
    async def handler(request, response):
        response.body = Stream()
        if length is not None:
            response.headers["Content-Length"] = str(length)
        opened = request.protocol.open_response(response)
        for piece in pieces:
            await opened.write(piece)
        if end:
            opened.end()
            opened.end()  # does nothing
            with pytest.raises(ClientDisconnected):
                await opened.write(b"late")
            with pytest.raises(ClientDisconnected):
                await opened.write(b"late" * 100_000)
        return response

    return handler


async def test_pieces_of_any_length_are_sent(serve):
    pieces = [b"a", b"", b"b" * 65536, b"c" * 200_000]
    peer = await serve(opening(*pieces, length=sum(map(len, pieces))))
    answer = await peer.exchange(LAST)
    assert answer.partition("\r\n\r\n")[2].encode() == b"".join(pieces)


async def test_pieces_without_a_length_are_chunked(serve):
    peer = await serve(opening(b"abc", b"de"))
    answer = await peer.exchange(GET + LAST)
    assert answer.count("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n") == 2


async def test_nothing_is_sent_of_a_body_to_head(serve):
    peer = await serve(opening(b"abc", b"d" * 100_000))
    answer = await peer.exchange(HEAD + LAST)
    assert answer.count("abc") == 1


@pytest.mark.parametrize(
    ("pieces", "end"), [([b"abc"], False), ([b"abc"], True), ([b"x" * 9], True)]
)
async def test_response_that_is_not_whole_is_cut(serve, pieces, end):
    peer = await serve(opening(*pieces, length=5, end=end))
    connection = await peer.connect()
    connection.send(GET)
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await connection.head()
        await connection.exactly(5)


LONG = 20_000_000  # more than the buffers of a connection take


def decoded(answer):
    """The body of a chunked response, and what follows it."""
    body, rest = b"", answer.partition(b"\r\n\r\n")[2]
    while True:
        size, _, rest = rest.partition(b"\r\n")
        chunk, end, rest = (
            rest[: int(size, 16)],
            rest[int(size, 16) :][:2],
            rest[int(size, 16) + 2 :],
        )
        assert end == b"\r\n"
        if not chunk:
            return body, rest
        body += chunk


def opened_by(use):
    """A handler that opens a response, and lets `use` write and end it."""

    async def handler(request, response):
        if request.path == "/after":
            response.body = b"after"
            return response
        response.body = Stream()
        await use(request.protocol.open_response(response))
        return response

    return handler


AFTER = b"GET /after HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


async def test_pieces_of_several_tasks_stay_whole(serve):
    async def use(opened):
        writing = [opened.write(letter * LONG) for letter in (b"x", b"y")]
        await asyncio.gather(*writing, *(opened.write(b"s") for _ in range(9)))
        assert not opened.busy
        opened.end()

    peer = await serve(opened_by(use))
    connection = await peer.connect()
    connection.send(GET + AFTER)
    body, rest = decoded(await connection.rest())
    assert body == b"x" * LONG + b"y" * LONG + b"s" * 9
    assert rest.endswith(b"after")


@pytest.mark.parametrize("headers", [{}, {"Content-Length": str(LONG)}])
async def test_connection_is_aborted_if_a_writer_is_cancelled_within_its_piece(serve, headers):
    raised = []

    async def use(opened):
        writing = asyncio.ensure_future(opened.write(b"x" * LONG))
        await asyncio.sleep(0)
        writing.cancel()
        for call in (writing, opened.write(b"more")):
            try:
                await call
            except (asyncio.CancelledError, ClientDisconnected) as error:
                raised.append(type(error))
        opened.end()

    async def handler(request, response):
        response.headers.update(headers)
        return await opened_by(use)(request, response)

    peer = await serve(handler)
    connection = await peer.connect()
    connection.send(GET + AFTER)
    with pytest.raises(ConnectionError):
        await connection.rest()
    assert raised == [asyncio.CancelledError, ClientDisconnected]


async def test_writer_that_is_cancelled_after_its_piece_leaves_the_connection_open(serve):
    # After the last slice, the writer lets other tasks run.
    size = math.ceil(TURN / (SLICE + WRITE)) * SLICE

    async def use(opened):
        opened._connection.transport.set_write_buffer_limits(2 * size)
        writing = asyncio.ensure_future(opened.write(b"x" * size))
        await asyncio.sleep(0)
        writing.cancel()
        await asyncio.wait([writing])
        assert writing.cancelled()
        await opened.write(b"more")
        opened.end()

    peer = await serve(opened_by(use))
    connection = await peer.connect()
    connection.send(GET + AFTER)
    body, rest = decoded(await connection.rest())
    assert body == b"x" * size + b"more"
    assert rest.endswith(b"after")


async def test_end_within_a_piece_is_an_error_and_aborts_the_connection(serve):
    raised = []

    async def use(opened):
        writing = asyncio.ensure_future(opened.write(b"x" * LONG))
        await asyncio.sleep(0)
        for call in (lambda: opened.put(b"short"), opened.end):
            try:
                call()
            except RuntimeError as error:
                raised.append(str(error))
        try:
            await writing
        except ClientDisconnected as error:
            raised.append(str(error))

    peer = await serve(opened_by(use))
    connection = await peer.connect()
    connection.send(GET + AFTER)
    with pytest.raises(ConnectionError):
        await connection.rest()
    assert raised == [
        "Another task writes a long piece: await `write`",
        "The response has ended while a piece of its body was written",
        "The client has gone",
    ]


async def test_all_tasks_that_wait_for_the_client_go_on(serve):
    async def use(opened):
        while not opened.put(b"x" * 60_000) or not opened._connection.writer.paused:
            pass
        await asyncio.gather(opened.drain(), opened.drain(), opened.drain())
        opened.end()

    peer = await serve(opened_by(use))
    connection = await peer.connect()
    connection.send(GET + AFTER)
    assert decoded(await connection.rest())[1].endswith(b"after")


async def test_early_answer_to_an_upload_takes_no_100(serve):
    async def handler(request, response):
        response.body = Stream()
        opened = request.protocol.open_response(response)
        await opened.write(b"early")
        opened.end(b"x-sum: 1\r\n")
        return response

    peer = await serve(handler)
    answer = await peer.exchange(
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
    )
    assert answer.startswith("HTTP/1.1 200 OK")
    assert answer.endswith("0\r\nx-sum: 1\r\n\r\n")


async def test_on_gone_is_called_when_the_client_disconnects(serve):
    gone = asyncio.Event()
    waits = asyncio.Event()

    async def handler(request, response):
        request.protocol.on_gone = gone.set
        waits.set()
        await gone.wait()
        return response

    peer = await serve(handler)
    connection = await peer.connect()
    connection.send(GET)
    await waits.wait()
    connection.abort()
    await gone.wait()


@pytest.mark.parametrize("code", [201, 299, 499, 999])
async def test_unregistered_status_is_sent(serve, code):
    async def handler(request, response):
        set_status(response, code)
        return response

    peer = await serve(handler)
    assert (await peer.exchange(LAST)).startswith(f"HTTP/1.1 {code} ")


@pytest.mark.parametrize("code", [100, 199, 1000, "200", None, 200.0])
def test_invalid_status_is_refused(code):
    with pytest.raises(ValueError, match="from 200 to 999"):
        set_status(None, code)


@pytest.mark.parametrize(
    "block",
    [
        b"\r\n",
        b"Host: a\r\n\r\n",
        b"HOST:a\r\nX-Two:  b \t\r\nx-two:\r\n\r\n",
        b"X" * 60 + b": 1\r\nX: caf\xe9\r\n\r\n",
        b"X-A: 1\rnot\r\nX-B: 2\r\n\r\n",
        b"no colon\r\nX: 1\r\n\r\n",
        b"".join(b"X-%d: %d\r\n" % (number, number) for number in range(2000)) + b"\r\n",
    ],
)
def test_fields_in_lower_case_are_the_same_with_the_core(block):
    assert lower_fields(block) == lower_fields_in_python(block)
    assert (lower_fields is lower_fields_in_python) is not is_native
