"""The examples of roll-multipart's README, each in the library it is written for."""

import asyncio
import http.client
import json
import re
import threading
import wsgiref.simple_server
import wsgiref.validate
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import pytest
import starlette.requests
from aiohttp import web
from aiohttp.base_protocol import BaseProtocol
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from roll import Roll
from roll.testing import Client
from roll_multipart import (
    encode,
    encode_stream,
    encode_stream_async,
    parts,
    parts_async,
)

ROOT = Path(__file__).parents[2]
README = (ROOT / "packages" / "roll-multipart" / "README.md").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
CONTENT = bytes(range(256)) * 2000


def run_example(mark, source="request"):
    """Run the one example that has a mark, and return its names."""
    [example] = [example for example in EXAMPLES if mark in example]
    example = example.replace('"Content-Type", ""), request)', f'"Content-Type", ""), {source})')
    names = {"__name__": "readme"}
    exec(compile(example, "README.md", "exec"), names)
    return names


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "me.jpg"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture(params=["request", "request.content"])
async def aiohttp_url(request):
    runner = web.AppRunner(run_example("from aiohttp import web", request.param)["app"])
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    await runner.cleanup()


async def test_aiohttp_request_is_read_part_by_part(aiohttp_url, photo):
    async with aiohttp.ClientSession() as session:
        form = encode_stream_async({"title": "é"}, {"photo": photo, "empty": b""})
        async with session.post(aiohttp_url, data=form, headers=form.headers) as response:
            assert await response.json() == {"title": 2, "photo": len(CONTENT), "empty": 0}
        # What aiohttp encodes itself.
        data = aiohttp.FormData({"title": "é"})
        data.add_field("photo", CONTENT, filename="me.jpg")
        async with session.post(aiohttp_url, data=data) as response:
            assert await response.json() == {"title": 2, "photo": len(CONTENT)}


@pytest.mark.parametrize("source", ["request", "request.stream()"])
def test_starlette_request_saves_its_file(photo, tmp_path, monkeypatch, source):
    monkeypatch.chdir(tmp_path)
    uploads = tmp_path / "uploads"
    uploads.mkdir()
    client = TestClient(run_example("from starlette", source)["app"])
    form = encode_stream({"title": "é"}, {"photo": photo})
    for body in (
        {"content": iter(form), "headers": form.headers},
        {"data": {"title": "é"}, "files": {"photo": CONTENT}},
    ):
        response = client.post("/", **body)
        [saved] = uploads.iterdir()
        assert response.text == f"saved é as {saved.name}"
        assert saved.read_bytes() == CONTENT
        saved.unlink()


MALFORMED = {
    "no content type": (b"--x--", None),
    "another content type": (b"{}", "application/json"),
    "no final boundary": (encode({"title": "é"})[0][:-9], "multipart/form-data; boundary=x"),
}


@pytest.mark.parametrize("body", MALFORMED)
def test_starlette_and_asgi_examples_answer_malformed_body_with_400(body):
    content, content_type = MALFORMED[body]
    headers = {"Content-Type": content_type} if content_type else {}
    for app in (
        run_example("from starlette")["app"],
        run_example("async def application(scope, receive, send)")["application"],
    ):
        assert TestClient(app).post("/", content=content, headers=headers).status_code == 400


def test_starlette_example_answers_missing_field_with_400(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "uploads").mkdir()
    response = TestClient(run_example("from starlette")["app"]).post("/", data={"title": "é"})
    assert (response.status_code, response.text) == (400, "Missing 'photo' key")


@pytest.mark.parametrize("body", MALFORMED)
async def test_aiohttp_example_answers_malformed_body_with_400(aiohttp_url, body):
    content, content_type = MALFORMED[body]
    headers = {"Content-Type": content_type} if content_type else {}
    async with (
        aiohttp.ClientSession(skip_auto_headers=["Content-Type"]) as session,
        session.post(aiohttp_url, data=content, headers=headers) as response,
    ):
        assert response.status == 400


def test_starlette_request_is_read_part_by_part(photo):
    async def endpoint(request):
        found = parts_async(request.headers["Content-Type"], request)
        return JSONResponse({part.name: len(await part.read_async()) async for part in found})

    client = TestClient(Starlette(routes=[Route("/", endpoint, methods=["POST"])]))
    form = encode_stream({"title": "é"}, {"photo": photo})
    response = client.post("/", content=iter(form), headers=form.headers)
    assert response.json() == {"title": 2, "photo": len(CONTENT)}


def test_asgi_receive_is_read_part_by_part(photo):
    client = TestClient(run_example("async def application(scope, receive, send)")["application"])
    form = encode_stream({"title": "é"}, {"photo": photo})
    response = client.post("/", content=iter(form), headers=form.headers)
    assert response.text == repr(["title", CONTENT[:4]])


def read_environ(environ, start_response):
    """Read part by part, as the README's table has it for WSGI."""
    found = parts(environ["CONTENT_TYPE"], environ)
    sizes = {part.name: sum(map(len, part)) for part in found}
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
    return [json.dumps(sizes).encode()]


@contextmanager
def serve(application):
    """Serve an application by wsgiref, which checks that it keeps to the protocol."""

    class Quiet(wsgiref.simple_server.WSGIRequestHandler):
        def log_message(self, *arguments):
            """Nothing on the terminal."""

    application = wsgiref.validate.validator(application)
    with wsgiref.simple_server.make_server(
        "127.0.0.1", 0, application, handler_class=Quiet
    ) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.fixture
def wsgi_port():
    with serve(run_example("def application(environ")["application"]) as port:
        yield port


def post(port, body, headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", "/", body, headers)
    response = connection.getresponse()
    answer = response.status, response.read().decode()
    connection.close()
    return answer


def test_wsgi_environ_is_read_up_to_its_length(wsgi_port, photo):
    form = encode_stream({"title": "é"}, {"photo": photo})
    answer = f"{{'title': ['é']}} {{'photo': {len(CONTENT)}}}"
    assert post(wsgi_port, iter(form), form.headers) == (200, answer)
    body, content_type = encode({"title": "é"})
    assert post(wsgi_port, body, {"Content-Type": content_type}) == (200, "{'title': ['é']} {}")
    urlencoded = {"Content-Type": "application/x-www-form-urlencoded"}
    assert post(wsgi_port, b"a=1&a=2", urlencoded) == (200, "{'a': ['1', '2']} {}")
    assert post(wsgi_port, b"a", urlencoded) == (400, "A field without =")
    assert post(wsgi_port, body[:-9], {"Content-Type": content_type})[0] == 400


def test_wsgi_environ_is_read_part_by_part(photo):
    form = encode_stream({"title": "é"}, {"photo": photo})
    with serve(read_environ) as port:
        status, text = post(port, iter(form), form.headers)
    assert (status, json.loads(text)) == (200, {"title": 2, "photo": len(CONTENT)})


def test_http_client_sends_a_form_of_an_exact_length(wsgi_port, photo):
    names = run_example("import http.client")
    connection = http.client.HTTPConnection("127.0.0.1", wsgi_port, timeout=60)
    names["send"](connection, photo)
    response = connection.getresponse()
    answer = f"{{'title': ['A song']}} {{'song': {len(CONTENT)}}}"
    assert (response.status, response.read().decode()) == (200, answer)
    connection.close()


async def test_asyncio_stream_is_a_source(photo):
    """A reader of asyncio iterates over lines: its `read` counts."""
    parts_async = run_example("async def application(scope")["parts_async"]
    form = encode_stream({"title": "é"}, {"photo": photo})
    reader = asyncio.StreamReader()
    for piece in form:
        reader.feed_data(piece)
    reader.feed_eof()
    found = {
        part.name: await part.read_async() async for part in parts_async(form.content_type, reader)
    }
    assert found == {"title": "é".encode(), "photo": CONTENT}


class Delayed:
    """Gives out each chunk only after a read that waited for it was cancelled."""

    def __init__(self, body, give):
        self.chunks = iter([body[start : start + 500] for start in range(0, len(body), 500)])
        self.give = give

    async def finish(self, call):
        while True:
            try:
                async with asyncio.timeout(0):
                    return await call()
            except TimeoutError:
                self.give(next(self.chunks, None))


def make_asyncio_stream():
    reader = asyncio.StreamReader()
    return reader, lambda chunk: reader.feed_data(chunk) if chunk else reader.feed_eof()


def make_aiohttp_stream():
    loop = asyncio.get_running_loop()
    protocol = BaseProtocol(loop)
    protocol.connection_made(asyncio.Transport())  # which is not asked for anything
    reader = aiohttp.StreamReader(protocol, 2**16, loop=loop)
    return reader, lambda chunk: reader.feed_data(chunk) if chunk else reader.feed_eof()


def make_starlette_request():
    messages = asyncio.Queue()

    def give(chunk):
        message = {"type": "http.request", "body": chunk or b"", "more_body": chunk is not None}
        messages.put_nowait(message)

    scope = {"type": "http", "method": "POST", "headers": []}
    return starlette.requests.Request(scope, messages.get), give


@pytest.mark.parametrize(
    "make", [make_asyncio_stream, make_aiohttp_stream, make_starlette_request]
)
async def test_cancelled_reads_continue_where_they_stopped(make):
    content = CONTENT[:20_000]
    body, content_type = encode({"title": "é" * 600}, {"photo": content})
    source, give = make()
    delayed = Delayed(body, give)
    parts, found = parts_async(content_type, source), {}
    while part := await delayed.finish(lambda: anext(parts, None)):
        found[part.name] = await delayed.finish(part.read_async)
    assert found == {"title": "é".encode() * 600, "photo": content}


async def test_roll_request_is_a_source(photo):
    """Of a handler that reads its body itself, and of one for which Roll has read it."""
    app = Roll()
    parts_async = run_example("async def application(scope")["parts_async"]

    @app.route("/lazy", methods=["POST"], lazy_body=True)
    @app.route("/loaded", methods=["POST"])
    async def handler(request, response):
        response.json = {
            part.name: len(await part.read_async())
            async for part in parts_async(request.content_type, request)
        }

    client = Client(app)
    body, content_type = encode({"title": "é"}, {"photo": photo})
    for path in ("/lazy", "/loaded"):
        response = await client.post(path, body, content_type=content_type)
        assert json.loads(response.body) == {"title": 2, "photo": len(CONTENT)}
