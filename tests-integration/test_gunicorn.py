"""gunicorn as a real process, with the documented command line."""

import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from http.client import HTTPConnection
from importlib.util import find_spec
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
SERVED = "Served by gunicorn"
PATIENCE = 30  # seconds after which a test that waits for a file has failed
LISTENING = r"Listening at: ([^\s,]+)"


@pytest.fixture
def gunicorn(run):
    """`gunicorn mypackage.core:app --worker-class roll.worker.Worker`, on a free port."""

    def start(*options, target="mypackage.core:app", bind="127.0.0.1:0", cwd=EXAMPLES, **env):
        command = [sys.executable, "-m", "gunicorn", target]
        command += ["--worker-class", "roll.worker.Worker", "--bind", bind, *options]
        program = run(*command, cwd=cwd, **env)
        program.wait_for_url(LISTENING)
        program.wait_for(r"Booting worker")
        return program

    return start


def test_documented_command_serves(gunicorn, curl):
    program = gunicorn()
    assert curl(f"{program.url}/").body == SERVED
    assert program.stop(signal.SIGTERM) == 0


def test_another_worker_than_rolls_says_which_to_take(run, curl):
    command = [sys.executable, "-m", "gunicorn", "mypackage.core:app", "--bind", "127.0.0.1:0"]
    program = run(*command, cwd=EXAMPLES)
    url = program.wait_for_url(LISTENING)
    assert curl(f"{url}/").status == 500
    program.wait_for(
        r"An application of Roll is not a WSGI application: run it with "
        r"`gunicorn package\.module:app --worker-class roll\.worker\.Worker`"
    )


APP = """
import asyncio, os, sys
from roll import Roll

app = Roll()


@app.listen("startup")
async def up():
    # In one write: the master writes to the same pipe.
    sys.stdout.write(f"up {type(asyncio.get_running_loop()).__module__}\\n")
    sys.stdout.flush()


@app.listen("shutdown")
async def down():
    print("down", flush=True)


@app.route("/")
async def index(request, response):
    response.body = str(os.getpid())


@app.route("/slow")
async def slow(request, response):
    os.write(1, b"slow began\\n")  # at once: print writes the line end by itself
    while not os.path.exists("go"):
        await asyncio.sleep(0.01)
    print("slow ended", flush=True)
    response.body = "whole"
"""


@pytest.fixture
def site(tmp_path):
    (tmp_path / "site_app.py").write_text(APP)
    return {"target": "site_app:app", "cwd": tmp_path}


def test_events_and_uvloop(gunicorn, site, curl):
    program = gunicorn(**site)
    loop = program.wait_for(r"up (\w+)")[1]
    assert loop == ("uvloop" if find_spec("uvloop") else "asyncio")
    program.stop(signal.SIGTERM)
    assert "down\n" in program.output


def test_request_under_way_at_sigterm_is_answered_before_shutdown(gunicorn, site, curl):
    program = gunicorn(**site)
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(curl, f"{program.url}/slow")
        program.wait_for("slow began")
        program.process.send_signal(signal.SIGTERM)
        program.wait_for("Handling signal: term")
        (site["cwd"] / "go").touch()
        assert answer.result().body == "whole"
    assert program.wait() == 0
    assert program.output.index("slow ended\n") < program.output.index("down\n")


HELD = """

@app.lifespan
async def hold():
    yield
    os.write(1, b"closed\\n")


@app.listen("EVENT")
async def wait():
    os.write(1, b"waiting\\n")
    try:
        await WAIT
    except asyncio.CancelledError:
        os.write(1, b"cancelled\\n")
        raise
    os.write(1, b"waited\\n")
"""
NEVER = "asyncio.Event().wait()"


def hold(site, event, wait=NEVER):
    text = APP + HELD.replace("EVENT", event).replace("WAIT", wait)
    (site["cwd"] / "site_app.py").write_text(text)


def said(program, text):
    """Count a text in all that was said: lines of several processes may be mixed."""
    return "".join(program.output).count(text)


@pytest.fixture(params=["gunicorn", "roll run --workers"])
def several(request, gunicorn, run, site):
    """Two workers, started in either way; give the program."""

    def start(**env):
        if request.param == "gunicorn":
            return gunicorn("--workers", "2", **site, **env)
        command = [sys.executable, "-m", "roll", "run", site["target"], "--port", "0"]
        return run(*command, "--workers", "2", cwd=site["cwd"], **env)

    return start


HURRIES = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT])


@HURRIES
def test_signal_to_the_master_within_shutdown_cancels_it(several, site, either_loop, number):
    hold(site, "shutdown")
    program = several(**either_loop)
    for _ in range(2):
        program.wait_for("up ")
    program.process.send_signal(signal.SIGTERM)
    for _ in range(2):
        program.wait_for("waiting")
    program.stop(number)
    assert said(program, "cancelled") == said(program, "closed") == 2


def test_sigquit_to_the_master_within_startup_cancels_it(several, site, either_loop):
    hold(site, "startup")
    program = several(**either_loop)
    for _ in range(2):
        program.wait_for("waiting")
    program.stop(signal.SIGQUIT)
    assert said(program, "cancelled") == said(program, "closed") == 2


@HURRIES
def test_signal_of_a_terminal_counts_once_and_does_not_cancel_shutdown(
    several, site, either_loop, number
):
    hold(site, "shutdown", "asyncio.sleep(0.5)")
    program = several(**either_loop)
    for _ in range(2):
        program.wait_for("up ")
    os.killpg(program.process.pid, number)
    assert program.wait() == 0
    assert said(program, "waited") == said(program, "closed") == 2


def test_unix_socket(gunicorn, curl, tmp_path):
    path = tmp_path / "roll.sock"
    gunicorn(bind=f"unix:{path}")
    assert curl("--unix-socket", str(path), "http://localhost/").body == SERVED


def test_several_binds_with_tls(gunicorn, curl, certificate, tmp_path):
    second = tmp_path / "second.sock"
    cert, key = certificate
    tls = ("--certfile", cert, "--keyfile", key)
    program = gunicorn("--bind", f"unix:{second}", *tls)
    secure = program.url.replace("http:", "https:")
    trust = ("--cacert", str(cert))
    port = secure.rpartition(":")[2]
    url = f"https://localhost:{port}/"
    assert curl(*trust, "--resolve", f"localhost:{port}:127.0.0.1", url).body == SERVED
    assert curl(*trust, "--unix-socket", str(second), "https://localhost/").body == SERVED


@pytest.fixture
def certificate(tmp_path):
    """A certificate for localhost, signed by itself, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    files = ["-out", cert, "-keyout", key]
    subprocess.run([*command.split(), *names, *files], check=True, capture_output=True)
    return cert, key


def test_graceful_timeout_bounds_the_end(gunicorn, site, curl):
    program = gunicorn("--graceful-timeout", "2", **site)
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(curl, f"{program.url}/slow")
        program.wait_for("slow began")
        assert program.stop(signal.SIGTERM) == 0
        assert isinstance(answer.exception(), AssertionError)  # curl: empty reply
    assert "slow ended\n" not in program.output
    assert "down\n" in program.output


@pytest.fixture(params=["uvloop", "asyncio"])
def either_loop(request, tmp_path):
    """The environment in which a worker takes this event loop."""
    if request.param == "uvloop":
        return {} if find_spec("uvloop") else pytest.skip("uvloop is not installed")
    folder = tmp_path / "without"
    folder.mkdir()
    (folder / "uvloop.py").write_text("raise ImportError('not for this test')\n")
    return {"PYTHONPATH": str(folder)}


def ask_all(program, path, count, at_once):
    """Start a number of requests, each on its own connection; return their results."""
    port = int(program.url.rpartition(":")[2])

    def ask():
        client = HTTPConnection("127.0.0.1", port, timeout=60)
        with closing(client):
            client.request("GET", path)
            answer = client.getresponse()
            return answer.status, len(answer.read()) > 0

    pool = ThreadPoolExecutor(at_once)
    answers = [pool.submit(ask) for _ in range(count)]
    pool.shutdown(wait=False)
    return answers


def test_no_request_is_lost_while_workers_are_recycled(gunicorn, site, either_loop):
    program = gunicorn("--max-requests", "3", "--workers", "2", **site, **either_loop)
    program.wait_for("up ")
    answers = ask_all(program, "/", 150, 16)
    assert [answer.result() for answer in answers] == [(200, True)] * 150


# Versions of gunicorn differ in how often a worker gets SIGTERM for each of these.
TOLD = {
    "HUP": ((), signal.SIGHUP),
    "TTOU": (("--workers", "2"), signal.SIGTTOU),
    "TERM": ((), signal.SIGTERM),
    "HUP after the last request": (("--max-requests", "1"), signal.SIGHUP),
    "TERM after the last request": (("--max-requests", "1"), signal.SIGTERM),
}


@pytest.mark.parametrize("case", TOLD)
def test_no_running_request_is_lost_whatever_signal_the_master_gets(
    gunicorn, site, either_loop, case
):
    options, number = TOLD[case]
    program = gunicorn(*options, **site, **either_loop)
    for _ in range(2 if "2" in options else 1):
        program.wait_for("up ")
    answers = ask_all(program, "/slow", 8, 8)
    for _ in answers:
        program.wait_for("slow began")
    if "--max-requests" in options:
        assert ask_all(program, "/", 1, 1)[0].result() == (200, True)
        program.wait_for("Autorestarting")
    program.process.send_signal(number)
    program.wait_for(f"Handling signal: {number.name[3:].lower()}")
    (site["cwd"] / "go").touch()
    assert [answer.result() for answer in answers] == [(200, True)] * 8


def test_max_requests_replaces_the_worker(gunicorn, site, curl):
    program = gunicorn("--max-requests", "3", **site)
    first = {curl(f"{program.url}/").body for _ in range(3)}
    assert len(first) == 1
    program.wait_for("Booting worker")
    assert curl(f"{program.url}/").body not in first


BLIP = """
@app.listen("startup")
async def connect():
    if os.path.exists("away"):
        raise OSError("the database is away")
    print("connected", flush=True)
"""


@pytest.mark.parametrize("how", ["recycled", "hup"])
def test_a_startup_that_fails_once_it_has_served_is_tried_again(gunicorn, site, curl, how):
    with (site["cwd"] / "site_app.py").open("a") as file:
        file.write(BLIP)
    program = gunicorn("--workers", "2", "--max-requests", "1", **site)
    program.wait_for("connected")
    program.wait_for("connected")
    away = site["cwd"] / "away"
    away.touch()
    if how == "hup":
        program.process.send_signal(signal.SIGHUP)
    else:
        curl(f"{program.url}/")  # the last of one of the two
    program.wait_for("OSError: the database is away")
    if how == "recycled":
        assert curl(f"{program.url}/").status == 200  # the other serves
    away.unlink()
    assert curl(f"{program.url}/").status == 200
    assert program.stop(signal.SIGTERM) == 0


def test_a_startup_that_fails_at_first_ends_all(gunicorn, site):
    with (site["cwd"] / "site_app.py").open("a") as file:
        file.write(BLIP)
    (site["cwd"] / "away").touch()
    assert gunicorn("--workers", "2", **site).wait() != 0


def change(program, path, text):
    """Write a file anew, and once more until it is seen: what is watched is seen first, too."""
    path.write_text(text)
    for seconds in range(1, 30):
        later = path.stat().st_mtime + seconds
        os.utime(path, (later, later))
        with suppress(TimeoutError):
            program.wait_for("Worker reloading", patience=2)
            program.wait_for("Booting worker")
            return
    pytest.fail("The change is never seen")


def test_reload_serves_the_traceback_until_the_code_is_repaired(gunicorn, site, curl):
    path = site["cwd"] / "site_app.py"
    program = gunicorn("--reload", **site)
    assert curl(f"{program.url}/").status == 200
    change(program, path, APP + "x = = 1\n")
    answer = curl(f"{program.url}/")
    assert answer.status == 500
    assert "SyntaxError: invalid syntax" in answer.body
    change(program, path, APP + "x = y\n")
    assert "NameError: name 'y' is not defined" in curl(f"{program.url}/slow").body
    change(program, path, APP)
    assert curl(f"{program.url}/").status == 200
    assert program.stop(signal.SIGTERM) == 0
    assert sum("Booting worker" in line for line in program.output) == 4


def test_uncalled_factory_stops_gunicorn_with_advice(gunicorn, site):
    with (site["cwd"] / "site_app.py").open("a") as file:
        file.write("\ndef create_app():\n    return app\n")
    program = gunicorn("--reload", **site | {"target": "site_app:create_app"})
    assert program.wait() != 0
    said = [line for line in program.output if not line.startswith("[")]
    assert said == [
        "'site_app:create_app' is of type function, not an application of Roll or ASGI: if it"
        " returns one, write () behind its name\n"
    ]


def test_access_log(gunicorn, curl, tmp_path):
    program = gunicorn("--access-logfile", "-")
    curl(f"{program.url}/?x=1")
    assert program.wait_for(r'"GET /\?x=1 HTTP/1.1" (\d+)')[1] == "200"


LOGGING = """
from roll import Roll, extensions

app = Roll()
extensions.access_log(app, "own.log", "%(url)s")


@app.route("/{path}")
async def index(request, response, path):
    response.body = path
"""


def test_access_logs_are_reopened_and_keep_the_last_lines(gunicorn, curl, tmp_path):
    """That of gunicorn and that of the extension, with SIGUSR1 to the master as logrotate does."""
    (tmp_path / "logging_app.py").write_text(LOGGING)
    options = ("--access-logfile", "gunicorn.log", "--access-logformat", "%(U)s", "--workers", "2")
    program = gunicorn(*options, target="logging_app:app", cwd=tmp_path)
    program.wait_for("Booting worker")
    names = ("own", "gunicorn")
    paths = {name: tmp_path / f"{name}.log" for name in names}
    for number in range(20):
        curl(f"{program.url}/before{number}")
    for path in paths.values():
        assert sorted(wait_for_lines(path, 20)) == sorted(f"/before{n}" for n in range(20))
        path.rename(path.with_suffix(".1"))
    program.process.send_signal(signal.SIGUSR1)
    for path in paths.values():
        wait_for_lines(path, 0)
    for number in range(20):
        curl(f"{program.url}/behind{number}")
    assert program.stop(signal.SIGTERM) == 0
    for path in paths.values():
        moved = path.with_suffix(".1").read_text().splitlines()
        lines = [*moved, *path.read_text().splitlines()]
        assert sorted(lines) == sorted(f"/{w}{n}" for w in ("before", "behind") for n in range(20))


def wait_for_lines(path, count):
    end = time.monotonic() + PATIENCE
    while not path.exists() or len(path.read_text().splitlines()) < count:
        assert time.monotonic() < end
        time.sleep(0.01)
    return path.read_text().splitlines()


LOGS = """
import logging
from roll import Roll

{configuration}
log = logging.getLogger("shop")
app = Roll()


@app.route("/")
async def index(request, response):
    log.info("info of the shop")
    log.warning("warning of the shop")


@app.route("/fails")
async def fails(request, response):
    raise ValueError("failure of the shop")
"""
CONFIGURED = 'logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")'


def lines_of(gunicorn, curl, tmp_path, configuration, *options):
    (tmp_path / "logs.py").write_text(LOGS.format(configuration=configuration))
    program = gunicorn(*options, target="logs:app", cwd=tmp_path)
    curl(f"{program.url}/")
    curl(f"{program.url}/fails")
    assert program.stop(signal.SIGTERM) == 0
    return [line.strip() for line in program.output]


def test_lines_of_an_application_without_configuration_begin_at_warning(gunicorn, curl, tmp_path):
    lines = lines_of(gunicorn, curl, tmp_path, "")
    assert lines.count("warning of the shop") == 1
    assert not any("info of the shop" in line for line in lines)
    assert lines.count("ValueError: failure of the shop") == 1


def test_configuration_in_the_module_holds_in_workers(gunicorn, curl, tmp_path):
    lines = lines_of(gunicorn, curl, tmp_path, CONFIGURED)
    assert lines.count("INFO shop info of the shop") == 1
    assert lines.count("ERROR roll Unexpected exception: GET /fails") == 1
    assert sum("Booting worker" in line for line in lines) == 1
    assert not any("gunicorn.error" in line for line in lines)
