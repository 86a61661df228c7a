"""Query strings and urlencoded bodies, compared with the standard library."""

import re
from contextlib import suppress
from urllib.parse import parse_qs, urlencode

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from roll_multipart import Form, LimitError, MultipartError, Query

SURROGATES = re.compile("[\ud800-\udfff]")
FRAGMENTS = ["a", "b=", "=", "&", "+", "%", "%4", "%41", "%26", "%3D", "%2B", "%25", "%5C", "\\"]
FRAGMENTS += ["%C3%A9", "%C3", "%e2%82", "%00", "%1E", "%1f", "\x1e", "\x1f", "%zz", "é", "\\x41"]
FRAGMENTS += ["\\u0041", "%u0041", "\n", ";", " ", "%0A", "%FF", "\ud800", "\\N{DIGIT ONE}"]


def expected(text):
    text = SURROGATES.sub("\ufffd", text)
    return parse_qs(text, keep_blank_values=True, max_num_fields=None)


def escape(data):
    """The same as bytes, with an escape for each that is not ASCII."""
    return "".join(chr(byte) if byte < 0x80 else f"%{byte:02x}" for byte in data)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=12).map("".join))
@example("%1e=1")
@example("%zz=%4")
@example("é=%41")
@example("a&b=1=2&%41")
@example("=x&")
@example("a=1&&a=%41&")
def test_the_result_is_that_of_the_standard_library(text):
    assert Query.parse(text) == expected(text)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=12).map("".join), st.integers(1, 2000))
def test_long_text_parses_as_in_the_standard_library(text, times):
    text = f"{text}&" * times
    for data in (text, SURROGATES.sub("", text).encode()):
        text = data if isinstance(data, str) else data.decode()
        assert Query.parse(data, max_fields=10**9) == expected(text)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=30))
def test_any_text_parses_as_in_the_standard_library(text):
    assert Query.parse(text) == expected(text)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.text(), st.lists(st.text(), min_size=1), max_size=5))
def test_encoded_pairs_are_parsed_back(fields):
    assert Query.parse(urlencode(fields, doseq=True)) == fields


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_any_body_is_parsed_or_refused(data):
    assert Form.parse(data) == expected(escape(data))
    with suppress(MultipartError):
        assert Form.parse(data, strict=True) == expected(data.decode())


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
@pytest.mark.parametrize("data", [b"a=1", b"a=\xc3\xa9", b"a=" + b"x" * 5000])
def test_all_kinds_of_bytes_are_accepted(kind, data):
    assert Query.parse(kind(data)) == {"a": [data[2:].decode()]}


def test_the_class_is_kept():
    class Mine(Form):
        pass

    assert type(Mine.parse("a=1")) is Mine


@pytest.mark.parametrize("text", ["a=1", "a=%31", "a", ""])
def test_pairs_are_limited(text):
    for kind in (str, str.encode):
        assert Query.parse(kind(text), max_fields=1) == expected(text)
        for more in ("&a", "&é", f"&a={'x' * 5000}"):
            with pytest.raises(LimitError, match="Too many fields") as caught:
                Query.parse(kind(text + more), max_fields=1)
            assert caught.value.status == 413


SIZED = {"plain": b"x", "spaces": b"+", "escaped": b"%78", "raw": b"x" * 4096 + b"%78"}


@pytest.mark.parametrize("unit", SIZED.values(), ids=SIZED)
@pytest.mark.parametrize("limit", [5000, 10_000])
def test_a_value_and_a_name_are_limited_by_their_size_once_decoded(unit, limit):
    size = len(unit.replace(b"%78", b"x"))
    fits = unit * (limit // size) + b"x" * (limit % size)
    for body in (b"a=" + fits, fits + b"=1", b"a=%41&b=" + fits + b"&c=1"):
        for kind in (bytes.decode, bytes):
            assert Form.parse(kind(body), max_field_size=limit, strict=True)
            with pytest.raises(LimitError, match="Too much text in the fields") as caught:
                Form.parse(kind(body), max_field_size=limit - 1)
            assert caught.value.status == 413


@pytest.mark.parametrize("pair", [b"a=%s", b"%s="])
def test_all_values_and_all_names_are_limited(pair):
    body = b"&".join(pair % (b"%78" * 1000) for _ in range(4))
    assert Form.parse(body, max_text_size=4000)
    assert Form.parse(body, max_field_size=1000, max_text_size=4000)
    for limits in ({"max_text_size": 3999}, {"max_field_size": 999}):
        with pytest.raises(LimitError, match="Too much text in the fields"):
            Form.parse(body, **limits)


def test_short_text_is_limited_too():
    assert Query.parse("a=12", max_field_size=2) == {"a": ["12"]}
    for limits in ({"max_field_size": 1}, {"max_text_size": 1}):
        with pytest.raises(LimitError):
            Query.parse("a=12", **limits)


def test_the_default_limits_are_those_of_multipart():
    mebibyte = "x" * 2**20
    assert Form.parse(f"a={mebibyte}").get("a") == mebibyte
    with pytest.raises(LimitError):
        Form.parse(f"a={mebibyte}x")
    with pytest.raises(LimitError):
        Form.parse("a=" + "%" * 15_000_000)
    eight = "&".join(f"{name}={mebibyte}" for name in "abcdefgh")
    assert len(Form.parse(eight)) == 8
    with pytest.raises(LimitError):
        Form.parse(f"{eight}&i=x")


def test_a_thousand_pairs_are_the_default():
    assert len(Query.parse("&".join(f"k{i}=v" for i in range(1000)))) == 1000
    with pytest.raises(LimitError):
        Query.parse("&" * 1000)


@pytest.mark.parametrize("text", ["foo", "a=1&&b=2", "a=1&", b"\xff=1"])
def test_strict_parse_refuses_malformed_forms(text):
    assert Form.parse(text) is not None
    with pytest.raises(MultipartError) as caught:
        Form.parse(text, strict=True)
    assert caught.value.status == 400


@pytest.mark.parametrize("text", ["", "a=", "=", b"a=%FF", "a=1&b=%20"])
def test_a_strict_parse_takes_all_that_is(text):
    assert Form.parse(text, strict=True) == Form.parse(text)


@pytest.mark.parametrize(
    "text", ["\ud800=1", "a=\udfff", "a=\ud83d\ude00", "a=1&" * 2000 + "b=\ud800"]
)
def test_strict_parsing_refuses_surrogates(text):
    with pytest.raises(MultipartError, match="not UTF-8"):
        Query.parse(text, strict=True, max_fields=None)


def test_strict_parsing_replaces_percent_encoded_bytes_that_are_not_utf_8():
    assert Query.parse("a=%FF", strict=True) == {"a": ["\ufffd"]}
