"""The worker of gunicorn: in this process, and under a real gunicorn."""

import asyncio
import importlib
import logging
import math
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
from types import SimpleNamespace

import pytest
from gunicorn.arbiter import Arbiter
from gunicorn.config import Config
from gunicorn.errors import AppImportError
from gunicorn.glogging import Logger

from roll import Limits, Roll, extensions
from roll.worker import ENDING, Worker

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
def make(app, monkeypatch):
    """Create a worker for `app`, with settings of gunicorn, on its own socket."""
    monkeypatch.setattr("roll.worker.FAREWELL", 0)
    made = []

    def make(*sockets, runs=None, **settings):
        cfg = Config()
        for name, value in settings.items():
            cfg.set(name, value)
        bound = sockets or [socket.create_server(("127.0.0.1", 0))]
        binds = [SimpleNamespace(sock=sock) for sock in bound]
        worker = Worker(1, os.getppid(), binds, runs, 30, cfg, cfg.logger_class(cfg))
        worker.wsgi = app
        made.append(worker)
        return worker

    yield make
    for worker in made:
        worker.tmp.close()
        for log in (worker.log.access_log, worker.log.error_log):
            while log.handlers:
                log.handlers.pop().close()
        for bind in worker.sockets:
            bind.sock.close()


@pytest.fixture
async def start(make):
    """Make a worker and have it serve, until its end is awaited."""

    started = []

    def start(*sockets, **settings):
        worker = make(*sockets, **settings)
        worker.serving = asyncio.ensure_future(worker._serve(worker.wsgi))
        started.append(worker)
        return worker

    yield start
    for worker in started:
        worker.serving.cancel()
    await asyncio.wait([worker.serving for worker in started])


async def ask(worker, request=GET, number=0, **settings):
    """Send a request, and give the streams of its connection."""
    sock = worker.sockets[number].sock
    if sock.family == socket.AF_UNIX:
        reader, writer = await asyncio.open_unix_connection(sock.getsockname())
    else:
        reader, writer = await asyncio.open_connection(*sock.getsockname(), **settings)
    writer.write(request)
    return reader, writer


async def answer(worker, *args, **settings):
    """Send a request, and give the head and the body of what is answered."""
    reader, writer = await ask(worker, *args, **settings)
    head = await reader.readuntil(b"\r\n\r\n")
    body = await reader.readexactly(int(re.search(rb"Content-Length: (\d+)", head)[1]))
    writer.close()
    return head, body


@pytest.fixture
def app(app):
    """An application that keeps what it saw."""
    app.seen = []
    app.begun = asyncio.Event()
    app.go_on = asyncio.Event()

    @app.route("/")
    async def index(request, response):
        response.body = "served"

    @app.route("/slow")
    async def slow(request, response):
        app.begun.set()
        try:
            await app.go_on.wait()
        except asyncio.CancelledError:
            app.seen.append("cancelled")
            raise
        app.seen.append("answered")

    app.listen("startup")(lambda: app.seen.append("startup"))
    app.listen("shutdown")(lambda: app.seen.append("shutdown"))
    return app


def tell(number):
    os.kill(os.getpid(), number)


async def test_every_bind_is_served(app, start, tmp_path):
    unix = socket.socket(socket.AF_UNIX)
    unix.bind(str(tmp_path / "socket"))
    worker = start(socket.create_server(("127.0.0.1", 0)), unix)
    unix.listen()
    assert (await answer(worker))[1] == b"served"
    assert (await answer(worker, GET, 1))[1] == b"served"
    tell(signal.SIGTERM)
    await worker.serving
    assert app.seen == ["startup", "shutdown"]
    # It is the master's, and other workers' too.
    assert (tmp_path / "socket").exists()


@pytest.mark.parametrize(
    "numbers",
    [
        [signal.SIGTERM],
        [signal.SIGINT],
        [signal.SIGINT, signal.SIGTERM],
        [signal.SIGTERM, signal.SIGINT],  # at once: the system may change their order
    ],
)
async def test_running_requests_end_before_shutdown(app, start, numbers):
    worker = start()
    reader, writer = await ask(worker, GET.replace(b"/ ", b"/slow "))
    await app.begun.wait()
    for number in numbers:
        tell(number)
    await worker._leave.wait()
    for _ in range(50):
        await asyncio.sleep(0)
    app.go_on.set()
    assert (await reader.read()).startswith(b"HTTP/1.1 200 OK")
    writer.close()
    await worker.serving
    assert app.seen == ["startup", "answered", "shutdown"]


async def test_kept_connection_gets_one_more_response(start, monkeypatch):
    worker = start()
    monkeypatch.setattr("roll.worker.FAREWELL", 3600)
    reader, writer = await ask(worker)
    await reader.readuntil(b"served")
    tell(signal.SIGTERM)
    head = b""
    while b"Connection: close" not in head:
        writer.write(GET)
        head = await reader.readuntil(b"served")
        assert head.startswith(b"HTTP/1.1 200 OK")
    assert await reader.read() == b""
    writer.close()
    assert (await answer(worker))[1] == b"served"
    tell(signal.SIGQUIT)
    await worker.serving


@pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("second", [signal.SIGQUIT, signal.SIGINT])
async def test_sigquit_or_a_second_sigint_stops_at_once(app, start, first, second):
    worker = start()
    _, writer = await ask(worker, GET.replace(b"/ ", b"/slow "))
    await app.begun.wait()
    tell(first)
    await worker._leave.wait()
    tell(second)
    await worker.serving
    writer.close()
    assert app.seen == ["startup", "cancelled", "shutdown"]


@pytest.fixture
def signals_taken(monkeypatch):
    """The signals that a worker got."""
    taken = []
    for name in ("_leave_gracefully", "_interrupt"):
        original = getattr(Worker, name)

        def take(worker, name=name, original=original):
            original(worker)
            taken.append(name)

        monkeypatch.setattr(Worker, name, take)
    return taken


@pytest.mark.parametrize("first", ["SIGTERM", "SIGINT", "max_requests"])
async def test_repeated_sigterms_change_nothing(app, start, first, signals_taken):
    worker = start(max_requests=1)
    reader, writer = await ask(worker, GET.replace(b"/ ", b"/slow "))
    await app.begun.wait()
    if first == "max_requests":
        await answer(worker)
    else:
        tell(signal.Signals[first])
    await worker._leave.wait()
    for _ in range(2):
        before = len(signals_taken)
        tell(signal.SIGTERM)
        while len(signals_taken) == before:
            await asyncio.sleep(0)
    app.go_on.set()
    assert (await reader.read()).startswith(b"HTTP/1.1 200 OK")
    writer.close()
    await worker.serving
    assert app.seen == ["startup", "answered", "shutdown"]


async def test_the_first_sigint_after_the_last_request_waits(app, start, signals_taken):
    worker = start(max_requests=1)
    reader, writer = await ask(worker, GET.replace(b"/ ", b"/slow "))
    await app.begun.wait()
    await answer(worker)
    await worker._leave.wait()
    tell(signal.SIGINT)
    while "_interrupt" not in signals_taken:
        await asyncio.sleep(0)
    app.go_on.set()
    assert (await reader.read()).startswith(b"HTTP/1.1 200 OK")
    writer.close()
    await worker.serving


async def test_quit_stops_at_once(app, start):
    seen = []
    worker = start(worker_int=lambda worker: seen.append(worker.nr))
    _, writer = await ask(worker, GET.replace(b"/ ", b"/slow "))
    await app.begun.wait()
    tell(signal.SIGQUIT)
    await worker.serving
    writer.close()
    assert app.seen == ["startup", "cancelled", "shutdown"]
    assert seen == [0]


@pytest.fixture
def held(app):
    """An application whose `startup` or `shutdown` waits, and which has a lifespan."""

    @app.lifespan
    async def hold():
        yield
        app.seen.append("leave")

    def held(event, caught=False):
        @app.listen(event)
        async def wait():
            app.begun.set()
            try:
                await app.go_on.wait()
            except asyncio.CancelledError:
                app.seen.append("cancelled")
                if not caught:
                    raise

        return app

    return held


@pytest.mark.parametrize("numbers", [[signal.SIGQUIT], [signal.SIGINT, signal.SIGINT]])
async def test_hurrying_signal_within_startup_cancels_it(held, start, numbers, signals_taken):
    app = held("startup")
    worker = start()
    await app.begun.wait()
    for count, number in enumerate(numbers):
        while len(signals_taken) < count:
            await asyncio.sleep(0)
        tell(number)
    await worker.serving
    assert app.seen == ["startup", "cancelled", "shutdown", "leave"]


async def test_application_that_catches_the_cancellation_of_startup_ends(held, start):
    app = held("startup", caught=True)
    worker = start()
    await app.begun.wait()
    tell(signal.SIGQUIT)
    await worker.serving
    assert app.seen == ["startup", "cancelled", "shutdown", "leave"]
    assert worker.serving.cancelling() == 0


@pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
@pytest.mark.parametrize("number", [signal.SIGQUIT, signal.SIGINT])
async def test_hurrying_signal_within_shutdown_cancels_it(
    held, start, first, number, monkeypatch, signals_taken
):
    monkeypatch.setattr("roll.hurrying.TOGETHER", 0)
    app = held("shutdown")
    worker = start()
    await answer(worker)
    tell(first)
    await app.begun.wait()
    before = len(signals_taken)
    tell(signal.SIGTERM)  # changes nothing
    while len(signals_taken) == before:
        await asyncio.sleep(0)
    tell(number)
    await worker.serving
    assert app.seen == ["startup", "shutdown", "cancelled", "leave"]


@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGQUIT])
@pytest.mark.parametrize("number", [signal.SIGQUIT, signal.SIGINT])
async def test_signals_of_one_ctrl_c_do_not_cancel_shutdown(
    held, start, first, number, monkeypatch, signals_taken
):
    """A terminal sends SIGINT, and gunicorn's master SIGQUIT, or SIGQUIT comes from both."""
    monkeypatch.setattr("roll.hurrying.TOGETHER", 3600)
    app = held("shutdown")
    worker = start()
    await answer(worker)
    tell(first)
    await app.begun.wait()
    before = len(signals_taken)
    tell(number)
    while len(signals_taken) == before:
        await asyncio.sleep(0)
    app.go_on.set()
    await worker.serving
    assert app.seen == ["startup", "shutdown", "leave"]


@pytest.mark.parametrize("event", ["startup", "shutdown"])
async def test_cancellation_by_another_ends_the_task_of_the_worker(held, start, event):
    app = held(event)
    worker = start()
    if event == "shutdown":
        await answer(worker)
        tell(signal.SIGTERM)
    await app.begun.wait()
    worker.serving.cancel()
    await asyncio.wait([worker.serving])
    assert worker.serving.cancelled()
    assert app.seen[-1] == "leave"


async def test_request_longer_than_the_graceful_timeout_is_cut(app, start):
    worker = start(graceful_timeout=0)
    _, writer = await ask(worker, GET.replace(b"/ ", b"/slow "))
    await app.begun.wait()
    tell(signal.SIGTERM)
    await worker.serving
    writer.close()
    assert app.seen == ["startup", "cancelled", "shutdown"]


async def test_lifespans_are_entered_before_startup_and_left_after_shutdown(app, start):
    @app.lifespan
    async def hold():
        app.seen.append("enter")
        yield
        app.seen.append("leave")

    worker = start()
    await answer(worker)
    tell(signal.SIGTERM)
    await worker.serving
    assert app.seen == ["enter", "startup", "shutdown", "leave"]


async def test_a_lifespan_that_fails_is_an_application_that_never_started(app, make, caplog):
    @app.lifespan
    async def hold():
        raise OSError("no database")
        yield

    worker = make()
    worker.age = 1
    with pytest.raises(SystemExit) as caught:
        await worker._serve(app)
    assert caught.value.code == Arbiter.WORKER_BOOT_ERROR
    assert app.seen == []


@pytest.fixture
def with_task(app):
    """An application with a request that starts a task."""

    async def wait():
        app.begun.set()
        try:
            await app.go_on.wait()
        except asyncio.CancelledError:
            app.seen.append("task cancelled")
            raise
        app.seen.append("task ended")

    @app.route("/task")
    async def task(request, response):
        app.create_task(wait())
        response.after(lambda: app.seen.append("after"))

    return app


async def test_tasks_end_before_shutdown(with_task, start):
    worker = start()
    await answer(worker, GET.replace(b"/ ", b"/task "))
    await with_task.begun.wait()
    tell(signal.SIGTERM)
    await worker._leave.wait()
    with_task.go_on.set()
    await worker.serving
    assert with_task.seen == ["startup", "after", "task ended", "shutdown"]


@pytest.mark.parametrize(
    ("number", "graceful_timeout"), [(signal.SIGQUIT, 30), (signal.SIGTERM, 0)]
)
async def test_tasks_that_have_no_time_left_are_cancelled(
    with_task, start, number, graceful_timeout
):
    worker = start(graceful_timeout=graceful_timeout)
    await answer(worker, GET.replace(b"/ ", b"/task "))
    await with_task.begun.wait()
    tell(number)
    await worker.serving
    assert with_task.seen == ["startup", "after", "task cancelled", "shutdown"]


async def test_worker_exits_after_max_requests(start):
    worker = start(max_requests=2)
    await answer(worker)
    assert worker.nr == 1
    await answer(worker)
    await worker.serving
    assert worker.nr == 2


@pytest.mark.parametrize("seconds", [7, 0])
async def test_keep_alive_is_gunicorns(app, start, seconds):
    worker = start(keepalive=seconds)
    head, _ = await answer(worker)
    assert (b"Connection: close" in head) is (seconds == 0)
    assert app.limits.keep_alive_timeout == (seconds or 15)
    tell(signal.SIGTERM)
    await worker.serving


@pytest.mark.parametrize("seconds", [0.5, 2.2, math.inf])
async def test_keep_alive_of_roll_run_is_that_of_the_application(app, start, seconds):
    app.limits = Limits(keep_alive_timeout=seconds)
    worker = start(runs=SimpleNamespace(keeps_limits=True))
    head, _ = await answer(worker)
    assert b"Connection: close" not in head
    assert app.limits.keep_alive_timeout == seconds
    tell(signal.SIGTERM)
    await worker.serving


async def test_the_access_log_is_gunicorns(app, start, tmp_path):
    path = tmp_path / "access.log"
    worker = start(
        accesslog=str(path), access_log_format='%(h)s "%(r)s" %(s)s %(b)s "%(f)s" %({x-a}i)s %(q)s'
    )
    request = b"GET /?q=1 HTTP/1.1\r\nHost: x\r\nReferer: there\r\nX-A: a\r\n\r\n"
    await answer(worker, request)
    tell(signal.SIGTERM)
    await worker.serving
    assert path.read_text() == '127.0.0.1 "GET /?q=1 HTTP/1.1" 200 6 "there" a q=1\n'


async def test_statsd_counts_requests(start):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as statsd:
        statsd.bind(("127.0.0.1", 0))
        statsd.setblocking(False)
        worker = start(statsd_host="{}:{}".format(*statsd.getsockname()))
        await answer(worker)
        tell(signal.SIGTERM)
        await worker.serving
        worker.log.sock.close()
        sent = [statsd.recv(100).partition(b":")[0] for _ in range(3)]
    assert sent[0] == b"gunicorn.request.duration"
    assert sent[1:] == [b"gunicorn.requests", b"gunicorn.request.status.200"]


async def test_custom_logger_gets_accesses(start):
    seen = []

    class Own(Logger):
        def access(self, answer, request, environ, duration):
            seen.append((answer.status, environ["PATH_INFO"]))

    worker = start(logger_class=Own)
    await answer(worker)
    tell(signal.SIGTERM)
    await worker.serving
    assert seen == [("200", "/")]


async def test_logs_are_reopened(start, tmp_path):
    path = tmp_path / "access.log"
    worker = start(accesslog=str(path))
    await answer(worker)
    path.rename(tmp_path / "old.log")
    tell(signal.SIGUSR1)
    await answer(worker)
    assert path.exists()
    tell(signal.SIGTERM)
    await worker.serving


async def test_worker_exits_when_its_master_is_gone(make):
    worker = make()
    worker.ppid = -1
    await worker._serve(worker.wsgi)


async def test_worker_exits_when_code_has_changed(make):
    worker = make()
    worker.alive = False
    await worker._serve(worker.wsgi)


@pytest.fixture
def failing(app):
    """An application that cannot start."""

    @app.listen("startup")
    async def fail():
        app.seen.append("failed")
        raise ValueError("no database")

    return app


async def test_an_application_that_never_started_ends_the_master_too(failing, make):
    worker = make(workers=2)
    worker.age = 2
    with pytest.raises(SystemExit) as caught:
        await worker._serve(worker.wsgi)
    assert caught.value.code == Arbiter.WORKER_BOOT_ERROR
    assert failing.seen == ["startup", "failed", "shutdown"]


async def test_so_does_a_certificate_that_cannot_be_read(app, make, tmp_path):
    (tmp_path / "empty.pem").touch()
    worker = make(certfile=str(tmp_path / "empty.pem"))
    with pytest.raises(SystemExit) as caught:
        await worker._serve(worker.wsgi)
    assert caught.value.code == Arbiter.WORKER_BOOT_ERROR
    assert app.seen == []


async def test_an_old_gunicorn_serves_without_tls_and_says_what_tls_needs(
    app, start, make, certificate, monkeypatch, caplog
):
    monkeypatch.delattr("gunicorn.sock.ssl_context")
    importlib.reload(sys.modules["roll.worker"])  # it is imported without
    worker = start()
    assert (await answer(worker))[1] == b"served"
    tell(signal.SIGTERM)
    await worker.serving
    caplog.set_level(logging.ERROR)
    worker = make(**certificate)
    worker.log.error_log.addHandler(caplog.handler)
    with pytest.raises(SystemExit):
        await worker._serve(app)
    assert "TLS needs gunicorn 21 or later" in caplog.text


@pytest.mark.parametrize("leaves", [True, False])
async def test_failed_later_worker_is_replaced_after_a_second(failing, make, monkeypatch, leaves):
    monkeypatch.setattr("roll.worker.RETRY", 3600 if leaves else 0.001)
    worker = make(workers=2)
    worker.age = 3
    if leaves:
        failing.listen("startup")(lambda: tell(signal.SIGTERM))
        failing.hooks["startup"].reverse()
    with pytest.raises(SystemExit) as caught:
        await worker._serve(worker.wsgi)
    assert caught.value.code == 1


@pytest.fixture
def load(make):
    """Let a worker load the result of `load`; return the worker and the files that it watches."""

    def load(load, **settings):
        worker = make(**settings)
        watched = set()
        worker.reloader = SimpleNamespace(add_extra_file=watched.add)
        worker.app = SimpleNamespace(wsgi=load, app_uri="site:app")
        worker.load_wsgi()
        return worker, watched

    return load


def test_an_application_is_loaded(app, load):
    assert load(lambda: app)[0].wsgi is app


def test_an_application_of_asgi_is_hosted(load):
    async def application(scope, receive, send):
        """Answer nothing."""

    hosting = load(lambda: application)[0].wsgi
    assert isinstance(hosting, Roll)
    assert hosting.routes.match("/any")[0]["GET"].application is application


@pytest.mark.parametrize("reload", [True, False])
def test_object_that_is_not_an_application_ends_the_master(load, reload):
    def make_app():
        """Make one, if it were called."""

    with pytest.raises(AppImportError) as caught:
        load(lambda: make_app, reload=reload)
    assert str(caught.value) == (
        "'site:app' is of type function, not an application of Roll or ASGI: if it returns one,"
        " write () behind its name"
    )


@pytest.mark.parametrize("width", ["9999999", "-1025", ".5000000000", "*", "5.*"])
@pytest.mark.parametrize("name", ["s", "{x-a}i", "x(y)"])
def test_format_with_huge_field_ends_the_master(app, load, name, width):
    with pytest.raises(AppImportError, match="`--access-logformat` has widths and precisions up"):
        load(lambda: app, access_log_format=f"%(h)s %({name}){width}s")


def test_application_that_cannot_be_loaded_ends_the_master(load):
    with pytest.raises(ZeroDivisionError):
        load(lambda: 1 / 0)
    with pytest.raises(SyntaxError):
        load(lambda: compile("x = = 1", "site.py", "exec"))


def test_missing_application_ends_the_master_even_under_reload(load):
    def find():
        raise AppImportError("Failed to find attribute 'app' in 'site'.")

    with pytest.raises(AppImportError):
        load(find, reload=True)


async def test_application_that_cannot_be_loaded_is_answered_under_reload(load, tmp_path):
    path = tmp_path / "site.py"
    path.write_text("x = = 1")
    worker, watched = load(lambda: compile("x = = 1", path, "exec"), reload=True)
    serving = asyncio.ensure_future(worker._serve(worker.wsgi))
    head, body = await answer(worker, GET.replace(b"/ ", b"/any/where "))
    assert head.startswith(b"HTTP/1.1 500 ")
    assert b"Content-Type: text/plain" in head
    assert b"SyntaxError: invalid syntax" in body
    tell(signal.SIGTERM)
    await serving
    assert watched == {str(path), __file__, sys.modules["roll.worker"].__file__}


def test_under_reload_the_files_of_any_error_are_watched(load, tmp_path):
    path = tmp_path / "site.py"
    path.write_text("x = y")
    code = compile("x = y", path, "exec")
    _, watched = load(lambda: exec(code), reload=True)
    assert str(path) in watched
    _, watched = load(lambda: compile("x = = 1", "<string>", "exec"), reload=True)
    assert "<string>" not in watched


@pytest.fixture
def handlers():
    """Put back what signals do."""
    before = {number: signal.getsignal(number) for number in ENDING}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_worker_runs_its_own_event_loop(app, make, handlers):
    app.listen("startup")(lambda: tell(signal.SIGTERM))
    make().run()
    assert app.seen == ["startup", "shutdown"]
    for number in ENDING:  # gunicorn sends some twice
        tell(number)


@pytest.fixture
def certificate(tmp_path):
    """A key and a certificate signed with it."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = f"openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=x -keyout {key} -out {cert}"
    subprocess.run(command.split(), check=True, capture_output=True)
    return {"keyfile": str(key), "certfile": str(cert)}


async def test_tls_is_gunicorns(app, start, certificate):
    @app.route("/scheme")
    def scheme(request, response):
        response.body = request.scheme

    worker = start(**certificate)
    context = ssl.create_default_context(cafile=certificate["certfile"])
    context.check_hostname = False
    request = GET.replace(b"/ ", b"/scheme ")
    _, body = await answer(worker, request, ssl=context)
    assert body == b"https"
    tell(signal.SIGTERM)
    await worker.serving


APPLICATION = """
from roll import Roll

app = Roll()

@app.route("/")
async def index(request, response):
    response.body = "served by gunicorn"

@app.listen("shutdown")
async def shutdown():
    print("shutdown event", flush=True)
"""


@pytest.fixture
def gunicorn(tmp_path, request):
    """Start a gunicorn with the application above."""
    options = getattr(request, "param", "--worker-class roll.worker.Worker")
    (tmp_path / "roll_core.py").write_text(APPLICATION)
    command = f"-m gunicorn roll_core:app {options} --bind 127.0.0.1:0"
    process = subprocess.Popen(
        [sys.executable, *command.split(), "--workers", "2"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    yield process
    process.kill()
    process.communicate()


def listening(gunicorn):
    """Wait until a gunicorn listens, and give what stands for a worker of it."""
    line = next(line for line in gunicorn.stderr if "Listening at" in line)
    port = int(re.search(r"127.0.0.1:(\d+)", line)[1])
    sock = SimpleNamespace(family=socket.AF_INET, getsockname=lambda: ("127.0.0.1", port))
    return SimpleNamespace(sockets=[SimpleNamespace(sock=sock)])


@pytest.mark.parametrize("gunicorn", ["", "--worker-class gthread"], indirect=True)
async def test_a_gunicorn_without_the_worker_says_which_one_to_take(gunicorn):
    reader, writer = await ask(listening(gunicorn))
    # All of it: on Python 3.14, gunicorn's own page has no blank line behind its head.
    assert (await reader.read()).startswith(b"HTTP/1.1 500 ")
    writer.close()
    gunicorn.terminate()
    _, err = gunicorn.communicate()
    errors = [line for line in err.splitlines() if "Error: " in line or "Warning: " in line]
    assert errors == [
        "RuntimeError: An application of Roll is not a WSGI application: run it with"
        " `gunicorn package.module:app --worker-class roll.worker.Worker`"
    ]


async def test_a_real_gunicorn_serves_and_ends(gunicorn):
    assert (await answer(listening(gunicorn)))[1] == b"served by gunicorn"
    gunicorn.terminate()
    out, err = gunicorn.communicate()
    assert gunicorn.returncode == 0
    assert out.count("shutdown event") >= 1
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("allowed", "client"), [("127.0.0.1", "192.0.2.1"), ("10.0.0.1", "127.0.0.1")]
)
async def test_proxies_that_gunicorn_allows_are_believed(app, start, allowed, client):
    extensions.proxy_headers(app)

    @app.route("/who")
    async def who(request, response):
        response.body = request.client[0]

    request = GET.replace(b"/ ", b"/who ").replace(
        b"\r\n\r\n", b"\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n"
    )
    worker = start(forwarded_allow_ips=allowed)
    _, body = await answer(worker, request)
    assert body.decode() == client
