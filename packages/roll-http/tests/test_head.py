"""From the bytes of a head to its parts."""

from __future__ import annotations

import re
import tracemalloc
from collections.abc import Iterable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from roll_http import Limits
from roll_http.h1 import head, head_parser
from roll_http.h1.head import RequestError
from roll_http.h1.head_parser import HeadParser
from roll_http.h1.head_parser import _lines as lines_seen

GET = b"GET /a?b=c HTTP/1.1\r\nHost: here\r\n"
POST = b"POST / HTTP/1.1\r\nHost: here\r\n"


def test_a_head_gives_its_parts(parse):
    head = parse(GET + b"X-A: 1\r\n\r\n")
    assert (head.method, head.target, head.path, head.minor) == ("GET", b"/a?b=c", "/a", 1)
    assert head.headers == {"HOST": "here", "X-A": "1"}
    assert (head.length, head.chunked, head.keep_alive, head.upgrade) == (0, False, True, None)
    assert not head.expects_continue


def test_parsing_stops_where_the_head_ends():
    data = GET + b"\r\n" + GET + b"\r\nrest"
    parser = HeadParser(Limits())
    first, end = parser.parse(data, 0)
    second, after = parser.parse(data, end)
    assert first.target == second.target == b"/a?b=c"
    assert data[after:] == b"rest"


@pytest.mark.parametrize("name", [b"A", b"a"])
def test_a_parser_that_waits_keeps_no_long_fields(name):
    parsers = [HeadParser(Limits()) for _ in range(50)]
    tracemalloc.start()
    for parser in parsers:
        parser.parse(GET + b"A: " + b"x" * 10_000 + b"\r\n" + name + b": y\r\n\r\n", 0)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept / len(parsers) < 5_000


@pytest.mark.parametrize("size", range(1, len(GET) + 2))
def test_an_incomplete_head_is_waited_for(size):
    assert HeadParser(Limits()).parse((GET + b"\r\n")[:size], 0)[0] is None


def test_empty_lines_before_a_request_are_skipped(parse):
    assert parse(b"\r\n\r\n" + GET + b"\r\n").method == "GET"
    assert HeadParser(Limits()).parse(b"\r\n", 0) == (None, 2)


def test_repeated_fields_are_joined_and_cookies_by_semicolons(parse):
    head = parse(GET + b"A: 1\r\na: 2\r\nCookie: x=1\r\nCookie: y=2\r\n\r\n")
    assert head.headers["A"] == "1, 2"
    assert head.headers["COOKIE"] == "x=1; y=2"


def test_whitespace_around_values_is_trimmed_and_values_are_utf8_else_latin1(parse):
    head = parse(GET + b"A: \t v \t \r\nB: \xc3\xa9\r\nC: \xe9\r\nD:\r\n\r\n")
    assert (head.headers["A"], head.headers["B"], head.headers["C"], head.headers["D"]) == (
        "v",
        "é",
        "é",
        "",
    )


def test_an_underscore_in_a_field_name_is_not_a_dash(parse):
    assert parse(GET + b"X_A: 1\r\nX-A: 2\r\n\r\n").headers["X_A"] == "1"


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"GET  / HTTP/1.1\r\n", 400),
        (b"GET / HTTP/1.1 \r\n", 400),
        (b" GET / HTTP/1.1\r\n", 400),
        (b"GET /\r\n", 400),
        (b"GET\r\n", 400),
        (b"G@T / HTTP/1.1\r\n", 400),
        (b"GET /a#b HTTP/1.1\r\n", 400),
        (b"GET /\x7f HTTP/1.1\r\n", 400),
        (b"GET /\xe9 HTTP/1.1\r\n", 400),
        (b"GET a HTTP/1.1\r\n", 400),
        (b"GET * HTTP/1.1\r\n", 400),
        (b"GET ftp://here/ HTTP/1.1\r\n", 400),
        (b"GET http:///a HTTP/1.1\r\n", 400),
        (b"GET / http/1.1\r\n", 400),
        (b"GET / HTTP/2.0\r\n", 505),
        (b"PRI * HTTP/2.0\r\n", 505),
        (b"GET / HTTP/0.9\r\n", 505),
        (b"FOO / HTTP/1.1\r\n", 501),
        (b"get / HTTP/1.1\r\n", 501),
        (b"CONNECT here HTTP/1.1\r\n", 400),
        (b"CONNECT http://here/ HTTP/1.1\r\n", 400),
    ],
)
def test_bad_request_lines_are_refused(refusal, line, status):
    assert refusal(line + b"Host: here\r\n\r\n") == status


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"\x16\x03\x01\x02\x00", 400),
        (b"GET / HTTP/1.1\nHost: here\n\n", 400),
        (b"GET / HTTP/1.1\r\nHost: here\n\n", 400),
        (b"GET /a b", 400),
        (b"GET /\r\n", 400),
        (b"GET / HTTP/2.0\r\n", 505),
        (b"GET / HTTP/9", None),
        (b"GET", None),
        (b"GET / HT", None),
        (b"GET / HTTP/1.1\r", None),
    ],
)
def test_an_impossible_request_is_refused_before_its_head_is_complete(refusal, data, status):
    if status is None:
        assert HeadParser(Limits()).parse(data, 0) == (None, 0)
    else:
        assert refusal(data) == status


@pytest.mark.parametrize(
    "field",
    [
        b"A b: c",
        b"A : c",
        b": c",
        b"A\x00: c",
        b"A(: c",
        b"\xe9: c",
        b"A: \x00",
        b"A: \x01",
        b"A: \x7f",
        b"A: b\rc",
        b"A: b\r\n c",
        b" A: b",
        b"Content-Length: +1",
        b"Content-Length: -1",
        b"Content-Length: 1a",
        b"Content-Length: 0x1",
        b"Content-Length: 1, 1",
        b"Content-Length: ",
        b"Content-Length: 1\r\nContent-Length: 1",
        b"Content-Length: 1\r\nContent-Length: 2",
        b"Content-Length: 99999999999999999999999",
        b"Content-Length: 1\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: chunked\r\nContent-Length: 1",
        b"Host: there",
    ],
)
def test_bad_fields_are_refused(refusal, field):
    assert refusal(POST + field + b"\r\n\r\n") == 400


@pytest.mark.parametrize(
    "coding",
    [b"gzip", b"gzip, chunked", b"chunked, chunked", b"chunked, gzip", b"identity", b"xchunked"],
)
def test_no_transfer_coding_but_chunked_is_supported(refusal, coding):
    assert refusal(POST + b"Transfer-Encoding: " + coding + b"\r\n\r\n") == 501


def test_content_length_and_chunked_delimit_the_body(parse):
    assert parse(POST + b"Content-Length: 12\r\n\r\n").length == 12
    assert parse(POST + b"Transfer-Encoding: Chunked\r\n\r\n").chunked


def test_a_transfer_coding_in_http_1_0_ends_the_connection(parse):
    head = parse(
        b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n"
    )
    assert head.chunked
    assert not head.keep_alive


@pytest.mark.parametrize(
    ("version", "connection", "kept"),
    [
        (b"1.1", None, True),
        (b"1.1", b"close", False),
        (b"1.1", b"Foo, CLOSE", False),
        (b"1.1", b"keep-alive, close", False),
        (b"1.1", b"keep-alive", True),
        (b"1.2", None, True),
        (b"1.0", None, False),
        (b"1.0", b"Keep-Alive", True),
        (b"1.0", b"foo", False),
    ],
)
def test_the_connection_is_kept_by_version_and_option(parse, version, connection, kept):
    field = b"" if connection is None else b"Connection: " + connection + b"\r\n"
    head = parse(b"GET / HTTP/" + version + b"\r\nHost: here\r\n" + field + b"\r\n")
    assert head.keep_alive is kept


def test_an_upgrade_counts_when_connection_lists_it(parse):
    assert parse(GET + b"Upgrade: h2c\r\n\r\n").upgrade is None
    head = parse(GET + b"Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n")
    assert head.upgrade == "websocket"
    assert parse(GET + b"Connection: upgrade\r\n\r\n").upgrade is None


def test_the_heads_after_an_upgrade_a_body_or_a_tunnel_are_read_alike():
    parser = HeadParser(Limits())
    for fields in (
        b"Connection: upgrade\r\nUpgrade: x\r\n",
        b"Content-Length: 3\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Connection: upgrade\r\nUpgrade: x\r\nContent-Length: 3\r\n",
        b"",
    ):
        head, _ = parser.parse(GET + fields + b"\r\n", 0)
        assert head.target == b"/a?b=c"
    assert parser.parse(b"CONNECT here:80 HTTP/1.1\r\nHost: here\r\n\r\n", 0)[0].path == "here:80"
    assert parser.parse(b"CONNECT / HTTP/1.1\r\nHost: here\r\n\r\n", 0)[0].path == "/"


def test_only_100_continue_is_expected(parse, refusal):
    assert parse(POST + b"Content-Length: 1\r\nExpect: 100-Continue\r\n\r\n").expects_continue
    assert not parse(POST + b"Expect: 100-continue\r\n\r\n").expects_continue
    old = b"POST / HTTP/1.0\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n"
    assert not parse(old).expects_continue
    assert refusal(POST + b"Expect: a-miracle\r\n\r\n") == 417


@pytest.mark.parametrize(
    "lines",
    [
        [b"100-continue", b"100-continue"],
        [b"100-continue,100-CONTINUE"],
        [b"\t 100-Continue ,, \t,100-continue , "],
        [b"", b"100-continue", b","],
    ],
)
def test_expect_is_a_list(parse, lines):
    fields = b"".join(b"Expect: " + line + b"\r\n" for line in lines)
    assert parse(POST + b"Content-Length: 1\r\n" + fields + b"\r\n").expects_continue


@pytest.mark.parametrize("line", [b"", b" ", b",", b" , ,,"])
def test_an_empty_list_expects_nothing(parse, line):
    head = parse(POST + b"Content-Length: 1\r\nExpect: " + line + b"\r\n\r\n")
    assert not head.expects_continue


@pytest.mark.parametrize(
    "line",
    [
        b"100-continue, a-miracle",
        b"a-miracle, 100-continue",
        b"100-continue; q=1",
        b"100-continue=1",
        b'"100-continue"',
        b"100 continue",
        b"100-continue 100-continue",
        b'x="a, 100-continue"',
    ],
)
def test_an_unknown_expectation_beside_a_known_one_is_refused(refusal, line):
    assert refusal(POST + b"Expect: " + line + b"\r\n\r\n") == 417


@pytest.mark.parametrize("digits", [21, 100, 4301, 5001, 20_000])
@pytest.mark.parametrize("digit", [b"0", b"1", b"9"])
def test_a_length_of_many_digits_is_refused(refusal, digit, digits):
    assert refusal(POST + b"Content-Length: " + digit * digits + b"\r\n\r\n") == 400


def test_leading_zeros_of_a_content_length_are_accepted(parse):
    assert parse(POST + b"Content-Length: 00000000000000000012\r\n\r\n").length == 12


def test_the_kelvin_sign_is_not_a_k(parse):
    kelvin = "Connection: \u212aeep-alive\r\n".encode()
    assert not parse(b"GET / HTTP/1.0\r\n" + kelvin + b"\r\n").keep_alive


@pytest.mark.parametrize(
    "host",
    [b"a", b"a.b:80", b"1.2.3.4", b"[::1]", b"[::1]:8080", b"[v1.a:b]", b"a:", b"%41", b"a_b"],
)
def test_valid_hosts_are_accepted(parse, host):
    head = parse(b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")
    assert head.headers["HOST"] == host.decode()


@pytest.mark.parametrize(
    "host", [b"", b"a b", b"a, b", b"a/b", b"a@b", b"a:b", b"[::1", b"::1", b"a?", b"%4", b"\xe9"]
)
def test_invalid_hosts_are_refused(refusal, host):
    assert refusal(b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n\r\n") == 400


def test_http_1_1_requires_a_host_and_1_0_does_not(parse, refusal):
    assert refusal(b"GET / HTTP/1.1\r\n\r\n") == 400
    assert refusal(b"GET http://here/ HTTP/1.1\r\n\r\n") == 400
    assert "HOST" not in parse(b"GET / HTTP/1.0\r\n\r\n").headers


def test_an_absolute_target_gives_path_and_host(parse, refusal):
    head = parse(b"GET HTTP://there:81/a?b HTTP/1.1\r\nHost: here\r\n\r\n")
    assert (head.target, head.path, head.query) == (b"HTTP://there:81/a?b", "/a", "b")
    assert head.headers["HOST"] == "there:81"
    assert parse(b"GET http://there?x HTTP/1.1\r\nHost: here\r\n\r\n").query == "x"
    assert parse(b"GET http://there HTTP/1.0\r\n\r\n").headers["HOST"] == "there"
    assert refusal(b"GET http://there/ HTTP/1.1\r\nHost: a b\r\n\r\n") == 400


def test_the_target_asterisk_is_for_options(parse):
    assert parse(b"OPTIONS * HTTP/1.1\r\nHost: here\r\n\r\n").path == "*"


def test_long_request_lines_heads_and_too_many_fields_are_refused(parse, refusal):
    assert refusal(b"GET /" + b"a" * 100, request_line=50) == 414
    assert refusal(b"GET /" + b"a" * 100 + b" HTTP/1.1\r\n\r\n", request_line=50) == 414
    assert refusal(GET + b"A: " + b"a" * 100, head=100) == 431
    assert refusal(GET + b"A: " + b"a" * 100 + b"\r\n\r\n", head=100) == 431
    assert refusal(GET + b"A: a\r\n" * 5 + b"\r\n", headers=5) == 431
    assert parse(GET + b"A: a\r\n" * 4 + b"\r\n", headers=5)


def parts(head: head.Head) -> list[object]:
    names = ("method", "target", "path", "query", "headers", "minor", "length", "chunked")
    others = ("keep_alive", "expects_continue", "upgrade")
    return [getattr(head, name) for name in names + others]


@pytest.fixture
def twice():
    """Parse the same head again and again on one connection, and give the last one's parts."""

    def parse(data: bytes, times: int = 3):
        parser = HeadParser(Limits())
        for _ in range(times):
            head, end = parser.parse(data, 0)
            assert end == len(data)
        return parts(head)

    return parse


@pytest.mark.parametrize(
    "data",
    [
        GET + b"\r\n",
        GET.replace(b"?b=c", b"%2F%C3%A9?%20") + b"Cookie: a=b\r\nA: 1\r\nA: 2\r\n\r\n",
        POST + b"Content-Length: 3\r\nExpect: 100-continue\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n",
        GET + b"Connection: upgrade\r\nUpgrade: websocket\r\n\r\n",
        b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        b"GET http://there/ HTTP/1.1\r\nHost: here\r\n\r\n",
        b"CONNECT here:80 HTTP/1.1\r\nHost: here\r\n\r\n",
        GET + b"A: " + b"a" * 5000 + b"\r\n\r\n",
        b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\nHost: here\r\n\r\n",
    ],
    ids=lambda data: repr(data[:40]) + str(len(data)),
)
def test_a_repeated_head_means_the_same(twice, data):
    assert twice(data, 1) == twice(data, 3)


def test_fields_of_one_request_do_not_reach_the_next():
    parser = HeadParser(Limits())
    for _ in range(3):
        head, _ = parser.parse(GET + b"\r\n", 0)
        assert head.headers == {"HOST": "here"}
        head.headers["ADDED"] = "by a handler"


def known(data: bytes, **limits: int) -> HeadParser:
    """A parser that remembers this head."""
    parser = HeadParser(Limits(**limits))
    for _ in range(2):
        parser.parse(data, 0)
    return parser


def outcome(parser: HeadParser, data: bytes) -> object:
    try:
        found, end = parser.parse(data, 0)
    except RequestError as error:
        return error.args
    assert found
    return parts(found), end


@pytest.mark.parametrize(
    "fields",
    [
        b"",
        b"Content-Length: 3\r\nExpect: 100-continue\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Connection: upgrade\r\nUpgrade: websocket\r\n",
        b"Proxy-Connection: close\r\n",
    ],
)
@pytest.mark.parametrize(
    "line",
    [
        b"GET /b%20c?d=e?f HTTP/1.1",
        b"DELETE /b HTTP/1.1",
        b"GET /" + b"b" * 300 + b" HTTP/1.1",
        b"GET /" + b"b" * 9000 + b" HTTP/1.1",
        b"GET /b HTTP/1.0",
        b"GET /b HTTP/2.0",
        b"GET http://there/b HTTP/1.1",
        b"OPTIONS * HTTP/1.1",
        b"CONNECT there:80 HTTP/1.1",
        b"CONNECT /b HTTP/1.1",
        b"GET /b#c HTTP/1.1",
        b"GET  /b HTTP/1.1",
        b"GET /b\x00 HTTP/1.1",
        b"GET /\xff HTTP/1.1",
        b"GET /b\n HTTP/1.1",
        b"BREW /b HTTP/1.1",
        b"get /b HTTP/1.1",
        b"/b HTTP/1.1",
        b"",
    ],
    ids=lambda line: repr(line[:40]) + str(len(line)),
)
def test_known_fields_after_a_new_line_mean_the_same_as_on_a_new_connection(line, fields):
    data = line + b"\r\n" + b"Host: here\r\n" + fields + b"\r\n"
    parser = known(GET + fields + b"\r\n")
    lines_seen.clear()
    assert outcome(parser, data) == outcome(HeadParser(Limits()), data)


LINES = [
    b"GET / HTTP/1.1",
    b"GET /a%2Fb?c=d HTTP/1.1",
    b"POST /b HTTP/1.1",
    b"OPTIONS * HTTP/1.1",
    b"CONNECT there:80 HTTP/1.1",
    b"CONNECT /b HTTP/1.1",
    b"GET http://there/b HTTP/1.1",
    b"GET / HTTP/1.0",
    b"GET / HTTP/1.2",
    b"PRI * HTTP/2.0",
    b"PRI * HTTP/1.1",
    b"PRI /x HTTP/1.1",
    b"PRI / HTTP/1.0",
    b"SOURCE /x HTTP/1.1",
    b"SOURCE /x ICE/1.0",
    b"DESCRIBE /x HTTP/1.1",
    b"M-SEARCH /x HTTP/1.1",
    b"QUERY /x HTTP/1.1",
    b"BREW /x HTTP/1.1",
    b"get /x HTTP/1.1",
    b"GET /x\r HTTP/1.1",
    b"\nGET /x HTTP/1.1",
    b"GET /" + b"x" * 300 + b" HTTP/1.1",
]
FIELDS = [
    b"Host: here",
    b"Host: a b",
    b"A: 1",
    b"Cookie: a=b",
    b"Content-Length: 3",
    b"Content-Length: 0",
    b"Content-Length: " + b"0" * 5000,
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: gzip",
    b"Connection: close",
    b"Connection: keep-alive",
    b"Connection: keep-alive, close",
    b"Connection: upgrade",
    b"Connection: upgrade, close",
    b"Upgrade: websocket",
    b"Proxy-Connection: close",
    b"Proxy-Connection: upgrade",
    b"Expect: 100-continue",
    b"Expect: a-miracle",
    b"Keep-Alive: timeout=0",
    b"SM: x",
    b"B : c",
    b"B: \x01",
]
heads = st.tuples(
    st.sampled_from(LINES),
    st.lists(st.sampled_from(FIELDS), max_size=3).map(lambda fields: (b"Host: here", *fields))
    | st.lists(st.sampled_from(FIELDS), max_size=2),
    st.sampled_from([b"", b"", b"\r\n"]),
)


def head_bytes(line: bytes, fields: Iterable[bytes], before: bytes) -> bytes:
    return before + line + b"\r\n" + b"".join(field + b"\r\n" for field in fields) + b"\r\n"


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1), st.integers(1, 3), heads), max_size=8))
@example([(0, 3, (LINES[0], FIELDS[:1], b"")), (0, 3, (b"PRI /x HTTP/1.1", FIELDS[:1], b""))])
@example([(0, 3, (LINES[0], FIELDS[:1], b"")), (0, 3, (b"PRI / HTTP/1.0", [], b""))])
def test_a_head_means_the_same_whatever_came_before_on_any_connection(sequence):
    lines_seen.clear()
    connections = [HeadParser(Limits()), HeadParser(Limits())]
    for connection, times, parts in sequence:
        data = head_bytes(*parts)
        expected = outcome(HeadParser(Limits()), data)
        for _ in range(times):
            assert outcome(connections[connection], data) == expected
            if isinstance(expected[0], int):  # it was refused, which ends the connection
                connections[connection] = HeadParser(Limits())


@pytest.mark.parametrize("fields", [b"Host: here\r\n", b""])
@pytest.mark.parametrize("line", [b"PRI /x HTTP/1.1", b"PRI / HTTP/1.0", b"PRI * HTTP/1.1"])
def test_preface_of_http_2_is_refused(refusal, line, fields):
    assert refusal(line + b"\r\n" + fields + b"\r\n") == 400


def test_empty_lines_between_known_heads_do_not_add_up():
    parser = known(GET + b"\r\n", head=100)
    for _ in range(100):
        assert parser.parse(b"\r\n", 0) == (None, 2)
        assert parser.parse(GET + b"\r\n", 0)[0]


BYTES = [b"G", b"GET", b" ", b"/", b"b", b"#", b"%", b"\x00", b"\xff", b"\r", b"\n", b"\r\n"]
BEGINNINGS = st.lists(st.sampled_from([*BYTES, b" HTTP/1.1", b"Host: here\r\n"]), max_size=12)


@settings(max_examples=300, deadline=None)
@given(BEGINNINGS.map(b"".join) | st.just(b"GET /b HTTP/1.1\r\nHost: here\r\n\r\n"))
def test_a_bad_head_is_refused_at_the_same_byte_however_it_is_cut(data):
    parser = HeadParser(Limits())
    start = 0
    ends = range(1, len(data) + 1)
    for end in sorted([*ends, *ends]):  # it may be asked again without another byte
        try:
            head, start = parser.parse(data[:end], start)
        except RequestError as error:
            with pytest.raises(RequestError, match=re.escape(error.reason)):
                HeadParser(Limits()).parse(data[:end], 0)
            return
        again, after = HeadParser(Limits()).parse(data[:end], 0)
        assert (head is None, start) == (again is None, after)
        if head is not None:
            return


def refusal_of(data: bytes, ends: list[int], limits: Limits) -> tuple[int, str] | None:
    """Return how these bytes are refused when they arrive up to each of the ends."""
    parser, start = HeadParser(limits), 0
    for end in ends:
        try:
            head, start = parser.parse(data[:end], start)
        except RequestError as error:
            return error.status, error.reason
        if head is not None:
            return None
    return None


PIECES = [
    *BYTES,
    b" HTTP/1.1",
    b" HTTP/2.0",
    b"Host: here\r\n",
    b"A: \x01\r\n",
    b"\r\n\r\n",
    b"x" * 30,
]
FAULTY = st.lists(st.sampled_from(PIECES), max_size=12).map(b"".join)


@settings(max_examples=500, deadline=None)
@given(
    st.sampled_from([b"", GET, b"GET / HTTP/1.1\r\n"]),
    FAULTY,
    st.lists(st.integers(1, 120), max_size=3),
    st.sampled_from([Limits(), Limits(request_line=20), Limits(head=40)]),
)
@example(b"GET / HTTP/1.1\r\n", b"Host: here\r\nA: \x01\r\nB\n\r\n\r\n", [60], Limits())
@example(b"", b"GET / HTTP/2.0\r\nA\n\r\n\r\n", [5], Limits())
@example(b"", b"GET /" + b"x" * 60 + b"\r\n\r\n", [30], Limits(request_line=50, head=40))
def test_error_of_a_bad_head_does_not_depend_on_the_cuts(start, rest, cuts, limits):
    data = start + rest + b"\r\n\r\n"
    whole = refusal_of(data, [len(data)], limits)
    assert refusal_of(data, [*sorted(cuts), len(data)], limits) == whole
    assert refusal_of(data, list(range(1, len(data) + 1)), limits) == whole


def test_a_known_request_line_alone_is_not_a_complete_head():
    parser = known(GET + b"\r\n")
    for size in range(len(GET)):
        assert parser.parse(GET[:size], 0)[0] is None


def test_limits_apply_to_heads_remembered_under_other_limits():
    longer = b"GET /longer/than/the/first HTTP/1.1\r\nHost: here\r\n\r\n"
    known(longer)
    for limits in ({"request_line": 30}, {"head": 50}):
        narrow = known(GET + b"\r\n", **limits)
        with pytest.raises(RequestError):
            narrow.parse(longer, 0)


def test_remembered_request_lines_are_limited():
    parser = HeadParser(Limits())
    for number in range(1, 1100):
        parser.parse(b"GET /%d HTTP/1.1\r\nHost: here\r\n\r\n" % number, 0)
    assert len(lines_seen) <= 1024


def test_a_request_line_of_the_limit_is_accepted_in_two_parts(parse):
    line = b"GET /" + b"a" * 36 + b" HTTP/1.1"
    parser = HeadParser(Limits(request_line=len(line)))
    assert parser.parse(line + b"\r", 0) == (None, 0)
    head, _ = parser.parse(line + b"\r\nHost: a\r\n\r\n", 0)
    assert head.path == "/" + "a" * 36


def test_long_names_hosts_and_options_are_not_cached(parse):
    caches = (head_parser._known_field_name, head._known_options, head._is_known_host)
    line = b"GET / HTTP/1.1\r\n"
    parse(line + b"Host: a\r\nConnection: close\r\n\r\n")
    before = [cache.cache_info().currsize for cache in caches]
    options = b"Connection: close," + b",".join(b"o%d" % number for number in range(3000))
    found = parse(
        b"\r\n".join([line + b"Host: " + b"h" * 300, options, b"X" * 300 + b": v", b"", b""])
    )
    assert (found.keep_alive, found.headers["X" * 300]) == (False, "v")
    assert [cache.cache_info().currsize for cache in caches] == before
