"""Features of Roll applications: routes, methods, limits of a route, errors, websockets."""

import pytest

CASES = "roll.toml"


@pytest.fixture(scope="module")
def probe(serve):
    with serve("probe_roll.py") as probe:
        yield probe


def test_answer(probe, case):
    probe.judge(case, probe.whole)


def test_404_has_the_path_as_text(probe):
    answer = probe.get("/%3Cscript%3E")
    assert answer.body == b"/<script>"
    assert answer.get("Content-Type") == "text/plain; charset=utf-8"


def test_405_lists_the_allowed_methods(probe):
    allowed = probe.ask(b"DELETE / HTTP/1.1\r\nHost: a\r\n\r\n").get("Allow")
    assert {method.strip() for method in allowed.split(",")} >= {"GET", "HEAD", "POST"}


def test_500_reveals_nothing(probe):
    answer = probe.get("/raise")
    assert answer.body == b"Internal Server Error"
    assert "nobody" not in str(answer.fields)


def test_HEAD_has_the_fields_of_a_GET(probe):
    with probe.connect() as connection:
        connection.send(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
        head = connection.answer(bodiless=True)
    names = [name for name, _ in probe.get("/").fields]
    assert [name for name, _ in head.fields] == names


def test_a_websocket_gets_what_followed_its_head(probe):
    """A close frame sent along with the handshake is read by the websocket, not as a request."""
    head = b"GET /chat HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
    keys = b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    with probe.connect() as connection:
        connection.send(head + keys + b"\x88\x80\0\0\0\0")
        assert connection.answer().status == 101
        assert connection.file.read().endswith(b"\x88\x00")
