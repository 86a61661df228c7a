"""Installation without a compiler, or without the package index."""

import os
import re
import shlex
import shutil
import subprocess
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SUPPORT = Path(__file__).parent / "support"
COMPILED = ("autoroutes", "biscuits")
"""The packages that pip compiles, as the index has no wheels of them."""
PIP = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
APP = """
from roll import Roll
from roll.extensions import simple_server

app = Roll()


@app.route("/items/{number:int}")
async def item(request, response, number: int):
    response.cookies.set("seen", str(number), httponly=True)
    response.json = [number, request.cookies.get("seen")]


@app.route("/form", methods=["POST"])
async def form(request, response):
    response.json = request.form.list("a")


@app.route("/echo", protocol="websocket")
async def echo(request, ws):
    await ws.send(await ws.recv())


simple_server(app, port=0)
"""


@pytest.fixture
def bare(tmp_path):
    """An empty environment, as the folder of its programs."""
    home = tmp_path / "venv"
    venv.create(home, with_pip=True)
    return home / "bin"


def call(programs, command, **env):
    """Run a program of the environment; no other program can be found."""
    name, *arguments = command
    done = subprocess.run(
        [programs / name, *arguments],
        env={"PATH": str(programs), "HOME": str(programs.parent), **PIP, **env},
        cwd=programs.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def documented():
    text = (ROOT / "docs" / "compatibility.md").read_text()
    return shlex.split(re.search(r"```sh\n(pip install --no-deps .*?)```", text, re.DOTALL)[1])


def has(programs, name):
    code = f"import importlib.util as u; print(u.find_spec({name!r}) is not None)"
    return call(programs, ["python", "-c", code]).strip() == "True"


def test_documented_line_installs_all_without_a_compiler(bare, pure_wheels, run, curl):
    assert not any(shutil.which(name, path=bare) for name in ("cc", "gcc", "clang"))
    call(bare, [*documented(), "--quiet", "--find-links", str(pure_wheels)], CC="/nowhere/cc")
    assert not any(has(bare, name) for name in COMPILED)
    call(bare, ["python", "-m", "pip", "check"])
    (bare.parent / "app.py").write_text(APP)
    url = run(bare / "python", "app.py", cwd=bare.parent, PATH=str(bare)).wait_for_url()
    answer = curl("--cookie", "seen=6", f"{url}/items/7")
    assert (answer.body, answer.headers["set-cookie"]) == ('[7,"6"]', "seen=7; Path=/; HttpOnly")
    assert curl(f"{url}/items/x").status == 404
    assert curl("--form", "a=1", "--form", "a=2", f"{url}/form").body == '["1","2"]'


def test_gathered_wheels_install_without_an_index(bare, pure_wheels, tmp_path, run, curl):
    folder = tmp_path / "gathered"
    links = ["--find-links", str(pure_wheels)]
    gather = ["wheel", "--quiet", "--wheel-dir", str(folder), *links, "roll"]
    subprocess.run([bare / "pip", *gather], check=True, capture_output=True)
    call(bare, ["pip", "install", "--quiet", "--no-index", "--find-links", str(folder), "roll"])
    assert all(has(bare, name) for name in COMPILED)
    shutil.copy(ROOT / "examples" / "hello.py", tmp_path)
    env = {"PYTHONPATH": str(SUPPORT), "ROLL_TEST_PORT": "0"}
    program = run(bare / "python", "hello.py", cwd=tmp_path, **env)
    assert curl(f"{program.wait_for_url()}/").body == '{"hello":"world"}'
