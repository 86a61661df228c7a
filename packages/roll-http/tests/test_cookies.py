"""Cookies read and set."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roll_http import Cookies, Response, parse_cookies
from roll_http.syntax import percent_decode


@pytest.mark.parametrize(
    ("header", "cookies"),
    [
        ("a=b; c=d", {"a": "b", "c": "d"}),
        ('a="q x"; b=1', {"a": "q x", "b": "1"}),
        ("a=%C3%A9; b=1", {"a": "é", "b": "1"}),
        ("a=%E9; b=1", {"a": "\ufffd", "b": "1"}),
        ("a=100%; b=1", {"a": "100%", "b": "1"}),
        ("a=1,2; b=3", {"a": "1,2", "b": "3"}),
        ('a="1,\\073\\"2" ; b=3', {"a": '1,;"2', "b": "3"}),
        ('a=",', {"a": '",'}),
        ('a=";b=,', {"a": '"', "b": ","}),
        ('a="', {"a": '"'}),
        ('a=""', {"a": ""}),
        ('a="b"c', {"a": '"b"c'}),
        ('a="\\"', {"a": "\\"}),
        ('a="\\303\\50"', {"a": "\xc350"}),
        ('a="%41"', {"a": "A"}),
        ("a=\u00e9%C3%A9%zz%4", {"a": "éé%zz%4"}),
        (" a\t =\t b ;c=d", {"a": "b", "c": "d"}),
        ("=a; b=1", {"b": "1"}),
        ("=; b=1; ;;", {"b": "1"}),
        ('"a"=1; %61=2; $b=3; c d=4', {'"a"': "1", "%61": "2", "$b": "3", "c d": "4"}),
        ("a=1; a=2", {"a": "2"}),
        ("nothing; b=1,", {"b": "1,"}),
        ("a=b=c,", {"a": "b=c,"}),
        ("", {}),
    ],
)
def test_cookies_are_read(header, cookies):
    assert parse_cookies(header) == cookies


@pytest.mark.parametrize("space", "\u2000\u00a0\u0085\u2028\u3000\v\f\x1c")
@pytest.mark.parametrize(
    "header", ["__Host-sid=good; {}__Host-sid=e,vil", "__Host-sid=good;{}__Host-sid{}=%41"]
)
def test_only_spaces_and_tabs_are_trimmed(header, space):
    assert parse_cookies(header.replace("{}", space))["__Host-sid"] == "good"
    assert parse_cookies(f"a={space}b{space}") == {"a": f"{space}b{space}"}


@pytest.mark.parametrize("value", ["s", "%20", "a,b", "s" * 5000])
def test_quoted_value_never_hides_the_next_cookies(value):
    header = f'p="{value}; session=SECRET; q=e"'
    assert parse_cookies(header) == {
        "p": f'"{parse_cookies(f"a={value}")["a"]}',
        "session": "SECRET",
        "q": 'e"',
    }


@given(st.lists(st.text(alphabet=' \t;=,"\\\u2000%41a', max_size=12), max_size=6))
def test_the_value_of_a_cookie_does_not_depend_on_other_cookies(pairs):
    """Neither a long header, nor one with signs that others need decoded, is read differently."""
    pairs = [pair.replace(";", "") for pair in pairs]
    alone = {}
    for pair in pairs:
        alone |= parse_cookies(pair)
    assert parse_cookies(";".join(pairs)) == alone
    beside = parse_cookies(";".join([*pairs, 'beside=%41,"', "long=" + "x" * 5000]))
    assert beside == alone | {"beside": 'A,"', "long": "x" * 5000}


@given(st.text(alphabet="%4fG1é\u2000\ud800+= "))
def test_percent_decoding_equals_that_of_the_standard_library(text):
    if not any(0xD800 <= ord(sign) < 0xE000 for sign in text):
        assert percent_decode(text) == unquote(text)
        assert percent_decode(text * 1000) == unquote(text * 1000)
    percent_decode(text)  # raises for nothing


def test_a_long_cookie_header_is_read_whole():
    assert parse_cookies(f"a={'x' * 5000}; b=1") == {"a": "x" * 5000, "b": "1"}


def lines(**arguments):
    cookies = Cookies()
    cookies.set(**arguments)
    return list(cookies.output())


def test_the_default_path_of_a_cookie_is_the_root():
    assert lines(name="a", value="b") == ["a=b; Path=/"]
    assert lines(name="a", value="b", path=None) == ["a=b"]


def test_the_attributes_come_in_their_order():
    assert lines(
        name="a",
        value="b",
        max_age=60,
        expires=datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC),
        secure=True,
        httponly=True,
        path="/p",
        domain="example.org",
        samesite="Lax",
    ) == [
        "a=b; Expires=Wed, 02 Jan 2030 03:04:05 GMT; Max-Age=60; Domain=example.org; Path=/p; "
        "Secure; HttpOnly; SameSite=Lax"
    ]


def test_expires_is_in_utc():
    paris = timezone(timedelta(hours=2))
    aware = lines(name="a", value="b", expires=datetime(2030, 1, 1, 1, tzinfo=paris))
    naive = lines(name="a", value="b", expires=datetime(2029, 12, 31, 23))
    assert aware == naive == ["a=b; Expires=Mon, 31 Dec 2029 23:00:00 GMT; Path=/"]


@pytest.mark.parametrize("max_age", [0, -1])
def test_a_max_age_of_zero_or_less_deletes(max_age):
    assert lines(name="a", value="; Max-Age=1", max_age=max_age) == [
        'a="\\073 Max-Age=1"; Max-Age=0; Path=/'
    ]


def test_any_cookie_value_survives_a_round_trip():
    for value in ("", "a b", 'a"b', "a;b", "a,b", "a\\b", "é", "€", "\r\n", "a=b"):
        header = lines(name="a", value=value, path=None)[0]
        assert "\r" not in header
        assert parse_cookies(header) == {"a": value}


def test_a_cookie_value_is_converted_to_str():
    assert lines(name="a", value=1) == ["a=1; Path=/"]


def test_a_deleted_cookie_is_not_sent():
    cookies = Cookies()
    cookies.set("a", "b")
    cookies.set("c", "d")
    del cookies["a"]
    assert list(cookies.output()) == ["c=d; Path=/"]


@pytest.mark.parametrize(
    "arguments",
    [
        {"name": "a b"},
        {"name": ""},
        {"name": "a\r\nSet-Cookie: x"},
        {"name": "a=b"},
        {"name": "a", "path": "/\r\nX: y"},
        {"name": "a", "path": "/; Domain=evil"},
        {"name": "a", "path": "/\t"},
        {"name": "a", "domain": "a;b"},
        {"name": "a", "samesite": "Lax\n"},
    ],
)
def test_invalid_cookie_arguments_are_refused(arguments):
    with pytest.raises(ValueError, match="Cookie"):
        lines(value="v", **arguments)


def test_a_response_has_cookies_once_one_is_set():
    response = Response(None, None)
    assert not response.has_cookies
    assert response.cookies == {}
    assert not response.has_cookies
    response.cookies.set("a", "1")
    assert response.has_cookies
