"""JSON: the codec, and where requests and responses ask for it."""

from __future__ import annotations

import json
from functools import partial
from types import SimpleNamespace

import pytest

from roll_http import HttpError, JSONCodec, Request, Response


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
    """JSON between asterisks, which nobody else writes."""

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
async def test_what_a_codec_refuses_is_a_400(codec):
    request = Request(SimpleNamespace(JSON=codec), None)
    request.body = b"{"
    with pytest.raises(HttpError) as caught:
        _ = request.json
    assert caught.value.status == 400


def test_codec_asks_its_default_for_what_json_does_not_know():
    assert JSONCodec(default=str).dumps({"a": 1j}) == '{"a":"1j"}'
    with pytest.raises(TypeError, match="complex"):
        JSONCodec().dumps(1j)


@pytest.mark.parametrize(
    "value", ["\ud800", {"\udfff": 1}, ["\udc00\ud800", "é"], "\ud83dé\ude00"]
)
def test_half_of_a_surrogate_pair_is_escaped_and_comes_back(value):
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
def test_surrogates_in_bytes_are_no_unicode(data):
    with pytest.raises(ValueError, match="can't decode"):
        JSONCodec().loads(data)


async def later(value): ...


class Later:
    async def __call__(self, value): ...


@pytest.mark.parametrize("default", [later, partial(later), Later(), 5, "x"])
def test_default_that_cannot_be_called_at_once_is_refused(default):
    with pytest.raises(ValueError, match="`default` is a plain function"):
        JSONCodec(default)
