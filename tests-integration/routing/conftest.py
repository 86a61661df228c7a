"""Routers that all pass the same tests."""

import importlib.util
import sys
from pathlib import Path
from typing import Any

import autoroutes
import pytest

import roll_routing


def _load_re_routes() -> Any:
    """Load the class from its file: test modules cannot import one another."""
    spec = importlib.util.spec_from_file_location(
        "re_router", Path(__file__).with_name("re_router.py")
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module.ReRoutes


ROUTERS = {
    "ours": roll_routing.Routes,
    "autoroutes": autoroutes.Routes,
    "re": _load_re_routes(),
}


@pytest.fixture
def re_routes() -> Any:
    """The class of the router written in `re`."""
    return ROUTERS["re"]


@pytest.fixture
def routers() -> dict[str, Any]:
    """Every class of router, by name."""
    return ROUTERS
