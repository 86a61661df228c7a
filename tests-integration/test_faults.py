"""Faults that a server on the open internet survives, in a real process on either loop.

The sizes are small enough for each run of the tests; `ROLL_FAULTS=full` takes those at which the
figures are promised. Bounds of time are there to tell a hang or a busy loop, never to measure.
"""

import collections
import concurrent.futures
import contextlib
import functools
import json
import os
import resource
import select
import signal
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path

import pytest

SUPPORT = Path(__file__).parent / "support"
FULL = os.environ.get("ROLL_FAULTS") == "full"
KIB = 1024
MIB = 1024 * KIB
# A hang guard in seconds.
PATIENCE = 60
# What serving may cost beyond the bodies themselves, however large they are. The allocator takes
# memory by the MiB, sooner on a busy machine: only a full run holds what is promised.
GROWTH = 2 * MIB if FULL else 4 * MIB

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")


class Client:
    """A connection that sends and reads at the pace of the test."""

    def __init__(self, server, *, small=False):
        self.sock = socket.socket()
        self.sock.settimeout(PATIENCE)
        if small:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * KIB)
        self.sock.connect(("127.0.0.1", server.port))
        if server.tls:
            self.sock = server.tls.wrap_socket(self.sock)
        self.file = self.sock.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.sock.close()

    def send(self, text):
        self.sock.sendall(text.encode())

    def ask(self, path, *fields, method="GET"):
        self.send("\r\n".join([f"{method} {path} HTTP/1.1", "Host: a", *fields, "", ""]))

    def head(self):
        """The status and the fields of the next answer."""
        line = self.file.readline()
        if not line:
            raise ConnectionError("The server has closed")
        status = int(line.split()[1])
        lines = iter(self.file.readline, b"\r\n")
        return status, {
            name.lower(): value.strip()
            for name, _, value in (line.decode().partition(":") for line in lines)
        }

    def answer(self):
        status, fields = self.head()
        return status, self.file.read(int(fields["content-length"]))

    def get(self, path):
        self.ask(path)
        return self.answer()

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.__exit__()


class Server:
    """A server process."""

    def __init__(self, loop_name, log, certificate=None, **settings):
        self.tls = None
        if certificate:
            settings["tls"] = str(certificate)
            self.tls = ssl.create_default_context(cafile=certificate)
            self.tls.check_hostname = False
        self.log = log
        command = [sys.executable, SUPPORT / "fault_app.py", loop_name, json.dumps(settings)]
        with log.open("w") as stderr:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr)
        self.port = int(self.process.stdout.readline())
        self.connect().__exit__()

    def connect(self, **options):
        return Client(self, **options)

    def waiting(self):
        """A connection that says nothing."""
        return socket.create_connection(("127.0.0.1", self.port), PATIENCE)

    def get(self, path):
        with self.connect() as client:
            return client.get(path)[1]

    @property
    def stats(self):
        return json.loads(self.get("/stats"))

    def becomes(self, **wanted):
        """Wait until the server says so; a server that hangs fails the test."""
        end = time.monotonic() + PATIENCE
        while (stats := self.stats) | wanted != stats:
            assert time.monotonic() < end, stats
            time.sleep(0.01)

    def status(self, name):
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) * KIB for line in lines if line.startswith(name + ":"))

    @contextlib.contextmanager
    def bounded(self, growth):
        """Fail when the memory at its height is more than so much above what it was before."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")
        before = self.status("VmRSS")
        yield
        grown = self.status("VmHWM") - before
        report(f"grew by {grown / MIB:.2f} MiB")
        assert grown < growth

    @property
    def cpu(self):
        """Seconds of CPU time used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.communicate(timeout=PATIENCE)
        return self.log.read_text()


def report(text):
    """Seen with `pytest -s`, for those who want the figures."""
    sys.stdout.write(f"\n    {os.environ['PYTEST_CURRENT_TEST'].partition('::')[2]}: {text}\n")


@pytest.fixture(params=["asyncio", "uvloop"])
def loop_name(request):
    if request.param == "uvloop":
        pytest.importorskip("uvloop")
    return request.param


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A certificate and its key, made for this run."""
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
    args = [*command.split(), "-keyout", path, "-out", path.with_suffix(".crt")]
    try:
        subprocess.run(args, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    path.write_text(path.read_text() + path.with_suffix(".crt").read_text())
    return path


@pytest.fixture
def serve(loop_name, tmp_path):
    """Start a server: `serve(limits={...})`; it ends with the test."""
    servers = []

    def start(**settings):
        servers.append(Server(loop_name, tmp_path / "log", **settings))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture(params=["tcp", "tls"])
def serve_either(request, serve):
    if request.param == "tls":
        return functools.partial(serve, certificate=request.getfixturevalue("certificate"))
    return serve


@pytest.fixture
def server(serve_either):
    return serve_either()


def has_stalled(server):
    """The stream waits, because the client does not read."""
    before = -1
    while before != (before := server.stats["produced"]):
        time.sleep(0.1)


def read_all(client, size):
    """Read a number of bytes without keeping them."""
    buffer = memoryview(bytearray(MIB))
    while size:
        size -= client.file.readinto(buffer[: min(size, MIB)])


def read_chunks(client):
    size = 0
    while length := int(client.file.readline(), 16):
        read_all(client, length + 2)
        size += length
    assert client.file.readline() == b"\r\n"
    return size


# Slow readers.

DOWNLOAD = 200 * MIB if FULL else 40 * MIB


def test_a_slow_reader_of_a_stream_costs_no_memory(server):
    server.get("/bytes/1000")
    with server.connect(small=True) as client, server.bounded(GROWTH):
        client.ask(f"/stream/{DOWNLOAD}")
        assert client.head()[0] == 200
        has_stalled(server)
        assert server.stats["open"] == 1
        assert read_chunks(client) == DOWNLOAD
        server.becomes(open=0)


def test_a_slow_reader_of_bytes_costs_no_memory(server):
    with server.connect() as client:  # makes the body
        client.ask(f"/bytes/{DOWNLOAD}", method="HEAD")
        client.head()
    with server.connect(small=True) as client, server.bounded(GROWTH):
        client.ask(f"/bytes/{DOWNLOAD}")
        client.head()
        server.get("/stats")
        read_all(client, DOWNLOAD)


def test_a_slow_reader_of_a_file_costs_no_memory(server):
    server.get("/file/1000000")
    with server.connect(small=True) as client, server.bounded(GROWTH):
        client.ask(f"/file/{DOWNLOAD}")
        assert client.head()[0] == 200
        assert server.stats["files"] == 1
        read_all(client, DOWNLOAD)
        server.becomes(files=0)


def test_aborted_downloads_of_files_close_them(server):
    tasks = server.stats["tasks"]
    for way in [Client.reset, Client.__exit__] * 25:
        client = server.connect()
        client.ask(f"/file/{10**10}")
        client.file.read(100 * KIB)
        way(client)
    server.becomes(files=0, tasks=tasks)
    assert server.stop() == ""


def test_files_to_many_come_whole(server):
    """Past their transports, none gets what is another's."""
    size = 3 * MIB + 1
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(server.connect()) for _ in range(20)]
        for client in clients:
            client.ask(f"/file/{size}")
            client.ask("/")
        for client in clients:
            assert client.answer() == (200, bytes(size))
            assert client.answer() == (200, b"hello")
    server.becomes(files=0)


def test_aborted_downloads_close_their_generators(server):
    tasks = server.stats["tasks"]
    for way in [Client.reset, Client.__exit__] * 25:
        client = server.connect()
        client.ask(f"/stream/{10**12}")
        client.file.read(100 * KIB)
        way(client)
    server.becomes(open=0, tasks=tasks)
    assert server.stop() == ""


@pytest.mark.parametrize("path", ["/stream/1000000000000", "/bytes/50000000", "/file/10000000000"])
def test_a_reader_that_stops_is_cut_off(serve_either, path):
    server = serve_either(limits={"write_timeout": 0.5})
    tasks = server.stats["tasks"]
    with server.connect(small=True) as client:
        client.ask(path)
        client.head()
        server.becomes(open=0, files=0, tasks=tasks)
    assert server.stop() == ""


# Clients that leave.


def test_aborted_uploads_leave_nothing(server):
    tasks = server.stats["tasks"]
    for path in ["/lazy", "/eager"] * 50:
        with server.connect() as client:
            client.ask(path, "Content-Length: 1000000", method="POST")
            client.send("x" * 1000)
    server.becomes(running=0, tasks=tasks)
    assert server.stop() == ""


def test_a_handler_is_cancelled_where_its_route_says_so(server):
    with server.connect() as client:
        client.ask("/cancel")
        server.becomes(running=1)
    server.becomes(running=0, cancelled=1)
    assert server.stop() == ""


def test_a_handler_is_cancelled_whose_client_was_never_there(serve):
    """The client has closed before its request was looked at."""
    server = serve()
    with server.connect() as busy:
        busy.ask("/block/0.3")
        time.sleep(0.1)
        with server.connect() as client:
            client.ask("/cancel")
        assert busy.answer()[0] == 200
    server.becomes(running=0, cancelled=1)
    assert server.stop() == ""


def test_a_handler_may_ask_whether_its_client_is_gone(server):
    with server.connect() as client:
        client.ask("/gone")
        server.becomes(running=1)
    server.becomes(running=0, cancelled=1)
    assert server.stop() == ""


def test_any_other_handler_runs_on(server):
    with server.connect() as client:
        client.ask("/wait/0.2")
        server.becomes(running=1)
    server.becomes(running=0)
    assert server.stop() == ""


def test_a_client_that_closes_its_side_is_answered(serve):
    server = serve()
    with server.connect() as client:
        client.ask("/wait/0.2")
        client.sock.shutdown(socket.SHUT_WR)
        assert client.answer() == (200, b"waited")
        assert client.file.read() == b""


# Large bodies.


def upload(server, path, size):
    block = bytes(MIB)
    with server.connect() as client:
        client.ask(path, f"Content-Length: {size}", method="POST")
        for _ in range(size // MIB):
            client.sock.sendall(block)
        assert client.answer() == (200, str(size).encode())


def test_a_large_body_goes_through_a_lazy_handler(server):
    upload(server, "/lazy", 4 * MIB)
    with server.bounded(GROWTH):
        upload(server, "/lazy", 512 * MIB if FULL else 64 * MIB)


def test_a_large_body_is_loaded_in_linear_time(serve):
    """Its parts are kept until the whole is made of them: twice its size, at the end."""
    server = serve(limits={"body": None})
    size = 128 * MIB if FULL else 32 * MIB
    upload(server, "/eager", MIB)
    before = server.cpu
    with server.bounded(2 * size + 8 * MIB):
        upload(server, "/eager", size)
    used = server.cpu - before
    report(f"{used:.2f} s of CPU time for {size // MIB} MiB")
    assert used < 10


# Many clients.


def test_raising_handlers_keep_their_connections(serve):
    server = serve()
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(server.connect()) for _ in range(20)]
        for _ in range(100):
            for client in clients:
                client.ask("/raise")
            for client in clients:
                assert client.answer() == (500, b"Internal Server Error")


@pytest.mark.parametrize("first", ["/", "/wait/1"], ids=["ready", "waiting"])
def test_a_flood_of_requests_is_held_back(serve, first):
    """A client that asks on and on, and reads no answer, is soon read no more."""
    server = serve()
    server.get("/")
    with server.connect(small=True) as client, server.bounded(GROWTH / 2):
        client.ask(first)
        client.sock.settimeout(0.3)
        with pytest.raises(TimeoutError):
            client.sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 2_000_000)
        assert server.get("/") == b"hello"


def test_idle_connections_are_small(serve):
    server = serve(limits={"keep_alive_timeout": 600})
    count = 1000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2 * count:
        pytest.skip("too few file descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2 * count), hard))
    with contextlib.ExitStack() as stack:
        for _ in range(10):
            stack.enter_context(server.connect()).get("/")
        before = server.status("VmRSS")
        for _ in range(count):
            stack.enter_context(server.connect()).get("/")
        each = (server.status("VmRSS") - before) / count
        report(f"{each / KIB:.2f} KiB each")
        assert each < 6 * KIB
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_slow_clients_do_not_delay_others(serve):
    timeout = 10 if FULL else 2
    server = serve(limits={"head_timeout": timeout})
    count = 500
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(server.connect()) for _ in range(count)]
        for client in clients:
            client.send("GET / HTTP/1.1\r\n")
        delays, left = drip(server, clients)
        delay = sorted(delays)[int(len(delays) * 0.99)]
        report(f"99 of 100 requests took under {delay * 1000:.1f} ms, of {len(delays)}")
        assert not left
        assert delay < (0.05 if FULL else 0.5)


def drip(server, clients):
    """Let clients send one byte each in turn, until the server has closed their connections.

    Gives how long other requests took meanwhile, in seconds, and the clients that are left.
    """
    delays, left = [], collections.deque(clients)
    end = time.monotonic() + PATIENCE
    with server.connect() as normal:
        while left and time.monotonic() < end:
            for _ in range(min(len(left), 50)):
                client = left.popleft()
                with contextlib.suppress(ConnectionError):
                    client.sock.send(b"X")
                if has_answer(client):
                    assert client.answer()[0] == 408
                else:
                    left.append(client)
            start = time.perf_counter()
            normal.get("/")
            delays.append(time.perf_counter() - start)
    return delays, left


def has_answer(client):
    poll = select.poll()
    poll.register(client.sock, select.POLLIN)
    return bool(poll.poll(0))


def test_a_want_of_file_descriptors_passes(serve):
    server = serve(files=60, limits={"keep_alive_timeout": 600})
    with contextlib.ExitStack() as stack:
        for _ in range(150):
            client = stack.enter_context(server.connect())
            client.sock.setblocking(False)
        before = server.cpu
        time.sleep(3 if FULL else 1)
        used = server.cpu - before
        report(f"{used:.2f} s of CPU time while exhausted")
        assert used < 0.5
    assert recovers(server) < (1.5 if FULL else PATIENCE)
    log = server.stop()
    report(f"{log.count('Traceback')} tracebacks")
    assert log.count("Traceback") < 20


def recovers(server):
    """How long it takes until a new connection is served, in seconds."""
    since = time.monotonic()
    while True:
        with contextlib.suppress(ConnectionError), server.connect() as client:
            assert client.get("/") == (200, b"hello")
            return time.monotonic() - since
        assert time.monotonic() - since < PATIENCE
        time.sleep(0.01)


def test_handshake_that_never_begins_is_closed(serve, certificate):
    server = serve(certificate=certificate, limits={"tls_handshake_timeout": 0.3})
    with server.waiting() as silent, contextlib.suppress(ConnectionResetError):
        assert silent.recv(1) == b""
    assert server.get("/") == b"hello"


# Ends.


def keep_asking(server, answered):
    """Ask on one connection until the server closes it, maybe with a request unread."""
    with Client(server) as client:
        closes = False
        while not closes:
            try:
                client.ask("/wait/0.02")
                client.file.peek()
            except ConnectionError:
                return
            if not client.file.peek():
                return
            status, fields = client.head()
            assert client.file.read(int(fields["content-length"])) == b"waited"
            answered.append(status)
            closes = fields.get("connection") == "close"


def end_under_load(server, number):
    """Send requests on 50 connections, then a signal; return the number of answers.

    The end follows the last answer within three seconds.
    """
    answered = []
    with concurrent.futures.ThreadPoolExecutor(60) as pool, Client(server) as slow:
        slow.ask("/wait/3" if FULL else "/wait/1")
        asking = [pool.submit(keep_asking, server, answered) for _ in range(50)]
        while len(answered) < 200:
            time.sleep(0.01)
        server.process.send_signal(number)
        assert slow.answer() == (200, b"waited")
        since = time.monotonic()
        assert server.process.wait(PATIENCE) == 0
        report(f"ended {time.monotonic() - since:.2f} s after the last answer")
        assert time.monotonic() - since < 3
        for future in asking:
            future.result()
    return len(answered) + 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_under_load_loses_nothing(serve, number):
    server = serve()
    answered = end_under_load(server, number)
    assert server.process.stdout.read() == f"{answered} begun\n".encode()
    assert server.stop() == ""


GUNICORN = "-m gunicorn fault_roll:app --worker-class roll.worker.Worker --bind 127.0.0.1:0"


@pytest.mark.parametrize(
    ("command", "number"),
    [
        ("fault_roll.py", signal.SIGTERM),
        ("fault_roll.py", signal.SIGINT),
        (GUNICORN, signal.SIGTERM),
    ],
    ids=["simple_server-SIGTERM", "simple_server-SIGINT", "gunicorn-SIGTERM"],
)
def test_an_application_ends_after_its_last_request(run, command, number):
    """The event `shutdown` comes when all that was begun is answered."""
    server = run(sys.executable, *command.split(), cwd=SUPPORT)
    server.port, server.tls = int(server.wait_for("http://[^:]+:([0-9]+)")[1]), None
    answered = end_under_load(server, number)
    server.wait_for(f"^{answered} begun")
    assert "Traceback" not in "".join(server.output)


def test_a_signal_drains_the_accept_queue(serve_either):
    """Connections that were made while the server was busy, and not yet accepted, are served."""
    server = serve_either()
    with contextlib.ExitStack() as stack:
        if server.tls:
            stack.enter_context(server.waiting())  # never even begins its handshake
        busy = stack.enter_context(server.connect())
        busy.ask("/block/0.5")
        with concurrent.futures.ThreadPoolExecutor(30) as pool:
            asking = [pool.submit(server.get, "/") for _ in range(20)]
            time.sleep(0.2)
            server.process.terminate()
            assert [future.result() for future in asking] == [b"hello"] * 20
        assert busy.answer()[0] == 200
    assert server.process.wait(PATIENCE) == 0


@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGQUIT], ids=lambda s: s.name)
def test_a_signal_that_hurries_stops_now(serve, second):
    """A repeated SIGTERM changes nothing: gunicorn and process managers repeat it."""
    server = serve()
    with server.connect() as client:
        client.ask("/wait/600")
        server.becomes(running=1)
        for number in (signal.SIGTERM, signal.SIGTERM, second):
            time.sleep(0.2)
            assert server.process.poll() is None
            server.process.send_signal(number)
        assert server.process.wait(10) == 0
