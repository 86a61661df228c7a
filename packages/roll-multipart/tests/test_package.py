"""The package as a whole: its names, its documents."""

import ast
import asyncio
import re
import subprocess
import sys
from pathlib import Path

import pytest

import roll_multipart

PACKAGE = Path(__file__).parent.parent
SOURCE = PACKAGE / "src" / "roll_multipart"


def test_all_names_are_there():
    assert sorted(roll_multipart.__all__) == sorted(set(roll_multipart.__all__))
    for name in roll_multipart.__all__:
        assert getattr(roll_multipart, name).__doc__, name


def test_the_changelog_knows_the_version():
    assert f"## {roll_multipart.__version__}" in (PACKAGE / "CHANGELOG.md").read_text()


@pytest.mark.parametrize("path", sorted(SOURCE.glob("*.py")), ids=lambda path: path.stem)
def test_nothing_but_the_standard_library_is_imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module]
        assert all(name.partition(".")[0] in sys.stdlib_module_names for name in names)


README = (PACKAGE / "README.md").read_text()
# Those with another library run in tests-integration, where it is.
EXAMPLES = [
    example
    for example in re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    if not re.search(r"^from (aiohttp|starlette)", example, re.MULTILINE)
]


@pytest.mark.parametrize("example", EXAMPLES, ids=[str(i) for i in range(len(EXAMPLES))])
def test_the_examples_of_the_readme_run(example, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(example, "README.md", "exec"), {"__name__": "readme"})


async def test_timeout_example_continues_after_each_timeout(capsys):
    """Two of three messages come too late."""
    [example] = [example for example in EXAMPLES if "asyncio.timeout" in example]
    names = {"__name__": "readme"}
    exec(compile(example, "README.md", "exec"), names)
    body, content_type = roll_multipart.encode({"a": "x" * 100}, {"f": b"y" * 300})
    messages = iter(
        {"type": "http.request", "body": body[start : start + 50], "more_body": True}
        for start in range(0, len(body), 50)
    )
    calls = 0

    async def receive():
        nonlocal calls
        calls += 1
        for _ in range(3 if calls % 3 else 0):
            await asyncio.sleep(0)  # a timeout of 0 comes first
        return next(messages, {"type": "http.request"})

    await names["receive_all"](content_type, receive, patience=0)
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if "Waiting" not in line] == ["a 100", "f 300"]
    assert {"Waiting for a", "Waiting for f"} <= set(lines)


def test_rarely_used_modules_are_imported_on_demand():
    code = """if True:
        import sys, roll_multipart
        roll_multipart.Multipart(), roll_multipart.Form.parse("a=1")
        print(*sorted(name for name in sys.modules if name.startswith("roll_multipart.")))
        print(roll_multipart.PushParser.__module__)
    """
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    loaded, parser = ended.stdout.splitlines()
    assert loaded.split() == [
        f"roll_multipart.{name}"
        for name in (
            *("checks", "errors", "files", "multidict", "multipart", "pairs", "part", "query"),
            "urlencoded",
        )
    ]
    assert parser == "roll_multipart.parser"


def test_other_names_are_not_there():
    with pytest.raises(AttributeError, match="'roll_multipart' has no attribute 'Pull'"):
        _ = roll_multipart.Pull
