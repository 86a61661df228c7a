"""The types that users get, as mypy sees them in programs of theirs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mypy")

PROGRAMS = sorted((Path(__file__).parent / "types").glob("*.py"))
FOUND = re.compile(r":(\d+): error: .*\[([\w-]+)\]$", re.MULTILINE)
EXPECTED = re.compile(r"# error: ([\w-]+)$")


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_type_checkers_complain_where_they_should_and_nowhere_else(program, tmp_path):
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
