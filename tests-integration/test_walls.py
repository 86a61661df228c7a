"""How the packages stand to one another: imports, versions, dependencies, first impressions."""

import ast
import importlib
import importlib.metadata
import re
import subprocess
import sys
import tomllib
from itertools import chain
from pathlib import Path

import pytest

PACKAGES = Path(__file__).parents[1] / "packages"
LEAVES = ["roll_http", "roll_multipart", "roll_routing", "roll_websocket"]
NAMES = ["roll", *LEAVES]


def folder(name):
    return PACKAGES / name.replace("_", "-")


def imported_by(name):
    """Top-level names that a package imports anywhere in its sources, TYPE_CHECKING included."""
    found = set()
    for path in (folder(name) / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                found.add(node.module.partition(".")[0])
    return found - {name}


@pytest.mark.parametrize("leaf", LEAVES)
def test_no_leaf_imports_a_sister(leaf):
    assert imported_by(leaf) & set(NAMES) == set()


def test_roll_stands_on_all_four_leaves():
    assert imported_by("roll") >= set(LEAVES)


@pytest.mark.parametrize("leaf", LEAVES)
def test_a_leaf_loads_no_sister(leaf):
    code = f"import sys, {leaf}; print(sorted(m for m in sys.modules if m.startswith('roll')))"
    loaded = ast.literal_eval(python("-c", code))
    assert {module.partition(".")[0] for module in loaded} == {leaf}


@pytest.mark.parametrize("name", NAMES)
def test_sources_import_what_the_package_requires(name):
    """Each third-party import is a declared dependency, extra or known optional."""
    project = tomllib.loads((folder(name) / "pyproject.toml").read_text())["project"]
    extras = project.get("optional-dependencies", {}).values()
    declared = [*project["dependencies"], *chain.from_iterable(extras)]
    known = {re.match(r"[\w-]+", line)[0].replace("-", "_") for line in declared}
    optional = {"gunicorn", "pytest", "pytest_asyncio"} if name == "roll" else set()
    assert imported_by(name) - set(sys.stdlib_module_names) <= known | optional


def test_no_dependency_on_the_old_content_negotiation_library():
    required = [line for name in NAMES for line in importlib.metadata.requires(dashed(name)) or []]
    assert not [line for line in required if "mimetype" in line]


def test_roll_asks_for_compatible_leaves():
    required = set(importlib.metadata.requires("roll"))
    for leaf in LEAVES:
        major, minor, _ = importlib.import_module(leaf).__version__.split(".")
        assert f"{dashed(leaf)}~={major}.{minor}.0" in required


def dashed(name):
    return name.replace("_", "-")


def python(*args):
    command = [sys.executable, *args]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("name", NAMES)
def test_changelog_knows_the_version(name):
    version = importlib.import_module(name).__version__
    headings = re.findall(r"^## (\S+)", (folder(name) / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == version


@pytest.mark.parametrize("name", NAMES)
def test_package_holds_what_a_package_holds(name):
    held = {path.name for path in folder(name).iterdir()}
    assert held >= {"CHANGELOG.md", "LICENSE", "README.md", "pyproject.toml", "src", "tests"}
    assert (folder(name) / "src" / name / "py.typed").exists()


@pytest.mark.parametrize("name", NAMES)
def test_all_lists_names_that_exist(name):
    module = importlib.import_module(name)
    assert sorted(set(module.__all__)) == sorted(module.__all__)
    assert [wanted for wanted in module.__all__ if not hasattr(module, wanted)] == []


@pytest.mark.parametrize(
    "module", [*NAMES, "roll.extensions", "roll.testing", "roll.testing.plugin", "roll.worker"]
)
def test_import_raises_no_warning(module):
    python("-W", "error", "-c", f"import {module}")
