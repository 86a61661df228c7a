"""The native core reads queries as `Query.parse` does, and leaves uncommon ones to it."""

from __future__ import annotations

import os
import random
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roll import Form, HttpError, Query, Request, Roll, _core
from roll.containers import int_in_python
from roll.request import query_in_python

try:
    from _testcapi import remove_mem_hooks, set_nomemory
except ImportError:
    set_nomemory = remove_mem_hooks = None

if _core.cycle is None:
    pytest.skip("the Python path is active", allow_module_level=True)

cycle = _core.cycle

SECONDS = float(os.environ.get("ROLL_FUZZ", "0"))
"""How long the comparison goes on, in `hatch run fuzz`."""

COMMON = [
    *("", "a", "a=", "=a", "=", "&", "&&a&", "a=b", "a=b&c=d", "a=b&a=c&a", "a==b=", "a;b=c"),
    *(
        "a+b=c+d",
        "+=+",
        "%41=%7E",
        "%2B=%26&a=%3D",
        "%25=%2525",
        "a=\\x41",
        "~!@#$^*()'=\"<>",
        "a=%5c",
    ),
    *("a" * 999, "a=" + "%41" * 332, "&" * 999, "a&" * 499),
]
UNCOMMON = [
    *("%", "a=%", "a=%4", "a=%4&b=1", "a=%4=1", "%zz=1", "%G0", "%4g", "% 41", "a=%%41", "a=%+1"),
    *("%C3%A9", "%00", "%1f", "%0A", "%7f", "%80", "%ff", "\x00", "a\n", "\x1f=\x1e", "a=\x7f"),
    *("\xe9", "a=\u20ac", "\udc80", "a" * 1000, "&" * 1000),
]
PIECES = [
    *"ab=&+% 0141fF;\\",
    "%41",
    "%26",
    "%3D",
    "%C3%A9",
    "%1f",
    "\x1e",
    "\x7f",
    "%",
    "\xe9",
    "a=b&",
]


def read(text: str) -> bool:
    """Compare what the core reads with what Python does; return whether the core has read it."""
    found = cycle.read_query(text)
    if found is None:
        return False
    expected = Query.parse(text)
    assert type(found) is Query
    assert [*found.items()] == [*expected.items()]
    return True


@pytest.mark.parametrize("text", COMMON)
def test_a_common_query_is_read_by_the_core(text: str) -> None:
    assert read(text)


@pytest.mark.parametrize("text", [*UNCOMMON, b"c=d", None, type("Text", (str,), {})("a=b")])
def test_an_uncommon_query_is_left_to_python(text: Any) -> None:
    assert cycle.read_query(text) is None


@given(st.lists(st.sampled_from(PIECES) | st.characters(max_codepoint=300)).map("".join))
@settings(max_examples=500, deadline=None)
def test_what_the_core_reads_python_reads_to_the_same(text: str) -> None:
    read(text)


def test_fuzz_queries() -> None:
    source = random.Random(SECONDS or 17)
    until = time.monotonic() + SECONDS
    tried = taken = 0
    while tried < 20_000 or time.monotonic() < until:
        tried += 1
        taken += read("".join(source.choices(PIECES, k=source.randrange(12))))
    print(f"{tried} queries, {taken} read by the core")  # noqa: T201
    assert tried / 20 < taken < tried


def request_for(query: str, app: Any = None) -> Request:
    request = Request(app, None)
    request.query_string = query
    return request


@pytest.mark.parametrize("query", ["a=1&b=2", "a=%C3%A9", "%", "\udc80=1", "&" * 1001])
def test_a_request_has_the_query_that_python_reads(query: str) -> None:
    def outcome(read: Any) -> Any:
        try:
            return read()
        except HttpError as error:
            return error.status, error.message

    one, other = request_for(query, Roll()), request_for(query, Roll())
    assert outcome(lambda: one.query) == outcome(lambda: query_in_python(other))


def test_a_query_is_read_once() -> None:
    request = request_for("a=b")
    assert request.query is request.query
    assert request.query == {"a": ["b"]}


class MyQuery(Query):
    def int(self, key: str, default: Any = ...) -> Any:
        return super().int(key, default) + 1


class Doubled(Query):
    def get(self, key: str, default: Any = ...) -> Any:
        return 2 * super().get(key, default)


class Initialized(Query):
    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.initialized = True


@pytest.mark.parametrize(("kind", "number"), [(MyQuery, 37), (Doubled, 3636), (Initialized, 36)])
def test_a_class_of_the_application_is_filled_and_asked(kind: type[Query], number: int) -> None:
    app = Roll()
    assert request_for("age=36", app).query.int("age") == 36
    app.Query = kind
    query = request_for("age=36", app).query
    assert type(query) is kind
    assert query.int("age") == number
    assert getattr(query, "initialized", True)


def test_a_method_that_is_replaced_later_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    assert request_for("age=36").query.int("age") == 36
    with monkeypatch.context() as patch:
        patch.setattr(Query, "get", lambda self, key, default=...: "37")
        assert request_for("age=36").query.int("age") == 37
        assert Form({"age": "36"}).int("age") == 37
    with monkeypatch.context() as patch:
        patch.setattr(Query, "_cast", lambda *args: 38)
        assert request_for("age=36").query.int("age") == 38
    with monkeypatch.context() as patch:
        patch.setattr(Query, "parse", classmethod(lambda cls, text: cls({"parsed": text})))
        assert request_for("age=36").query == {"parsed": ["age=36"]}
    assert request_for("age=36").query.int("age") == 36


NUMBERS = [
    *(
        "0",
        "36",
        "007",
        "1" * 18,
        "1" * 19,
        "9" * 640,
        "9" * 641,
        "+1",
        "-1",
        "",
        " 1",
        "1_0",
        "1.0",
    ),
    *("\u0661", "\xb2", "1\n", "1e1", 36, 1.5, None, ["1"], type("Text", (str,), {})("1")),
]


@pytest.mark.parametrize("kind", [Query, Form, Doubled, Initialized])
@pytest.mark.parametrize("values", [[number] for number in NUMBERS] + [[], ("1",), ["1", "2"]])
@pytest.mark.parametrize("rest", [(), (None,), (5,), (...,)])
def test_an_integer_is_that_of_python(kind: Any, values: Any, rest: Any) -> None:
    def outcome(read: Any) -> Any:
        query = kind()
        dict.__setitem__(query, "a", values)
        try:
            return read(query)
        except (HttpError, TypeError, AttributeError) as error:
            return type(error), str(error)

    for key in ("a", "b", type("Text", (str,), {})("a"), 1, []):
        found = outcome(lambda query, key=key: query.int(key, *rest))
        assert found == outcome(lambda query, key=key: int_in_python(query, key, *rest))


def test_the_arguments_are_those_of_the_method_in_python() -> None:
    query = Query({"a": "1"})
    assert query.int(key="a", default=2) == 1
    assert query.int("b", default=2) == 2
    for wrong in ((), ("a", 1, 2)):
        with pytest.raises(TypeError):
            query.int(*wrong)
    assert Query.int(query, "a") == 1
    assert Query.int.__doc__ == int_in_python.__doc__
    assert Request.query.__doc__ == query_in_python.__doc__


@pytest.mark.skipif(set_nomemory is None, reason="the interpreter has no _testcapi")
def test_a_query_survives_each_failed_allocation() -> None:
    def use() -> Any:
        query = cycle.read_query("name=ada&age=36&name=%41%42+c&z")
        return query and (query, query.int("age"))

    expected = use()
    failed = 0
    for start in range(1, 100):
        set_nomemory(start, start + 1)
        found = None
        try:
            found = use()
        except MemoryError:
            failed += 1
        finally:
            remove_mem_hooks()
        assert found in (None, expected)
    assert use() == expected
    assert failed > 0
