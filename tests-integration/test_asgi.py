"""A Roll application on other ASGI servers: real servers, curl and websockets."""

import hashlib
import json
import socket
import sys
from pathlib import Path

import pytest
from websockets import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect as connect_websocket

SUPPORT = Path(__file__).parent / "support"

SERVERS = {
    "uvicorn": ["-m", "uvicorn", "asgi_app:app", "--port", "{port}"],
    "hypercorn": ["-m", "hypercorn", "asgi_app:app", "--bind", "127.0.0.1:{port}"],
    "granian": ["-m", "granian", "--interface", "asgi", "asgi_app:app", "--port", "{port}"],
    "daphne": ["-m", "daphne", "-p", "{port}", "asgi_app:app"],
    "gunicorn": ["-m", "gunicorn", "-k", "asgi", "-b", "127.0.0.1:{port}", "asgi_app:app"],
}
# What a server has not got, or does in its own way.
NO_LIFESPAN = {"daphne"}
HURRIED = {"granian"}  # may end its worker before the shutdown is over
NO_REFUSAL = {"daphne", "gunicorn"}  # a refused handshake is a 403 without a body
NO_REASON = {"daphne", "granian"}  # of a close


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return sock.getsockname()[1]


@pytest.fixture(params=SERVERS, scope="module")
def server(request, run_for_module):
    """A running server, with its name and its URL."""
    port = free_port()
    argv = [word.format(port=port) for word in SERVERS[request.param]]
    program = run_for_module(sys.executable, *argv, cwd=SUPPORT)
    if request.param not in NO_LIFESPAN:
        program.wait_for("^started")
    program.name, program.url = request.param, f"http://127.0.0.1:{port}"
    wait_until_accepting(port)
    return program


def wait_until_accepting(port):
    while True:
        with socket.socket() as sock:
            if sock.connect_ex(("127.0.0.1", port)) == 0:
                return


def test_requests_and_responses_are_those_of_rolls_own_server(server, curl):
    answer = curl(f"{server.url}/")
    assert (answer.status, answer.body) == (200, "hello")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["content-length"] == "5"
    assert answer.headers["x-event"] == "response"
    headers = ["-H", "X-Twice: a", "-H", "X-Twice: b", "-H", "Cookie: c=1; d=2"]
    answer = curl(f"{server.url}/seen/caf%C3%A9%20b?x=1&x=%26&y", *headers)
    found = json.loads(answer.body)
    found["raw"] = [name.lower() for name in found["raw"]]
    assert found == {
        "name": "caf\u00e9 b",
        "method": "GET",
        "query": {"x": ["1", "&"], "y": [""]},
        "cookies": {"c": "1", "d": "2"},
        "twice": "a, b",
        "client": "127.0.0.1",
        "scheme": "http",
        "host": "127.0.0.1",
        "raw": ["x-twice", "x-twice"],
    }
    assert curl(f"{server.url}/", "-I").body == ""
    assert curl(f"{server.url}/empty").status == 204
    assert curl(f"{server.url}/stream").body == "0\n1\n2\n"
    assert curl(f"{server.url}/json", "-d", '{"a":[1]}').body == '{"a":[1]}'


def test_errors_are_those_of_rolls_own_server(server, curl):
    assert curl(f"{server.url}/none").status == 404
    answer = curl(f"{server.url}/", "-X", "DELETE")
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")
    answer = curl(f"{server.url}/refuse")
    assert (answer.status, answer.body, answer.headers["x-event"]) == (418, "tea", "response")
    answer = curl(f"{server.url}/broken")
    assert (answer.status, answer.body) == (500, "Internal Server Error")
    assert curl(f"{server.url}/unsendable").status == 500
    answer = curl(f"{server.url}/json", "-d", "[" + "1," * 600 + "1]")
    assert answer.status == 413
    assert curl(f"{server.url}/json", "-d", "{").status == 400


def test_large_upload_is_read_while_it_arrives(server, curl, tmp_path):
    data = bytes(range(256)) * 4 * 4096
    file = tmp_path / "data"
    file.write_bytes(data)
    expected = hashlib.sha256(data).hexdigest()
    for more in ([], ["-H", "Transfer-Encoding: chunked"]):
        answer = curl(f"{server.url}/hash", "--data-binary", f"@{file}", "-X", "POST", *more)
        assert answer.body == expected


def connect(server):
    host, _, port = server.url.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)))


def test_stream_ends_when_its_client_leaves(server):
    with connect(server) as peer:
        peer.sendall(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
        assert peer.recv(1000)
    server.wait_for("stream closed")


def test_handler_is_cancelled_when_its_client_leaves(server):
    with connect(server) as peer:
        peer.sendall(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
        server.wait_for("waiting")
    server.wait_for("handler cancelled")


def test_reader_of_a_body_gets_client_disconnected(server):
    if server.name == "daphne":
        pytest.skip("daphne calls the application once the whole body has come")
    with connect(server) as peer:
        peer.sendall(b"POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc")
        server.wait_for("chunk")
    server.wait_for("upload lost")


def ws_url(server, path):
    return server.url.replace("http", "ws") + path


def test_websocket_talks(server):
    url = ws_url(server, "/ws?a=b")
    with connect_websocket(url, subprotocols=["other", "chat"]) as ws:
        assert json.loads(ws.recv()) == ["/ws", "a=b", "chat"]
        for message in ("text \u00e9", b"bytes", "x" * 100_000):
            ws.send(message)
            assert ws.recv() == message
        ws.close()
    server.wait_for("websocket closed: True")


@pytest.mark.parametrize(
    ("path", "origin", "status"),
    [("/none", None, 404), ("/ws/origin", "https://evil.example", 403), ("/", None, 200)],
)
def test_handshake_is_refused(server, path, origin, status):
    with pytest.raises(InvalidStatus) as caught:
        connect_websocket(ws_url(server, path), origin=origin)
    assert caught.value.response.status_code == (403 if server.name in NO_REFUSAL else status)


def test_websocket_is_closed_as_the_handler_says(server):
    with connect_websocket(ws_url(server, "/ws/close")) as ws:
        with pytest.raises(ConnectionClosed):
            ws.recv()
        assert ws.close_code == 4001
        if server.name not in NO_REASON:
            assert ws.close_reason == "enough"
    with connect_websocket(ws_url(server, "/ws/fail")) as ws:
        with pytest.raises(ConnectionClosed):
            ws.recv()
        assert ws.close_code == 1011
    with connect_websocket(ws_url(server, "/ws/origin"), origin="https://example.org") as ws:
        assert ws.recv() == "in"


@pytest.mark.parametrize("name", sorted(SERVERS.keys() - NO_LIFESPAN - HURRIED))
def test_application_is_shut_down_with_the_server(name, run):
    argv = [word.format(port=free_port()) for word in SERVERS[name]]
    program = run(sys.executable, *argv, cwd=SUPPORT)
    program.wait_for("^started")
    program.process.terminate()
    program.wait_for("shut down")


def test_http_2_is_served_by_hypercorn(run, curl):
    port = free_port()
    program = run(
        sys.executable,
        "-m",
        "hypercorn",
        "asgi_app:app",
        "--bind",
        f"127.0.0.1:{port}",
        cwd=SUPPORT,
    )
    program.wait_for("^started")
    wait_until_accepting(port)
    url = f"http://127.0.0.1:{port}"
    answer = curl(f"{url}/seen/x", "--http2-prior-knowledge", "-d", "body")
    assert (answer.status, json.loads(answer.body)["method"]) == (200, "POST")
    assert curl(f"{url}/stream", "--http2-prior-knowledge").body == "0\n1\n2\n"
    assert curl(f"{url}/hash", "--http2-prior-knowledge", "-d", "abc").body == (
        hashlib.sha256(b"abc").hexdigest()
    )
