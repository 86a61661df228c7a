"""The package on a plain asyncio server."""

import contextlib
from typing import Any

import pytest

from roll_websocket import Listener, WSProtocol


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


async def test_a_client_that_asks_for_nothing_is_left(serve: Any) -> None:
    raw = await (await serve(constants={"TIMEOUT": 0.01})).socket()
    assert await raw.rest() == b""


async def test_a_client_may_go_before_it_asks(serve: Any) -> None:
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


async def test_stop_closes_what_has_not_opened_yet(serve: Any, wire: Any) -> None:
    site = await serve()
    raw = await site.socket()
    raw.send(wire.head()[:30])
    await wire.until(lambda: any(opening.reader.buffer for opening in site.listener.openings))
    await site.listener.stop()
    assert await raw.rest() == b""
    await wire.until(lambda: not site.listener.openings)


async def test_what_comes_after_a_stop_is_closed(serve: Any, wire: Any) -> None:
    site = await serve()
    await site.listener.stop()
    raw = await site.socket()
    raw.send(wire.head())
    with contextlib.suppress(ConnectionError):  # a reset, where the request was in time
        assert await raw.rest() == b""
    assert site.ws == []


async def test_what_a_transport_says_after_its_close_is_left(serve: Any, wire: Any) -> None:
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
