"""The page on the architecture, and its picture, match the code."""

import importlib.util
import re
from pathlib import Path

import pytest

from roll_http.h1.state import NAMES, NEXT

DOCS = Path(__file__).parents[1] / "docs"
PAGE = (DOCS / "architecture.md").read_text()
ROWS = [line for line in PAGE.splitlines() if line.startswith("|") and ".py)" in line]
SCRIPT = "python docs/draw_architecture.py"


@pytest.fixture(scope="module")
def drawing():
    spec = importlib.util.spec_from_file_location("drawing", DOCS / "draw_architecture.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_picture_shows_the_imports_of_today(drawing):
    assert drawing.picture() == drawing.PICTURE.read_text(), f"imports have changed: run {SCRIPT}"


def test_picture_has_a_box_for_each_file(drawing):
    drawn = re.findall(r">([\w/]+)</text>", drawing.PICTURE.read_text())
    missing = [
        path
        for package in drawing.PACKAGES
        for path in (DOCS.parent / "packages" / package / "src").rglob("*.py")
        if path.name != "__init__.py"
        and not {path.stem, *(f"{folder.name}/" for folder in path.parents)} & set(drawn)
    ]
    assert missing == []


def test_picture_is_not_drawn_of_a_circle(drawing):
    with pytest.raises(ValueError, match="import each other"):
        drawing.floors({"a": {"b"}, "b": {"a"}})


def test_implied_imports_are_not_drawn(drawing):
    graph = {"a": {"b", "c"}, "b": {"c"}, "c": set()}
    assert drawing.without_implied(graph) == {"a": {"b"}, "b": {"c"}, "c": set()}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_each_name_in_a_row_is_in_a_file_of_the_row(row):
    files = [DOCS / link for link in re.findall(r"\]\(([^)#]+\.py)\)", row)]
    source = "".join(path.read_text() for path in files)
    names = re.findall(r"`([A-Za-z_]+)`", row)
    assert [name for name in names if not re.search(rf"\b{name}\b", source)] == []


def test_table_of_states_is_that_of_the_code():
    rows = re.findall(r"^\| `([A-Z_]+)` \| [^|]+ \| ([^|]+) \|$", PAGE, re.MULTILINE)
    shown = {state: set(re.findall(r"`([A-Z_]+)`", after)) for state, after in rows}
    assert shown == {
        NAMES[state]: {NAMES[after] for after in follows} for state, follows in enumerate(NEXT)
    }
