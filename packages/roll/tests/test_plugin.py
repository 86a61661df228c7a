"""The pytest plugin, in separate runs of pytest."""

import asyncio
import importlib.util
import subprocess
import sys

import pytest

from roll.testing import plugin

SUITE = """
import asyncio

import pytest
from roll import Roll

pytestmark = pytest.mark.asyncio
seen = []


@pytest.fixture
def app():
    app = Roll()
    app.listen("startup")(lambda: seen.append("startup"))
    app.listen("shutdown")(lambda: seen.append("shutdown"))

    @app.route("/")
    async def index(request, response):
        response.body = "Hello"

    return app


async def test_client(client):
    assert (await client.get("/")).body == b"Hello"
    assert seen == ["startup"]


async def test_liveclient(liveclient):
    assert seen == ["startup", "shutdown", "startup"]
    assert (await liveclient.query("GET", "/")).body == b"Hello"


async def test_event_loop(event_loop):
    assert seen[-1] == "shutdown"
    assert event_loop is asyncio.get_running_loop()
"""

FAILING = """
import pytest
from roll import Roll

pytestmark = pytest.mark.asyncio


@pytest.fixture
def app():
    app = Roll()

    @app.listen("startup")
    async def connect():
        raise RuntimeError("no database")

    return app


async def test_client(client):
    pytest.fail("the application has not started")


async def test_liveclient(liveclient):
    pytest.fail("the application has not started")
"""

MARKS = {
    "asyncio": "pytest.mark.asyncio",
    "anyio": "[pytest.mark.anyio, pytest.mark.parametrize('anyio_backend', ['asyncio'])]",
}


# With auto mode, pytest-asyncio runs the tests that have anyio's mark.
@pytest.mark.parametrize("mark", ["asyncio", "anyio"])
@pytest.mark.parametrize("mode", ["strict", "auto"])
def test_fixtures_work_in_both_modes_of_pytest_asyncio(tmp_path, mode, mark):
    (tmp_path / "test_suite.py").write_text(SUITE.replace("pytest.mark.asyncio", MARKS[mark]))
    done = run_suite(tmp_path, mode)
    assert "3 passed" in done.stdout, done.stdout


@pytest.mark.parametrize("mark", ["asyncio", "anyio"])
def test_startup_error_of_the_application_is_reported(tmp_path, mark):
    (tmp_path / "test_suite.py").write_text(FAILING.replace("pytest.mark.asyncio", MARKS[mark]))
    done = run_suite(tmp_path, "auto")
    assert "2 errors" in done.stdout, done.stdout
    assert "RuntimeError: no database" in done.stdout


SCOPED = """
import asyncio

import pytest
from roll import Roll


@pytest.fixture
def app():
    app = Roll()
    app.route("/")(lambda request, response: setattr(response, "body", "Hello"))
    return app


async def asks(client, liveclient, event_loop):
    assert event_loop is asyncio.get_running_loop()
    assert (await client.get("/")).body == b"Hello"
    # As another client of one's own, which knows of no loop, does.
    reader, writer = await asyncio.open_connection("127.0.0.1", liveclient.port)
    writer.write(b"GET / HTTP/1.1\\r\\nHost: here\\r\\nConnection: close\\r\\n\\r\\n")
    assert (await reader.read()).endswith(b"Hello")
    writer.close()


class Test:
    @pytest.mark.asyncio(loop_scope="class")
    async def test_class(self, client, liveclient, event_loop):
        await asks(client, liveclient, event_loop)


@pytest.mark.asyncio
async def test_default(client, liveclient, event_loop):
    await asks(client, liveclient, event_loop)


@pytest.mark.asyncio(loop_scope="function")
async def test_function(client, liveclient, event_loop):
    await asks(client, liveclient, event_loop)


@pytest.mark.asyncio(loop_scope="module")
async def test_module(client, liveclient, event_loop):
    await asks(client, liveclient, event_loop)


@pytest.mark.asyncio(loop_scope="package")
async def test_package(client, liveclient, event_loop):
    await asks(client, liveclient, event_loop)


@pytest.mark.asyncio(loop_scope="session")
async def test_session(client, liveclient, event_loop):
    await asks(client, liveclient, event_loop)


def test_plain(client, liveclient):
    assert liveclient.port
"""


@pytest.mark.parametrize("fixtures", ["function", "session"])
@pytest.mark.parametrize("tests", ["function", "session"])
@pytest.mark.parametrize("mode", ["strict", "auto"])
def test_clients_follow_the_loop_of_their_test(tmp_path, mode, tests, fixtures):
    (tmp_path / "test_suite.py").write_text(SCOPED)
    done = run_suite(tmp_path, mode, tests=tests, fixtures=fixtures)
    assert "7 passed" in done.stdout, done.stdout


# As one who uses anyio writes it: in auto mode, pytest-asyncio runs these tests.
ANYIO = (
    SCOPED.replace("@pytest.mark.asyncio\n", "")
    + """

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def anyio_backend():
    return "asyncio"
"""
)


@pytest.mark.parametrize("fixtures", ["function", "class", "session"])
@pytest.mark.parametrize("tests", ["function", "module", "session"])
def test_clients_follow_the_loop_of_a_test_with_the_mark_of_anyio(tmp_path, tests, fixtures):
    (tmp_path / "test_suite.py").write_text(ANYIO)
    done = run_suite(tmp_path, "auto", tests=tests, fixtures=fixtures)
    assert "7 passed" in done.stdout, done.stdout


def run_suite(tmp_path, mode, tests="function", fixtures="function"):
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider"]
    scopes = [
        *("-o", f"asyncio_default_fixture_loop_scope={fixtures}"),
        *("-o", f"asyncio_default_test_loop_scope={tests}"),
    ]
    return subprocess.run(
        [*command, *scopes, "-o", f"asyncio_mode={mode}", "test_suite.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_plugin_is_an_entry_point(request):
    assert request.config.pluginmanager.has_plugin("roll")


def test_plugin_can_be_imported_without_pytest_asyncio(monkeypatch):
    monkeypatch.setitem(sys.modules, "pytest_asyncio", None)
    spec = importlib.util.spec_from_file_location("plugin_alone", plugin.__file__)
    alone = importlib.util.module_from_spec(spec)
    alone.__package__ = "roll.testing"
    spec.loader.exec_module(alone)
    assert alone.__all__ == plugin.__all__
    assert alone.client is not None


async def test_event_loop_is_the_running_one(event_loop):

    assert event_loop is asyncio.get_running_loop()


# Of anyio, which makes the fixtures of such a test in a loop of its own where it can.
anyio = [pytest.mark.anyio, pytest.mark.parametrize("anyio_backend", ["asyncio"])]


class TestWithTheMarkOfAnyio:
    """In auto mode, as here."""

    pytestmark = anyio

    async def test_client_is_of_the_running_loop(self, app, client):
        @app.route("/")
        async def index(request, response):
            response.body = "Hello"

        assert (await client.get("/")).body == b"Hello"

    async def test_liveclient_is_of_the_running_loop(self, app, liveclient):
        @app.route("/")
        async def index(request, response):
            response.body = "Hello"

        assert (await liveclient.query("GET", "/")).body == b"Hello"

    async def test_event_loop_is_the_running_one(self, event_loop):
        assert event_loop is asyncio.get_running_loop()


def test_plain_test_function_has_a_client_too(client, app):
    assert client.app is app
