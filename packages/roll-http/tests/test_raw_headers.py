"""`request.raw_headers`: the header fields as they were received."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roll_http import Limits, Request
from roll_http.h1.head_parser import HeadParser

LINE = b"GET / HTTP/1.1\r\n"


def request_of(data: bytes) -> Request:
    head, _ = HeadParser(Limits()).parse(data, 0)
    request = Request(None, None)
    request.set_head(head)
    return request


def raw(fields: bytes, line: bytes = LINE) -> list[tuple[bytes, bytes]]:
    return request_of(line + fields + b"\r\n").raw_headers


def test_order_repeats_and_case_are_kept():
    fields = b"X-Two: a\r\nHost: here\r\nx-tWO: b\r\nAccept: c\r\nX-Two: a\r\n"
    assert raw(fields) == [
        (b"X-Two", b"a"),
        (b"Host", b"here"),
        (b"x-tWO", b"b"),
        (b"Accept", b"c"),
        (b"X-Two", b"a"),
    ]


@pytest.mark.parametrize(
    "value", [b"caf\xc3\xa9", b"caf\xe9", b"\xff\xfe", b"a: b:c", b'"a, b"', b""]
)
def test_values_are_the_bytes_received(value):
    assert raw(b"Host: here\r\nX: " + value + b"\r\n")[1] == (b"X", value)


def test_spaces_and_tabs_around_a_value_are_removed_and_those_within_kept():
    assert raw(b"Host:here\r\nX: \t a \t b\t \r\n") == [(b"Host", b"here"), (b"X", b"a \t b")]


def test_cookies_stay_in_their_lines():
    fields = b"Host: here\r\nCookie: a=1\r\nCookie: b=2\r\n"
    request = request_of(LINE + fields + b"\r\n")
    assert request.headers["COOKIE"] == "a=1; b=2"
    assert request.raw_headers[1:] == [(b"Cookie", b"a=1"), (b"Cookie", b"b=2")]


def test_absolute_form_leaves_the_host_field_as_received():
    request = request_of(b"GET http://there/ HTTP/1.1\r\nHost: here\r\n\r\n")
    assert request.headers["HOST"] == "there"
    assert request.raw_headers == [(b"Host", b"here")]


def test_request_without_fields_has_an_empty_list():
    assert raw(b"", line=b"GET / HTTP/1.0\r\n") == []


def test_request_made_by_hand_has_its_headers():
    request = Request(None, None)
    assert request.raw_headers == []
    request.headers["X-NAME"] = "é"
    assert request.raw_headers == [(b"X-NAME", b"\xc3\xa9")]


def test_changing_headers_does_not_change_raw_headers():
    request = request_of(LINE + b"Host: here\r\n\r\n")
    request.headers["HOST"] = "there"
    request.raw_headers.clear()
    assert request.raw_headers == [(b"Host", b"here")]


async def test_requests_through_a_remembered_head_have_their_own_fields(serve):
    async def handler(request, response):
        fields = [[name.decode(), value.decode()] for name, value in request.raw_headers]
        response.json = [request.path, fields]

    peer = await serve(handler)
    connection = await peer.connect()
    fields = b"hOst: here\r\nX: 1\r\nX: 2\r\n"
    expected = [["hOst", "here"], ["X", "1"], ["X", "2"]]
    # The third head, and all after it, are those that the parser remembers.
    for path in ("/a", "/b", "/c", "/c"):
        connection.send(f"GET {path} HTTP/1.1\r\n".encode() + fields + b"\r\n")
        assert await body_of(connection) == [path, expected]
    connection.send(b"GET /d HTTP/1.1\r\nHost: here\r\n\r\n")
    assert await body_of(connection) == ["/d", [["Host", "here"]]]


async def body_of(connection):
    head = await connection.head()
    (length,) = [line[16:] for line in head.split("\r\n") if line.startswith("Content-Length: ")]
    return json.loads(await connection.exactly(int(length)))


names = st.text("abcXYZ-_09!", min_size=1, max_size=8).map(str.encode)
values = st.binary(max_size=12).map(
    lambda data: bytes(byte for byte in data if byte >= 0x21 and byte != 0x7F)
)


@given(st.lists(st.tuples(names.map(lambda name: b"X-" + name), values), max_size=8))
def test_any_fields_come_back_as_sent(fields):
    fields = [(b"Host", b"here"), *fields]
    block = b"".join(name + b": " + value + b"\r\n" for name, value in fields)
    assert raw(block) == fields
