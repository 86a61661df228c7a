"""The documentation site: Sphinx reads the Markdown files where they are, see CONTRIBUTING.md."""

import re
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE))

from navigation import navigation
from source_links import NO_PAGES, PAGES, to_repository

SOURCE = (ROOT / "packages" / "roll" / "src" / "roll" / "__init__.py").read_text()
(version,) = re.findall(r'^__version__ = "(.*)"', SOURCE, re.MULTILINE)

project = "Roll"
author = "The Roll developers"
copyright = author
release = version
root_doc = "docs/README"
extensions = ["myst_parser", "sphinx_copybutton"]

# The whole repository is the source, so that a relative link leads to the same file as on GitHub.
include_patterns = list(PAGES)
exclude_patterns = list(NO_PAGES)
nitpicky = True
suppress_warnings = ["misc.highlighting_failure"]

myst_heading_anchors = 6
myst_enable_extensions = ["colon_fence"]
copybutton_prompt_text = "$ "
copybutton_line_continuation_character = "\\"

myst_html_meta = {"description": "Roll, an async web framework for Python"}

html_theme = "furo"
html_title = f"Roll {version}"
html_static_path = ["static"]
html_favicon = "static/roll.svg"
html_css_files = ["roll.css"]
html_js_files = [
    ("accessible.js", {"defer": "defer"}),
    ("versions.js", {"defer": "defer"}),
]
html_extra_path = ["extra"]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {
    "navigation_with_keys": True,
    "source_repository": "https://github.com/pyrates/roll/",
    "source_branch": "main",
    "source_directory": "",
}
pygments_style = "a11y-light"
pygments_dark_style = "a11y-dark"


def prepare(app, docname, source):
    """Add the navigation to the first page, and lead links to code to the repository."""
    source[0] = to_repository(source[0], ROOT / app.env.doc2path(docname, base=False), ROOT)
    source[0] += navigation(ROOT / f"{docname}.md")


def setup(app):
    app.connect("source-read", prepare)
