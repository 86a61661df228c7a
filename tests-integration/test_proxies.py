"""Roll behind the usual proxies, each with the configuration that docs/proxies.md prints."""

import importlib.util
import json
import re
import shutil
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection, IncompleteRead
from pathlib import Path

import pytest
from websockets.sync.client import connect

SUPPORT = Path(__file__).parent / "support"
CLIENT = "127.0.0.2"
"""Where clients connect from: another address than that of the proxies."""
PATIENCE = 60  # seconds after which a test that waits for an event has failed
HEALTHY = {"haproxy", "caddy", "varnish"}
"""The proxies that check the health of servers, as the page has them do."""
BLIND = {"apache", "lighttpd", "varnish"}
"""The proxies that notice that a client has left when they write to it."""
OTHER_CONNECTION = {"haproxy", "lighttpd"}
"""The proxies that need not take the same connection for two requests of one client."""
LARGE = "c" * 12_000

APP = """
import asyncio
from collections import defaultdict

from roll import HttpError, Roll, ServerSentEvent
from roll.extensions import request_ids

app = Roll()
request_ids(app)
gates = defaultdict(asyncio.Event)
left = defaultdict(asyncio.Event)
sick = []

{listener}

def connected():
    return [c.peer[1] for server in app.running_servers for c in server.connections]


@app.route("/who")
async def who(request, response):
    response.json = [request.host, request.client, request.scheme]


@app.route("/connection", methods=["POST"])
async def connection(request, response):
    response.json = request.protocol.peer[1]


@app.route("/closed/{port:int}")
async def closed(request, response, port: int):
    while port in connected():
        await asyncio.sleep(0.02)


@app.route("/echo", protocol="websocket")
async def echo(request, ws):
    async for message in ws:
        await ws.send(message)


@app.route("/gate/{name}", methods=["POST"])
async def gate(request, response, name):
    gates[name].set()


@app.route("/left/{name}")
async def has_left(request, response, name):
    await left[name].wait()


@app.route("/events/{name}")
async def events(request, response, name):
    async def source():
        try:
            yield ServerSentEvent("first")
            await gates[name].wait()
            yield ServerSentEvent("second")
            while name.startswith("ticking"):
                await asyncio.sleep(0.02)
                yield ServerSentEvent("tick")
        finally:
            left[name].set()

    response.sse = source()


@app.route("/lines/{name}")
async def lines(request, response, name):
    async def source():
        yield "first\\n"
        await gates[name].wait()
        yield "second\\n"

    response.body = source()


@app.route("/broken/{length}/{name}")
async def broken(request, response, length, name):
    async def source():
        yield "x" * 50_000
        await gates[f"{length}-{name}"].wait()
        raise RuntimeError("no more")

    if length == "known":
        response.headers["Content-Length"] = "100000"
    response.body = source()


@app.route("/upload", methods=["POST"], lazy_body=True)
async def upload(request, response):
    response.body = str(sum([len(chunk) async for chunk in request]))


@app.route("/parts/{name}", methods=["POST"], lazy_body=True)
async def parts(request, response, name):
    async for chunk in request:
        gates[name].set()


@app.route("/wait/{name}")
async def wait(request, response, name):
    await gates[name].wait()


@app.route("/early", methods=["POST"], lazy_body=True)
async def early(request, response):
    response.status = 202


@app.route("/secret", methods=["POST"], lazy_body=True)
async def secret(request, response):
    raise HttpError(401, "Who are you?")


@app.route("/cookie")
async def cookie(request, response):
    response.cookies.set("large", request.cookies["large"])
    response.body = str(len(request.cookies["large"]))


@app.route("/metrics")
async def metrics(request, response):
    response.body = "requests 1"


@app.route("/health")
async def health(request, response):
    response.status = 503 if sick else 200


@app.route("/feel/{how}", methods=["POST"])
async def feel(request, response, how):
    sick[:] = ["sick"] if how == "sick" else []
"""


def load():
    spec = importlib.util.spec_from_file_location("proxies", SUPPORT / "proxies.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["proxies"] = module
    spec.loader.exec_module(module)
    return module


proxies = load()


@pytest.fixture(scope="module")
def roll(run_for_module, tmp_path_factory):
    """The address of Roll, which gunicorn serves with the printed options."""
    folder = tmp_path_factory.mktemp("roll")
    listener = proxies.block("python")
    (folder / "app.py").write_text(APP.replace("{listener}", listener))
    printed = proxies.block("sh", "gunicorn ")
    options = printed.replace("mypackage.core", "app").replace(":8000", ":0").split()
    program = run_for_module(sys.executable, "-m", "gunicorn", *options, cwd=folder)
    program.wait_for_url(r"Listening at: ([^\s,]+)")
    program.wait_for("Booting worker")
    return program.url.removeprefix("http://")


@pytest.fixture(scope="module", params=proxies.PROXIES)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def front(name, roll, run_for_module, tmp_path_factory):
    """The address of a proxy in front of Roll."""
    proxy = proxies.PROXIES[name]
    if proxy.path is None:
        pytest.skip(f"{proxy.program} is not installed")
    folder = tmp_path_factory.mktemp(name)
    folder.chmod(0o755)
    address = free_address()
    command = proxy.command(folder, address, roll)
    home = {"HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    program = run_for_module(*command, cwd=folder, **home)
    until(lambda: serves(program, address))
    return address


def free_address():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return "{}:{}".format(*taken.getsockname())


def until(holds):
    """Ask again and again: for what another program never tells by itself."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, "It never happens"
        time.sleep(0.02)


def serves(program, address):
    assert program.process.poll() is None, program.output
    try:
        return get(address, "/who").status == 200
    except ConnectionError:
        return False


class Answer:
    def __init__(self, response):
        self.status, self.headers = response.status, response.headers
        self.body = response.read().decode()


def client(address):
    host, port = address.split(":")
    return HTTPConnection(host, int(port), PATIENCE, source_address=(CLIENT, 0))


def ask(connection, method, path, **headers):
    connection.request(method, path, headers={"Host": "example.org"} | headers)
    return connection.getresponse()


def get(address, path, method="GET", **headers):
    with closing(client(address)) as connection:
        return Answer(ask(connection, method, path, **headers))


def test_client_scheme_and_host_are_forwarded(front):
    assert json.loads(get(front, "/who").body) == ["example.org", [CLIENT, 0], "http"]


def test_fields_that_clients_forge_are_not_believed(front):
    forged = {
        "X-Forwarded-For": "203.0.113.9",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Port": "1",
        "X-Forwarded-Prefix": "/evil",
        "Forwarded": "for=203.0.113.9;proto=https;host=evil.example",
    }
    answer = get(front, "/who", **forged)
    assert json.loads(answer.body) == ["example.org", [CLIENT, 0], "http"]


def test_ids_of_requests_are_those_of_nginx(front, name):
    if name != "nginx":
        pytest.skip("The page shows ids for nginx")
    ids = {get(front, "/who", **{"X-Request-ID": "forged"}).headers["X-Request-ID"] for _ in "ab"}
    assert len(ids) == 2
    assert all(re.fullmatch("[0-9a-f]{32}", one) for one in ids)


@pytest.mark.parametrize("path", ["/metrics", "/%6Detrics", "/metrics?x=1"])
def test_metrics_are_not_for_clients(front, roll, name, path):
    if name not in {"nginx", "haproxy", "caddy"}:
        pytest.skip("The page does not deny them by this proxy")
    assert get(front, path).status == 404
    assert get(roll, path).status == 200


def test_websockets_pass(front):
    host, port = front.split(":")
    sock = socket.create_connection((host, int(port)), PATIENCE)
    with connect("ws://example.org/echo", sock=sock, proxy=None) as ws:
        for message in ("text", b"bytes", "x" * 100_000):
            ws.send(message)
            assert ws.recv(PATIENCE) == message


@pytest.mark.parametrize(("path", "start"), [("events", b"data: "), ("lines", b"")])
def test_streams_arrive_as_they_are_sent(front, name, path, start):
    with closing(client(front)) as connection:
        response = ask(connection, "GET", f"/{path}/{path}-{name}")
        assert response.readline() == start + b"first\n"
        get(front, f"/gate/{path}-{name}", "POST")
        assert start + b"second\n" in response.read().splitlines(keepends=True)


@pytest.mark.parametrize("length", ["known", "unknown"])
def test_failed_streams_are_errors_for_clients(request, front, roll, name, length):
    if name == "caddy" and length == "unknown" and version("caddy").startswith("2.6."):
        request.applymarker(pytest.mark.xfail(strict=True, reason="Caddy's issue 5951"))
    with closing(client(front)) as connection:
        response = ask(connection, "GET", f"/broken/{length}/{name}")
        assert response.read(1) == b"x"
        get(roll, f"/gate/{length}-{name}", "POST")
        with pytest.raises((IncompleteRead, ConnectionResetError)):
            response.read()


def version(program):
    done = subprocess.run([program, "version"], capture_output=True, text=True, check=True)
    return done.stdout.strip().removeprefix("v")


def test_stream_ends_when_its_client_leaves(front, roll, name):
    stream = f"ticking-{name}" if name in BLIND else f"silent-{name}"
    if name in BLIND:
        get(roll, f"/gate/{stream}", "POST")
    with closing(client(front)) as connection:
        response = ask(connection, "GET", f"/events/{stream}")
        assert response.readline() == b"data: first\n"
        response.close()
    assert get(roll, f"/left/{stream}").status == 200


def test_uploads_pass(front, tmp_path):
    file = tmp_path / "file"
    file.write_bytes(bytes(2_000_000))
    for fields in ([], ["--header", "Transfer-Encoding: chunked"]):
        assert curl(front, "/upload", *fields, "--data-binary", f"@{file}") == (0, "2000000", 200)


def test_uploads_arrive_as_they_are_sent(front, roll, name):
    with closing(client(front)) as connection:
        connection.putrequest("POST", f"/parts/parts-{name}", skip_host=True)
        connection.putheader("Host", "example.org")
        connection.putheader("Content-Length", "400000")
        connection.endheaders()
        connection.send(bytes(200_000))
        assert get(roll, f"/wait/parts-{name}").status == 200
        connection.send(bytes(200_000))
        assert connection.getresponse().status == 200


@pytest.mark.parametrize(
    ("path", "status"), [("/early", 202), ("/secret", 401), ("/nowhere", 404)]
)
def test_early_responses_to_large_uploads_arrive(front, tmp_path, path, status):
    file = tmp_path / "file"
    file.write_bytes(bytes(15_000_000))
    upload = ("--header", "Expect:", "--data-binary", f"@{file}", "--output", "/dev/null")
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(curl, front, path, *upload) for _ in range(12)]
        assert {done.result() for done in asked} == {(0, "", status)}


def curl(address, path, *options):
    """The exit code of curl, what it prints, and the status."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    command = ["curl", "--silent", "--noproxy", "*", "--header", "Host: example.org"]
    command += ["--write-out", "\n%{http_code}", *options, f"http://{address}{path}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
    body, _, status = done.stdout.rpartition("\n")
    return done.returncode, body, int(status)


def test_idle_connections_end_before_those_of_roll(front, roll, name):
    """Roll keeps them for 75 seconds, and the proxy for one: so the proxy ends them."""
    with closing(client(front)) as connection:
        first = answer_to_post(connection)
        if name not in OTHER_CONNECTION:
            assert answer_to_post(connection) == first
        if name == "apache":
            time.sleep(1.2)  # it is not used again, and closed when another is needed
        else:
            assert get(roll, f"/closed/{first}").status == 200
        assert answer_to_post(connection) != first


def answer_to_post(connection):
    response = Answer(ask(connection, "POST", "/connection"))
    assert response.status == 200
    return json.loads(response.body)


def test_large_heads_pass(front):
    answer = get(front, "/cookie", Cookie=f"large={LARGE}")
    assert (answer.status, answer.body) == (200, str(len(LARGE)))
    assert LARGE in answer.headers["Set-Cookie"]


def test_servers_that_fail_their_health_check_get_no_requests(front, roll, name):
    if name not in HEALTHY:
        pytest.skip(f"The configuration of {name} has no health checks")
    get(roll, "/feel/sick", "POST")
    try:
        until(lambda: get(front, "/who").status == 503)
        assert get(roll, "/who").status == 200
    finally:
        get(roll, "/feel/well", "POST")
    until(lambda: get(front, "/who").status == 200)


@pytest.mark.parametrize(
    ("probe", "status"),
    [
        ("OPTIONS / HTTP/1.0", 404),
        ("OPTIONS * HTTP/1.0", 200),
        ("OPTIONS /health HTTP/1.0", 405),
        ("GET /health HTTP/1.0", 200),
        ("HEAD /health HTTP/1.0", 200),
    ],
)
def test_probes_of_old_balancers_are_answered(roll, probe, status):
    host, port = roll.split(":")
    with socket.create_connection((host, int(port)), PATIENCE) as sock:
        sock.sendall(f"{probe}\r\n\r\n".encode())
        answer = b"".join(iter(lambda: sock.recv(65536), b""))
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
