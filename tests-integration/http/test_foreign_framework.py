"""The foreign framework of roll-http's tests serves httpx: many connections, cookies, streams."""

import asyncio
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

FOLDER = Path(__file__).parents[2] / "packages" / "roll-http" / "tests" / "foreign"
PATIENCE = 60


@pytest.fixture(scope="module", params=["asyncio", "uvloop"])
def site(request, tmp_path_factory):
    """The address of the example site, in its own process."""
    command = [sys.executable, FOLDER / "example.py", request.param]
    with (tmp_path_factory.mktemp("site") / "stderr").open("w") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
        assert process.stdout.readline() == "started\n"
        port = process.stdout.readline().split()[1]
        yield f"http://127.0.0.1:{port}"
        process.terminate()
        printed, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert printed.endswith("background task ended\nstopped\n")


@pytest.fixture
async def client(site):
    async with httpx.AsyncClient(base_url=site, timeout=PATIENCE, trust_env=False) as client:
        yield client


async def test_requests_of_many_connections_are_answered_at_once(client):
    names = [str(number) for number in range(50)]
    answers = await asyncio.gather(*(client.get("/hello", params={"name": n}) for n in names))
    assert [answer.text for answer in answers] == [f"Hello {name}" for name in names]


async def test_cookie_jar_follows_a_login(client):
    answer = await client.post("/login", json={"user": "Ada"}, follow_redirects=True)
    assert (answer.text, len(answer.history)) == ("Hello Ada", 1)


async def test_request_and_response_bodies_are_streamed(client):
    async def pieces():
        for _ in range(10):
            yield b"x" * 50_000

    answer = await client.post("/upload", content=pieces())
    assert answer.json() == {"size": 500_000, "counted": 500_000}
    async with client.stream("GET", "/numbers", params={"to": 3}) as answer:
        assert [line async for line in answer.aiter_lines()] == ["0", "1", "2"]


async def test_stream_that_fails_is_an_error_for_the_client(client):
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        await client.get("/numbers", params={"to": 20})


async def test_client_that_leaves_a_stream_can_ask_again(client):
    async with client.stream("GET", "/endless") as answer:
        assert await anext(answer.aiter_bytes(65536)) == b"x" * 65536
    assert (await client.get("/hello")).status_code == 200
