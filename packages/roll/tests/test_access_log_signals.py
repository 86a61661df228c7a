"""Signals and the access log: no line is lost when a process dies, and moved files are closed."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from importlib.util import find_spec

import pytest

from roll.extensions import access_log
from roll.logs.signals import DEADLY, GUARD

SCRIPT = """
import asyncio, atexit, os, sys
from roll import Roll, extensions

target, how = sys.argv[1:3]
app = Roll()
extensions.access_log(app, None if target == "-" else target, "%(url)s")

@app.route("/{path:any}")
async def index(request, response, path):
    response.body = str(os.getpid())

@app.route("/exit")
async def leave(request, response):
    response.after(sys.exit)

@app.route("/block")
async def block(request, response):
    print("blocked", file=sys.stderr, flush=True)
    while True:
        pass

@app.route("/fork")
async def fork(request, response):
    if os.fork() == 0:
        atexit._run_exitfuncs()  # as those of a program that does not end by os._exit
        os._exit(0)
    os.wait()

async def serve():
    await app.startup()
    server = await asyncio.get_running_loop().create_server(app.factory, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    print(f"Rolling on http://127.0.0.1:{port}", file=sys.stderr, flush=True)
    await asyncio.Event().wait()

if how == "uvloop":
    import uvloop
    uvloop.run(serve())
elif how == "asyncio":
    asyncio.run(serve())
else:
    extensions.simple_server(app, 0, quiet=True)
"""

LOOPS = ["asyncio", *(["uvloop"] if find_spec("uvloop") else [])]
PATIENCE = 20


@pytest.fixture
def serve(tmp_path):
    """Serve in a process; give the process, its URL, and the path of its log."""
    started = []

    def serve(how, target=None, **options):
        path = tmp_path / "access.log"
        command = [sys.executable, "-c", SCRIPT, str(target or path), how]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, **options)
        started.append(process)
        url = process.stderr.readline().rpartition(" ")[2].strip()
        return process, url, path

    yield serve
    for process in started:
        process.kill()
        process.communicate()


def ask(url):
    with urllib.request.urlopen(url, timeout=PATIENCE) as response:
        return response.read()


def wait_for(path, text):
    """Wait until a file has a text."""
    end = time.monotonic() + PATIENCE
    while not path.exists() or text not in path.read_text():
        assert time.monotonic() < end, path.read_text() if path.exists() else "no file"
        time.sleep(0.01)


@pytest.mark.parametrize("how", LOOPS)
@pytest.mark.parametrize("number", DEADLY, ids=lambda number: number.name)
def test_the_last_lines_are_written_before_the_process_dies_of_a_signal(serve, how, number):
    process, url, path = serve(how)
    reopens = number in {signal.SIGUSR1, signal.SIGHUP}
    ask(f"{url}/last")
    process.send_signal(number)
    if reopens:
        wait_for(path, "/last\n")
        ask(f"{url}/alive")
        process.send_signal(signal.SIGTERM)
    status = process.wait(PATIENCE)
    assert path.read_text() == ("/last\n/alive\n" if reopens else "/last\n")
    if number == signal.SIGINT:
        assert status in {1, -signal.SIGINT, 130}  # by KeyboardInterrupt
    else:
        assert status == -(signal.SIGTERM if reopens else number)


@pytest.mark.parametrize("how", LOOPS)
def test_log_without_a_path_does_not_handle_the_signal(serve, how):
    process, url, _ = serve(how, "-", stdout=subprocess.PIPE)
    ask(f"{url}/last")
    process.send_signal(signal.SIGHUP)
    assert process.stdout.read() == "/last\n"
    assert process.wait(PATIENCE) == -signal.SIGHUP


@pytest.mark.parametrize("how", LOOPS)
def test_the_last_lines_are_written_when_the_program_ends_by_itself(serve, how):
    process, url, path = serve(how)
    ask(f"{url}/exit")
    process.wait(PATIENCE)
    assert path.read_text() == "/exit\n"


@pytest.mark.parametrize("how", LOOPS)
def test_a_process_that_is_forked_writes_no_line_twice(serve, how):
    process, url, path = serve(how)
    ask(f"{url}/before")
    ask(f"{url}/fork")
    process.send_signal(signal.SIGTERM)
    process.wait(PATIENCE)
    assert path.read_text() == "/before\n/fork\n"


@pytest.mark.parametrize("how", LOOPS)
@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGHUP], ids=lambda number: number.name)
def test_a_file_that_was_moved_is_opened_anew(serve, how, number):
    process, url, path = serve(how)
    ask(f"{url}/before")
    wait_for(path, "/before\n")
    moved = path.with_suffix(".1")
    path.rename(moved)
    process.send_signal(number)
    wait_for(path, "")  # it is there again
    ask(f"{url}/behind")
    wait_for(path, "/behind\n")
    assert moved.read_text() == "/before\n"
    assert process.poll() is None


@pytest.mark.parametrize("how", LOOPS)
def test_no_line_is_lost_or_doubled_in_a_storm_of_signals(serve, how):
    process, url, path = serve(how)
    for number in range(100):
        ask(f"{url}/{number}")
        if number % 10 == 5:
            path.rename(path.with_suffix(f".{number}"))
        for _ in range(5):
            process.send_signal(signal.SIGUSR1)
            process.send_signal(signal.SIGHUP)
        if number % 10 == 5:
            wait_for(path, "")
    ask(f"{url}/last")
    process.send_signal(signal.SIGTERM)
    process.wait(PATIENCE)
    lines = [
        line for file in path.parent.glob("access.*") for line in file.read_text().splitlines()
    ]
    assert sorted(lines) == sorted([*(f"/{number}" for number in range(100)), "/last"])


@pytest.mark.parametrize("how", LOOPS)
def test_a_process_that_is_killed_loses_no_line_that_is_a_batch_old(serve, how):
    process, url, path = serve(how)
    ask(f"{url}/before")
    wait_for(path, "/before\n")  # after 100 ms at most
    process.kill()
    process.wait(PATIENCE)
    assert path.read_text() == "/before\n"


def test_under_nohup_a_file_is_opened_anew_on_sighup(serve):
    process, url, path = serve("asyncio", preexec_fn=lambda: signal.signal(1, signal.SIG_IGN))
    ask(f"{url}/before")
    wait_for(path, "/before\n")
    path.unlink()
    process.send_signal(signal.SIGHUP)
    wait_for(path, "")


@pytest.fixture
def put_back():
    """The handlers of signals, as they were before the test."""
    before = {number: signal.getsignal(number) for number in DEADLY}
    yield before
    for number, handler in before.items():
        signal.signal(number, handler)


async def test_signals_are_put_back_at_the_end(app, tmp_path, put_back):
    before = {number: signal.getsignal(number) for number in DEADLY}
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    logs = [access_log(app, tmp_path / name) for name in ("a", "b")]
    await app.startup()
    assert signal.getsignal(signal.SIGTERM) == GUARD._die
    assert set(GUARD._logs) == set(logs)
    await app.shutdown()
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    signal.signal(signal.SIGHUP, before[signal.SIGHUP])
    assert {number: signal.getsignal(number) for number in DEADLY} == before
    assert GUARD._logs == {}


async def test_existing_signal_handler_is_still_called(app, tmp_path, put_back):
    seen = []
    signal.signal(signal.SIGUSR1, lambda *_: seen.append("mine"))
    signal.signal(signal.SIGTERM, lambda *_: seen.append("mine"))
    access_log(app, tmp_path / "a")
    await app.startup()
    os.kill(os.getpid(), signal.SIGUSR1)
    os.kill(os.getpid(), signal.SIGTERM)
    signal.signal(signal.SIGUSR2, lambda *_: seen.append("later"))
    await app.shutdown()
    os.kill(os.getpid(), signal.SIGUSR2)
    assert seen == ["mine", "mine", "later"]


async def test_a_signal_is_heard_by_all_logs(app, tmp_path, put_back):
    moved = []
    for name in ("a", "b"):
        access_log(app, tmp_path / name)
    app.listen("reopen_logs")(lambda: moved.append(True))
    await app.startup()
    for name in ("a", "b"):
        (tmp_path / name).unlink()
    os.kill(os.getpid(), signal.SIGUSR1)
    while not moved:
        await asyncio.sleep(0)
    assert (tmp_path / "a").exists()
    assert (tmp_path / "b").exists()
    assert len(moved) == 1
    await app.shutdown()


def test_a_loop_that_is_held_up_does_not_keep_a_signal_from_killing(serve):
    process, url, path = serve("asyncio")
    ask(f"{url}/last")
    with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))) as peer:
        peer.sendall(b"GET /block HTTP/1.1\r\nHost: x\r\n\r\n")
        assert process.stderr.readline() == "blocked\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == -signal.SIGTERM
    assert path.read_text() == "/last\n"


async def test_a_deadly_signal_writes_and_kills(app, tmp_path, put_back, monkeypatch):
    killed = []
    path = tmp_path / "a"
    log = access_log(app, path, "%(url)s")
    await app.startup()
    from roll.testing import Client

    await Client(app).get("/last")
    monkeypatch.setattr("roll.logs.signals.os.kill", lambda *kill: killed.append(kill))
    GUARD._die(signal.SIGTERM, None)
    assert killed == []  # the line of an answer may be still to come
    while not killed:
        await asyncio.sleep(0)
    assert path.read_text() == "/last\n"
    assert killed == [(os.getpid(), signal.SIGTERM)]
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    log.open()
    await app.shutdown()


def test_in_another_thread_signals_are_left_alone(app, tmp_path):
    before = {number: signal.getsignal(number) for number in DEADLY}
    access_log(app, tmp_path / "a")

    async def live():
        await app.startup()
        during.update({number: signal.getsignal(number) for number in DEADLY})
        await app.shutdown()

    during = {}

    async def in_thread():
        await asyncio.to_thread(lambda: asyncio.run(live()))

    asyncio.run(in_thread())
    for number in set(DEADLY) - {signal.SIGINT}:
        assert during[number] == before[number]


async def test_forked_process_does_not_write_buffered_lines_of_its_parent(app, tmp_path):
    path = tmp_path / "a"
    log = access_log(app, path)
    await app.startup()
    from roll.testing import Client

    await Client(app).get("/")
    GUARD.forget()
    log.close()
    assert path.read_text() == ""
    assert GUARD._logs == {}
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    await app.shutdown()


def test_a_log_whose_loop_is_closed_is_closed(app, tmp_path):
    log = access_log(app, tmp_path / "a")
    asyncio.run(app.startup())
    GUARD.remove(log)
    log.close()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_a_deadly_signal_without_a_loop_kills_a_little_later(app, tmp_path, monkeypatch, put_back):
    killed = threading.Event()
    monkeypatch.setattr("roll.logs.signals.LAST_SECONDS", 0)
    monkeypatch.setattr("roll.logs.signals.os.kill", lambda *_: killed.set())
    log = access_log(app, tmp_path / "a")
    asyncio.run(app.startup())
    GUARD._die(signal.SIGTERM, None)
    assert killed.wait(PATIENCE)
    killed.clear()
    GUARD._end(signal.SIGTERM)
    assert killed.is_set()
    GUARD.remove(log)


async def test_one_log_that_is_closed_leaves_the_others_guarded(app, tmp_path, put_back):
    one, two = (access_log(app, tmp_path / name) for name in ("a", "b"))
    await app.startup()
    GUARD.remove(one)
    assert signal.getsignal(signal.SIGTERM) == GUARD._die
    GUARD.remove(two)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    await app.shutdown()
