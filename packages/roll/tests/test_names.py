"""The public names exist, and no others."""

import importlib
import subprocess
import sys

import pytest

import roll
import roll_http
import roll_multipart
import roll_routing
import roll_websocket

DOCUMENTED = {
    "roll": """Roll HttpError Request Response Multidict Query Form Files Multipart Cookies Route
        Routes HTTPProtocol WSProtocol ConnectionClosed HTTP_METHODS HTTPStatus __version__""",
    "roll.http": "HttpError Multidict Query Form Files Multipart Cookies HTTPProtocol",
    "roll.io": "Request Response",
    "roll.websocket": "WSProtocol ConnectionClosed",
    "roll.extensions": """cors websockets_store logger options content_negociation traceback
        igniter simple_server static named_url""",
    "roll.testing": "Client LiveClient LiveResponse Transport encode_multipart encode_path",
    "roll.worker": "Worker",
}


@pytest.mark.parametrize("module", DOCUMENTED)
def test_documented_names_are_there(module):
    found = importlib.import_module(module)
    assert set(DOCUMENTED[module].split()) <= set(found.__all__)
    for name in found.__all__:
        assert getattr(found, name) is not None


def test_methods_are_in_their_documented_order():
    methods = "GET HEAD POST PUT DELETE TRACE OPTIONS CONNECT PATCH"
    assert list(roll.HTTP_METHODS) == methods.split()


def test_each_container_is_one_of_its_leaf_and_of_its_kind():
    assert issubclass(roll.Multidict, roll_multipart.Multidict)
    assert issubclass(roll.Query, (roll.Multidict, roll_multipart.Query))
    assert issubclass(roll.Form, roll.Query)
    assert issubclass(roll.Form, roll_multipart.Form)
    assert issubclass(roll.Files, roll.Multidict)
    assert issubclass(roll.Files, roll_multipart.Files)
    assert issubclass(roll.Multipart, roll_multipart.Multipart)


def test_the_other_names_are_those_of_the_leaves():
    assert roll.HttpError is roll_http.HttpError
    assert roll.HTTPProtocol is roll_http.HTTPProtocol
    assert roll.Routes is roll_routing.Routes
    assert roll.WSProtocol is roll_websocket.WSProtocol


def test_importing_everything_warns_of_nothing():
    script = f"import {', '.join(DOCUMENTED)}"
    subprocess.run([sys.executable, "-W", "error", "-c", script], check=True)


def test_importing_roll_brings_its_modules_of_names():
    script = "import roll; roll.http.HttpError; roll.io.Request; roll.websocket.WSProtocol"
    subprocess.run([sys.executable, "-c", script], check=True)


def test_importing_roll_brings_neither_extensions_nor_testing():
    script = "import sys, roll; print([m for m in sys.modules if m.startswith('roll.')])"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)
    assert b"roll.application" in done.stdout
    assert b"roll.extensions" not in done.stdout
    assert b"roll.testing" not in done.stdout


def outcome(script):
    command = [sys.executable, "-c", f"import sys\n{script}"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


APP = """
import roll, roll.extensions
app = roll.Roll()
roll.extensions.cors(app)
@app.route("/", {kind})
async def home(request, there): there.body = "hello"
"""
FOUND = "print('websockets' in sys.modules, 'roll_websocket' in sys.modules)"


def test_an_application_without_websockets_imports_none():
    assert outcome(APP.format(kind="'GET'") + FOUND) == "False False"


@pytest.mark.parametrize(
    "script",
    [
        APP.format(kind="protocol='websocket'"),
        "import roll; roll.extensions.rooms(roll.Roll())",
        "import roll; roll.Roll.WebsocketProtocol",
        "from roll import WSProtocol",
        "from roll import *",
        "from roll import websocket",
    ],
)
def test_what_needs_websockets_imports_them(script):
    script = script.replace("import roll;", "import roll, roll.extensions;")
    assert outcome(f"{script}\n{FOUND}") == "True True"


def test_the_websocket_class_of_an_application_is_that_of_the_leaf():
    script = "import roll; print(roll.Roll.WebsocketProtocol is roll.WSProtocol)"
    assert outcome(script) == "True"
    script = "import roll; print(roll.Roll().WebsocketProtocol is roll.Roll.WebsocketProtocol)"
    assert outcome(script) == "True"


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'roll' has no attribute 'missing'"):
        roll.missing  # noqa: B018
    with pytest.raises(ImportError):
        from roll import missing  # noqa: F401


FIRST = (
    "ROLL = 'roll.', 'roll_routing', 'roll_websocket', 'websockets'"
    + APP.format(kind="'GET'")
    + """
import asyncio
async def ask(method):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(method + b" / HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n")
    answer = await reader.read()
    writer.close()
    return answer
async def main():
    global port
    server = await asyncio.get_running_loop().create_server(app.factory, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    await app.startup()
    before = set(sys.modules)
    assert b" 200 " in await ask(b"GET")
    assert b" 405 " in await ask(b"POST")
    print([name for name in set(sys.modules) - before if name.startswith(ROLL)])
    server.close()
asyncio.run(main())
"""
)


def test_the_first_requests_import_no_module_of_roll():
    assert outcome(FIRST) == "[]"


def test_json_and_arguments_need_no_uuid():
    script = """
sys.modules.pop("uuid", None)  # that of a plugin
import pathlib
from roll import Roll
@Roll().route("/{name}")
async def page(request, response, name: int): ...
print(Roll.JSON.dumps([pathlib.PurePath("a")]), "uuid" in sys.modules)
"""
    assert outcome(script) == '["a"] False'
