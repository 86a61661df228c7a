"""JSON: the codec, and its use by requests and responses."""

from __future__ import annotations

import asyncio
import json
import warnings
from functools import partial
from types import SimpleNamespace

import pytest

from roll_http import HttpError, JSONCodec, Limits, Request, Response, json_codec


@pytest.mark.parametrize(
    "body", ['{"a":"é"}', '{"a":"é"}'.encode(), bytearray('{"a":"é"}'.encode())], ids=repr
)
def test_reading_json_decodes_the_body(answering, body):
    answering.response.body = body
    assert answering.response.json == {"a": "é"}


@pytest.mark.parametrize(
    "body", [b"", b"{", "NaN", b"1e999", b"\xff", 3, None, iter(())], ids=repr
)
def test_reading_json_of_another_body_raises(answering, body):
    answering.response.body = body
    with pytest.raises((ValueError, TypeError)):
        _ = answering.response.json


class Codec:
    """A codec that writes JSON between asterisks."""

    def __init__(self, kind):
        self.kind = kind

    def dumps(self, value):
        return self.kind(b"*" + json.dumps(value).encode() + b"*")

    def loads(self, data):
        return json.loads(data.removeprefix(b"*").removesuffix(b"*"))


@pytest.mark.parametrize("kind", [bytes, bytes.decode])
def test_codec_of_the_application_serves_requests_and_responses(answering, kind):
    answering.response.app = SimpleNamespace(JSON=Codec(kind))
    answering.response.json = ["é"]
    assert answering.response.body == b'*["\\u00e9"]*'
    assert answering.response.json == ["é"]
    request = Request(answering.response.app, None)
    request.body = b"*[1]*"
    assert request.json == [1]


@pytest.mark.parametrize("codec", [json, JSONCodec()], ids=["json", "ours"])
async def test_json_that_a_codec_refuses_is_a_400(codec):
    request = Request(SimpleNamespace(JSON=codec), None)
    request.body = b"{"
    with pytest.raises(HttpError) as caught:
        _ = request.json
    assert caught.value.status == 400


@pytest.mark.parametrize("given", [None, 5, ["a"], {}, iter("a")])
def test_codec_that_gives_neither_text_nor_bytes_is_an_error(given):
    class App:
        class JSON:
            dumps = staticmethod(lambda value: given)

    response = Response(App(), None)
    with pytest.raises(TypeError, match="`dumps` of a JSON codec returns text or bytes, not "):
        response.json = {}
    assert response.body == b""


async def a_false_one():
    return False


@pytest.mark.parametrize(
    "make",
    [lambda data: a_false_one(), lambda data: (x for x in data)],
    ids=["coroutine", "generator"],
)
def test_codec_that_decodes_to_what_never_ran_is_an_error(make):
    class App:
        limits = Limits()

        class JSON:
            loads = staticmethod(make)

    request = Request(App(), None)
    request.body = b"false"
    with pytest.raises(TypeError, match=r"`loads` of a JSON codec returned .*, which never"):
        _ = request.json


def test_codec_calls_its_default_for_unknown_values():
    assert JSONCodec(default=str).dumps({"a": 1j}) == '{"a":"1j"}'
    with pytest.raises(TypeError, match="complex"):
        JSONCodec().dumps(1j)


@pytest.mark.parametrize(
    "value", ["\ud800", {"\udfff": 1}, ["\udc00\ud800", "é"], "\ud83dé\ude00"]
)
def test_lone_surrogate_is_escaped_and_read_back(value):
    codec = JSONCodec()
    data = codec.dumps(value).encode()
    assert codec.loads(data) == value
    assert json.loads(data) == value
    response = Response(None, None)
    response.json = value
    assert response.body == data


def test_other_text_is_not_escaped():
    assert JSONCodec().dumps("é\U0001f600") == '"é\U0001f600"'


@pytest.mark.parametrize(
    "data",
    [
        b'"\xed\xa0\x80"',
        b'\xef\xbb\xbf"\xed\xa0\x80"',
        '"\ud800"'.encode("utf-16", "surrogatepass"),
    ],
)
def test_surrogates_in_bytes_are_a_400(data):
    with pytest.raises(ValueError, match="can't decode"):
        JSONCodec().loads(data)


SHAPES = {
    "lists": ("[", "]", ""),
    "dicts": ('{"a":', "}", "1"),
    "both": ('[{"a":', "}]", "null"),
    "pairs": ('[0,{"a":0,"b":', "},0]", '"x"'),
    "spaced": (" [ ", " ] ", ""),
}


def nested(shape, depth):
    before, after, inner = SHAPES[shape]
    return (before * depth + inner + after * depth).encode()


def is_read(codec, data):
    try:
        codec.loads(data)
    except RecursionError:
        return False
    return True


def deepest(codec, shape, encoding="utf-8"):
    """Return how deep a text may be nested to be read here."""
    taken, refused = 1, 200_000
    while refused - taken > 1:
        depth = (taken + refused) // 2
        data = nested(shape, depth).decode().encode(encoding)
        taken, refused = (depth, refused) if is_read(codec, data) else (taken, depth)
    return taken


def called_deeper(call, *args, calls=4):
    """Call from some calls below: those that C makes count for its own recursion."""
    return called_deeper(partial(call, *args), calls=calls - 1) if calls else call(*args)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("shape", SHAPES)
def test_json_that_was_read_can_be_written_at_any_depth(shape, encoding):
    codec = JSONCodec(default=str)
    most = deepest(codec, shape, encoding)
    assert most > 100
    for depth in range(most - 20, most + 1):
        value = codec.loads(nested(shape, depth).decode().encode(encoding))
        response = Response(None, None)
        called_deeper(setattr, response, "json", value)
        assert called_deeper(codec.dumps, value).encode() == response.body


@pytest.mark.parametrize("shape", SHAPES)
def test_json_that_is_too_deep_is_a_400(shape):
    for depth in (deepest(JSONCodec(), shape) + 50, 200_000):
        request = Request(None, None)
        request.body = nested(shape, depth)
        with pytest.raises(HttpError, match="Unparsable JSON body") as caught:
            _ = request.json
        assert caught.value.status == 400


@pytest.fixture(params=["within room", "within limit"])
def either_reader(request, monkeypatch):
    """Read deep texts as Python 3.11 to 3.13 do, then as Python 3.14 does."""
    reader = getattr(json_codec, f"_read_{request.param.replace(' ', '_')}")
    monkeypatch.setattr(json_codec, "_read_deep", reader)


@pytest.mark.parametrize("shape", ["lists", "dicts", "spaced"])
def test_from_python_3_14_on_500_levels_are_read(monkeypatch, shape):
    monkeypatch.setattr(json_codec, "_read_deep", json_codec._read_within_limit)
    codec = JSONCodec()
    assert codec.loads(nested(shape, 500)) == json.loads(nested(shape, 500))
    for depth in (501, 600):
        with pytest.raises(RecursionError, match="more than 500 levels deep"):
            codec.loads(nested(shape, depth))


@pytest.mark.usefixtures("either_reader")
def test_wide_text_is_not_deep():
    value = [{"a": [[number], "x"], "b": {}} for number in range(3000)]
    assert JSONCodec().loads(json.dumps(value).encode()) == value


@pytest.mark.usefixtures("either_reader")
@pytest.mark.parametrize(
    "text", ["%s],[%s", "%s]", "[%s", "%s,%s", "%s %s", "%s]]],[[[%s", "", "%s]%s[", "{}%s"]
)
def test_brackets_inside_of_text_do_not_count_as_nesting(text):
    long = "[" + ",".join(["[]"] * 300) + "]"
    data = text.replace("%s", long).encode()
    with pytest.raises(json.JSONDecodeError) as expected:
        json.loads(data)
    with pytest.raises(json.JSONDecodeError) as raised:
        JSONCodec().loads(data)
    assert str(raised.value) == str(expected.value)


@pytest.mark.usefixtures("either_reader")
@pytest.mark.parametrize("text", ["%s", " %s ", "\t[%s]\n", '{"a":%s,"b":[%s]}'])
def test_long_text_is_read_unchanged(text):
    data = text.replace("%s", json.dumps([{"a": [number]} for number in range(300)])).encode()
    assert JSONCodec().loads(data) == json.loads(data)


async def later(value): ...


def one_by_one(value):
    yield value


async def one_by_one_later(value):
    yield value


def iter_of(values):
    return (value for value in values)


def aiter_of(values):
    async def each():
        for value in values:
            yield value

    return each()


async def waiting():
    """Made by a plain function, which only its result gives away."""


class Later:
    async def __call__(self, value): ...


@pytest.mark.parametrize(
    "default",
    [
        later,
        partial(later),
        Later(),
        one_by_one,
        partial(one_by_one),
        one_by_one_later,
        5,
        "x",
    ],
    ids=map(str, range(8)),
)
def test_default_that_cannot_be_called_at_once_is_refused(default):
    with pytest.raises(ValueError, match="`default` is a plain function"):
        JSONCodec(default)


class Fixed:
    """Objects whose `__call__` has no parameter `self`."""

    class Static:
        @staticmethod
        def __call__(value):
            return "static"

    class OfClass:
        @classmethod
        def __call__(cls, value):
            return "class"


@pytest.mark.parametrize(
    "default",
    [lambda: 1, lambda a, b: 1, partial(lambda a: a, 1), dict.get],
    ids=map(str, range(4)),
)
def test_default_that_does_not_take_one_value_is_refused(default):
    with pytest.raises(ValueError, match="`default` is called with one argument, the value"):
        JSONCodec(default)


@pytest.mark.parametrize(
    ("default", "sent"),
    [
        (Fixed.Static(), '"static"'),
        (Fixed.OfClass(), '"class"'),
        (partial(lambda a, b: a, "a"), '"a"'),
        (str, '"1j"'),
        (lambda value, more=1: more, "1"),
        (lambda *values: len(values), "1"),
    ],
    ids=map(str, range(6)),
)
def test_default_that_takes_one_value_is_called(default, sent):
    assert JSONCodec(default).dumps(1j) == sent


@pytest.mark.parametrize(
    "default",
    [
        lambda value: waiting(),
        lambda value: iter_of([value]),
        lambda value: aiter_of([value]),
        lambda value: asyncio.get_running_loop().create_future(),
    ],
    ids=["coroutine", "generator", "async generator", "future"],
)
async def test_default_that_returns_a_coroutine_or_generator_is_an_error(default):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(TypeError, match=r"`default` returned .*, which never started"):
            JSONCodec(default).dumps([1j])


def test_result_of_default_is_encoded_with_default_too():
    codec = JSONCodec(lambda value: list(value) if type(value) is set else str(value))
    assert codec.dumps([{1j}]) == '[["1j"]]'
    codec = JSONCodec(lambda value: {2j} if value == 1j else str(value))
    assert codec.dumps(1j) == '"{2j}"'
