"""Every snippet of the documentation runs; docs/README.md states the convention."""

import ast
import inspect
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass, fields
from pathlib import Path

import pytest

import roll.extensions
import roll.testing
from roll import Limits, Request, Response, Roll

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXAMPLE = re.compile(r"(?:#|<!--) ((?:examples|deploy)/\S+)(?: -->)?\n")
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)(?:#([^)]+))?\)")


@dataclass
class Block:
    language: str
    text: str
    line: int


def blocks(page):
    text = page.read_text()
    for found in BLOCK.finditer(text):
        yield Block(found[1], found[2], text[: found.start()].count("\n") + 2)


def examples_of(page):
    for block in blocks(page):
        if found := EXAMPLE.match(block.text):
            yield found[1], block.text.removeprefix(found[0])


def name_of(page):
    return str(page.relative_to(ROOT))


def each_page(*languages):
    """Pages that hold a block in one of these languages."""
    held = [page for page in PAGES if {block.language for block in blocks(page)} & {*languages}]
    return pytest.mark.parametrize("page", held, ids=name_of)


@each_page("python", "html", "text", "dockerfile", "yaml", "nginx", "caddy", "ini")
def test_printed_examples_are_the_files(page):
    for name, text in examples_of(page):
        assert text == (ROOT / name).read_text(), name


def test_every_example_is_printed():
    printed = {name for page in PAGES for name, _ in examples_of(page)}
    files = {f"examples/{path.name}" for path in (ROOT / "examples").glob("*.py")}
    files |= {
        f"examples/library/{path.name}" for path in (ROOT / "examples/library").glob("[!_]*.py")
    }
    files |= {f"deploy/{path.name}" for path in (ROOT / "deploy").iterdir()}
    assert files - printed == set()


@pytest.fixture
def forget_examples():
    """Forget the modules of examples: tests elsewhere have others with the same names."""
    yield
    for name, module in list(sys.modules.items()):
        if (getattr(module, "__file__", None) or "").startswith(f"{ROOT / 'examples'}/"):
            del sys.modules[name]


@each_page("python")
async def test_other_snippets_run_in_order(page, monkeypatch, forget_examples):
    monkeypatch.syspath_prepend(ROOT / "examples")  # packages there can be imported
    app = Roll()
    request = Request(app, None)
    namespace = {"app": app, "request": request, "response": Response(app, None)}
    for block in blocks(page):
        if block.language == "python" and not EXAMPLE.match(block.text):
            await execute(block, page, namespace)


async def execute(block, page, namespace):
    """Run a block as the asyncio REPL would: `await` is allowed at its top."""
    source = "\n" * (block.line - 1) + block.text
    code = compile(source, page, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    result = eval(code, namespace)
    if inspect.isawaitable(result):
        await result


def commands(text):
    """The commands of a console block, each with the output printed below it."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        lines = part.splitlines(keepends=True)
        size = 1
        while lines[size - 1].endswith("\\\n"):
            size += 1
        command = "".join(lines[:size]).replace("\\\n", "")
        yield shlex.split(command), "".join(lines[size:])


@each_page("console")
def test_printed_commands_print_that(page, example):
    """`$ curl` asks the example shown last above it."""
    program, shown = None, None
    for block in blocks(page):
        found = EXAMPLE.match(block.text)
        if found and block.language == "python":
            program, shown = None, Path(found[1]).name
        elif block.language == "console":
            for argv, output in commands(block.text):
                if argv[0] == "curl":
                    program = program or example(shown)
                    assert shown_by(argv, program.url) == comparable(output)


def shown_by(argv, url):
    argv = [arg.replace("http://127.0.0.1:3579", url) for arg in argv]
    command = [argv[0], "--silent", "--show-error", "--noproxy", "*", *argv[1:]]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=60, check=True)
    return comparable(done.stdout.decode().replace("\r\n", "\n"))


def comparable(output):
    """What curl shows, without what may differ: the date, and the order of header fields."""
    head, blank, body = (
        output.partition("\n\n") if output.startswith("HTTP/") else ("", "", output)
    )
    fields = sorted(line for line in head.splitlines() if not line.startswith("Date: "))
    return "\n".join(fields) + blank + body.rstrip("\n")


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("reference.md", roll.__all__),
        ("extensions.md", roll.extensions.__all__),
        ("testing.md", roll.testing.__all__),
        ("deployment.md", [field.name for field in fields(Limits)]),
    ],
)
def test_every_public_name_is_documented(page, names):
    text = (ROOT / "docs" / page).read_text()
    assert [name for name in names if not re.search(rf"\b{name}\b", text)] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page):
    for target, anchor in LINK.findall(page.read_text()):
        path = page.parent / target
        assert path.exists(), target
        if anchor:
            assert anchor in {slug(heading) for heading in headings(path)}, f"{target}#{anchor}"


def headings(path):
    prose = BLOCK.sub("", path.read_text())
    return re.findall(r"^#+ (.*)$", prose, re.MULTILINE)


def slug(heading):
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_the_figures_are_those_of_a_run_that_is_kept():
    command = [sys.executable, ROOT / "benchmarks" / "publish.py", "--check"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.stderr == ""
