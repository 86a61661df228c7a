"""A refusal is an error where it is raised, or an answer, but never ignored."""

import contextlib
import http
import logging
from typing import Any

import pytest

from roll_websocket import HandshakeError, HandshakeRequest


@pytest.mark.parametrize(
    ("error", "status"),
    [
        *((TypeError, status) for status in [None, "403", b"x", 403.0, True, [403], print]),
        *(
            (ValueError, status)
            for status in [-1, 0, 99, 100, 101, 200, 204, 299, 600, 999, 10**9]
        ),
    ],
)
def test_a_status_that_refuses_nothing_is_an_error_at_once(error: Any, status: Any) -> None:
    with pytest.raises(error, match="The status of a refusal"):
        HandshakeError(status, "No")


@pytest.mark.parametrize("message", [None, b"No", 3, ["No"], Exception("No")])
def test_refusal_with_a_message_that_is_not_text_is_an_error(message: Any) -> None:
    with pytest.raises(TypeError, match="The message of a refusal is a str, not"):
        HandshakeError(403, message)


@pytest.mark.parametrize(
    "headers",
    [
        {"A": "b\r\nC: d"},
        {"A": "b\nc"},
        {"A": "b\rc"},
        {"A": "b\0"},
        {"A": "\u20ac"},
        {"A": "\ud800"},
        {"A": None},
        {"A": b"b"},
        {"A": ["b"]},
        {"": "b"},
        {"A B": "c"},
        {"A\r\nB": "c"},
        {"A:": "b"},
        {"\u00e9": "b"},
        {b"A": "b"},
        {1: "b"},
        "A: b",
        3,
        [1],
        [("A", "b", "c")],
    ],
)
def test_fields_that_cannot_be_sent_are_an_error_at_once(headers: Any) -> None:
    with pytest.raises(ValueError, match="`headers`"):
        HandshakeError(403, "No", headers)


async def refused(serve: Any, wire: Any, error: Any) -> tuple[str, dict[str, list[str]], bytes]:
    """The status line, the fields and the body of the answer."""

    def hook(request: HandshakeRequest) -> None:
        raise error

    site = await serve(process_request=hook)
    raw = await site.socket()
    raw.send(wire.head())
    head, _, body = (await raw.rest()).partition(b"\r\n\r\n")
    line, *lines = head.decode("latin-1").split("\r\n")
    fields: dict[str, list[str]] = {}
    for name, value in (field.split(": ", 1) for field in lines):
        fields.setdefault(name.lower(), []).append(value)
    assert fields["connection"] == ["close"]
    assert fields["content-length"] == [str(len(body))]
    assert all(len(values) == 1 for values in fields.values())
    assert site.ws == []
    return line, fields, body


@pytest.mark.parametrize("status", [300, 302, 399, 400, 418, 451, 499, 500, 503, 599])
async def test_any_status_of_a_refusal_is_sent(serve: Any, wire: Any, status: int) -> None:
    line, _, body = await refused(serve, wire, HandshakeError(status, "No"))
    phrase = http.HTTPStatus(status).phrase if status in set(http.HTTPStatus) else ""
    assert (line, body) == (f"HTTP/1.1 {status} {phrase}", b"No")


async def test_304_is_sent_without_content(serve: Any, wire: Any) -> None:
    async def refuse(request: HandshakeRequest) -> None:
        raise HandshakeError(304, "Unchanged", {"ETag": '"1"'})

    raw = await (await serve(process_request=refuse)).socket()
    raw.send(wire.head())
    head, body = (await raw.rest()).split(b"\r\n\r\n")
    assert body == b""
    assert head.startswith(b"HTTP/1.1 304 Not Modified\r\n")
    assert b'\r\nETag: "1"\r\n' in head
    assert b"content-" not in head.lower()


async def test_fields_of_a_refusal_are_sent_once(
    serve: Any, wire: Any, log: pytest.LogCaptureFixture
) -> None:
    """Whatever their case; those that frame the answer are its own."""
    headers: dict[str, Any] = {
        "content-type": "text/html",
        "Content-Length": 1000,
        "Transfer-Encoding": "chunked",
        "CONNECTION": "keep-alive",
        "Date": "today",
        "Retry-After": 5,
        "X-Latin": "\u00e9",
    }
    error = HandshakeError(http.HTTPStatus.SERVICE_UNAVAILABLE, "Sp\u00e4ter", headers)
    line, fields, body = await refused(serve, wire, error)
    assert (line, body) == ("HTTP/1.1 503 Service Unavailable", "Sp\u00e4ter".encode())
    assert fields["content-type"] == ["text/html"]
    assert fields["retry-after"] == ["5"]
    assert fields["x-latin"] == ["\u00e9"]
    assert fields["date"] != ["today"]
    assert "transfer-encoding" not in fields
    assert log.records == []


async def test_refusal_with_a_surrogate_in_its_message_is_sent(serve: Any, wire: Any) -> None:
    _, _, body = await refused(serve, wire, HandshakeError(403, "a\ud800b"))
    assert body == b"a?b"


class Bare(HandshakeError):
    """Made without its constructor."""

    def __init__(self) -> None:
        """Set nothing."""


def changed(**attributes: Any) -> HandshakeError:
    error = HandshakeError(403, "No")
    vars(error).update(attributes)
    return error


@pytest.mark.parametrize(
    "error",
    [
        Bare(),
        changed(status=None),
        changed(status=101),
        changed(status=999),
        changed(message=None),
        changed(message=b"No"),
        changed(headers=None),
        changed(headers={"A": "b\r\nC: d"}),
        changed(headers={"A": "\u20ac"}),
        changed(headers={1: "b"}),
        changed(headers=[("A", "b")]),
    ],
)
async def test_an_error_that_was_changed_is_a_500_and_logged(
    serve: Any, wire: Any, error: HandshakeError, log: pytest.LogCaptureFixture
) -> None:
    line, _, body = await refused(serve, wire, error)
    assert (line, body) == ("HTTP/1.1 500 Internal Server Error", b"Internal Server Error")
    (record,) = log.records
    assert record.levelno == logging.ERROR
    assert record.exc_info


@pytest.mark.parametrize("how", ["hook", "parser"])
async def test_a_transport_that_fails_at_a_refusal_is_logged_and_aborted(
    serve: Any, wire: Any, how: str, log: pytest.LogCaptureFixture
) -> None:
    def hook(request: HandshakeRequest) -> None:
        raise HandshakeError(403, "No")

    site = await serve(process_request=hook)
    raw = await site.socket()
    await wire.until(lambda: site.listener.openings)
    (opening,) = site.listener.openings
    opening.transport = Failing(opening.transport)
    raw.send(wire.head(line="GET / HTTP/1.1" if how == "hook" else "GET"))
    await wire.until(lambda: not site.listener.openings)
    with contextlib.suppress(ConnectionError):
        assert await raw.rest() == b""
    assert len(log.records) == 1


class Failing:
    """A transport that cannot write."""

    def __init__(self, transport: Any) -> None:
        self.transport = transport

    def __getattr__(self, name: str) -> Any:
        return getattr(self.transport, name)

    def write(self, data: bytes) -> None:
        raise ZeroDivisionError


@pytest.mark.parametrize("line", ["HEAD / HTTP/1.1", "HEAD / HTTP/1.0", "HEAD x HTTP/1.1"])
async def test_head_is_refused_without_content(serve: Any, wire: Any, line: str) -> None:
    raw = await (await serve()).socket()
    raw.send(wire.head(line=line))
    head, _, body = (await raw.rest()).partition(b"\r\n\r\n")
    assert head.startswith((b"HTTP/1.1 405 ", b"HTTP/1.1 400 "))
    assert b"\r\nContent-Length: " in head
    assert body == b""


@pytest.mark.parametrize("step", [1, 7, 1000])
@pytest.mark.parametrize("count", [1, 2, 50])
async def test_empty_lines_before_a_handshake_are_ignored(
    serve: Any, wire: Any, count: int, step: int
) -> None:
    raw = await (await serve()).socket()
    data = b"\r\n" * count + wire.head() + wire.frame(1, b"hi")
    for start in range(0, len(data), step):
        raw.send(data[start : start + step])
    assert (await raw.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
    assert await raw.frame() == (0x81, b"hi")


async def test_empty_line_within_a_head_ends_it(serve: Any, wire: Any) -> None:
    raw = await (await serve()).socket()
    raw.send(wire.head().replace(b"Upgrade: websocket\r\n", b"\r\nUpgrade: websocket\r\n"))
    assert (await raw.rest()).startswith(b"HTTP/1.1 4")
