"""No documented example runs a script that another user sends, as shown by a browser."""

import ast
import importlib.util
import re
import shutil
import sys
from http import HTTPStatus
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import urlopen

import pytest

ROOT = Path(__file__).parents[1]
# Each sets the title of the page, in words that do not stand in it.
SCRIPTS = [
    "<body onload=document.title='r'+'an'>",
    "<b><img src=x onerror=document.title='r'+'an'>",
    "<script>document.title='r'+'an'</script>",
]


# The path of the examples that send events.
STREAM = "/events"

# Each needs another server: `test_how_to_examples.py` starts it.
NOT_ALONE = {"model_stream.py", "postgresql_notes.py"}

EXAMPLES = [
    path.name
    for path in sorted((ROOT / "examples").glob("*.py"))
    if not path.match("test_*") and path.name not in NOT_ALONE
]


def routes_of(name):
    """The paths of an example, and its methods."""
    spec = importlib.util.spec_from_file_location(name.removesuffix(".py"), f"examples/{name}")
    module = importlib.util.module_from_spec(spec)
    known = set(sys.modules)
    spec.loader.exec_module(module)
    for other in set(sys.modules) - known:  # an example may import another one
        del sys.modules[other]
    return [(route.path, route.methods) for route in module.app.routes]


def shows_a_page(url, words, script):
    """Tell whether a form that is sent there leads to a page; 204 (No Content) leads to none."""
    try:
        with urlopen(url, urlencode(dict.fromkeys(words, script)).encode()) as response:
            return response.status != HTTPStatus.NO_CONTENT
    except HTTPError as error:
        error.close()
        return True


def words_of(name):
    """All texts of an example that may be the name of a field."""
    nodes = ast.walk(ast.parse((ROOT / "examples" / name).read_text()))
    words = {node.value for node in nodes if isinstance(node, ast.Constant)}
    return sorted(word for word in words if isinstance(word, str) and word.isidentifier())


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_runs_no_script_of_a_stranger(example, browser, monkeypatch, name):
    monkeypatch.chdir(ROOT)
    monkeypatch.syspath_prepend(ROOT / "examples")
    url, words = example(name).url, words_of(name)
    paths = [*routes_of(name), ("/{unknown}", ("GET",)), ("/nowhere/{unknown}", ("GET",))]
    for script in SCRIPTS:
        query = urlencode(dict.fromkeys(words, script))
        browser.set_cookies(url, words, script)
        for path, methods in paths:
            if path == STREAM:  # the stream never ends, and a browser does not show it as a page
                with urlopen(f"{url}{path}?{query}") as response:
                    assert response.headers["Content-Type"] == "text/event-stream"
                continue
            place = url + re.sub(r"\{[^}]*\}", quote(script, safe=""), path)
            assert browser.open(f"{place}?{query}") != "ran", place
            if "POST" in methods and shows_a_page(place, words, script):
                assert browser.post(place, words, script) != "ran", place


def test_name_kept_in_a_cookie_is_escaped(example, browser):
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
