"""The README's examples run unchanged."""

import os
import re
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

README = Path(__file__).parent.parent / "README.md"


@pytest.fixture
def blocks():
    """The Python of the README, block by block."""
    return re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)


@pytest.fixture
def folder(tmp_path, blocks):
    """A folder with the application and its test."""
    application, test, _ = blocks
    (tmp_path / "hello.py").write_text(application)
    (tmp_path / "test_hello.py").write_text(test)
    return tmp_path


def test_the_application_serves(folder):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    script = f"import hello; hello.simple_server(hello.app, port={port})"
    process = subprocess.Popen(
        [sys.executable, "-c", script], cwd=folder, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout.readline() == f"Rolling on http://127.0.0.1:{port}\n"
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/hello/world") as response:
            assert response.read() == b"Hello world"
    finally:
        process.terminate()
        process.communicate()


def test_its_test_passes(folder):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    env = {**os.environ, "PYTHONPATH": str(folder)}
    done = subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, check=False
    )
    assert "1 passed" in done.stdout, done.stdout


def test_the_subclass_is_one(blocks):
    namespace = {}
    exec(blocks[-1], namespace)
    assert namespace["Site"].Query is namespace["Pages"]
