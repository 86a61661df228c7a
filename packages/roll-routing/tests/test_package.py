"""The public names and files of the package."""

import re
from pathlib import Path

import pytest

import roll_routing

PACKAGE = Path(__file__).parents[1]
SNIPPETS = re.findall(r"```python\n(.*?)```", (PACKAGE / "README.md").read_text(), re.DOTALL)


@pytest.mark.parametrize("snippet", SNIPPETS)
def test_the_examples_of_the_readme_run(snippet: str) -> None:
    exec(compile(snippet, "README.md", "exec"), {})


def test_the_readme_has_examples() -> None:
    assert len(SNIPPETS) == 6


def test_the_changelog_knows_the_version() -> None:
    changelog = (PACKAGE / "CHANGELOG.md").read_text()
    assert f"\n## {roll_routing.__version__} - " in changelog


def test_every_public_name_is_there() -> None:
    assert sorted(roll_routing.__all__) == roll_routing.__all__
    assert all(hasattr(roll_routing, name) for name in roll_routing.__all__)
