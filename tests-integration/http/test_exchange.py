"""Exchanges in which one side waits for the other, and the requests that the application gets."""

import pytest


def post(length, *fields, path="/"):
    lines = [f"POST {path} HTTP/1.1", "Host: a", f"Content-Length: {length}", *fields, "", ""]
    return "\r\n".join(lines).encode()


@pytest.fixture
def connection(probe):
    with probe.connect() as connection:
        yield connection


# Expect (RFC 9110 10.1.1).


def test_100_comes_when_the_body_is_read(connection):
    connection.send(post(5, "Expect: 100-continue"))
    assert connection.answer().status == 100
    connection.send(b"hello")
    assert connection.answer().json["body"] == "hello"
    assert connection.kept()


def test_100_comes_once(connection):
    connection.send(post(5, "Expect: 100-continue"))
    assert connection.answer().status == 100
    connection.send(b"hel")
    connection.send(b"lo")
    assert connection.answer().status == 200


def test_100_comes_after_the_answers_before_it(connection):
    connection.send(post(2, path="/late") + b"ab" + post(5, "Expect: 100-continue"))
    assert connection.answer().json["body"] == "ab"
    assert connection.answer().status == 100
    connection.send(b"hello")
    assert connection.answer().json["body"] == "hello"


def test_a_body_that_waits_in_vain_is_never_read_as_a_request(probe, connection):
    """The final answer closes: whether the body still comes can't be known."""
    connection.send(post(30, "Expect: 100-continue", path="/unread"))
    answer = connection.answer()
    assert answer.status == 200
    assert answer.closes
    connection.send(b"GET /x HTTP/1.1\r\nHost: abcd\r\n\r\n")
    assert connection.gone()
    assert probe.ran(connection.port) == ["POST /unread"]


# Upgrades (RFC 9110 7.8).

UPGRADE = b"GET /upgrade HTTP/1.1\r\nHost: a\r\nConnection: x, Upgrade\r\nUpgrade: echo\r\n\r\n"


def test_an_upgrade_that_is_taken(connection):
    connection.send(UPGRADE)
    assert connection.answer().status == 101
    connection.send(b"hello")
    assert connection.file.read(10) == b"echo:hello"


def test_what_follows_a_taken_upgrade_is_the_new_protocols(probe, connection):
    follows = b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n"
    connection.send(UPGRADE + follows)
    assert connection.answer().status == 101
    assert connection.file.read(5 + len(follows)) == b"echo:" + follows
    connection.end()
    assert connection.ended()
    assert probe.ran(connection.port) == ["GET /upgrade"]


def test_an_upgrade_after_other_requests(connection):
    connection.send(post(1, path="/late") + b"a" + UPGRADE + b"hello")
    assert connection.answer().status == 200
    assert connection.answer().status == 101
    assert connection.file.read(10) == b"echo:hello"


# What the application sees.


def test_lines_of_one_name_are_joined(probe):
    headers = probe.get("/", "X: a", "x: b", "Cookie: c=d", "Cookie: e=f").json["headers"]
    assert headers["X"] == "a, b"
    assert headers["COOKIE"] == "c=d; e=f"


def test_underscore_is_not_read_as_a_hyphen(probe):
    headers = probe.get("/", "X_A: a", "X-A: b").json["headers"]
    assert (headers["X_A"], headers["X-A"]) == ("a", "b")


def test_values_are_utf_8_or_else_latin_1(probe):
    sent = b"GET / HTTP/1.1\r\nHost: a\r\nX: \xc3\xa9\r\nY: \xe9\r\n\r\n"
    headers = probe.ask(sent).json["headers"]
    assert (headers["X"], headers["Y"]) == ("é", "é")


def test_whitespace_around_a_value_is_not_of_it(probe):
    assert probe.get("/", "X: \t a b \t ").json["headers"]["X"] == "a b"


def test_the_authority_of_the_target_is_the_host(probe):
    answer = probe.ask(b"GET http://b:81/c?d HTTP/1.1\r\nHost: a\r\n\r\n").json
    assert (answer["host"], answer["path"], answer["query"]) == ("b:81", "/c", "d")


def test_trailers_are_not_merged_into_headers(probe):
    head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = probe.ask(head + b"1\r\na\r\n0\r\nX-Trailer: b\r\nHost: c\r\n\r\n").json
    assert answer["body"] == "a"
    assert answer["headers"] == {"HOST": "a", "TRANSFER-ENCODING": "chunked"}


def test_chunk_extensions_are_not_part_of_the_body(probe):
    head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert probe.ask(head + b"2;a=b\r\ncd\r\n0;e\r\n\r\n").json["body"] == "cd"


def test_a_higher_minor_version_is_1_1(probe):
    assert probe.ask(b"GET / HTTP/1.2\r\nHost: a\r\n\r\n").json["version"] == "1.1"


def test_each_request_has_a_context_of_its_own(connection):
    """Those too that begin when the client has caught up on the answers before."""
    paths = [f"/context/{number}" for number in range(200)]
    sent = "".join(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n" for path in paths)
    connection.send(sent.encode())
    assert {connection.answer().get("X-Seen") for _ in paths} == {"nothing"}


# What it gives.


def test_a_kept_connection_is_announced_to_1_0(probe):
    answer = probe.ask(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    assert answer.get("Connection") == "keep-alive"


def test_HEAD_may_tell_the_length_that_GET_would_have(connection):
    connection.send(b"HEAD /head/77 HTTP/1.1\r\nHost: a\r\n\r\n")
    assert connection.answer(bodiless=True).get("Content-Length") == "77"


@pytest.mark.parametrize(("version", "body"), [("1.1", b"onetwo3"), ("1.0", b"onetwo3")])
def test_a_stream_is_whole(probe, version, body):
    answer = probe.ask(f"GET /stream HTTP/{version}\r\nHost: a\r\n\r\n".encode())
    assert answer.body == body
    assert (answer.get("Transfer-Encoding") == "chunked") == (version == "1.1")


def test_205_says_that_it_is_empty(probe):
    answer = probe.get("/status/205")
    assert (answer.body, answer.get("Content-Length")) == (b"", "0")


def test_error_response_reveals_nothing(probe):
    answer = probe.get("/raise")
    assert (answer.status, answer.body) == (500, b"Internal Server Error")


def test_a_header_that_frames_is_recognised_in_any_case(probe):
    answer = probe.get("/length/5?5")
    assert answer.all("Content-Length") == ["5"]


def test_an_own_date_stands_alone(probe):
    answer = probe.get("/header/[%22date%22,%22Thu,%2001%20Jan%201970%2000:00:00%20GMT%22]")
    assert answer.all("Date") == ["Thu, 01 Jan 1970 00:00:00 GMT"]


def test_only_the_server_frames_the_message(probe):
    answer = probe.get("/header/[%22Transfer-Encoding%22,%22chunked%22]")
    assert (answer.all("Transfer-Encoding"), answer.body) == ([], b"sent")
