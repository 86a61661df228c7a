"""The request, with and without a connection."""

from __future__ import annotations

import asyncio

import pytest

from roll_http import ClientDisconnected, Cookies, HttpError, Request
from roll_http.body import BodyStream


@pytest.fixture
def request_(parse):
    def make(data: bytes = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n") -> Request:
        request = Request(None, None)
        request.set_head(parse(data))
        return request

    return make


def with_body(*chunks: bytes, length: int | None = None, complete: bool = True) -> Request:
    request = Request(None, None)
    stream = BodyStream(length)
    request.attach_body(stream)
    for chunk in chunks:
        stream.feed(chunk)
    if complete:
        stream.end()
    return request


def test_a_request_made_by_hand_is_empty():
    request = Request(None, None)
    assert request == {}
    assert request.method is None
    assert (request.url, request.path, request.query_string) == (b"", "", "")
    assert (request.headers, request.cookies, request.kwargs) == ({}, {}, {})
    assert (request.content_type, request.host, request.referrer, request.origin) == ("",) * 4
    assert (request.client, request.scheme) == (None, "http")


def test_the_keys_of_a_request_are_free_and_its_attributes_are_not():
    request = Request(None, None)
    request["user"] = "me"
    request.kwargs["db"] = 1
    assert (request["user"], request.kwargs) == ("me", {"db": 1})
    request.kwargs = {"other": 2}
    assert request.kwargs == {"other": 2}
    with pytest.raises(AttributeError):
        request.user = "me"


def test_a_subclass_takes_attributes():
    class Mine(Request):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.user = "me"

    assert Mine(None, None).user == "me"


def test_the_target_is_split_and_its_path_decoded(request_):
    request = request_(b"GET /foo%2Bb%C3%A9?a=%2B&b HTTP/1.1\r\nHost: here\r\n\r\n")
    assert request.url == b"/foo%2Bb%C3%A9?a=%2B&b"
    assert request.path == "/foo+bé"
    assert request.query_string == "a=%2B&b"
    request.path = "/other"
    assert request.path == "/other"
    assert request_().path == "/"


def test_fields_have_shortcuts(request_):
    request = request_(
        b"GET / HTTP/1.0\r\nHost: here\r\nContent-Type: text/plain\r\nReferer: http://a/\r\n"
        b"Origin: http://b\r\nCookie: a=1\r\n\r\n"
    )
    assert request.content_type == "text/plain"
    assert request.host == "here"
    assert request.referrer == request.referer == "http://a/"
    assert request.origin == "http://b"
    assert request.version == "1.0"
    assert request.cookies == {"a": "1"}
    assert request.cookies is request.cookies
    assert isinstance(request.cookies, Cookies)


def test_the_body_must_be_loaded_first():
    with pytest.raises(HttpError) as caught:
        _ = Request(None, None).body
    assert caught.value.status == 500


def test_the_body_may_be_assigned():
    request = Request(None, None)
    request.body = b'{"a": 1}'
    assert request.body == b'{"a": 1}'
    assert request.json == {"a": 1}
    request.body = b"[]"
    assert request.json == {"a": 1}, "json keeps its value"


NO_NUMBERS = [
    "NaN",
    "Infinity",
    "-Infinity",
    "1e999",
    "-1e999",
    "1E+400",
    "1" * 400 + ".0",
    "1" * 5000,
]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32-be"])
@pytest.mark.parametrize("form", ["{}", " {} ", "[{}]", '[1, {{"a": {}}}]', "[[1.5], {}, 2]"])
@pytest.mark.parametrize("number", NO_NUMBERS, ids=lambda number: f"{number[:9]}-{len(number)}")
def test_numbers_that_json_does_not_have_are_a_400(number, form, encoding):
    request = Request(None, None)
    request.body = form.format(number).encode(encoding)
    with pytest.raises(HttpError) as caught:
        _ = request.json
    assert (caught.value.status, caught.value.message) == (400, "Unparsable JSON body")


def test_json_has_all_numbers_that_are_finite():
    request = Request(None, None)
    request.body = b"[1.5, -1e308, 1e-999, 1E5, -0.0, " + b"1" * 400 + b', "NaN", "1e999"]'
    assert request.json == [1.5, -1e308, 0.0, 1e5, -0.0, int("1" * 400), "NaN", "1e999"]


@pytest.mark.parametrize("body", [b"", b"{", b"[1] 2", b"\xff", b"[" * 100_000])
def test_a_bad_json_body_is_a_400(body):
    request = Request(None, None)
    request.body = body
    with pytest.raises(HttpError) as caught:
        _ = request.json
    assert (caught.value.status, caught.value.message) == (400, "Unparsable JSON body")


@pytest.mark.parametrize(
    "body", [b"[1]", b"[1] ", b" \t\r\n[1]\r\n", b"\n[1]", b"\xef\xbb\xbf[1]"]
)
def test_json_may_have_space_around_it(body):
    request = Request(None, None)
    request.body = body
    assert request.json == [1]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_json_is_read_in_any_unicode_encoding(encoding):
    request = Request(None, None)
    request.body = '{"é": 1}'.encode(encoding)
    assert request.json == {"é": 1}


async def test_a_complete_body_is_limited_and_read_once():
    request = with_body(b"12345", b"678901", length=11)
    request.max_body = 10
    with pytest.raises(HttpError):
        await request.load_body()
    request = with_body(b"ab", length=2)
    assert [chunk async for chunk in request] == [b"ab"]
    with pytest.raises(RuntimeError, match="only once"):
        await request.load_body()


async def test_a_request_without_a_body_loads_an_empty_one():
    assert await Request(None, None).read() == b""
    assert [chunk async for chunk in Request(None, None)] == []


async def test_loading_is_idempotent_and_iterating_after_it_gives_the_body():
    request = with_body(b"ab", b"cd")
    assert await request.read() == b"abcd"
    assert await request.read() == b"abcd"
    assert [chunk async for chunk in request] == [b"abcd"]
    assert [chunk async for chunk in request] == [b"abcd"]


async def test_an_empty_loaded_body_gives_no_chunk():
    request = with_body()
    await request.load_body()
    assert [chunk async for chunk in request] == []


async def test_a_body_streams_once():
    request = with_body(b"ab", b"cd")
    assert [chunk async for chunk in request] == [b"ab", b"cd"]
    with pytest.raises(RuntimeError, match="only once"):
        [chunk async for chunk in request]


async def test_loading_goes_through_the_iterator_of_a_subclass():
    class Shouting(Request):
        async def __aiter__(self):
            async for chunk in super().__aiter__():
                yield chunk.upper()
            yield b"!"

    request = Shouting(None, None)
    stream = BodyStream(2)
    request.attach_body(stream)
    stream.feed(b"ab")
    stream.end()
    assert await request.read() == b"AB!"
    assert await Shouting(None, None).read() == b"!"


async def test_an_announced_body_over_the_limit_is_refused_before_it_is_read():
    request = with_body(length=11, complete=False)
    request.max_body = 10
    with pytest.raises(HttpError) as caught:
        await request.read()
    assert caught.value.status == 413


async def test_streamed_body_over_the_limit_is_refused_while_it_arrives():
    request = with_body(b"12345", b"678901")
    request.max_body = 10
    with pytest.raises(HttpError) as caught:
        [chunk async for chunk in request]
    assert caught.value.status == 413


async def test_truncated_body_raises_after_its_last_chunk():
    request = with_body(b"ab", complete=False)
    stream = request._stream
    stream.fail(ClientDisconnected("gone"))
    stream.fail(RuntimeError("the first error counts"))
    chunks = request.__aiter__()
    assert await anext(chunks) == b"ab"
    with pytest.raises(ClientDisconnected):
        await anext(chunks)


async def test_a_complete_body_can_not_fail():
    request = with_body(b"ab")
    request._stream.fail(ClientDisconnected("gone"))
    assert await request.read() == b"ab"


async def test_a_complete_body_is_never_awaited():
    stream = BodyStream.whole(b"ab")
    assert [chunk async for chunk in stream] == [b"ab"]
    assert not stream.awaited
    full = BodyStream.whole(b"x" * 1_000_000)
    assert full.full
    assert len(await anext(aiter(full))) == 1_000_000


async def test_a_second_reader_of_a_body_is_an_error():
    stream = BodyStream(None)
    chunks = aiter(stream)
    first = asyncio.ensure_future(anext(chunks))
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="elsewhere"):
        await anext(chunks)
    with pytest.raises(RuntimeError, match="elsewhere"):
        aiter(stream)
    stream.end()
    stream.end()
    with pytest.raises(StopAsyncIteration):
        await first


async def test_a_request_without_a_connection_is_not_disconnected():
    assert not await Request(None, None).disconnected()


async def test_a_body_that_came_with_its_head_is_limited_where_iteration_is_overridden():
    class Mine(Request):
        def __aiter__(self):
            return super().__aiter__()

    request = Mine(None, None)
    request.max_body = 10
    request.attach_whole(b"x" * 11)
    with pytest.raises(HttpError) as caught:
        await request.load_body()
    assert caught.value.status == 413


async def test_two_that_read_at_once_get_the_same_body():
    request = with_body(b"a", complete=False)
    reads = [asyncio.ensure_future(request.read()) for _ in range(2)]
    for _ in range(3):
        await asyncio.sleep(0)
    request._stream.feed(b"b")
    request._stream.end()
    assert await asyncio.gather(*reads) == [b"ab", b"ab"]
