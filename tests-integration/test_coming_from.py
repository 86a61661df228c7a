"""The pages "coming from ...": the applications of all frameworks answer alike."""

import importlib.util
import os
import socket
import sys
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect

EXAMPLES = Path(__file__).parents[1] / "examples"
GUNICORN = ("-m", "gunicorn", "--bind", "127.0.0.1:0")
UVICORN = ("-m", "uvicorn", "--port", "0", "--no-access-log")
SERVERS = {
    "roll": ("-m", "roll", "run", "--port", "0"),
    "starlette": UVICORN,
    "fastapi": UVICORN,
    "quart": UVICORN,
    "sanic": ("-m", "sanic", "--single-process", "--no-motd", "--host", "127.0.0.1"),
    "aiohttp": (*GUNICORN, "--worker-class", "aiohttp.GunicornWebWorker"),
    "flask": GUNICORN,
}
NEEDED = {
    "fastapi": ["fastapi", "python_multipart"],
    "starlette": ["starlette", "python_multipart"],
}
NOT_A_NUMBER = {"fastapi": 422}
WITHOUT_WEBSOCKETS = {"flask"}


@pytest.fixture
def url(framework, run):
    for module in NEEDED.get(framework, [framework]):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed")
    command = [sys.executable, *SERVERS[framework], f"coming_from.{framework}_books:app"]
    if framework == "sanic":  # does not tell which port it was given
        port = free_port()
        run(*command, "--port", str(port), cwd=EXAMPLES).wait_for("Worker ready")
        return f"http://127.0.0.1:{port}"
    program = run(*command, cwd=EXAMPLES)
    pattern = r"(?:Listening at:|running on|Rolling on)\D*(http://127\.0\.0\.1:\d+)"
    return program.wait_for(pattern)[1]


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.mark.parametrize("framework", SERVERS)
async def test_each_framework_answers_alike(framework, url):
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as client:
        await check_books(client, NOT_A_NUMBER.get(framework, 404))
        await check_bodies(client)
    if framework not in WITHOUT_WEBSOCKETS:
        async with connect(url.replace("http", "ws") + "/echo", proxy=None) as ws:
            await ws.send("hello")
            assert await ws.recv() == "hello"


async def check_books(client, not_a_number):
    answer = await client.get("/books?page=2")
    assert answer.json() == {"page": 2, "books": ["Dune"]}
    assert answer.headers["x-served-by"] == "books"
    assert (await client.get("/books/1")).json() == {"id": 1, "title": "Dune"}
    missing = await client.get("/books/7")
    assert (missing.status_code, "No such book" in missing.text) == (404, True)
    assert (await client.get("/books/seven")).status_code == not_a_number
    added = await client.post("/books", json={"title": "Emma"})
    assert (added.status_code, added.json()) == (201, {"id": 2, "title": "Emma"})


async def check_bodies(client):
    answer = await client.post("/covers", files={"cover": ("dune.png", b"12345")})
    assert answer.json() == {"name": "dune.png", "size": 5}
    answer = await client.get("/login")
    assert answer.text == "Welcome"
    assert answer.cookies["user"] == "ada"
    assert "httponly" in answer.headers["set-cookie"].lower()
    assert (await client.get("/count")).text == "0 1 2 "


SERVE = """
from {module} import app
from roll.extensions import simple_server
simple_server(app, port={port})
"""
OLD_PYTHON = os.environ.get("ROLL_OLD_PYTHON", "")
PYTHONS = {"roll_013_before": OLD_PYTHON, "roll_013_after": sys.executable}


@pytest.mark.parametrize("module", PYTHONS)
async def test_applications_before_and_after_the_change_from_0_13_answer_alike(module, run):
    python = PYTHONS[module]
    if not python:
        pytest.skip("ROLL_OLD_PYTHON does not name a Python that has Roll 0.13")
    port = free_port()
    code = SERVE.format(module=module, port=port)
    run(python, "-c", code, cwd=EXAMPLES / "coming_from").wait_for("Rolling on")
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        assert (await client.get("/books/1")).json() == {"title": "Dune"}
        missing = await client.get("/books/7")
        assert (missing.status_code, missing.json()) == (404, {"error": "No such book"})
        assert (await client.get("/page")).text == "<h1>Books</h1>"
        cover = ("dune.png", b"12345", "image/png")
        answer = await client.post("/covers", files={"cover": cover})
        assert answer.json() == {"type": "image/png", "size": 5}
