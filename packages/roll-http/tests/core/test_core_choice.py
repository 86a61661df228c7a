"""Which core is active, and why."""

from __future__ import annotations

import importlib.util
import os
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from roll_http import __version__, _core

HERE = Path(__file__)


def run(code: str, **environment: str) -> str:
    """Return the output of a program in a new interpreter."""
    settings = {name: value for name, value in os.environ.items() if name != "ROLL_PURE"}
    settings |= environment
    command = [sys.executable, "-c", code]
    ended = subprocess.run(command, env=settings, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


SHOW = "from roll_http import _core; print(_core.is_native, _core.reason)"
NO_GIL = "import sys; sys._is_gil_enabled = lambda: False\n"
NOT_BUILT = "import sys; sys.modules['roll_http._core.native'] = None\n"

needs_core = pytest.mark.skipif(
    importlib.util.find_spec("roll_http._core.native") is None, reason="the core was not built"
)


@needs_core
@pytest.mark.parametrize("value", ["", "0"])
def test_the_core_is_active_where_it_was_built(value):
    assert run(SHOW, ROLL_PURE=value) == "True None"


def test_python_is_active_where_the_environment_says_so():
    assert run(SHOW, ROLL_PURE="1") == "False ROLL_PURE is set"


def test_python_is_active_without_a_gil():
    assert run(NO_GIL + SHOW) == "False Python runs without the GIL, which the core needs"


def test_python_is_active_on_other_interpreters():
    code = "import sys; sys.implementation.name = 'other'\n"
    assert run(code + SHOW) == "False the core is for CPython"


def test_python_is_active_where_the_core_was_not_built():
    assert run(NOT_BUILT + SHOW) == "False the core was not built"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ModuleNotFoundError("no module"), "the core was not built"),
        (ImportError("Interpreter change"), "the core can't be imported: Interpreter change"),
    ],
)
def test_reason_says_why_the_core_cannot_be_imported(monkeypatch, error, reason):
    def refuse(name):
        raise error

    monkeypatch.delenv("ROLL_PURE", raising=False)
    monkeypatch.setattr(_core, "import_module", refuse)
    assert _core._load() == reason


@needs_core
@pytest.mark.skipif(sys.version_info >= (3, 13), reason="the module has another name there")
def test_python_is_active_in_subinterpreters_which_the_core_refuses():
    """httptools is refused there too, so that a stand-in has to be imported."""
    inner = (
        "import sys, types\n"
        "fake = sys.modules['httptools'] = types.ModuleType('httptools')\n"
        "fake.HttpRequestParser = fake.HttpParserError = fake.HttpParserUpgrade = Exception\n"
        "fake.HttpParserInvalidMethodError = Exception\n"
        "from roll_http import _core\n"
        "assert not _core.is_native, 'native'\n"
        "assert 'can\\'t be imported' in _core.reason, _core.reason\n"
    )
    outer = (
        "import roll_http, _xxsubinterpreters as sub\n"
        "assert roll_http._core.is_native\n"
        f"sub.run_string(sub.create(), {inner!r})\n"
        "print('both')"
    )
    assert run(outer) == "both"


def test_the_command_says_which_core_is_active_and_why(capsys, monkeypatch):
    # Another test may have imported the module: runpy warns of one that is there already.
    monkeypatch.delitem(sys.modules, "roll_http.__main__", raising=False)
    runpy.run_module("roll_http", run_name="__main__")
    state = (
        "native core is active" if _core.is_native else f"Python path is active: {_core.reason}"
    )
    assert capsys.readouterr().out == f"roll-http {__version__}: the {state}\n"


@needs_core
def test_the_core_was_built_from_the_sources_that_are_there():
    """Otherwise, build it again: `hatch run core`."""
    folder = Path(_core.__file__).parent
    if not (folder / "native.pyx").exists():
        pytest.skip("the package was not installed from its sources")
    hatch_build = pytest.importorskip("hatchling") and _hook()
    built = run("from roll_http._core import native; print(native.SOURCES)")
    assert built == hatch_build["digest"](folder)


@needs_core
def test_a_core_is_missing_where_the_tree_has_none_of_its_sources(tmp_path):
    """A clone may find the environment of an earlier one: `hatch run test` builds it then."""
    folder = Path(_core.__file__).parent
    if not (folder / "native.pyx").exists():
        pytest.skip("the package was not installed from its sources")
    has_core = (pytest.importorskip("hatchling") and _hook())["has_core"]
    module = "roll_http._core.native"
    copy = Path(shutil.copytree(folder, tmp_path / "src" / "roll_http" / "_core"))
    assert has_core(tmp_path, module)
    with (copy / "native.pyx").open("a") as source:
        source.write("# one more line")
    assert not has_core(tmp_path, module), "an extension of older sources"
    for extension in copy.glob("native.*.so"):
        extension.unlink()
    shutil.copy(folder / "native.pyx", copy)
    assert not has_core(tmp_path, module), "no extension"


def _hook():
    return runpy.run_path(str(HERE.parents[2] / "hatch_build.py"))


def test_the_core_is_active_where_it_has_to_be():
    """Continuous integration sets `ROLL_CORE=1`: there, the tests have to test the core."""
    if os.environ.get("ROLL_CORE") == "1":
        assert _core.is_native, _core.reason
