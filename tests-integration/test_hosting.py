"""Applications of other frameworks on Roll's server: real processes, curl and websockets."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect as connect_websocket

HOSTED = Path(__file__).parent / "support" / "hosted"

FRAMEWORKS = ["starlette", "fastapi", "django", "quart", "flask"]
NEEDED = {"flask": ("flask", "a2wsgi"), "fastapi": ("fastapi", "pydantic")}
WITH_WEBSOCKETS = ["starlette", "fastapi", "quart"]
WITH_STATE = WITH_WEBSOCKETS


def skip_unless_installed(name):
    for module in NEEDED.get(name, (name,)):
        if find_spec(module) is None:
            pytest.skip(f"{module} is not installed")


class Hosted:
    """A running server, and where the application is found on it."""

    def __init__(self, program, name, prefix):
        self.name, self.prefix = name, prefix
        self.root = program.wait_for_url().removeprefix("http://")
        self.url = f"http://{self.root}{prefix}"


@pytest.fixture(params=FRAMEWORKS, scope="module")
def framework(request):
    skip_unless_installed(request.param)
    return request.param


@pytest.fixture(params=["alone", "mounted"], scope="module")
def hosted(request, framework, run_for_module):
    mounted = request.param == "mounted"
    target = "mounted" if mounted else f"{framework}_app:app"
    argv = ["-m", "roll", "run", target, "--port", "0"]
    program = run_for_module(sys.executable, *argv, cwd=HOSTED, HOSTED=f"{framework}_app")
    return Hosted(program, framework, "/below" if mounted else "")


def test_page_is_served(hosted, curl):
    answer = curl(f"{hosted.url}/hello/Ada")
    assert (answer.status, answer.body) == (200, "Hello Ada")
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["content-length"] == "9"
    assert ("x-outer" in answer.headers) is bool(hosted.prefix)
    assert curl(f"{hosted.url}/hello/caf%C3%A9%20b").body == "Hello café b"
    assert curl(f"{hosted.url}/missing").status == 404
    assert curl(f"{hosted.url}/hello/Ada", "-I").body == ""


def test_mounted_application_gets_its_prefix(hosted, curl):
    found = json.loads(curl(f"{hosted.url}/where").body)
    assert found["url"] == f"{hosted.url}/hello/ada"
    assert found["root_path"] == hosted.prefix
    assert (found["client"], found["scheme"]) == ("127.0.0.1", "http")
    if hosted.name in WITH_STATE:
        assert found["state"] == "yes"


def test_body_is_read_and_sent(hosted, curl, tmp_path):
    assert curl(f"{hosted.url}/echo", "-d", "a short text").body == "a short text"
    file = tmp_path / "long.txt"
    file.write_text("0123456789" * 200_000)
    # WSGI reads no body that has no length.
    framings = [[]] if hosted.name == "flask" else [[], ["-H", "Transfer-Encoding: chunked"]]
    for framing in framings:
        answer = curl(f"{hosted.url}/echo", "--data-binary", f"@{file}", *framing)
        assert answer.body == file.read_text()


def test_stream_is_sent(hosted, curl):
    answer = curl(f"{hosted.url}/stream")
    assert answer.body == "line 0\nline 1\nline 2\n"
    assert answer.headers["transfer-encoding"] == "chunked"


def test_error_is_a_500(hosted, curl):
    assert curl(f"{hosted.url}/fail").status == 500
    assert curl(f"{hosted.url}/hello/Ada").status == 200


@pytest.mark.parametrize("framework", WITH_WEBSOCKETS, indirect=True)
def test_websocket_echoes(hosted):
    with connect_websocket(f"ws://{hosted.root}{hosted.prefix}/ws") as ws:
        for text in ("one", "two"):
            ws.send(text)
            assert ws.recv() == f"yes {text}"


@pytest.mark.parametrize("hosted", ["mounted"], indirect=True)
def test_routes_of_roll_work_next_to_a_mount(hosted, curl):
    assert curl(f"http://{hosted.root}/own").body == "of Roll"
    assert curl(f"http://{hosted.root}/hello/Ada").status == 404


@pytest.mark.parametrize("framework", ["starlette"], indirect=True)
def test_starlette_sends_files_and_runs_tasks_after_responses(hosted, curl):
    answer = curl(f"{hosted.url}/source")
    assert answer.body == (HOSTED / "starlette_app.py").read_text()
    assert answer.headers["x-middleware"] == "seen"
    assert curl(f"{hosted.url}/after").body == "soon"
    assert curl(f"{hosted.url}/done").body.startswith("done")


@pytest.mark.parametrize("framework", ["fastapi"], indirect=True)
def test_fastapi_validates_and_documents(hosted, curl):
    item = ["-X", "PUT", "-H", "Content-Type: application/json", "-d"]
    answer = curl(f"{hosted.url}/items/5", *item, '{"name": "tea", "price": 2.5}')
    assert json.loads(answer.body) == {"name": "tea", "number": 5}
    assert curl(f"{hosted.url}/items/5", *item, '{"name": "tea"}').status == 422
    assert json.loads(curl(f"{hosted.url}/items/5?q=x").body) == {"number": 5, "q": "x"}
    assert curl(f"{hosted.url}/items/100").status == 404
    paths = json.loads(curl(f"{hosted.url}/openapi.json").body)
    assert "/items/{number}" in paths["paths"]
    assert f"{hosted.prefix}/openapi.json" in curl(f"{hosted.url}/docs").body


@pytest.mark.parametrize("name", ["starlette", "django"])
def test_several_workers_serve_an_application(name, run, curl):
    skip_unless_installed(name)
    pytest.importorskip("gunicorn")
    argv = ["-m", "roll", "run", f"{name}_app:app", "--port", "0", "--workers", "2"]
    program = run(sys.executable, *argv, cwd=HOSTED)
    url = program.wait_for_url(r"Listening at: (http://\S+)")
    assert curl(f"{url}/hello/Ada").body == "Hello Ada"


def test_gunicorn_serves_an_application_with_the_worker(run, curl):
    pytest.importorskip("gunicorn")
    argv = ["-m", "gunicorn", "-k", "roll.worker.Worker", "-b", "127.0.0.1:0", "starlette_app:app"]
    program = run(sys.executable, *argv, cwd=HOSTED)
    url = program.wait_for_url(r"Listening at: (http://\S+)")
    assert json.loads(curl(f"{url}/where").body)["state"] == "yes"


def test_wsgi_application_is_refused_with_advice():
    argv = [sys.executable, "-m", "roll", "run", "flask_app:flask"]
    skip_unless_installed("flask")
    ended = subprocess.run(argv, cwd=HOSTED, capture_output=True, text=True, check=False)
    assert ended.returncode != 0
    assert "is an application of WSGI: wrap it: `a2wsgi.WSGIMiddleware" in ended.stderr


def test_end_of_the_server_ends_the_application(run, tmp_path):
    (tmp_path / "lives.py").write_text(
        "async def app(scope, receive, send):\n"
        "    while True:\n"
        "        kind = (await receive())['type']\n"
        "        print(kind, flush=True)\n"
        "        await send({'type': f'{kind}.complete'})\n"
    )
    program = run(sys.executable, "-m", "roll", "run", "lives.py", "--port", "0", cwd=tmp_path)
    program.wait_for("Rolling on")
    assert program.stop() == 0
    assert "lifespan.shutdown\n" in program.output


RELOADED = """
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        for _ in range(2):
            kind = (await receive())["type"]
            print("first", kind, flush=True)
            await send({"type": f"{kind}.complete"})
    else:
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"first"})
"""

FAILING = """
async def app(scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "no database"})
"""


def replace(file, text):
    """Change a file at once: a reload may begin within a write."""
    new = file.with_suffix(".new")
    new.write_text(text)
    new.replace(file)


def reloaded_to(file, text, program):
    """Change the application; return the URL on which the next process serves."""
    replace(file, text)
    return program.wait_for_url()


def test_application_is_reloaded(run, curl, tmp_path):
    pytest.importorskip("watchfiles")
    file = tmp_path / "served.py"
    file.write_text(RELOADED)
    argv = ["-m", "roll", "run", "served.py", "--port", "0", "--reload"]
    program = run(sys.executable, *argv, cwd=tmp_path)
    url = program.wait_for_url()
    assert curl(url).body == "first"
    replace(file, RELOADED.replace("first", "second"))
    program.wait_for("first lifespan.shutdown")
    program.wait_for("second lifespan.startup")
    assert program.wait_for_url() == url
    assert curl(url).body == "second"
    assert program.stop() == 0
    assert "second lifespan.shutdown\n" in program.output


@pytest.mark.parametrize(
    ("broken", "shown"),
    [
        (f"{RELOADED}def broken(:\n", "def broken(:"),
        (FAILING, "no database"),
        (f"{RELOADED}app = 5\n", "served:app is of type int, not an application"),
    ],
)
def test_application_that_fails_is_shown_until_it_is_repaired(run, curl, tmp_path, broken, shown):
    pytest.importorskip("watchfiles")
    file = tmp_path / "served.py"
    file.write_text(broken)
    argv = ["-m", "roll", "run", "served:app", "--port", "0", "--reload"]
    program = run(sys.executable, *argv, cwd=tmp_path)
    url = program.wait_for_url()
    assert shown in curl(url).body
    assert reloaded_to(file, RELOADED, program) == url
    assert curl(url).body == "first"


def test_starlette_is_reloaded_with_its_websockets(run, curl, tmp_path):
    skip_unless_installed("starlette")
    pytest.importorskip("watchfiles")
    text = (HOSTED / "starlette_app.py").read_text()
    file = tmp_path / "starlette_app.py"
    file.write_text(text)
    argv = ["-m", "roll", "run", "starlette_app:app", "--port", "0", "--reload"]
    program = run(sys.executable, *argv, cwd=tmp_path)
    url = program.wait_for_url()
    with connect_websocket(f"{url.replace('http', 'ws')}/ws") as ws:
        assert reloaded_to(file, text.replace("Hello ", "Good day "), program) == url
        with pytest.raises(ConnectionClosed) as closed:
            ws.recv()
    assert closed.value.rcvd.code == 1001
    assert curl(f"{url}/hello/Ada").body == "Good day Ada"
