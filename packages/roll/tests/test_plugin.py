"""The pytest plugin, in runs of pytest of its users."""

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


@pytest.mark.parametrize("mode", ["strict", "auto"])
def test_fixtures_work_in_both_modes_of_pytest_asyncio(tmp_path, mode):
    (tmp_path / "test_suite.py").write_text(SUITE)
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider"]
    scope = "asyncio_default_fixture_loop_scope=function"
    done = subprocess.run(
        [*command, "-o", scope, "-o", f"asyncio_mode={mode}", "test_suite.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "3 passed" in done.stdout, done.stdout


def test_the_plugin_is_an_entry_point(request):
    assert request.config.pluginmanager.has_plugin("roll")


def test_it_imports_without_pytest_asyncio(monkeypatch):
    monkeypatch.setitem(sys.modules, "pytest_asyncio", None)
    spec = importlib.util.spec_from_file_location("plugin_alone", plugin.__file__)
    alone = importlib.util.module_from_spec(spec)
    alone.__package__ = "roll.testing"
    spec.loader.exec_module(alone)
    assert alone.__all__ == plugin.__all__
    assert alone.client is not None


async def test_event_loop_is_the_running_one(event_loop):
    import asyncio

    assert event_loop is asyncio.get_running_loop()
