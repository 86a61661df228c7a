"""The relations of the packages: imports, versions, dependencies, import time."""

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


def modules_of(name):
    """The modules of a package, each with its path."""
    source = folder(name) / "src"
    found = {}
    for path in (source / name).rglob("*.py"):
        dotted = ".".join(path.relative_to(source).with_suffix("").parts)
        found[dotted.removesuffix(".__init__")] = path
    return found


def targets_of(module, path, node):
    """The dotted names that an import may mean: those of modules, and of what these hold."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    base = node.module or ""
    if node.level:
        parts = module.split(".")
        depth = node.level - (path.name == "__init__.py")
        base = ".".join([*parts[: len(parts) - depth], *filter(None, [node.module])])
    return [f"{base}.{alias.name}" for alias in node.names]


def imports_between(name):
    """The modules of a package that each of its modules imports, TYPE_CHECKING included."""
    modules = modules_of(name)
    imports = {}
    for module, path in modules.items():
        nodes = ast.walk(ast.parse(path.read_text()))
        meant = [
            target
            for node in nodes
            if isinstance(node, ast.Import | ast.ImportFrom)
            for target in targets_of(module, path, node)
        ]
        # `from .views import View` means the module `views`, `from . import views` too.
        found = {t if t in modules else t.rpartition(".")[0] for t in meant}
        imports[module] = found & modules.keys() - {module}
    return imports


def circle_in(imports):
    """Return the modules of an import circle in order; an empty list without one."""
    # Whatever imports nothing that is left is in no circle.
    left = {module: set(found) for module, found in imports.items()}
    while free := [module for module, found in left.items() if not found & left.keys()]:
        for module in free:
            del left[module]
    circle = sorted(left)[:1]
    while circle and circle[-1] not in circle[:-1]:
        circle.append(min(left[circle[-1]] & left.keys()))
    return circle[circle.index(circle[-1]) :] if circle else []


@pytest.mark.parametrize("name", NAMES)
def test_no_file_imports_another_in_a_circle(name):
    assert circle_in(imports_between(name)) == []


def test_import_circle_is_found_behind_files_outside_of_it():
    imports = {"a": {"b", "d"}, "b": {"c"}, "c": {"e"}, "d": set(), "e": {"b"}, "f": {"a"}}
    assert circle_in(imports) == ["b", "c", "e", "b"]
    assert circle_in({**imports, "e": {"d"}}) == []


def test_all_ways_to_import_a_file_are_seen(tmp_path, monkeypatch):
    files = {
        "__init__": "from . import a as a\nfrom .sub import NAME",
        "a": "import x.b\nimport sys",
        "b": "from x import c",
        "c": "def later():\n    from .sub.d import NAME",
        "sub/__init__": "NAME = 1",
        "sub/d": "if TYPE_CHECKING:\n    from ..a import NAME\nfrom . import NAME, e",
        "sub/e": "from .. import NAME",
    }
    for name, text in files.items():
        path = tmp_path / "x" / "src" / "x" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setattr(sys.modules[__name__], "PACKAGES", tmp_path)
    assert imports_between("x") == {
        "x": {"x.a", "x.sub"},
        "x.a": {"x.b"},
        "x.b": {"x.c"},
        "x.c": {"x.sub.d"},
        "x.sub": set(),
        "x.sub.d": {"x.a", "x.sub", "x.sub.e"},
        "x.sub.e": {"x"},
    }


# What does input or output, or waits for it.
IO_MODULES = {
    *("asyncio", "concurrent", "fcntl", "io", "mmap", "multiprocessing", "os", "pathlib"),
    *("select", "selectors", "shutil", "signal", "socket", "socketserver", "ssl", "subprocess"),
    *("tempfile", "threading", "urllib.request", "uvloop", "_thread"),
}
IO_CALLS = {"open", "print", "input", "breakpoint", "__import__", "exec", "eval"}


def reached_from(start, imports):
    """All modules that imports lead to from a folder, its own included."""
    found, left = set(), [m for m in imports if f"{m}.".startswith(f"{start}.")]
    while left:
        module = left.pop()
        if module not in found:
            found.add(module)
            left += imports[module]
    return found


def foreign_imports(path):
    """The modules that a file imports from elsewhere, and all that these stand under."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            parts = name.split(".")
            yield from (".".join(parts[:end]) for end in range(1, len(parts) + 1))


def calls_by_name(path):
    return {
        node.func.id
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }


H1 = sorted(reached_from("roll_http.h1", imports_between("roll_http")))


def test_imports_of_h1_are_found():
    assert {"roll_http.h1.head_parser", "roll_http.h1.state", "roll_http.syntax"} <= set(H1)
    assert "roll_http.limits" in H1


@pytest.mark.parametrize("module", H1)
def test_h1_and_what_it_imports_do_no_io(module):
    path = modules_of("roll_http")[module]
    assert set(foreign_imports(path)) & IO_MODULES == set()
    assert calls_by_name(path) & IO_CALLS == set()


@pytest.mark.parametrize("module", ["body", "files", "connection.reader", "signals"])
def test_io_imports_are_found(module):
    path = modules_of("roll_http")[f"roll_http.{module}"]
    assert set(foreign_imports(path)) & IO_MODULES


@pytest.mark.parametrize("name", NAMES)
def test_a_package_writes_the_expression_of_tokens_once(name):
    """RFC 9110 5.6.2. Leaves do not import each other, so each has one; roll has none."""
    sources = [path.read_text() for path in modules_of(name).values()]
    written = sum(text.count(r"!#$%&'*+") for text in sources)
    assert written <= (name in LEAVES)


@pytest.mark.parametrize("module", ["errors", "groups", "lookup", "observe", "upgrade"])
def test_lower_modules_do_not_import_the_application(module):
    assert "roll.application" not in imports_between("roll")[f"roll.{module}"]


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
    required = {re.sub(r"\[.*?\]", "", line) for line in importlib.metadata.requires("roll")}
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
def test_package_has_the_required_files(name):
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
