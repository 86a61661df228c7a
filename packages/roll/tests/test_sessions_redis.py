"""Sessions in a real Redis."""

import asyncio
import shutil
import subprocess

import pytest

from roll.extensions import RedisStore, sessions

pytestmark = pytest.mark.skipif(
    shutil.which("redis-server") is None, reason="redis-server is not installed"
)


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """The URL of a redis-server that serves this module alone."""
    path = tmp_path_factory.mktemp("redis") / "s"
    command = ["redis-server", "--port", "0", "--unixsocket", str(path), "--save", ""]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if "ready to accept connections" in line:
                break
        yield f"unix://{path}"
        process.terminate()
        process.stdout.read()


@pytest.fixture
async def store(url):
    store = RedisStore(url)
    yield store
    await store.close()


async def test_data_is_kept_until_it_is_deleted(store):
    assert await store.load("a") is None
    await store.save("a", "1", 100)
    assert await store.load("a") == "1"
    await store.delete("a")
    await store.delete("a")
    assert await store.load("a") is None


async def test_only_data_that_are_there_are_replaced(store):
    assert not await store.replace("c", "1", 100)
    assert await store.load("c") is None
    await store.save("c", "1", 100)
    assert await store.replace("c", "2", 50)
    assert await store.load("c") == "2"
    assert 0 < await store._redis.pttl("roll:session:c") <= 50_000


async def test_many_requests_at_once_wait_for_a_connection(store):
    await store.save("many", "1", 100)
    assert await asyncio.gather(*(store.load("many") for _ in range(500))) == ["1"] * 500


async def test_data_expires(store):
    await store.save("b", "1", 1)
    assert 0 < await store._redis.pttl("roll:session:b") <= 1000


async def test_session_outlives_the_worker(app, client, url):
    secret = "a secret of many characters"
    sessions(app, secret, store=RedisStore(url))

    @app.route("/count")
    async def count(request, response):
        request.session["count"] = request.session.get("count", 0) + 1
        response.json = request.session["count"]

    first = await client.get("/count")
    (line,) = first.cookie_lines
    headers = {"Cookie": line.partition(";")[0]}
    other = type(app)()
    sessions(other, secret, store=RedisStore(url))
    other.route("/count")(count)
    second = await type(client)(other).get("/count", headers=headers)
    assert (first.body, second.body) == (b"1", b"2")
    await app.shutdown()
    await other.shutdown()


@pytest.mark.parametrize("url", ["localhost:6379", "http://localhost", "", None, 1, ["*"], b"x"])
def test_url_of_something_else_is_refused(url):
    with pytest.raises(ValueError, match="`url` is one of Redis, such as 'redis://localhost'"):
        RedisStore(url)


@pytest.mark.parametrize("prefix", ["", None, 1, b"roll", "\n"])
def test_prefix_that_is_not_text_is_refused(prefix):
    with pytest.raises(ValueError, match="`prefix` is a text such as 'roll'"):
        RedisStore("redis://localhost", prefix)
