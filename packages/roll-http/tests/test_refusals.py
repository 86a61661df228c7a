"""Requests that never reach the application are reported to its `on_refused`."""

from __future__ import annotations

from http import HTTPStatus

import pytest

from roll_http import HTTPProtocol

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"

REFUSED = [
    (b"nonsense\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    (b"GET /" + b"x" * 10_000 + b" HTTP/1.1\r\n", 414),
    (b"GET / HTTP/1.1\r\nHost: a\r\nExpect: nothing\r\n\r\n", 417),
    (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"A: b\r\n" * 101 + b"\r\n", 431),
    (b"GET / HTTP/1.1\r\nHost: a\r\nA: " + b"x" * 40_000, 431),
    (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501),
    (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
]


@pytest.fixture
def watched(serve):
    """A server, and the refusals that its application got."""

    async def start(**limits):
        peer = await serve(**limits)
        peer.refused = []
        peer.app.on_refused = lambda *told: peer.refused.append(told)
        return peer

    return start


@pytest.mark.parametrize("before", [b"", GET], ids=["first", "second"])
@pytest.mark.parametrize(("data", "status"), REFUSED)
async def test_each_refused_request_is_reported_once(watched, data, status, before):
    peer = await watched()
    connection = await peer.connect()
    port = connection.writer.get_extra_info("sockname")[1]
    connection.send(before + data)
    answer = await connection.rest()
    assert answer.count(b"HTTP/1.1 ") == 1 + bool(before)
    assert b"HTTP/1.1 %d " % status in answer
    ((told, reason, client),) = peer.refused
    assert told is HTTPStatus(status)
    assert answer.endswith(f"\r\n\r\n{reason}\n".encode())
    assert client == ("127.0.0.1", port)
    assert peer.app.seen == ["GET /"] * bool(before)


async def test_head_that_takes_too_long_is_reported(watched):
    peer = await watched(head_timeout=0.01)
    assert (await peer.exchange(b"GET / HTT")).startswith("HTTP/1.1 408 ")
    assert [told[0] for told in peer.refused] == [408]


async def test_connection_over_the_limit_is_reported(watched):
    peer = await watched(connections=1)
    first = await peer.connect()
    first.send(GET)
    await first.until(b"hello")
    assert (await peer.exchange(b"")).startswith("HTTP/1.1 503 ")
    assert [told[:2] for told in peer.refused] == [(503, "Too many connections")]


async def test_error_of_the_server_is_reported(watched, caplog):
    peer = await watched()
    connection = await peer.connect()
    connection.send(GET)
    await connection.until(b"hello")
    (protocol,) = peer.server.connections
    protocol._begin_next = None
    connection.send(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    assert (await connection.rest()).startswith(b"HTTP/1.1 500 ")
    assert [told[0] for told in peer.refused] == [500]


async def test_answer_of_the_application_is_not_reported_as_a_refusal(watched):
    peer = await watched()
    await peer.exchange(GET + GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    assert peer.refused == []


@pytest.mark.parametrize("kind", ["raises", "async"])
async def test_an_on_refused_that_fails_is_logged_and_changes_nothing(serve, caplog, kind):
    peer = await serve()

    def on_refused(*_):
        raise RuntimeError("observer")

    async def on_refused_async(*_):
        raise AssertionError("nobody awaits it")

    peer.app.on_refused = on_refused if kind == "raises" else on_refused_async
    answer = await peer.exchange(b"nonsense\r\n\r\n")
    assert answer.startswith("HTTP/1.1 400 ")
    assert answer.endswith("\n")
    (record,) = caplog.records
    assert "on_refused" in record.getMessage()
    assert ("is called, not awaited" if kind == "async" else "observer") in caplog.text


async def test_on_refused_is_optional(serve, caplog):
    peer = await serve()
    assert not hasattr(peer.app, "on_refused")
    assert (await peer.exchange(b"nonsense\r\n\r\n")).startswith("HTTP/1.1 400 ")
    peer.app.on_refused = None
    assert (await peer.exchange(b"nonsense\r\n\r\n")).startswith("HTTP/1.1 400 ")
    assert not caplog.records
    assert not hasattr(HTTPProtocol, "on_refused")
