"""The README's example serves HTTP, as printed except for its port."""

from __future__ import annotations

import http.client
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / "README.md"


@pytest.fixture
def served():
    source = re.search(r"```python\n(.*?)```", README.read_text(), re.DOTALL)[1]
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-c", source.replace("8000", str(port))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert "Listening on" in process.stdout.readline()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        yield connection
        connection.close()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def test_the_example_serves(served):
    def ask(*request, **options):
        served.request(*request, **options)
        response = served.getresponse()
        return response.status, response.read()

    assert ask("GET", "/hello", headers={"Cookie": "name=Ada"}) == (200, b"Hello Ada\n")
    assert ask("POST", "/echo", body=b"x" * 1000) == (200, b'{"received":1000}')
    assert ask("GET", "/count") == (200, b"0\n1\n2\n")
    assert ask("GET", "/nothing") == (404, b"Nothing at /nothing\n")
