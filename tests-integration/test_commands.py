"""Commands that the documentation prints, on the port that it names."""

import shutil
import sys
from contextlib import suppress
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SUPPORT = str(ROOT / "tests-integration" / "support")
URL = "http://127.0.0.1:3579"


@pytest.fixture
def on_default_port(run):
    """Run an example with nothing changed; skip where something else has its port."""

    def start(name):
        program = run(sys.executable, f"examples/{name}")
        line = program.wait_for("Rolling on|Cannot listen").string
        if "Cannot" in line:
            pytest.skip(line)
        assert line == f"Rolling on {URL}\n"

    return start


def test_first_application_on_its_port(on_default_port, curl):
    on_default_port("hello.py")
    assert curl(f"{URL}/").body == '{"hello":"world"}'


def test_query_of_our_own_on_its_port(on_default_port, curl):
    on_default_port("query_date.py")
    answer = curl(f"{URL}/hello/?year=2017&month=9&day=20")
    assert (answer.headers["content-length"], answer.body) == ("10", "2017-09-20")


def test_hatch_run_hello_is_the_first_application():
    assert 'hello = "python examples/hello.py"' in (ROOT / "hatch.toml").read_text()


def test_hupper_reloads_a_changed_application(run, curl, tmp_path):
    source = tmp_path / "hello.py"
    shutil.copy(ROOT / "examples" / "hello.py", source)
    hupper = Path(sys.executable).with_name("hupper")
    program = run(hupper, "-m", "hello", cwd=tmp_path, PYTHONPATH=SUPPORT, ROLL_TEST_PORT="0")
    assert curl(f"{program.wait_for_url()}/hello/Ada").body == "Hello Ada"
    source.write_text(source.read_text().replace("Hello", "Good evening"))
    # hupper does not say from when on it looks at a file: it is touched until that is seen.
    seen = None
    while not seen:
        source.touch()
        with suppress(TimeoutError):
            seen = program.wait_for("changed; reloading", patience=0.2)
    assert curl(f"{program.wait_for_url()}/hello/Ada").body == "Good evening Ada"
