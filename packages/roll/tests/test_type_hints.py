"""Type hints of the public API, resolved by `typing.get_type_hints` at run time."""

import importlib
import inspect
import pkgutil
import typing

import pytest

import roll

LEAVES = ["roll_http", "roll_multipart", "roll_routing", "roll_websocket"]


def modules():
    names = [module.name for module in pkgutil.walk_packages(roll.__path__, "roll.")]
    public = [name for name in names if not name.rpartition(".")[2].startswith("_")]
    return map(importlib.import_module, ["roll", *public])


def annotated():
    """Give what has annotations among the names of all modules: classes, functions, methods."""
    for module in modules():
        for name in getattr(module, "__all__", ()):
            found = getattr(module, name)
            if inspect.isfunction(found):
                yield found
            elif inspect.isclass(found):
                yield found
                yield from methods(found)


def methods(cls):
    for name, found in vars(cls).items():
        function = found.fget if isinstance(found, property) else getattr(found, "__func__", found)
        if inspect.isfunction(function) and (name == "__init__" or not name.startswith("_")):
            yield function


def described(found):
    return f"{found.__module__}.{found.__qualname__}"


ALL = sorted({described(found): found for found in annotated()}.items())
OURS = [(name, found) for name, found in ALL if name.partition(".")[0] == "roll"]


def test_there_are_extensions_and_methods_among_them():
    assert {"roll.extensions.static_files.static", "roll.registration.Registration.route"} <= {
        *dict(OURS)
    }


@pytest.mark.parametrize("name", dict(OURS))
def test_type_hints_of_the_public_api_can_be_resolved(name):
    typing.get_type_hints(dict(OURS)[name])


def annotated_in_leaves():
    """Give what has annotations among the public names of the leaves."""
    for leaf in map(importlib.import_module, LEAVES):
        for found in (getattr(leaf, name) for name in leaf.__all__):
            if inspect.isclass(found):
                yield from [found, *methods(found)]
            elif inspect.isfunction(found):
                yield found


IN_LEAVES = {described(found): found for found in annotated_in_leaves()}


def test_there_are_functions_and_methods_of_each_leaf_among_them():
    assert {
        "roll_http.server.Server.listen",
        "roll_multipart.forms.parse_form",
        "roll_multipart.files.UploadedFile.save",
        "roll_routing._routes.Routes.match",
        "roll_websocket.protocol.WSProtocol.send",
    } <= {*IN_LEAVES}


@pytest.mark.parametrize("name", IN_LEAVES)
def test_type_hints_of_the_public_api_of_leaves_can_be_resolved(name):
    typing.get_type_hints(IN_LEAVES[name])
