"""FRAMEWORKS.md is correct: its snippets run from top to bottom, and its links lead somewhere."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
PAGE = PACKAGE / "FRAMEWORKS.md"
SNIPPET = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#:]*)#?([^)]*)\)")
MINUTE = 60


async def test_snippets_run_in_order():
    text = PAGE.read_text()
    namespace = {}
    async with asyncio.timeout(MINUTE):
        for snippet in SNIPPET.finditer(text):
            await execute(snippet[1], text.count("\n", 0, snippet.start(1)), namespace)


async def execute(snippet, line, namespace):
    """Run a snippet as the REPL of asyncio would: `await` is allowed at its top."""
    code = compile("\n" * line + snippet, PAGE, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    result = eval(code, namespace)
    if inspect.isawaitable(result):
        await result


def test_links_lead_to_headings():
    links = LINK.findall(PAGE.read_text())
    assert links
    for file, anchor in links:
        text = (PACKAGE / file if file else PAGE).read_text()
        headings = re.findall(r"^#+ (.*)$", SNIPPET.sub("", text), re.MULTILINE)
        slugs = {
            re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings
        }
        assert not anchor or anchor in slugs, f"{file}#{anchor}"
