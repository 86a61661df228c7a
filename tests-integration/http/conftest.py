"""The probe: a client of plain sockets, as strict as the RFCs, against a server process."""

import contextlib
import json
import re
import signal
import socket
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest

CASES = "cases/*.toml"
HERE = Path(__file__).parent
SUPPORT = HERE.parent / "support"
# A hang guard in seconds: nothing waits that long when all is well.
PATIENCE = 20

STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-5][0-9][0-9]) [ -~]*\r\n")
FIELD_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+): ([^\x00-\x08\x0a-\x1f\x7f]*)\r\n")
CHUNK_LINE = re.compile(rb"([0-9a-f]+)\r\n")
REPEATED = re.compile(r"\{(\d+)\*([^}]+)\}")


class Cut(Exception):
    """The connection ended within an answer."""


class Answer(NamedTuple):
    status: int
    fields: list[tuple[str, str]]
    body: bytes

    def all(self, name):
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def get(self, name):
        (value,) = self.all(name) or [None]
        return value

    @property
    def closes(self):
        return "close" in (self.get("Connection") or "").lower().split(", ")

    @property
    def json(self):
        return json.loads(self.body)


class Connection:
    """One connection to the server, and what it answers."""

    def __init__(self, port):
        self.sock = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port = self.sock.getsockname()[1]
        self.file = self.sock.makefile("rb")
        self.dripped = False

    def send(self, data):
        """Send data; ignore that the server has already closed the connection."""
        with contextlib.suppress(ConnectionError):
            self.sock.sendall(data)

    def drip(self, data):
        self.dripped = True
        with contextlib.suppress(ConnectionError):
            for byte in data:
                self.sock.send(bytes([byte]))

    def end(self):
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_WR)

    def answer(self, bodiless=False):
        """The next answer; raises `Cut` when the connection ends before the answer does."""
        try:
            return self._answer(bodiless)
        except ConnectionResetError as error:
            raise Cut("reset") from error

    def _answer(self, bodiless):
        status = int(self._match(STATUS_LINE)[1])
        fields = []
        while (line := self.file.readline()) != b"\r\n":
            match = FIELD_LINE.fullmatch(line) or self._fail(line)
            fields.append((match[1].decode(), match[2].decode()))
        head = Answer(status, fields, b"")
        if status < 200 or status == 204:
            assert not head.all("Content-Length"), "RFC 9110 8.6"
        if status < 200 or status in {204, 304} or bodiless:
            assert not (status < 205 and head.all("Transfer-Encoding")) or bodiless, "RFC 9112 6.1"
            return head
        return head._replace(body=self._body(head))

    def _body(self, head):
        coding, length = head.get("Transfer-Encoding"), head.get("Content-Length")
        assert coding is None or length is None, "RFC 9112 6.2"
        if coding is not None:
            assert coding == "chunked"
            return b"".join(self._chunks())
        return self.file.read() if length is None else self._exactly(int(length))

    def _chunks(self):
        while size := int(self._match(CHUNK_LINE)[1], 16):
            yield self._exactly(size)
            assert self._exactly(2) == b"\r\n"
        assert self._exactly(2) == b"\r\n"

    def _match(self, pattern):
        line = self.file.readline()
        return pattern.fullmatch(line) or self._fail(line)

    def _exactly(self, size):
        data = self.file.read(size)
        return data if len(data) == size else self._fail(data)

    def _fail(self, data):
        assert not data.endswith(b"\n"), f"{data!r} has no place here"
        raise Cut(repr(data))

    def ended(self):
        """The server has closed: nothing more comes, and the connection was not reset."""
        return self.file.read(1) == b""

    def gone(self):
        """The server has closed, in whichever way."""
        try:
            return self.ended()
        except ConnectionResetError:
            return True

    def kept(self):
        self.send(b"GET /kept HTTP/1.1\r\nHost: probe\r\n\r\n")
        return self.answer().body == b"kept"

    def close(self):
        self.file.close()
        self.sock.close()


class Probe:
    """A server process, and connections to it."""

    def __init__(self, program, *args):
        self.log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed by `stop`
        self.process = subprocess.Popen(
            [sys.executable, str(SUPPORT / program), *args],
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
        )
        self.port = int(self.process.stdout.readline())

    @contextlib.contextmanager
    def connect(self):
        connection = Connection(self.port)
        try:
            yield connection
        finally:
            connection.close()

    def ask(self, data):
        """The single answer to what is sent."""
        with self.connect() as connection:
            connection.send(data)
            return connection.answer()

    def get(self, target, *fields):
        lines = [f"GET {target} HTTP/1.1", "Host: probe", *fields, "", ""]
        return self.ask("\r\n".join(lines).encode())

    def ran(self, port):
        """The requests that the application ran for the connection from a port."""
        return self.get(f"/ran/{port}").json

    def stop(self):
        """The log, once the server has ended as it should."""
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=PATIENCE)
        with self.log:
            self.log.seek(0)
            log = self.log.read()
        assert self.process.returncode == 0, log
        return log

    whole = staticmethod(Connection.send)
    drip = staticmethod(Connection.drip)

    def judge(self, case, send):
        """Send what a case sends, and check that what comes back is what may come back.

        What is dripped may still arrive after the answer: the server can't always say
        that it will close, and closes before all has come.
        """
        *answers, end = case.back.split(" > ")
        with self.connect() as connection:
            self.ran(connection.port)  # forget who had this port before
            send(connection, case.sent)
            if case.ends:
                connection.end()
            last = [self._judge_answer(connection, wanted) for wanted in answers]
            self._judge_end(connection, end.split("/"), case, last)
        assert self.ran(connection.port) == [ran for _, _, ran in map(split, answers) if ran]

    def _judge_end(self, connection, ends, case, last):
        closes = bool(last and last[-1] and last[-1].closes)
        end = ends[closes] if len(ends) > 1 else ends[0]
        if end == "kept":
            assert not closes
            assert connection.kept()
        elif end == "closed" and connection.dripped:
            assert connection.gone()
        elif end == "closed":
            assert connection.ended()
            assert case.ends or closes, "RFC 9112 9.6"

    def _judge_answer(self, connection, wanted):
        statuses, bodiless, ran = split(wanted)
        if statuses == ["cut"]:
            with pytest.raises(Cut):
                connection.answer()
            return None
        answer = connection.answer(bodiless)
        if answer.status == 100 and connection.dripped:  # the body was not there yet
            answer = connection.answer(bodiless)
        assert str(answer.status) in statuses, answer
        if answer.status >= 200:
            assert answer.get("Date"), "RFC 9110 6.6.1"
        assert answer.get("X-Ran") in {ran, None}
        return answer


def split(wanted):
    """`200- HEAD /` is the status 200, without a body, after HEAD / was run."""
    statuses, _, ran = wanted.partition(" ")
    return statuses.rstrip("-").split("/"), statuses.endswith("-"), ran


class Case(NamedTuple):
    """One row of the tables in `cases/`."""

    what: str
    section: str
    sent: bytes
    back: str
    ends: bool

    @classmethod
    def read(cls, what, row):
        section, sent, back, *ends = row
        return cls(what, section, repeat(sent).encode("latin-1"), repeat(back), bool(ends))


def repeat(text):
    return REPEATED.sub(lambda match: match[2] * int(match[1]), text)


def read_cases(files):
    for path in sorted(HERE.glob(files)):
        for section, rows in tomllib.loads(path.read_text()).items():
            for what, row in rows.items():
                yield Case.read(f"{section}: {what}", row)


def pytest_generate_tests(metafunc):
    if "case" in metafunc.fixturenames:
        files = getattr(metafunc.module, "CASES", CASES)
        wanted = getattr(metafunc.module, "WANTED", {}).get(metafunc.function.__name__)
        cases = list(filter(wanted, read_cases(files)))
        metafunc.parametrize("case", cases, ids=lambda case: case.what)


@pytest.fixture(scope="session")
def cases():
    return list(read_cases(CASES))


@pytest.fixture(scope="session", params=["asyncio", "uvloop"])
def loop_name(request):
    if request.param == "uvloop":
        pytest.importorskip("uvloop")
    return request.param


@pytest.fixture(scope="session")
def serve(loop_name):
    """Run a server while a block lasts: `with serve("probe_app.py", head=100) as probe:`."""

    @contextlib.contextmanager
    def run(program, **limits):
        probe = Probe(program, loop_name, json.dumps(limits))
        try:
            yield probe
        finally:
            if probe.process.poll() is None:
                probe.stop()

    return run


@pytest.fixture(scope="session")
def probe(serve):
    with serve("probe_app.py") as probe:
        yield probe
