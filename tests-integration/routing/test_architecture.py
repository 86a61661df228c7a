"""The page on the architecture matches the code."""

import ast
import re
from pathlib import Path

from roll_routing import Routes
from roll_routing._compiler import write_match

DOCS = Path(__file__).parents[2] / "docs"
PATTERNS = ["/users/{name}", "/users/{name}/posts", "/static/{path:path}"]


def test_the_printed_function_is_that_of_the_printed_table():
    routes = Routes()
    for number, pattern in enumerate(PATTERNS, 1):
        routes.add(pattern, GET=number)
    source, constants = write_match(routes._tree)
    written_out = re.sub(r"\bc\d+\b", lambda name: repr(constants[name[0]]), source)
    pages = [page.read_text() for page in DOCS.glob("architecture*.md")]
    (page,) = [page for page in pages if "def match(path)" in page]
    (printed,) = re.findall(r"```python\n(def match.*?)```", page, re.DOTALL)
    assert ast.dump(ast.parse(printed)) == ast.dump(ast.parse(written_out))
    assert all(f"`{pattern}`" in page for pattern in PATTERNS)
