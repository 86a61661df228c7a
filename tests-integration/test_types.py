"""The types that users get, as mypy sees them in programs of theirs."""

import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import get_type_hints

import pytest

pytest.importorskip("mypy")

PROGRAMS = sorted((Path(__file__).parent / "types").glob("*.py"))
MODULES = [
    *("roll", "roll.http", "roll.io", "roll.parts", "roll.testing", "roll.websocket"),
    *("roll.worker", "roll_http", "roll_multipart", "roll_routing", "roll_websocket"),
]
FOUND = re.compile(r":(\d+): error: .*\[([\w-]+)\]$", re.MULTILINE)
EXPECTED = re.compile(r"# error: ([\w-]+)$")


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_type_checkers_report_exactly_the_expected_errors(program, tmp_path):
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", program.name]
    settings = [f"--cache-dir={tmp_path}", "--config-file="]
    ended = subprocess.run(
        command + settings, cwd=program.parent, capture_output=True, text=True, check=False
    )
    found = {(int(line), code) for line, code in FOUND.findall(ended.stdout)}
    lines = enumerate(program.read_text().splitlines(), 1)
    expected = {(number, mark[1]) for number, line in lines if (mark := EXPECTED.search(line))}
    assert found == expected, ended.stdout
    assert ended.stderr == ""


def public_classes():
    for name in MODULES:
        module = importlib.import_module(name)
        for found in map(module.__dict__.get, module.__all__):
            if isinstance(found, type):
                yield pytest.param(found, id=f"{name}.{found.__name__}")


@pytest.mark.parametrize("public", [*public_classes()])
def test_type_hints_of_each_public_class_can_be_resolved(public):
    get_type_hints(public)
    if public.__module__.partition(".")[0] == "roll" and "testing" not in public.__module__:
        for name, function in vars(public).items():
            if inspect.isfunction(function) and not name.startswith("_"):
                get_type_hints(function)


def test_pyright_takes_a_page_of_ordinary_code(tmp_path):
    page = Path(__file__).parent / "types" / "ordinary.py"
    assert "ignore" not in page.read_text()
    # Node, and what pyright is made of, come with its first run, which needs a network.
    pyright = [sys.executable, "-m", "pyright"]
    if subprocess.run([*pyright, "--version"], capture_output=True, check=False).returncode:
        pytest.skip("pyright cannot run here")
    command = [*pyright, "--pythonpath", sys.executable, page]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout
