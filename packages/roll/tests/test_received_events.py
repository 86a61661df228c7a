"""`response.events()` of the test clients: server-sent events as a browser parses them."""

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roll import ServerSentEvent
from roll.testing import ReceivedEvent
from roll.testing.events import EventParser


def parsed(*pieces):
    parser = EventParser()
    found = [event for piece in pieces for event in parser.feed(piece)]
    return [(event.event, event.data, event.id) for event in found]


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (b"data: a\n\n", [(None, "a", None)]),
        (b"data:a\n\n", [(None, "a", None)]),
        (b"data:  a \n\n", [(None, " a ", None)]),
        (b"data: a\ndata\ndata:\ndata: b\n\n", [(None, "a\n\n\nb", None)]),
        (b"data\n\n", [(None, "", None)]),
        (b"data: a\r\rdata: b\r\n\r\n", [(None, "a", None), (None, "b", None)]),
        (b"data: a\r\ndata: b\n\r\n", [(None, "a\nb", None)]),
        (b"\xef\xbb\xbfdata: a\n\n", [(None, "a", None)]),
        (b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\n", []),
        (b"data: \xff\n\n", [(None, "\ufffd", None)]),
        (b"data: a\xe2\x80\xa8b\x0bc\n\n", [(None, "a\u2028b\x0bc", None)]),
        (b": a comment\n\n:\n\ndata: a\n: another\n\n", [(None, "a", None)]),
        (b"event: x\ndata: a\n\ndata: b\n\n", [("x", "a", None), (None, "b", None)]),
        (b"event: x\nevent: y\ndata: a\n\n", [("y", "a", None)]),
        (b"event:\ndata: a\n\n", [(None, "a", None)]),
        (b"event: x\n\ndata: a\n\n", [(None, "a", None)]),
        (b"id: 1\ndata: a\n\ndata: b\n\n", [(None, "a", "1"), (None, "b", "1")]),
        (b"id: 1\n\ndata: b\n\n", [(None, "b", "1")]),
        (b"id: 1\ndata: a\n\nid\ndata: b\n\n", [(None, "a", "1"), (None, "b", "")]),
        (b"id: 1\nid: 2\0\ndata: a\n\n", [(None, "a", "1")]),
        (b"id: \x01 \ndata: a\n\n", [(None, "a", "\x01 ")]),
        (b"DATA: a\n data: b\nother: c\ndata : d\n\n", []),
        (b"data: a\n", []),
        (b"data: a", []),
        (b"", []),
        (b"\n\n\n", []),
    ],
    ids=str,
)
def test_a_stream_is_parsed_as_the_standard_says(stream, expected):
    assert parsed(stream) == expected
    assert parsed(*(stream[i : i + 1] for i in range(len(stream)))) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("20", 20),
        ("0", 0),
        ("2147483647", 2**31 - 1),
        ("2147483648", None),
        ("9" * 5000, None),
        ("-1", None),
        ("+1", None),
        ("1.5", None),
        ("1 ", None),
        ("\u0663", None),
        ("", None),
    ],
)
def test_a_retry_holds_for_the_events_that_follow(value, expected):
    stream = f"retry: {value}\n\ndata: a\n\ndata: b\n\n".encode()
    assert [event.retry for event in EventParser().feed(stream)] == [expected] * 2


@given(st.binary(), st.lists(st.integers(0, 50)))
def test_pieces_change_nothing(stream, cuts):
    ends = sorted({0, *(min(cut, len(stream)) for cut in cuts), len(stream)})
    pieces = [stream[start:end] for start, end in pairwise(ends)]
    assert parsed(*pieces) == parsed(stream)


@given(
    st.lists(st.text(st.sampled_from(" :\r\nadt\ufeff"))),
    st.integers(1, 7),
)
def test_what_the_server_sends_is_what_a_client_gets(texts, size):
    stream = "".join(
        "\n".join(ServerSentEvent(text).lines(str)) + "\n\n" for text in texts
    ).encode()
    pieces = [stream[i : i + size] for i in range(0, len(stream), size)]
    expected = [(None, text.replace("\r\n", "\n").replace("\r", "\n"), None) for text in texts]
    assert parsed(*pieces) == expected


def test_a_line_in_many_pieces_takes_time_in_proportion():
    """A line that was copied with each of its pieces would be copied 10**10 times."""
    assert parsed(b"data: ", *[b"x"] * 10**5, b"\n\n") == [(None, "x" * 10**5, None)]


@pytest.fixture(params=["client", "liveclient"])
def any_client(request):
    return request.getfixturevalue(request.param)


async def test_events_are_read_as_they_come(app, any_client):
    wishes = asyncio.Queue()

    @app.route("/events")
    async def events(request, response):
        async def source():
            yield ServerSentEvent(comment="no event", retry=20)
            while (wish := await wishes.get()) is not None:
                yield wish

        response.sse = source()

    async with any_client.stream("GET", "/events") as response:
        events = response.events()
        for number in range(3):
            wishes.put_nowait(ServerSentEvent({"n": number}, event="tick", id=number))
            event = await anext(events)
            assert isinstance(event, ReceivedEvent)
            assert isinstance(event, ServerSentEvent)
            assert (event.event, event.id, event.retry) == ("tick", str(number), 20)
            assert (event.json, event.comment) == ({"n": number}, None)
        wishes.put_nowait("text\nof two lines")
        event = await anext(events)
        assert (event.data, event.event, event.id) == ("text\nof two lines", None, "2")
        with pytest.raises(ValueError, match="Expecting"):
            event.json  # noqa: B018 - it raises
        wishes.put_nowait(None)
        assert [event async for event in events] == []


async def test_the_data_are_decoded_by_the_codec_of_the_application(app, client):
    class Codec:
        dumps = staticmethod(repr)

        @staticmethod
        def loads(data):
            return "decoded", data

    app.JSON = Codec

    @app.route("/events")
    async def events(request, response):
        response.sse = iter([[1]])

    async with client.stream("GET", "/events") as response:
        assert [event.json async for event in response.events()] == [("decoded", b"[1]")]


@pytest.mark.parametrize(
    ("status", "headers", "told"),
    [
        (404, {"Content-Type": "text/event-stream"}, "not from a 404"),
        (204, {}, "not from a 204"),
        (200, {"Content-Type": "text/plain"}, "'text/plain'"),
        (200, {"Content-Type": "text/event-stream", "Content-Encoding": "gzip"}, "compressed"),
    ],
)
async def test_a_response_that_a_browser_refuses_is_refused(
    app, any_client, status, headers, told
):
    @app.route("/events")
    async def events(request, response):
        response.status = status
        response.headers.update(headers)
        response.body = b"" if status == 204 else b"data: a\n\n"

    async with any_client.stream("GET", "/events") as response:
        with pytest.raises(ValueError, match=told):
            await anext(response.events())


async def test_a_type_may_have_parameters(app, client):
    @app.route("/events")
    async def events(request, response):
        response.headers["Content-Type"] = "Text/Event-Stream ; charset=utf-8"
        response.body = b"data: a\n\n"

    async with client.stream("GET", "/events") as response:
        assert [event.data async for event in response.events()] == ["a"]
