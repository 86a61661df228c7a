"""No documented example runs a script that a stranger sends: a browser shows their answers."""

import ast
import importlib.util
import itertools
import json
import re
import shutil
import subprocess
import time
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from websockets.sync.client import connect

ROOT = Path(__file__).parents[1]
PATIENCE = 30
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")

# Each sets the title of the page, in words that do not stand in it.
SCRIPTS = [
    "<body onload=document.title='r'+'an'>",
    "<b><img src=x onerror=document.title='r'+'an'>",
    "<script>document.title='r'+'an'</script>",
]


OPTIONS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
]


class Browser:
    """A headless Chromium with one page, driven by its debugging protocol."""

    def __init__(self, socket):
        self._ids = itertools.count(1)
        self._session = None
        self._socket = socket
        targets = self.ask("Target.getTargets")["targetInfos"]
        page = next(one["targetId"] for one in targets if one["type"] == "page")
        attached = self.ask("Target.attachToTarget", targetId=page, flatten=True)
        self._session = attached["sessionId"]
        self.ask("Page.enable")

    def ask(self, method, **params):
        """Give a command, and return its result."""
        number = next(self._ids)
        message = {"id": number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        self._socket.send(json.dumps(message))
        return self._wait(lambda said: said.get("id") == number)["result"]

    def _wait(self, wanted):
        end = time.monotonic() + PATIENCE
        while True:
            said = json.loads(self._socket.recv(timeout=end - time.monotonic()))
            if wanted(said):
                return said

    def _loaded(self):
        # A page, or a download in place of it.
        self._wait(
            lambda said: said.get("method") in {"Page.loadEventFired", "Page.downloadWillBegin"}
        )

    def open(self, url):
        """Show a page, and return its title once it has loaded."""
        shown = self.ask("Page.navigate", url=url)
        if "errorText" not in shown and "loaderId" in shown:
            self._loaded()
        return self.title()

    def title(self):
        return self.run("document.title")

    def run(self, script):
        """Run a script in the page."""
        return self.ask("Runtime.evaluate", expression=script)["result"].get("value")

    def post(self, url, names, script):
        """Send a form as a page of anybody may, whose fields and filenames are a script."""
        self.open("about:blank")
        self.ask(
            "Runtime.evaluate",
            expression=f"""
            const form = document.createElement("form");
            Object.assign(form, {{action: {json.dumps(url)}, method: "post"}});
            form.enctype = "multipart/form-data";
            for (const name of {json.dumps(names)}) {{
                const field = Object.assign(document.createElement("input"), {{name}});
                field.value = {json.dumps(script)};
                const file = Object.assign(document.createElement("input"), {{type: "file"}});
                file.name = name;
                const held = new DataTransfer();
                const options = {{type: "text/html"}};
                held.items.add(new File(["x"], {json.dumps(script)}, options));
                file.files = held.files;
                form.append(field, file);
            }}
            document.body.append(form);
            form.submit();
            """,
        )
        self._loaded()
        return self.title()

    def set_cookies(self, url, names, value):
        for name in names:
            self.ask("Network.setCookie", url=url, name=name, value=quote(value))


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    folder = tmp_path_factory.mktemp("chromium")
    command = [CHROMIUM, *OPTIONS, f"--user-data-dir={folder}", "about:blank"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as program:
        said = (re.search(r"DevTools listening on (ws://\S+)", line) for line in program.stderr)
        address = next(filter(None, said))[1]
        with connect(address, max_size=None, proxy=None) as socket:
            yield Browser(socket)
        program.kill()


EXAMPLES = [
    path.name for path in sorted((ROOT / "examples").glob("*.py")) if not path.match("test_*")
]


def routes_of(name):
    """The paths of an example, and its methods."""
    spec = importlib.util.spec_from_file_location(name.removesuffix(".py"), f"examples/{name}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return [(route.path, route.methods) for route in module.app.routes]


def words_of(name):
    """All texts of an example that may be the name of a field."""
    nodes = ast.walk(ast.parse((ROOT / "examples" / name).read_text()))
    words = {node.value for node in nodes if isinstance(node, ast.Constant)}
    return sorted(word for word in words if isinstance(word, str) and word.isidentifier())


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_runs_no_script_of_a_stranger(example, browser, monkeypatch, name):
    monkeypatch.chdir(ROOT)
    url, words = example(name).url, words_of(name)
    paths = [*routes_of(name), ("/{unknown}", ("GET",)), ("/nowhere/{unknown}", ("GET",))]
    for script in SCRIPTS:
        query = urlencode(dict.fromkeys(words, script))
        browser.set_cookies(url, words, script)
        for path, methods in paths:
            place = url + re.sub(r"\{[^}]*\}", quote(script, safe=""), path)
            assert browser.open(f"{place}?{query}") != "ran", place
            if "POST" in methods:
                assert browser.post(place, words, script) != "ran", place


def test_a_name_kept_in_a_cookie_is_no_script(example, browser):
    url = example("cookies.py").url
    for script in SCRIPTS[:2]:
        browser.open(f"{url}/login/{quote(script)}")
        assert browser.open(f"{url}/me") != "ran"
        assert script in browser.run("document.body.innerText")


UNSAFE = """
from roll import Response, Roll
from roll.extensions import simple_server


class Untyped(Response):
    add_content_type = False


class Unsafe(Roll):
    Response = Untyped


app = Unsafe()


@app.route("/{name:any}", methods=["GET"])
def get(request, response, name):
    response.body = f"{name} {request.query.get('q', '')} {request.cookies.get('c', '')}"


@app.route("/{name:any}", methods=["POST"])
def post(request, response, name):
    response.body = request.files.get("f").filename


simple_server(app, port=0)
"""


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_browser_would_run_each_without_a_type(run, browser, tmp_path, script):
    (tmp_path / "unsafe.py").write_text(UNSAFE)
    url = run(shutil.which("python"), "unsafe.py", cwd=tmp_path).wait_for_url()
    browser.set_cookies(url, ["c"], " ")
    assert browser.open(f"{url}/{quote(script)}") == "ran"
    assert browser.open(f"{url}/?{urlencode({'q': script})}") == "ran"
    if "/" not in script:  # of which a filename has none
        assert browser.post(f"{url}/", ["f"], script) == "ran"
    browser.set_cookies(url, ["c"], script)
    assert browser.open(f"{url}/") == "ran"
