"""A framework that was written from FRAMEWORKS.md serves real clients, in its own process."""

from __future__ import annotations

import ast
import http.client
import importlib.util
import json
import queue
import signal
import socket
import struct
import subprocess
import sys
import threading
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
PATIENCE = 60  # seconds after which a test that waits has failed
LOOPS = ["asyncio", *(["uvloop"] if importlib.util.find_spec("uvloop") else [])]


class Program:
    """The example site, and what it prints."""

    def __init__(self, loop):
        command = [sys.executable, FOLDER / "example.py", loop]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.lines = queue.Queue()
        self.seen = []
        threading.Thread(target=self._read, daemon=True).start()
        self.port = int(self.wait_for("port ").split()[1])

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))

    def wait_for(self, start):
        """Return the next line that begins so."""
        while True:
            line = self.lines.get(timeout=PATIENCE)
            self.seen.append(line)
            if line.startswith(start):
                return line

    def client(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), PATIENCE)

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(PATIENCE) == 0


@pytest.fixture(scope="module", params=LOOPS)
def program(request):
    program = Program(request.param)
    yield program
    if program.process.poll() is None:
        program.end()
    program.process.stdout.close()


@pytest.fixture(params=LOOPS)
def ending(request):
    """A program of the test's own, which the test ends."""
    program = Program(request.param)
    yield program
    if program.process.poll() is None:
        program.process.kill()
        program.process.wait()
    program.process.stdout.close()


@pytest.fixture
def ask(program):
    """Ask over one connection, which stays open; gives the response with its body as `data`."""
    client = program.client()

    def ask(method, path, body=None, **headers):
        client.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
        response = client.getresponse()
        response.data = response.read()
        return response

    ask.client = client
    yield ask
    client.close()


def test_framework_imports_nothing_of_roll_but_roll_http():
    for name in ("framework.py", "example.py"):
        nodes = list(ast.walk(ast.parse((FOLDER / name).read_text())))
        names = {
            alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names
        }
        names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
        assert {name for name in names if name.startswith("roll")} <= {"roll_http"}


def test_routes_answer_by_path_and_method(ask):
    assert ask("GET", "/hello").data == b"Hello nobody"
    assert ask("GET", "/hello?name=Ada").data == b"Hello Ada"
    assert ask("DELETE", "/nothing").status == 204
    refused = ask("POST", "/hello")
    assert (refused.status, refused.headers["Allow"]) == (405, "GET")


def test_head_has_the_length_and_no_body(ask):
    answer = ask("HEAD", "/hello?name=Ada")
    assert (answer.data, answer.headers["Content-Length"]) == (b"", "9")


def test_middleware_wraps_handlers_from_the_outside_in(ask):
    assert ask("GET", "/hello").headers["X-Order"] == "inner outer"


def test_before_hook_answers_in_place_of_the_handler(ask):
    answer = ask("GET", "/closed")
    assert (answer.status, answer.headers["Retry-After"], answer.data) == (503, "60", b"Back soon")
    assert answer.headers["Server"] == "foreign"


@pytest.mark.parametrize("path", ["/hello", "/closed", "/nowhere", "/forbidden"])
def test_after_hook_sees_every_reply(ask, path):
    assert ask("GET", path).headers["Server"] == "foreign"


def test_error_pages_are_those_of_the_framework(ask):
    missing = ask("GET", "/nowhere")
    assert (missing.status, missing.data) == (404, b"<h1>Nothing at /nowhere</h1>")
    assert missing.headers["Content-Type"] == "text/html; charset=utf-8"
    forbidden = ask("GET", "/forbidden")
    assert (forbidden.status, forbidden.data) == (403, b"Not for you")


def test_failure_is_logged_and_its_text_kept_from_the_client(ask, program):
    answer = ask("GET", "/fail")
    assert (answer.status, answer.data) == (500, b"Something went wrong")
    program.wait_for("log foreign GET /fail failed")
    program.wait_for("LookupError: secret detail")
    assert ask("GET", "/hello").status == 200  # on the same connection


def test_reply_that_cannot_be_sent_is_a_500_without_injection(ask, program):
    answer = ask("GET", "/not-sendable")
    assert answer.status == 500
    assert "Injected" not in answer.headers
    program.wait_for("log roll_http ")


def test_cookie_that_was_set_is_read_from_a_later_request(ask):
    body = json.dumps({"user": "Ada"})
    answer = ask("POST", "/login", body, Content_Type="application/json")
    assert (answer.status, answer.headers["Location"]) == (303, "/hello")
    assert answer.headers["Set-Cookie"] == "user=Ada; Path=/; HttpOnly"
    assert ask("GET", "/hello", Cookie="user=Ada").data == b"Hello Ada"


def test_malformed_json_is_a_400(ask):
    answer = ask("POST", "/login", "{", Content_Type="application/json")
    assert (answer.status, answer.data) == (400, b"Unparsable JSON body")


@pytest.mark.parametrize("size", [0, 1, 999_999])
def test_body_streams_through_the_request_class(ask, size):
    answer = ask("POST", "/upload", b"x" * size)
    assert json.loads(answer.data) == {"size": size, "counted": size}


def test_body_beyond_the_limit_of_its_handler_is_a_413(ask):
    assert ask("POST", "/upload", b"x" * 1_000_001).status == 413


def test_chunked_body_arrives_whole(ask):
    ask.client.request("POST", "/upload", iter([b"abc", b"de"]), encode_chunked=True)
    assert json.loads(ask.client.getresponse().read()) == {"size": 5, "counted": 5}


def test_generator_is_streamed_and_closed(ask, program):
    answer = ask("GET", "/numbers?to=3")
    assert (answer.headers["Transfer-Encoding"], answer.data) == ("chunked", b"0\n1\n2\n")
    program.wait_for("numbers closed")


def test_generator_that_raises_never_looks_whole(ask, program):
    with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
        ask("GET", "/numbers?to=20")
    program.wait_for("numbers closed")


def test_endless_generator_is_closed_when_its_client_leaves(program):
    with program.connect() as sock:
        sock.sendall(b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n")
        assert sock.recv(1000).startswith(b"HTTP/1.1 200 OK\r\n")
        reset(sock)
    program.wait_for("endless closed")


def test_handler_is_cancelled_when_its_client_leaves(program):
    with program.connect() as sock:
        sock.sendall(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
        program.wait_for("waiting")
    program.wait_for("wait cancelled")


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def test_running_requests_are_seen_from_another_connection(ask, program):
    with program.connect() as sock:
        sock.sendall(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
        program.wait_for("waiting")
        assert json.loads(ask("GET", "/busy").data) == ["/busy", "/wait"]
    program.wait_for("wait cancelled")


def test_answered_requests_are_logged_with_status_and_size(ask, program):
    ask("GET", "/hello?name=Ada")
    program.wait_for("GET /hello 200 9")
    ask("GET", "/nowhere")
    program.wait_for("GET /nowhere 404 28")


def test_pipelined_requests_are_answered_in_order(program):
    with program.connect() as sock, sock.makefile("rb") as answers:
        first = b"GET /hello?name=%d HTTP/1.1\r\nHost: a\r\n\r\n"
        last = b"GET /hello?name=9 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        sock.sendall(b"".join(first % number for number in range(9)) + last)
        text = answers.read().decode()
    assert [part[0] for part in text.split("Hello ")[1:]] == list("0123456789")


UPGRADE = (
    b"GET /room HTTP/1.1\r\nHost: a\r\nUpgrade: other, reverse/1\r\nConnection: Upgrade\r\n\r\n"
)


class Conversation:
    """A client of the line protocol, which may send lines together with its request."""

    def __init__(self, program, early=b""):
        self.sock = program.connect()
        self.file = self.sock.makefile("rb")
        self.sock.sendall(UPGRADE + early)

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.file.close()
        self.sock.close()

    def head(self):
        lines = []
        while (line := self.file.readline()) not in {b"\r\n", b""}:
            lines.append(line)
        return b"".join(lines)


def test_upgrade_hands_over_the_connection_and_its_early_bytes(program):
    with Conversation(program, b"abc\nde") as conversation:
        head = conversation.head()
        assert head.startswith(b"HTTP/1.1 101 ")
        assert b"Upgrade: reverse/1\r\n" in head
        assert conversation.file.readline() == b"cba\n"
        conversation.sock.sendall(b"f\nquit\n")
        assert conversation.file.read() == b"fed\n"
    program.wait_for("conversation ends")


def test_conversation_ends_when_its_client_leaves(program):
    with Conversation(program) as conversation:
        assert conversation.head()
    program.wait_for("conversation ends")


def test_failed_conversation_closes_its_connection_and_is_logged(program):
    with Conversation(program, b"fail\n") as conversation:
        assert conversation.head()
        assert conversation.file.read() == b""
    program.wait_for("LookupError: a mistake of the conversation")


def test_request_with_an_unknown_upgrade_is_answered_as_usual(ask):
    answer = ask("GET", "/hello", Upgrade="h2c", Connection="Upgrade")
    assert (answer.status, answer.data) == (200, b"Hello nobody")


def test_shutdown_answers_running_requests(ending):
    """Idle connections are closed, a running upload is answered, a conversation gets its bye."""
    with ending.connect() as idle, ending.connect() as upload, Conversation(ending) as talk:
        idle.sendall(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
        assert idle.recv(1000).endswith(b"Hello nobody")
        upload.sendall(b"POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc")
        ending.wait_for("upload begins")
        assert talk.head()

        ending.process.send_signal(signal.SIGTERM)
        assert idle.recv(1000) == b""  # the shutdown has begun
        assert talk.file.read() == b"bye\n"
        upload.sendall(b"def")
        with upload.makefile("rb") as file:
            answer = file.read()
        assert b"\r\nConnection: close\r\n" in answer
        assert answer.endswith(b'{"size":6,"counted":6}')
        assert ending.process.wait(PATIENCE) == 0
    ending.wait_for("stopped")
    assert ending.seen[-2] == "background task ended"
    assert "conversation ends" in ending.seen
    assert "POST /upload 200 22" in ending.seen


def test_second_interrupt_cancels_running_requests_and_the_site_stops(ending):
    with ending.connect() as waiting, ending.connect() as idle:
        idle.sendall(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
        assert idle.recv(1000)
        waiting.sendall(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
        ending.wait_for("waiting")
        ending.process.send_signal(signal.SIGINT)
        assert idle.recv(1000) == b""
        ending.process.send_signal(signal.SIGINT)
        with pytest.raises(ConnectionResetError):
            waiting.recv(1000)
        assert ending.process.wait(PATIENCE) == 0
    ending.wait_for("wait cancelled")
    ending.wait_for("stopped")
