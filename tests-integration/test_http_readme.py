"""The README of roll-http: its figures are those of the benchmarks page."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
FIGURE = re.compile(r"[0-9]+\.[0-9]+(?= (?:µs|ms|KiB)\b)")


def test_figures_stand_on_the_benchmarks_page():
    readme = (ROOT / "packages" / "roll-http" / "README.md").read_text()
    first_screen = readme.partition("```")[0]
    page = set(re.findall(r"[0-9]+\.[0-9]+", (ROOT / "docs" / "benchmarks.md").read_text()))
    figures = set(FIGURE.findall(first_screen))
    assert len(figures) >= 5
    assert figures - page == set()
