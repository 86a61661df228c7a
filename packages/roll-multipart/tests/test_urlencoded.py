"""Query strings and urlencoded bodies, compared with the standard library."""

from contextlib import suppress
from urllib.parse import parse_qs, urlencode

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from roll_multipart import Form, LimitError, MultipartError, Query

FRAGMENTS = ["a", "b=", "=", "&", "+", "%", "%4", "%41", "%26", "%3D", "%2B", "%25", "%5C", "\\"]
FRAGMENTS += ["%C3%A9", "%C3", "%e2%82", "%00", "%1E", "%1f", "\x1e", "\x1f", "%zz", "é", "\\x41"]
FRAGMENTS += ["\\u0041", "%u0041", "\n", ";", " ", "%0A", "%FF", "\ud800", "\\N{DIGIT ONE}"]


def expected(text):
    return parse_qs(text, keep_blank_values=True, max_num_fields=None)


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
@given(st.text(max_size=30))
def test_any_text_gives_what_the_standard_library_gives(text):
    assert Query.parse(text) == expected(text)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.text(), st.lists(st.text(), min_size=1), max_size=5))
def test_what_was_encoded_comes_back(fields):
    assert Query.parse(urlencode(fields, doseq=True)) == fields


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_any_body_is_parsed_or_refused(data):
    assert Form.parse(data) == expected(data.decode("utf-8", "replace"))
    with suppress(MultipartError):
        assert Form.parse(data, strict=True) == expected(data.decode())


def test_the_class_is_kept():
    class Mine(Form):
        pass

    assert type(Mine.parse("a=1")) is Mine


@pytest.mark.parametrize("text", ["a=1", "a=%31", "a", ""])
def test_pairs_are_limited(text):
    for kind in (str, str.encode):
        assert Query.parse(kind(text), max_fields=1) == expected(text)
        with pytest.raises(LimitError) as caught:
            Query.parse(kind(text + "&a"), max_fields=1)
        assert caught.value.status == 413


def test_a_thousand_pairs_are_the_default():
    assert len(Query.parse("&".join(f"k{i}=v" for i in range(1000)))) == 1000
    with pytest.raises(LimitError):
        Query.parse("&" * 1000)


@pytest.mark.parametrize("text", ["foo", "a=1&&b=2", "a=1&", b"\xff=1"])
def test_a_strict_parse_refuses_what_is_no_form(text):
    assert Form.parse(text) is not None
    with pytest.raises(MultipartError) as caught:
        Form.parse(text, strict=True)
    assert caught.value.status == 400


@pytest.mark.parametrize("text", ["", "a=", "=", b"a=%FF", "a=1&b=%20"])
def test_a_strict_parse_takes_all_that_is(text):
    assert Form.parse(text, strict=True) == Form.parse(text)
