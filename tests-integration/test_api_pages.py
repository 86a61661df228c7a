"""The API pages of the packages are those that the docstrings make."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "packages").glob("*/API.md"))


@pytest.fixture(scope="module")
def make_api():
    spec = importlib.util.spec_from_file_location("make_api", ROOT / "docs" / "make_api.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)
def test_page_is_made_of_the_docstrings_of_today(page, make_api):
    made = make_api.page(page.parent.name)
    assert page.read_text() == made, "run python docs/make_api.py <package>"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)
def test_every_public_class_and_function_says_what_it_does(page):
    sections = page.read_text().split("\n#")[1:]
    assert [text for text in sections if text.startswith("# `") and text.count("\n") < 3] == []
