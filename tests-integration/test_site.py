"""The documentation site: its navigation, and where links lead. `.ci/run` builds it."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SITE = ROOT / "docs" / "site"


def load(name):
    spec = importlib.util.spec_from_file_location(name, SITE / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def nav():
    return load("navigation")


@pytest.fixture(scope="module")
def links():
    return load("source_links")


def pages(links):
    found = {path for pattern in links.PAGES for path in ROOT.glob(pattern)}
    return {path for path in found if links.is_page(path, ROOT)}


def test_navigation_names_every_page(nav, links):
    named = set()
    for index in nav.INDEXES:
        text = (SITE.parent / index).read_text()
        named |= {(SITE.parent / target).resolve() for _, target in nav.ENTRY.findall(text)}
    assert pages(links) - named - {SITE.parent / "README.md"} == set()


def test_section_with_a_table_becomes_a_toctree(nav, tmp_path):
    page = tmp_path / "docs" / "README.md"
    page.parent.mkdir()
    page.write_text(
        "# Roll\n\n## Learn\n\n| | |\n|---|---|\n| [First](a.md) | x |\n\n## Other\n\ntext\n"
    )
    assert nav.navigation(page) == (
        "\n\n```{toctree}\n:hidden:\n:caption: Learn\n\nFirst <a>\n```\n"
    )


def test_page_that_is_not_an_index_has_no_toctree(nav):
    assert nav.navigation(SITE.parent / "tutorial.md") == ""


@pytest.mark.parametrize(
    ("target", "leads_to"),
    [
        ("tutorial.md", "tutorial.md"),
        ("../packages/roll-http/README.md", "../packages/roll-http/README.md"),
        ("architecture.svg", "architecture.svg"),
        ("nowhere.py", "nowhere.py"),
        ("../hatch.toml", "https://github.com/pyrates/roll/blob/main/hatch.toml"),
        ("../examples", "https://github.com/pyrates/roll/tree/main/examples"),
        ("reference.md#events", "reference.md#events"),
        ("../README.md", "https://github.com/pyrates/roll/blob/main/README.md"),
        (
            "../README.md#develop",
            "https://github.com/pyrates/roll/blob/main/README.md#develop",
        ),
        (
            "../benchmarks/README.md",
            "https://github.com/pyrates/roll/blob/main/benchmarks/README.md",
        ),
    ],
)
def test_link_to_no_page_leads_to_the_repository(links, target, leads_to):
    page = SITE.parent / "README.md"
    assert links.to_repository(f"[x]({target})", page, ROOT) == f"[x]({leads_to})"


def test_code_block_keeps_its_text(links):
    text = "```python\n# [x](../hatch.toml)\n```\n"
    assert links.to_repository(text, SITE.parent / "README.md", ROOT) == text


@pytest.fixture
def site(tmp_path):
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "page.html").write_text("first")
    return folder


def test_site_of_main_is_dev(site, tmp_path):
    pages = tmp_path / "pages"
    pages.mkdir()
    load("versions").add(site, pages, "main")
    assert (pages / "dev" / "page.html").read_text() == "first"
    assert (pages / "versions.js").read_text() == 'window.ROLL_VERSIONS = ["dev"]\n'
    assert "url=dev/" in (pages / "index.html").read_text()


def test_newest_version_is_the_stable_one(site, tmp_path):
    pages = tmp_path / "pages"
    pages.mkdir()
    versions = load("versions")
    versions.add(site, pages, "roll-v0.10.0")
    (site / "page.html").write_text("correction of an old version")
    versions.add(site, pages, "roll-v0.9.1")
    assert (pages / "stable" / "page.html").read_text() == "first"
    assert (pages / "0.9.1" / "page.html").read_text() == "correction of an old version"
    listed = (pages / "versions.js").read_text()
    assert listed == 'window.ROLL_VERSIONS = ["stable", "0.10.0", "0.9.1"]\n'


def test_picture_of_a_request_is_the_one_that_the_script_draws():
    spec = importlib.util.spec_from_file_location("draw", SITE.parent / "draw_request.py")
    draw = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(draw)
    assert draw.PICTURE.read_text() == draw.picture()
