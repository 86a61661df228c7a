"""The response, as a handler fills it, and as bytes."""

from __future__ import annotations

import json
from http import HTTPStatus

import pytest

from roll_http import Cookies, Request, Response
from roll_http.connection.answering import serialize_common_response, serialize_response
from roll_http.h1.body_encoders import InvalidResponse
from roll_http.h1.response_body import as_bytes
from roll_http.h1.serialize import plain_response

DATE = "Date: today\r\n"


@pytest.fixture
def sent(answering):
    """The bytes of a response whose body is not a stream."""

    def send(**attributes):
        method = attributes.pop("method", "GET")
        version = attributes.pop("version", "1.1")
        answering.request.method, answering.request.version = method, version
        for name, value in attributes.items():
            setattr(answering.response, name, value)
        rendered = serialize_response(answering.request, answering.response, DATE)
        common = serialize_common_response(answering.request, answering.response, DATE)
        assert not rendered.keep_alive or common in {None, rendered}
        answering.request.keep_alive = rendered.keep_alive
        head, body, stream, *_ = rendered
        assert stream is None
        return (head + body).decode()

    return send


@pytest.mark.parametrize("status", [204, HTTPStatus.NO_CONTENT], ids=["int", "enum"])
def test_the_status_reads_back_as_an_http_status(answering, status):
    assert answering.response.status is HTTPStatus.OK
    answering.response.status = status
    assert answering.response.status is HTTPStatus.NO_CONTENT


@pytest.mark.parametrize("status", [99, 299, 1000, "200", None])
def test_an_unknown_status_is_refused(answering, status):
    with pytest.raises(ValueError, match="not an HTTP status"):
        answering.response.status = status


@pytest.mark.parametrize("value", [{"some": "dict"}, [{"a": 1}, {"b": None}], "é", 1.5])
def test_json_sets_the_body_and_its_type(answering, value):
    answering.response.json = value
    assert json.loads(answering.response.body) == value
    assert answering.response.headers["Content-Type"] == "application/json; charset=utf-8"


def test_json_is_compact_utf8(answering):
    answering.response.json = {"hello": "world", "é": 1}
    assert answering.response.body == '{"hello":"world","é":1}'.encode()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {1: {2}}])
def test_value_that_json_cannot_encode_is_refused(answering, value):
    with pytest.raises((ValueError, TypeError)):
        answering.response.json = value


@pytest.mark.parametrize("has_one", [False, True], ids=["none", "another"])
def test_json_does_without_the_interpreters_own_encoder(monkeypatch, has_one):
    from roll_http import json_codec

    own = json.encoder.c_make_encoder

    def make_other(markers, *arguments):
        return (lambda value, _: ["other"]) if markers is None else own(markers, *arguments)

    with monkeypatch.context() as patched:
        patched.setattr(json.encoder, "c_make_encoder", make_other if has_one else None)
        codec = json_codec.JSONCodec()
    assert codec.dumps({"a": "é"}) == '{"a":"é"}'


def test_json_refuses_a_value_that_contains_itself(answering):
    circular = []
    circular.append(circular)
    with pytest.raises((ValueError, RecursionError)):
        answering.response.json = circular


def test_redirect_sets_location_and_status(answering):
    response = answering.response
    assert response.redirect == (None, HTTPStatus.OK)
    response.redirect = "/there", 301
    assert response.redirect == ("/there", HTTPStatus.MOVED_PERMANENTLY)
    response.redirect = "/else"
    assert response.redirect == ("/else", HTTPStatus.FOUND)
    response.redirect = "", 302
    assert response.headers["Location"] == ""


def test_a_response_has_a_status_line_its_fields_a_length_and_a_date(sent):
    assert sent(body=b"hello", headers={"X-A": 1}) == (
        "HTTP/1.1 200 OK\r\nX-A: 1\r\nContent-Length: 5\r\nDate: today\r\n"
        "Content-Type: application/octet-stream\r\n\r\nhello"
    )


@pytest.mark.parametrize(
    ("body", "bytes_"),
    [
        (b"a", b"a"),
        (bytearray(b"a"), b"a"),
        (memoryview(b"a"), b"a"),
        ("é", b"\xc3\xa9"),
        (1, b"1"),
    ],
)
def test_any_body_becomes_bytes(answering, body, bytes_):
    answering.response.body = body
    assert (
        serialize_response(answering.request, answering.response, DATE)[1]
        == bytes_
        == as_bytes(body)
    )


def test_cookies_have_a_line_each(sent, answering):
    answering.response.cookies.set("a", "1")
    answering.response.cookies.set("b", "2")
    assert "\r\nSet-Cookie: a=1; Path=/\r\nSet-Cookie: b=2; Path=/\r\n" in sent()


@pytest.mark.parametrize("status", [204, 304])
def test_some_responses_have_neither_body_nor_length(sent, status):
    text = sent(status=status, body="x", headers={"Content-Length": "1"})
    assert text.endswith("Date: today\r\n\r\n")
    assert "Content-Length" not in text


def test_a_205_has_an_empty_body(sent):
    assert "Content-Length: 0\r\n" in sent(status=205, body="x")


def test_head_gets_the_head_of_a_get(sent):
    assert sent(method="HEAD", body="hello").endswith(
        "Content-Length: 5\r\nDate: today\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
    )
    assert "Content-Length: 1000\r\n" in sent(
        method="HEAD", body="", headers={"content-length": 1000}
    )


def test_a_tunnel_that_opens_has_no_length(sent):
    assert "Content-Length" not in sent(method="CONNECT", body="")
    assert "Content-Length" in sent(method="CONNECT", body="", status=501)


@pytest.mark.parametrize("status", [100, 101, 103])
def test_interim_status_is_a_500(sent, status):
    with pytest.raises(InvalidResponse):
        sent(status=status)


@pytest.mark.parametrize("length", ["4", "6", "x", "", "+5", "\u0665"])
def test_a_wrong_length_is_refused(sent, length):
    with pytest.raises(InvalidResponse):
        sent(body="hello", headers={"CONTENT-LENGTH": length})


def test_a_right_length_is_sent_once(sent):
    assert sent(body="hello", headers={"content-length": "5"}).lower().count("content-length") == 1


def test_the_fields_that_frame_the_message_are_ours(sent):
    text = sent(headers={"transfer-encoding": "chunked", "DATE": "then", "Connection": "x"})
    assert "chunked" not in text
    assert "DATE: then\r\n" in text
    assert "today" not in text
    assert "Connection: x\r\n" in text


def test_a_handler_may_close_the_connection(sent, answering):
    assert "Connection: close\r\n" in sent(headers={"connection": "Keep-Alive, Close"})
    assert answering.request.keep_alive is False


def test_http_1_0_response_says_that_the_connection_stays_open(sent):
    assert "Connection: keep-alive\r\n" in sent(version="1.0")


@pytest.mark.parametrize("name", ["", "a b", "a:b", "a\r\nb", "a\0", "é", 1])
def test_a_bad_field_name_is_refused(sent, name):
    with pytest.raises(InvalidResponse, match="not a token"):
        sent(headers={name: "x"})


class Raw(Cookies):
    """Lines as they are given."""

    def output(self):
        return iter(self.values())


@pytest.mark.parametrize("value", ["a\rb", "a\nb", "a\r\nX: y", "a\0", "a\x7f", "\x1b[0m"])
def test_a_control_character_in_a_value_is_refused(sent, answering, value):
    with pytest.raises(InvalidResponse, match="control character"):
        sent(headers={"X-A": value})
    answering.response.headers = {}
    answering.response._cookies = Raw({"a": value})
    with pytest.raises(InvalidResponse, match="control character"):
        sent()


def test_tabs_and_any_script_may_stand_in_a_value(sent):
    assert "X-A: a\tb é €\u00a0\r\n" in sent(headers={"X-A": "a\tb é €\u00a0"})


def test_made_up_names_do_not_fill_the_memory(sent):
    from roll_http.h1 import response_fields

    for number in range(1100):
        sent(headers={f"X-{number}": ""})
    assert len(response_fields.kinds) <= 1024


async def numbers():
    for number in range(3):
        yield number


class Numbers:
    def __aiter__(self):
        return numbers()


@pytest.mark.parametrize("body", ["function", "generator", "object"])
async def test_a_stream_is_chunked(answering, body):
    bodies = {"function": numbers, "generator": numbers(), "object": Numbers()}
    answering.response.body = bodies[body]
    head, _, stream, encoder, _ = serialize_response(answering.request, answering.response, DATE)
    assert b"Transfer-Encoding: chunked\r\n" in head
    assert b"Content-Length" not in head
    assert [item async for item in stream] == [0, 1, 2]
    assert encoder.frame_chunk(20) == (b"14\r\n", b"\r\n")
    assert encoder.end() == b"0\r\n\r\n"


async def test_a_stream_is_not_sent_with_a_205(answering):
    answering.response.body = Numbers()
    answering.response.status = 205
    head, body, _, encoder, _ = serialize_response(answering.request, answering.response, DATE)
    assert (b"Content-Length: 0\r\n" in head, body, encoder) == (True, b"", None)


async def test_a_stream_to_http_1_0_ends_with_the_connection(answering):
    answering.request.version = "1.0"
    answering.response.body = Numbers()
    head, _, _, encoder, _ = serialize_response(answering.request, answering.response, DATE)
    assert b"Connection: close\r\n" in head
    assert b"chunked" not in head
    assert (*encoder.frame_chunk(1), encoder.end()) == (b"", b"", b"")


async def test_a_stream_of_a_known_length_is_measured(answering):
    answering.response.body = Numbers()
    answering.response.headers["Content-Length"] = 3
    head, _, _, encoder, _ = serialize_response(answering.request, answering.response, DATE)
    assert b"Content-Length: 3\r\n" in head
    assert encoder.frame_chunk(2) == (b"", b"")
    with pytest.raises(InvalidResponse, match="short"):
        encoder.end()
    assert (*encoder.frame_chunk(1), encoder.end()) == (b"", b"", b"")
    with pytest.raises(InvalidResponse, match="longer"):
        encoder.frame_chunk(1)


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304)])
async def test_a_stream_is_not_sent_where_no_body_is(answering, method, status):
    answering.request.method = method
    answering.response.status = status
    answering.response.body = Numbers()
    assert serialize_response(answering.request, answering.response, DATE)[3] is None


def test_a_plain_response_ends_its_connection():
    assert plain_response(400, "Why", DATE) == (
        b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n"
        b"Content-Length: 4\r\nDate: today\r\nConnection: close\r\n\r\nWhy\n"
    )


def test_a_subclass_may_encode_json_its_own_way():
    class Mine(Response):
        @property
        def json(self):
            raise AttributeError("write-only")

        @json.setter
        def json(self, value):
            self.body = b"mine"

    response = Mine(None, None)
    response.json = {}
    assert response.body == b"mine"
    assert Request(None, None).version == "1.1"


COMMON = {"status": 404, "headers": {"X-One": "1", "X-Two": "é"}, "body": "text"}


def test_fast_path_serializes_the_same_as_the_general_path(answering, sent):
    answering.response.cookies.set("name", "value")
    long = sent(**COMMON)
    head, body, *_ = serialize_common_response(answering.request, answering.response, DATE)
    assert (head + body).decode() == long


@pytest.mark.parametrize(
    "odd",
    [
        {"status": 304},
        {"method": "HEAD"},
        {"method": "CONNECT"},
        {"version": "1.0"},
        {"headers": {"Connection": "close"}},
        {"headers": {"Date": "never"}},
        {"headers": {"X-Number": 1.5}},
        {"headers": {"X-Tab": "a\tb"}},
        {"body": bytearray(b"text")},
    ],
    ids=str,
)
def test_uncommon_responses_take_the_general_path(answering, sent, odd):
    sent(**COMMON)
    sent(**(COMMON | odd))
    assert serialize_common_response(answering.request, answering.response, DATE) is None
