"""The native core accepts and renders the same as the Python path.

`hatch run fuzz` runs the same comparisons for longer.
"""

from __future__ import annotations

import inspect
import json
import os
import random
import time
from collections import OrderedDict
from datetime import datetime
from functools import reduce
from http import HTTPStatus
from types import SimpleNamespace
from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roll_http import (
    Cookies,
    HttpError,
    JSONCodec,
    Limits,
    Request,
    Response,
    _core,
    parse_cookies,
)
from roll_http.connection.answering import serialize_in_python
from roll_http.cookies import Cookie, set_in_python
from roll_http.h1.head import RequestError
from roll_http.h1.head_parser import HeadParser
from roll_http.request import json_in_python

if not _core.is_native:
    pytest.skip(f"the Python path is active: {_core.reason}", allow_module_level=True)

native = _core.native

SECONDS = float(os.environ.get("ROLL_FUZZ", "0"))
"""How long each comparison goes on, in `hatch run fuzz`."""

SMALL = Limits(request_line=40, head=200, headers=4)

METHODS = [b"GET", b"POST", b"HEAD", b"PUT", b"PATCH", b"DELETE", b"OPTIONS"]
ODD_METHODS = [
    *(b"get", b"FOO", b"GE T", b"TRACE", b"CONNECT", b"PRI", b"\r\nGET", b"GETT", b"M-SEARCH"),
    *(b"", b"QUERY", b"G\x00T", b"OPTIONSX", b"POS", b"\nGET"),
]
TARGETS = [
    b"/",
    b"/a?b=c",
    b"/a%20b?x",
    b"/a?b?c",
    b"/a?",
    b"//a",
    b"/%zz%",
    b"/@:;",
    b"/%C3%A9%ff",
]
ODD_TARGETS = [
    *(b"*", b"http://a/b", b"/a#b", b"/\xff", b"/a b", b"", b"a", b"/a\x7f", b"/a\x00", b"?"),
    *(b'/"<>\\^`{|}', b"/" + b"x" * 60, b"/a?#", b"/a?b c", b"/a\tb", b"host:80"),
]
VERSIONS = [
    b"HTTP/1.0",
    b"HTTP/1.2",
    b"HTTP/2.0",
    b"http/1.1",
    b"HTTP/1.1 ",
    b"HTTP/11",
    b"",
    b"RTSP/1.0",
]
NAMES = [
    *(b"Host", b"host", b"HOST", b"Content-Length", b"content-LENGTH", b"Transfer-Encoding"),
    *(b"Connection", b"Expect", b"Upgrade", b"Cookie", b"cookie", b"X-A", b"x-a", b"Accept"),
    *(b"Proxy-Connection", b"Keep-Alive", b"A b", b"", b"X\x00", b"\xc3\xa9", b"Trailer", b"TE"),
    *(b"A~!#$%&'*+-.^_`|", b"a" * 41, b"a" * 70, b"Host ", b" Host", b"X@", b"X[", b"X{", b"x`z"),
]
VALUES = [
    *(
        b"a",
        b"127.0.0.1:80",
        b"a.b:",
        b"[::1]:80",
        b"a b",
        b"",
        b" ",
        b"\t x \t",
        b"0",
        b"5",
        b"05",
    ),
    *(
        b"+5",
        b"5 ",
        b"5,5",
        b"3",
        b"-1",
        b"1e1",
        b"0x1",
        b"9" * 30,
        b"1" * 16,
        b"chunked",
        b"identity",
    ),
    *(
        b"keep-alive",
        b"Keep-Alive",
        b"KEEP-ALIVE ",
        b"close",
        b"upgrade",
        b"keep-alive, close",
        b"h2c",
    ),
    *(
        b"100-continue",
        b"\xff\xfe",
        b"caf\xc3\xa9",
        b"\xe2\x84\xaaeep-alive",
        b"a\x00b",
        b"a\rb",
        b"a\nb",
    ),
    *(
        b"a\x7fb",
        b"a\x01b",
        b"a=b; c=d",
        b"x" * 150,
        b"a_b",
        b"a%41",
        b"a,b",
        b":",
        b"a:99999",
        b"@a",
    ),
    *(b"a:8o", b"a::1", b".", b"-", b"\x0b", b"\xa0", b"\x85a", b"a\x1fb"),
]
ENDS = [b"\r\n"] * 30 + [b"\n", b"\r", b"\r\n ", b"\r\n\t", b" \r\n", b"\r\r\n", b"\n\r\n", b""]
BODIES = [
    b"",
    b"GET / HTTP/1.1\r\n",
    b"x",
    b"xxxxx",
    b"xxx" + b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"\r\n",
]


def pick(source: random.Random, usual: list[bytes], odd: list[bytes], share: float) -> bytes:
    return source.choice(usual if source.random() < share else odd)


def random_head(source: random.Random) -> bytes:
    """Bytes that are a head, or nearly so."""
    fields = [(b"Host", b"a")] if source.random() < 0.9 else []
    fields += [(source.choice(NAMES), source.choice(VALUES)) for _ in range(source.randrange(5))]
    source.shuffle(fields)
    raw = pick(source, METHODS, ODD_METHODS, 0.9) + pick(source, [b" "], [b"  ", b"\t", b""], 0.98)
    raw += pick(source, TARGETS, ODD_TARGETS, 0.8) + pick(source, [b" "], [b"  ", b""], 0.98)
    raw += pick(source, [b"HTTP/1.1"], VERSIONS, 0.93) + source.choice(ENDS)
    for name, value in fields:
        raw += name + pick(source, [b": ", b":"], [b" : ", b":\t", b"", b"::"], 0.9)
        raw += value + source.choice(ENDS)
    raw += b"\r\n"
    if source.random() < 0.15:
        at = source.randrange(len(raw))
        raw = raw[:at] + bytes([source.randrange(256)]) + raw[at + source.randrange(2) :]
    return raw + source.choice(BODIES)


def accepted(raw: bytes, limits: Limits) -> bool:
    """Return whether the core accepts a head, which Python must parse to the same."""
    found = native.parse(raw, limits)
    if found is None:
        return False
    parser = HeadParser(limits)
    for _ in range(3):  # from the second time on, the parser remembers
        try:
            head, end = parser.parse(raw, 0)
        except RequestError as error:
            raise AssertionError(f"Only the core accepts {raw!r}: {error}") from None
        assert head is not None, raw
        parsed = (head.method, head.target, head.path, head.query, head.headers, head.block)
        assert found == (*parsed, head.length, end), raw
        assert list(found[4]) == list(head.headers), raw
        others = (head.minor, head.chunked, head.keep_alive, head.upgrade, head.expects_continue)
        assert others == (1, False, True, None, False), raw
    return True


def test_fuzz_heads() -> None:
    source = random.Random(SECONDS or 17)
    until = time.monotonic() + SECONDS
    tried = taken = 0
    while tried < 20_000 or time.monotonic() < until:
        tried += 1
        taken += accepted(random_head(source), SMALL if tried % 4 == 0 else Limits())
    print(f"{tried} heads, {taken} accepted by the core")  # noqa: T201
    assert tried / 20 < taken < tried


@given(st.randoms(use_true_random=False))
@settings(max_examples=300, deadline=None)
def test_python_parses_the_same_from_heads_that_the_core_accepts(source: random.Random) -> None:
    accepted(random_head(source), Limits())


@given(st.binary(max_size=60), st.binary(max_size=60))
@settings(max_examples=300, deadline=None)
def test_any_bytes_in_a_head_are_read_as_python_reads_them(target: bytes, value: bytes) -> None:
    accepted(b"GET /" + target + b" HTTP/1.1\r\nHost: a\r\nX: " + value + b"\r\n\r\n", Limits())
    accepted(b"GET / HTTP/1.1\r\nHost: " + value + b"\r\n" + target + b": 1\r\n\r\n", Limits())
    accepted(
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + value + b"\r\n\r\n" + target, Limits()
    )


WHOLE = (
    b"POST /a%20b?c=d HTTP/1.1\r\nHost: a.b:80\r\nContent-Length: 3\r\nX-A: 1\r\n"
    b"x-a:  2 \r\nCookie: a=b\r\ncookie: c=d\r\nConnection: keep-alive\r\n\r\nabc"
)


def test_the_core_takes_no_part_of_a_message() -> None:
    assert accepted(WHOLE, Limits())
    for cut in range(len(WHOLE)):
        assert native.parse(WHOLE[:cut], Limits()) is None
        assert native.parse(WHOLE[cut + 1 :], Limits()) is None


@pytest.mark.parametrize("at", range(len(WHOLE) - 3))
def test_any_byte_in_any_place_of_a_head_is_read_as_python_reads_it(at: int) -> None:
    for byte in range(256):
        accepted(WHOLE[:at] + bytes([byte]) + WHOLE[at + 1 :], Limits())
        accepted(WHOLE[:at] + bytes([byte]) + WHOLE[at:], Limits())


@pytest.mark.parametrize("name", ["request_line", "head", "headers"])
def test_the_core_keeps_the_limits(name: str) -> None:
    for limit in range(1, len(WHOLE)):
        limits = Limits(**{name: limit})
        try:
            HeadParser(limits).parse(WHOLE, 0)
        except RequestError:
            assert not accepted(WHOLE, limits)
        else:
            assert accepted(WHOLE, limits)


# Rendering.

STATUSES = [*HTTPStatus]
FIELDS = [
    *("Content-Type", "content-type", "X-A", "x-a", "Location", "Content-Length", "Date", "Vary"),
    *("Connection", "Transfer-Encoding", "", "A b", "X:", "é", "Set-Cookie", "X\n", "Server"),
]
TEXTS: list[object] = [
    *(
        "a",
        "",
        "text/html",
        "caf\u00e9",
        "\u2028",
        "a\r\nb",
        "a\x00",
        "a\tb",
        "\x7f",
        "7",
        "close",
    ),
    *(5, -7, 0, 2**62 - 1, 2**62, -(2**62), 2**70, True, HTTPStatus.OK),
    *(None, 1.5, ["a", "b"], ("x",), [], b"bytes", "x" * 300, "keep-alive", "0"),
]
CONTENTS: list[object] = [
    *(b"", "", b"hello", "hello", "caf\u00e9", "\U0001f600", "\ud800", b"\x00\xff", 5, None),
    *(bytearray(b"a"), memoryview(b"b"), b"x" * 65536, b"x" * 65537, "y" * 65536, "é" * 32769),
]


class Quiet(Response):
    __slots__ = ()

    add_content_type = False


def random_response(source: random.Random) -> tuple[Request, Response]:
    request = Request(None, None)
    request.method = "GET"
    response = source.choice([Response, Response, Quiet])(None, None)
    response.status = HTTPStatus.OK if source.random() < 0.5 else source.choice(STATUSES)
    for _ in range(source.choice([0, 0, 1, 2, 3])):
        odd = source.random() < 0.3
        name = source.choice(FIELDS if odd else FIELDS[:5])
        response.headers[name] = source.choice(TEXTS if odd else TEXTS[:3])
    for _ in range(source.choice([0, 0, 0, 1, 2])):
        response.cookies.set(source.choice("ab"), source.choice(["1", "é", "a b", ""]))
    response.body = source.choice(CONTENTS if source.random() < 0.5 else CONTENTS[:5])
    return request, response


def rendered(request: Request, response: Response, date: str) -> bool:
    """Return whether the core renders a response, which Python must render to the same."""
    found = native.serialize(response, date)
    if found is None:
        return False
    expected = serialize_in_python(request, response, date)
    assert expected is not None, found
    head, body, *_ = expected
    assert found == head + body
    assert native.serialize_common(request, response, date) == expected
    return True


DATE = "Date: Sun, 29 Nov 2026 23:29:00 GMT\r\n"


def test_fuzz_responses() -> None:
    source = random.Random(SECONDS or 17)
    until = time.monotonic() + SECONDS
    tried = taken = 0
    while tried < 20_000 or time.monotonic() < until:
        tried += 1
        request, response = random_response(source)
        try:
            serialize_in_python(request, response, DATE)  # which learns the names
        except ValueError:
            assert native.serialize(response, DATE) is None
            continue
        taken += rendered(request, response, DATE)
    print(f"{tried} responses, {taken} rendered by the core")  # noqa: T201
    assert tried / 20 < taken < tried


@given(st.randoms(use_true_random=False))
@settings(max_examples=300, deadline=None)
def test_python_renders_the_same_as_the_core(source: random.Random) -> None:
    rendered(*random_response(source), DATE)


def test_custom_cookies_class_is_left_to_python() -> None:
    class Own(Cookies):
        def output(self):
            yield "own=1"

    class App:
        Cookies = Own

    response = Response(App(), None)
    response.cookies["a"] = "b"
    assert native.serialize(response, DATE) is None


# Cookies.

COOKIE_PIECES = [
    *(
        b"a",
        b"b=c",
        b"=",
        b";",
        b" ",
        b"\t",
        b'"',
        b"%41",
        b"%",
        b"\\",
        b",",
        b"\xc3\xa9",
        b"\xff",
    ),
    *(b"a=b; c=d", b"; ", b"a=", b"=b", b" = ", b"session=4f2a9c", b"\x01", b"$Version=1"),
]


def read(block: bytes) -> bool:
    """Return whether the core reads the cookies of a block, which Python must read to the same."""
    request = Request(None, None)
    request._block = block
    fields = HeadParser(Limits()).parse(b"GET / HTTP/1.1\r\nHost: a\r\n" + block, 0)[0].headers
    found = native.read_cookies(block)
    expected = parse_cookies(fields.get("COOKIE", ""))
    assert found is None or (type(found), list(found.items())) == (Cookies, list(expected.items()))
    assert request.cookies == expected
    return found is not None


def random_cookies(source: random.Random) -> bytes:
    """The fields of a head, with some `Cookie` lines, and other ones."""
    lines = []
    for _ in range(source.choice([0, 1, 1, 1, 2])):
        pieces = [source.choice(COOKIE_PIECES) for _ in range(source.randrange(8))]
        name = source.choice([b"Cookie: ", b"cookie:", b"COOKIE:\t "])
        lines.append(name + b"".join(pieces).replace(b"\x01", b""))
    lines += [source.choice([b"X-Cookie: a=b", b"Cookies: a=b", b"Cooki: a=b", b"A: Cookie: a=b"])]
    source.shuffle(lines)
    return b"".join(line + b"\r\n" for line in lines) + b"\r\n"


def test_fuzz_cookies() -> None:
    source = random.Random(SECONDS or 17)
    until = time.monotonic() + SECONDS
    tried = taken = 0
    while tried < 20_000 or time.monotonic() < until:
        tried += 1
        taken += read(random_cookies(source))
    print(f"{tried} heads, the cookies of {taken} read by the core")  # noqa: T201
    assert tried / 20 < taken < tried


@given(st.text(st.sampled_from('ab=;, \t"%\\é'), max_size=30))
@settings(max_examples=500, deadline=None)
def test_the_core_reads_cookies_as_python_does(value: str) -> None:
    read(b"Cookie: " + value.encode() + b"\r\n\r\n")


WORDS = st.text(st.sampled_from('ab:;,é%"\\ \x00'), max_size=6)
TOKENS = st.text(st.sampled_from("ab_!~"), min_size=1, max_size=6)
ATTRIBUTES = st.fixed_dictionaries(
    {},
    optional={
        "domain": st.none() | TOKENS,
        "expires": st.none() | st.datetimes(datetime(1970, 1, 1)),
        "httponly": st.booleans(),
        "max_age": st.integers(0, 2**32 - 1),
        "path": TOKENS | WORDS,
        "samesite": st.none() | TOKENS | WORDS,
        "secure": st.booleans(),
    },
)


@given(TOKENS | WORDS, TOKENS | WORDS, ATTRIBUTES)
@settings(max_examples=1000, deadline=None)
def test_the_core_writes_the_line_of_a_cookie_as_str_does(name, value, attributes) -> None:
    cookie = Cookie(name, value)
    for attribute, given_value in attributes.items():
        setattr(cookie, attribute, given_value)
    assert native.cookie_line(cookie) in (None, str(cookie))


def test_the_core_writes_the_lines_of_common_cookies() -> None:
    cookies = Cookies()
    cookies.set("a", "b:c")
    cookies.set("b", "c", max_age=60, secure=True, httponly=True, path="/a", samesite="Lax")
    cookies.set("c", "d", path=None)
    lines = [native.cookie_line(cookie) for cookie in cookies.values()]
    assert lines == [*cookies.output()]


@pytest.mark.parametrize(
    "arguments",
    [
        {"value": "a b"},
        {"value": ""},
        {"value": "a" * 1024},
        {"path": "/" + "a" * 1024},
        {"domain": "a"},
        {"expires": datetime(2024, 1, 1)},
        {"max_age": 0},
    ],
    ids=str,
)
def test_the_line_of_another_cookie_is_left_to_python(arguments) -> None:
    cookies = Cookies()
    cookies.set("a", **{"value": "b"} | arguments)
    assert native.cookie_line(cookies["a"]) is None


def test_core_writes_no_line_for_other_objects_than_cookies() -> None:
    assert native.cookie_line("a=b") is None
    assert native.cookie_line(SimpleNamespace(name="a", value="b")) is None


ARGUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "domain": st.none() | TOKENS,
        "expires": st.none() | st.datetimes(datetime(1970, 1, 1)),
        "httponly": st.sampled_from([True, False, 1, 0, None, "yes"]),
        "max_age": st.sampled_from([None, 0, 5, -1, 1.5, "5"]),
        "path": st.sampled_from(["/", "/a", None, "", "a", 5, b"/"]),
        "samesite": st.sampled_from([None, "lax", "None", "odd", 5]),
        "secure": st.sampled_from([True, False, 1, 0, None]),
    },
)
ODD_NAMES = st.sampled_from(["", "__Host-a", "__secure-a", "_a", "é", 5, None, [], b"a"])
ODD_VALUES = st.sampled_from(["100%", "é", 5, 1.5, None, b"a", [], HTTPStatus.OK])


@given(TOKENS | WORDS | ODD_NAMES, TOKENS | WORDS | ODD_VALUES, ARGUMENTS)
@settings(max_examples=1000, deadline=None)
def test_a_cookie_is_set_as_in_python(name, value, arguments) -> None:
    def outcome(call):
        cookies = Cookies()
        try:
            call(cookies, name, value, **arguments)
        except (TypeError, ValueError) as error:
            return type(error), str(error)
        return [(key, type(cookie), str(cookie)) for key, cookie in cookies.items()]

    assert outcome(Cookies.set) == outcome(set_in_python)


def test_cookies_are_set_by_the_method_that_a_class_has() -> None:
    class Own(Cookies):
        def __setitem__(self, key, cookie):
            super().__setitem__(key.upper(), cookie)

    cookies = Own()
    cookies.set("a", "b")
    assert list(cookies) == ["A"]
    app = SimpleNamespace(Cookies=Own)
    assert type(Response(app, None).cookies) is Own
    assert type(Response(None, None).cookies) is Cookies


def test_the_core_stands_for_the_documented_methods() -> None:
    assert Cookies.set is native.set_cookie
    assert Cookies.set.__doc__ == set_in_python.__doc__
    assert inspect.signature(Cookies.set) == inspect.signature(set_in_python)
    assert vars(Response)["cookies"].fget is native.get_response_cookies
    for wrong in ((), ("a",), ("a", "b", *range(8))):
        with pytest.raises(TypeError):
            Cookies().set(*wrong)


def test_cookies_of_a_request_are_those_that_its_fields_say() -> None:
    request = Request(None, None)
    request._block = b"Cookie: a=b\r\n\r\n"
    request._headers = {"COOKIE": "c=d"}
    assert request.cookies == {"c": "d"}
    assert request.cookies is request.cookies


def test_cookies_of_a_request_go_into_the_class_of_the_application() -> None:
    class Own(Cookies):
        pass

    class App:
        Cookies = Own

    class Fields(Request):
        headers: ClassVar = {"COOKIE": "c=d"}

    request = Request(App(), None)
    request._block = b"Cookie: a=b\r\n\r\n"
    assert type(request.cookies) is Own
    assert request.cookies == {"a": "b"}
    other = Fields(None, None)
    other._block = request._block
    assert other.cookies == {"c": "d"}


# JSON.

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=[]), max_size=8)
    | st.sampled_from([2**62, -(2**62), 2**62 - 1, 2**63, -(2**63), 2**64, -0.0, 1e308, 5e-324])
)
VALUES_OF_JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text(max_size=4), inner, max_size=4)
        | st.dictionaries(SCALARS, inner, max_size=2)
    ),
    max_leaves=12,
)


def encoded(value: object) -> bytes | None:
    """Return what the core makes of a value, which Python's codec must make of it too."""
    found = native.encode_json(value)
    if found is not None:
        assert found == JSONCodec().dumps(value).encode()
    return found


@given(VALUES_OF_JSON)
@settings(max_examples=500, deadline=None)
def test_the_core_encodes_json_as_python_does(value: object) -> None:
    encoded(value)


BODIES_OF_JSON = [
    *(b"", b" ", b"{}", b"[1]", b" [1]", b"[1] ", b"[1]\n", b"[1]x", b"1 2", b"nul", b"null"),
    *(
        b"NaN",
        b"-Infinity",
        b"1e999",
        b"[NaN]",
        b"\xff",
        b'"\xc3\xa9"',
        b'"\xed\xa0\x80"',
        b"\x00",
    ),
    *(b"\xef\xbb\xbf[1]", "[1]".encode("utf-16"), b'"\\ud800"', b'{"a": 1, "a": 2}', b"9" * 400),
    *(
        b"[" * 200 + b"]" * 200,
        b"[" * 600,
        b"[" * 400 + b"]" * 400,
        b'{"a":' * 99 + b"1" + b"}" * 99,
    ),
]


def decoded(data: bytes, request: Request) -> object:
    """Return what a request says of its body, or the status and the text of its error."""
    request._body = data
    try:
        return request.json
    except HttpError as error:
        return error.status, str(error)


def same_as_in_python(data: bytes) -> None:
    class InPython(Request):
        __slots__ = ()

        json = property(json_in_python)

    found = decoded(data, Request(None, None))
    expected = decoded(data, InPython(None, None))
    assert (repr(found), type(found)) == (repr(expected), type(expected))


@pytest.mark.parametrize("data", BODIES_OF_JSON, ids=repr)
def test_the_core_decodes_json_as_python_does(data: bytes) -> None:
    same_as_in_python(data)


@given(st.binary(max_size=8) | VALUES_OF_JSON.map(lambda value: json.dumps(value).encode("utf-8")))
@settings(max_examples=500, deadline=None)
def test_the_core_decodes_any_body_as_python_does(data: bytes) -> None:
    same_as_in_python(data)


def test_json_of_an_overridden_body_is_decoded() -> None:
    class Own(Request):
        __slots__ = ()

        @property
        def body(self):
            return b"[2]"

    class App:
        JSON = SimpleNamespace(loads=lambda data: data.decode().upper())

    request = Own(None, None)
    request._body = b"[1]"
    assert request.json == [2]
    request = Request(App(), None)
    request._body = b"a"
    assert request.json == "A"


def test_each_character_is_escaped_as_python_does() -> None:
    for code in [*range(0x300), 0x2028, 0xFFFF, 0x1F600]:
        assert encoded(chr(code)) is not None
        assert encoded({f"a{chr(code)}b": 1}) is not None


class Word(str):
    __slots__ = ()


UNCOMMON = [
    *(float("nan"), float("inf"), -float("inf"), 2**63, Word("a"), HTTPStatus.OK, {1: 2}),
    *({None: 1}, {Word("a"): 1}, "\ud800", ["\udc00a"], {"\ud800": 1}, b"a", {1, 2}),
    *(object(), OrderedDict(a=1), reduce(lambda inner, _: [inner], range(40), 1)),
    reduce(lambda inner, _: {"a": inner}, range(40), 1),
]


@pytest.mark.parametrize("value", UNCOMMON, ids=repr)
def test_uncommon_values_are_left_to_python_s_encoder(value: object) -> None:
    assert native.encode_json(value) is None
    assert native.encode_json([1, {"a": value}]) is None


def test_json_replaces_body_and_type_whatever_was_set_before() -> None:
    response = Response(None, None)
    response.json = {"a": [1, "é"]}
    assert (response.body, response.headers) == ('{"a":[1,"é"]}'.encode(), {"Content-Type": JSON})
    response.headers = {"content-type": "text/html", "X-A": "1"}
    response.json = [1]
    assert (response.body, response.headers) == (b"[1]", {"X-A": "1", "Content-Type": JSON})
    with pytest.raises(ValueError, match="float"):
        response.json = float("nan")
    with pytest.raises(TypeError):
        response.json = {1, 2}
    assert response.json == [1]


JSON = "application/json; charset=utf-8"


def test_another_codec_encodes() -> None:
    class App:
        JSON = SimpleNamespace(dumps=lambda value: "other")

    response = Response(App(), None)
    response.json = 1
    assert response.body == b"other"
