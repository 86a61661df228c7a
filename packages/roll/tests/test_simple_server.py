"""The extension `simple_server`: in this process, and in its own process."""

import asyncio
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import urllib.request

import pytest

from roll import loops, serving
from roll.extensions import server as server_module
from roll.extensions import simple_server
from roll_http import Limits

SCRIPT = """
import asyncio, sys, threading
from roll import Roll
from roll.extensions import simple_server

app = Roll()

@app.route("/")
async def index(request, response):
    response.body = "served"

@app.route("/slow")
async def slow(request, response):
    print("begun", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    response.body = "slow but served"

@app.route("/task")
async def task(request, response):
    async def wait():
        print("task begun", flush=True)
        try:
            await asyncio.to_thread(sys.stdin.readline)
        except asyncio.CancelledError:
            print("task cancelled", flush=True)
            raise
        print("task ended", flush=True)

    app.create_task(wait())

@app.listen("startup")
async def startup():
    print("startup", flush=True)

@app.listen("shutdown")
async def shutdown():
    print("shutdown", flush=True)

@app.route("/stubborn")
async def stubborn(request, response):
    print("stubborn", flush=True)
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError if "bare" not in sys.argv else BaseException:
            pass

if "asyncio" in sys.argv:
    sys.modules["uvloop"] = None
def serve():
    simple_server(app, port=int(sys.argv[1]))

if "thread" in sys.argv:
    thread = threading.Thread(target=serve)
    thread.start()
    thread.join()
else:
    serve()
"""


@pytest.fixture
def serve():
    """Start the script in its own process."""
    started = []

    def serve(port=0, *options):
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(port), *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield serve
    for process in started:
        process.kill()
        with process:
            pass


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_process_serves_until_a_signal(serve, number):
    process = serve()
    assert process.stdout.readline() == "startup\n"
    said, url = process.stdout.readline().split(" on ")
    assert said == "Rolling"
    with urllib.request.urlopen(url.strip()) as response:
        assert response.read() == b"served"
    process.send_signal(number)
    assert process.stdout.read() == "Bye.\nshutdown\n"
    assert process.wait() == 0
    assert process.stderr.read() == ""


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_another_thread_than_the_main_one_serves_without_signals(serve, loop):
    process = serve(0, "thread", loop)
    assert process.stdout.readline() == "startup\n"
    url = process.stdout.readline().partition(" on ")[2]
    with urllib.request.urlopen(url.strip()) as response:
        assert response.read() == b"served"


def test_a_running_request_is_answered_before_the_end(serve):
    process = serve()
    process.stdout.readline()
    port = int(process.stdout.readline().rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as peer:
        peer.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGTERM)
        process.stdin.write("go on\n")
        process.stdin.flush()
        answer = b"".join(iter(lambda: peer.recv(1000), b""))
    assert answer.endswith(b"\r\n\r\nslow but served")
    assert process.wait() == 0


@pytest.fixture
def with_task(serve):
    """A process whose application has a waiting task, and that got a signal to stop."""
    process = serve()
    process.stdout.readline()
    url = process.stdout.readline().rpartition(" ")[2].strip()
    process.port = int(url.rpartition(":")[2])
    with urllib.request.urlopen(f"{url}/task"):
        pass
    assert process.stdout.readline() == "task begun\n"
    process.send_signal(signal.SIGINT)
    return process


def test_a_task_ends_before_the_end(with_task):
    with_task.stdin.write("go on\n")
    with_task.stdin.close()
    assert with_task.stdout.read() == "task ended\nBye.\nshutdown\n"
    assert with_task.stderr.read() == ""
    assert with_task.wait() == 0


def test_second_interrupt_does_not_wait_for_tasks(with_task):
    # The first signal must have been taken: the listening socket is closed then.
    port = with_task.port
    while is_listening(port):
        pass
    with_task.send_signal(signal.SIGINT)
    assert with_task.stdout.readline() == "task cancelled\n"
    with_task.stdin.close()  # which ends the thread
    assert with_task.stdout.read() == "Bye.\nshutdown\n"
    assert "is cancelled, because it has not ended in time" in with_task.stderr.read()
    assert with_task.wait() == 0


@pytest.mark.parametrize("caught", ["cancellation", "bare"])
@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_handler_that_swallows_its_cancellation_does_not_keep_the_process(serve, loop, caught):
    process = serve(0, loop, caught)
    process.stdout.readline()
    port = int(process.stdout.readline().rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as peer:
        peer.sendall(b"GET /stubborn HTTP/1.1\r\nHost: x\r\n\r\n")
        assert process.stdout.readline() == "stubborn\n"
        process.send_signal(signal.SIGTERM)
        while is_listening(port):
            pass
        process.send_signal(signal.SIGINT)  # which does not wait for requests
        assert process.stdout.read() == "Bye.\nshutdown\n"
    assert process.wait() == 0
    said = process.stderr.read()
    assert "A task does not end when it is cancelled, and is given up: " in said
    assert "stubborn (<string>:" in said
    assert said.count("\n") == 1, said


def is_listening(port):
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionError:
        return False
    return True


def test_a_port_in_use_is_said_plainly(serve):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = serve(port)
        out, err = process.communicate()
    assert process.returncode == 1
    assert out == "startup\nshutdown\n"
    assert err.startswith(f"Cannot listen on 127.0.0.1:{port}: ")
    assert "in use" in err
    assert "Traceback" not in err


@pytest.fixture
def interrupted(monkeypatch):
    """Interrupt this process as soon as the server has printed its URL."""
    announce = server_module.announce

    def announce_and_interrupt(line):
        announce(line)
        if line.startswith("Rolling on"):
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(server_module, "announce", announce_and_interrupt)


@pytest.fixture
def at_once(monkeypatch):
    """Stop a server as soon as it listens; return its addresses."""
    addresses = []

    async def until_signalled(server):
        addresses.append(server.sockets[0].getsockname())
        await server.stop()

    monkeypatch.setattr(serving, "serve_until_signalled", until_signalled)
    return addresses


def test_server_prints_its_url_and_bye(app, interrupted, capsys):
    for event in ("startup", "shutdown"):
        app.listen(event)(lambda event=event: server_module.announce(event))
    simple_server(app, 0)
    startup, rolling, bye, shutdown = capsys.readouterr().out.splitlines()
    assert (startup, bye, shutdown) == ("startup", "Bye.", "shutdown")
    assert rolling.startswith("Rolling on http://127.0.0.1:")
    assert not rolling.endswith(":0")


def test_an_address_of_ipv6_has_brackets(app, interrupted, capsys):
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 here")
    simple_server(app, 0, "::1")
    assert capsys.readouterr().out.startswith("Rolling on http://[::1]:")


def test_empty_host_is_shown_as_the_address_of_the_socket(app, interrupted, capsys):
    simple_server(app, 0, "")
    shown = capsys.readouterr().out
    assert re.match(r"Rolling on http://(0\.0\.0\.0|\[::\]):[1-9]", shown)


def test_lifespans_surround_the_events(app, at_once):
    seen = []
    for event in ("startup", "shutdown"):
        app.listen(event)(lambda event=event: seen.append(event))

    @app.lifespan
    async def hold():
        seen.append("enter")
        yield
        seen.append("leave")

    simple_server(app, 0, quiet=True)
    assert seen == ["enter", "startup", "shutdown", "leave"]


def test_quiet_server_prints_nothing(app, at_once, capsys):
    simple_server(app, 0, quiet=True)
    assert at_once
    assert capsys.readouterr().out == ""


def test_limits_can_be_given(app, at_once):
    limits = Limits(body=3)
    simple_server(app, 0, quiet=True, limits=limits)
    assert app.limits is limits


def test_a_port_in_use_is_a_system_exit_after_the_shutdown_event(app):
    seen = []
    app.listen("shutdown")(lambda: seen.append("shutdown"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SystemExit, match=f"Cannot listen on 127.0.0.1:{port}"):
            simple_server(app, port)
    assert seen == ["shutdown"]


def test_interrupt_before_it_listens_prints_no_traceback(app):
    @app.listen("startup")
    async def wait():
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.Event().wait()

    with pytest.raises(SystemExit) as caught:
        simple_server(app, 0)
    assert caught.value.code == 130


def test_the_loop_is_uvloops_where_there_is_one_else_asyncios(monkeypatch):
    class UVLoop:
        new_event_loop = staticmethod(lambda: "a loop of uvloop")

    monkeypatch.setitem(sys.modules, "uvloop", UVLoop)
    assert loops.new_event_loop() == "a loop of uvloop"
    monkeypatch.setitem(sys.modules, "uvloop", None)
    loop = loops.new_event_loop()
    assert isinstance(loop, asyncio.SelectorEventLoop)
    loop.close()


@pytest.mark.parametrize(
    "port", [80000, 65536, -1, "70000", "http", "", " 80", "0.0.0.0", None, 80.0, True, "٣", 10**9]
)
def test_invalid_port_is_refused_at_once(app, port):
    app.listen("startup")(lambda: pytest.fail("nothing was to start"))
    with pytest.raises(ValueError, match=r"`port` is a number from 0 to 65535, not "):
        simple_server(app, port=port)


@pytest.mark.parametrize("port", [0, 65535, "3579", "00080"])
def test_a_port_may_be_text_as_environment_variables_are(port):
    assert server_module.checked_port(port) == int(port)


def test_unix_socket_replaces_host_and_port(app, at_once, capsys, tmp_path_factory):
    path = tmp_path_factory.mktemp("s") / "s"
    simple_server(app, unix=path)
    assert at_once == [str(path)]
    assert capsys.readouterr().out.startswith(f"Rolling on unix:{path}\n")


def test_descriptor_replaces_host_and_port(app, at_once):
    with socket.create_server(("127.0.0.1", 0)) as sock:
        simple_server(app, fd=os.dup(sock.fileno()), quiet=True)
        assert at_once == [sock.getsockname()]


def test_tls_context_makes_the_url_https(app, at_once, capsys):
    simple_server(app, 0, ssl=ssl.create_default_context(ssl.Purpose.CLIENT_AUTH))
    assert capsys.readouterr().out.startswith("Rolling on https://127.0.0.1:")


def test_invalid_tls_context_is_refused_at_once(app):
    with pytest.raises(ValueError, match=r"`ssl` is an ssl.SSLContext, not True"):
        simple_server(app, ssl=True)


def test_port_can_be_shared_by_several_servers(app, at_once):
    with socket.create_server(("127.0.0.1", 0), reuse_port=True) as sock:
        simple_server(app, sock.getsockname()[1], reuse_port=True, quiet=True)
        assert at_once == [sock.getsockname()]
