"""The documented test files, run by pytest as a user's own suite."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
SETTINGS = """
[pytest]
asyncio_mode = {mode}
asyncio_default_fixture_loop_scope = function
"""
OLD_SUITE = """
import pytest
from roll import Roll

pytestmark = pytest.mark.asyncio


@pytest.fixture
def app():
    return Roll()


@pytest.fixture(autouse=True)
def old_habit(event_loop, app):
    app.loop = event_loop


async def test_loop(client, app, event_loop):
    @app.route("/")
    async def index(request, response):
        response.body = "served"

    assert app.loop is event_loop
    assert event_loop.is_running()
    assert (await client.get("/")).body == b"served"


async def test_live(liveclient, app):
    @app.route("/")
    async def index(request, response):
        response.body = "served"

    answer = await liveclient.query("GET", "/")
    assert (answer.status, answer.body, answer.chunks) == (200, b"served", None)
"""


def pytest_in(folder, mode):
    """Run the suite of a folder, apart from the settings of this one."""
    (folder / "pytest.ini").write_text(SETTINGS.format(mode=mode))
    options = ["-W", "error", "-p", "no:cacheprovider", "--rootdir", str(folder)]
    command = [sys.executable, "-m", "pytest", *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def suite(tmp_path):
    for path in EXAMPLES.glob("*.py"):
        shutil.copy(path, tmp_path)
    shutil.copytree(EXAMPLES / "library", tmp_path / "library")
    return tmp_path


@pytest.mark.parametrize("mode", ["strict", "auto"])
def test_documented_tests_pass(suite, mode):
    tests = [path.read_text().count("\nasync def test_") for path in EXAMPLES.glob("test_*.py")]
    assert f"{sum(tests)} passed" in pytest_in(suite, mode)


@pytest.mark.parametrize("mode", ["strict", "auto"])
def test_old_suite_still_passes(tmp_path, mode):
    (tmp_path / "test_old.py").write_text(OLD_SUITE)
    assert "2 passed" in pytest_in(tmp_path, mode)


def test_plugin_does_not_need_pytest_asyncio(tmp_path):
    (tmp_path / "test_plain.py").write_text("def test_nothing():\n    pass\n")
    (tmp_path / "conftest.py").write_text(
        "import sys\nassert 'roll.testing.plugin' in sys.modules\n"
    )
    options = ["-p", "no:asyncio", "-p", "no:cacheprovider", "-W", "error", "--rootdir", tmp_path]
    command = [sys.executable, "-m", "pytest", "-c", "/dev/null", *map(str, options), tmp_path]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "1 passed" in done.stdout, done.stdout + done.stderr
