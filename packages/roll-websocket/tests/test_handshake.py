"""Accepted handshakes, and the answers to refused ones."""

from types import SimpleNamespace
from typing import Any

import pytest

from roll_websocket import HandshakeError, WSProtocol

UPGRADE = {"Upgrade": "websocket", "Connection": "Upgrade"}
GOOD = {
    "HOST": "localhost:3579",
    "CONNECTION": "keep-alive, upgrade",
    "UPGRADE": "WebSocket",
    "SEC-WEBSOCKET-VERSION": "13",
    "SEC-WEBSOCKET-KEY": "dGhlIHNhbXBsZSBub25jZQ==",
}


def request(method: str = "GET", version: str = "1.1", **changes: str | None) -> Any:
    """A handshake as an HTTP server gives it."""
    named = {name.replace("_", "-"): value for name, value in changes.items()}
    headers = {name: value for name, value in (GOOD | named).items() if value is not None}
    return SimpleNamespace(method=method, version=version, headers=headers)


def refused(wanted: Any, **options: Any) -> HandshakeError:
    with pytest.raises(HandshakeError) as caught:
        WSProtocol(wanted).handshake(**options)
    return caught.value


def fields(answer: bytes) -> list[str]:
    lines = answer.decode("latin-1").split("\r\n")
    assert lines[0] == "HTTP/1.1 101 Switching Protocols"
    assert lines[-2:] == ["", ""]
    return lines[1:-2]


def test_a_good_request_gets_the_accept_value_of_the_rfc() -> None:
    lines = fields(WSProtocol(request()).handshake())
    assert "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in lines
    assert "Upgrade: websocket" in lines
    assert "Connection: Upgrade" in lines
    assert not any(line.startswith("Sec-WebSocket-Protocol") for line in lines)


@pytest.mark.parametrize(
    ("wanted", "status", "headers"),
    [
        (request(UPGRADE=None), 426, UPGRADE),
        (request(UPGRADE=""), 426, UPGRADE),
        (request(CONNECTION=None), 426, UPGRADE),
        (request(CONNECTION="keep-alive"), 426, UPGRADE),
        (request(UPGRADE="h2c"), 501, {}),
        (request(SEC_WEBSOCKET_VERSION="8"), 426, UPGRADE | {"Sec-WebSocket-Version": "13"}),
        (request(SEC_WEBSOCKET_VERSION=None), 426, UPGRADE | {"Sec-WebSocket-Version": "13"}),
        (request(SEC_WEBSOCKET_VERSION="13, 8"), 426, UPGRADE | {"Sec-WebSocket-Version": "13"}),
        (request(SEC_WEBSOCKET_KEY=None), 400, {}),
        (request(SEC_WEBSOCKET_KEY="short"), 400, {}),
        (request(SEC_WEBSOCKET_KEY="c2hvcnQ="), 400, {}),
        (request(SEC_WEBSOCKET_KEY=", ".join([GOOD["SEC-WEBSOCKET-KEY"]] * 2)), 400, {}),
        (request(method="POST"), 405, {"Allow": "GET"}),
        (request(version="1.0"), 505, {}),
        (request(HOST=None), 400, {}),
        (request(HOST=""), 400, {}),
        (request(HOST="one.example, two.example"), 400, {}),
        (request(HOST="evil/path"), 400, {}),
        (request(HOST="name:port"), 400, {}),
        (request(CONTENT_LENGTH="5"), 400, {}),
        (request(TRANSFER_ENCODING="chunked"), 400, {}),
        (request(SEC_WEBSOCKET_EXTENSIONS="a b"), 400, {}),
        (request(SEC_WEBSOCKET_EXTENSIONS="a," * 1025), 400, {}),
        (request(SEC_WEBSOCKET_EXTENSIONS="\udcff"), 400, {}),
    ],
)
def test_refusal_of_a_bad_request_has_the_required_fields(
    wanted: Any, status: int, headers: dict[str, str]
) -> None:
    error = refused(wanted)
    assert (error.status, error.headers) == (status, headers)
    assert error.message == str(error)
    assert error.message.endswith(".")


@pytest.mark.parametrize(
    "host", ["localhost", "[::1]:80", "xn--e1afmkfd.example:", "10.0.0.1:8080"]
)
def test_these_hosts_are_good(host: str) -> None:
    assert WSProtocol(request(HOST=host)).handshake()


def test_websocket_is_found_among_other_upgrades() -> None:
    assert WSProtocol(request(UPGRADE="h2c, websocket")).handshake()


def test_a_foreign_origin_is_refused_where_origins_are_listed() -> None:
    foreign = request(ORIGIN="https://evil.example")
    assert refused(foreign, origins=["https://good.example"]).status == 403
    assert refused(foreign, origins="https://evil.example.org").status == 403


@pytest.mark.parametrize("origin", ["https://good.example", None])
def test_a_listed_origin_and_none_are_let_through(origin: str | None) -> None:
    for origins in (["https://other.example", "https://good.example"], "https://good.example"):
        assert WSProtocol(request(ORIGIN=origin)).handshake(origins=origins)


def test_without_origins_any_is_let_through() -> None:
    assert WSProtocol(request(ORIGIN="https://evil.example")).handshake()


def test_the_subprotocol_is_the_first_of_the_client_s_that_is_known() -> None:
    ws = WSProtocol(request(SEC_WEBSOCKET_PROTOCOL="other, chat, superchat"))
    lines = fields(ws.handshake(subprotocols=["superchat", "chat"]))
    assert ws.subprotocol == "chat"
    assert "Sec-WebSocket-Protocol: chat" in lines


def test_a_str_is_one_subprotocol() -> None:
    ws = WSProtocol(request(SEC_WEBSOCKET_PROTOCOL="hat, chat"))
    ws.handshake(subprotocols="chat")
    assert ws.subprotocol == "chat"


@pytest.mark.parametrize("offer", ["other", None])
def test_no_common_subprotocol_means_none_is_negotiated(offer: str | None) -> None:
    ws = WSProtocol(request(SEC_WEBSOCKET_PROTOCOL=offer))
    lines = fields(ws.handshake(subprotocols=["chat"]))
    assert ws.subprotocol is None
    assert not any(line.startswith("Sec-WebSocket-Protocol") for line in lines)


def test_compression_has_windows_of_4_kib_both_ways() -> None:
    offer = "permessage-deflate; client_max_window_bits"
    lines = fields(WSProtocol(request(SEC_WEBSOCKET_EXTENSIONS=offer)).handshake())
    (line,) = [line for line in lines if line.startswith("Sec-WebSocket-Extensions")]
    assert "server_max_window_bits=12" in line
    assert "client_max_window_bits=12" in line


def test_compression_can_be_off() -> None:
    wanted = request(SEC_WEBSOCKET_EXTENSIONS="permessage-deflate")
    lines = fields(WSProtocol(wanted).handshake(compression=False))
    assert not any(line.startswith("Sec-WebSocket-Extensions") for line in lines)


def test_headers_of_the_application_go_out_with_the_101() -> None:
    lines = fields(WSProtocol(request()).handshake([("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]))
    assert lines[-2:] == ["Set-Cookie: a=1", "Set-Cookie: b=2"]


def test_headers_that_belong_to_the_handshake_are_left_out() -> None:
    ours = WSProtocol(request())
    names = [
        "Content-Length",
        "connection",
        "UPGRADE",
        "Transfer-Encoding",
        "Sec-WebSocket-Accept",
    ]
    assert len(fields(ours.handshake([(name, "0") for name in names]))) == 4


@pytest.mark.parametrize(
    ("name", "value"),
    [("X", "a\r\nY: b"), ("X\nY", "a"), ("X", "\0"), ("", "a"), ("X", "é\u20ac")],
)
def test_a_header_that_would_break_the_head_is_an_error(name: str, value: str) -> None:
    with pytest.raises(ValueError, match="cannot be sent"):
        WSProtocol(request()).handshake([(name, value)])


def test_unexpected_error_is_not_shown_to_the_client(log: pytest.LogCaptureFixture) -> None:
    class Broken(list[str]):
        def __contains__(self, name: object) -> bool:
            raise RuntimeError("secret")

    wanted = request(SEC_WEBSOCKET_PROTOCOL="chat")
    error = refused(wanted, subprotocols=Broken())
    assert (error.status, error.message) == (500, "Internal Server Error")
    assert "secret" in log.text
