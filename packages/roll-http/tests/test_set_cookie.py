"""Cookies are set alike with biscuits and without it."""

import importlib.util
import sys
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roll_http.set_cookie import Cookie


def test_cookies_are_set_without_biscuits(monkeypatch):
    monkeypatch.setitem(sys.modules, "biscuits", None)
    spec = importlib.util.find_spec("roll_http.cookies")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    cookies = module.Cookies()
    cookies.set("a", "b c", max_age=0, secure=True)
    assert list(cookies.output()) == ['a="b c"; Max-Age=0; Path=/; Secure']
    assert isinstance(cookies["a"], Cookie)


words = st.one_of(st.none(), st.text(st.sampled_from("abc/.-"), min_size=1))
attributes = st.fixed_dictionaries(
    {},
    optional={
        "domain": words,
        "expires": st.datetimes(datetime(1000, 1, 1)),  # earlier years have four digits here alone
        "httponly": st.booleans(),
        "max_age": st.integers(0, 2**32 - 1),
        "path": st.text(st.sampled_from("/ab"), max_size=3),
        "samesite": words,
        "secure": st.booleans(),
    },
)


@given(st.text(), attributes)
def test_the_line_is_that_of_biscuits(value, attributes):
    biscuits = pytest.importorskip("biscuits")
    lines = set()
    for kind in (Cookie, biscuits.Cookie):
        cookie = kind("name", value)
        for name, given_value in attributes.items():
            setattr(cookie, name, given_value)
        lines.add(str(cookie))
    assert len(lines) == 1


def test_every_character_is_written_as_biscuits_writes_it():
    biscuits = pytest.importorskip("biscuits")
    for code in range(0x200):
        text = chr(code)
        assert str(Cookie("n", text)) == str(biscuits.Cookie("n", text))


def test_cookie_without_a_path_has_no_path_attribute():
    cookie = Cookie("a", "b")
    cookie.path = ""
    cookie.expires = datetime(2024, 1, 2, 3, 4, 5)
    assert str(cookie) == "a=b; Expires=Tue, 02 Jan 2024 03:04:05 GMT"
