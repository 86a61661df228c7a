"""The package as its users get it."""

import re
from importlib.metadata import entry_points
from pathlib import Path

import roll

HERE = Path(__file__).parent.parent


def test_the_changelog_knows_the_version():
    assert re.search(
        rf"^## {re.escape(roll.__version__)} ", (HERE / "CHANGELOG.md").read_text(), re.MULTILINE
    )


def test_package_is_typed():
    assert (HERE / "src" / "roll" / "py.typed").exists()


def test_pytest_finds_the_plugin():
    (found,) = entry_points(group="pytest11", name="roll")
    assert found.value == "roll.testing.plugin"
