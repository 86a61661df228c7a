"""The names that are promised are there, and only those."""

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
