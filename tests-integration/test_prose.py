"""The checker of prose: what it finds, and that its list of known faults only shrinks."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def prose():
    spec = importlib.util.spec_from_file_location("prose", ROOT / "docs" / "prose.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["prose"] = module  # where dataclasses look for the module of a class
    spec.loader.exec_module(module)
    yield module
    del sys.modules["prose"]


def rules(prose, texts):
    return [(fault.line, fault.rule) for fault in prose.faults_of("docs/page.md", texts)]


LONG = " ".join(["word"] * 33)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A value that is not a number raises.", []),
        ("A value that is no number raises.", [(1, "banned")]),
        ("One.\n\nSo does the other.", [(3, "banned")]),
        ("The view function returns.", [(1, "glossary")]),
        (f"{LONG}.", [(1, "long")]),
        (f"{LONG[:100]}.\n\n{LONG}.", [(3, "long")]),
        (f"- {LONG[:100]}\n- {LONG[:100]}", []),
        (f"| {LONG[:100]} | {LONG[:100]} |", []),
        (f"```python\n{LONG} that is no number\n```\n", []),
        ("Write `that is no number`.", []),
        ("There is no number, and it is no longer needed.", []),
        ("None is no limit.", [(1, "banned")]),
        ("Any file will do.", [(1, "banned")]),
        ("Run:\n\n    what is no number\n\nand what is no text.", [(5, "banned")]),
    ],
)
def test_page_is_checked(prose, text, found):
    assert rules(prose, prose.markdown(text)) == found


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('"""Take what is no text."""', [(1, "banned")]),
        ('"""Do.\n\n    Args:\n        x: what is no text\n    """', [(4, "banned")]),
        ('def f():\n    """Do.\n\n    Lest it fails.\n    """', [(4, "banned")]),
        ('raise ValueError(f"{x} that is no number")', [(1, "banned")]),
        ('log.warning("a thing that is no number: %s", x)', [(1, "banned")]),
        ('text = "a thing that is no number"', []),
        ("# a comment that is no number", [(1, "banned")]),
        ("x = 1  # which is no number", [(1, "banned")]),
        ("x = 1\n# a thing\n# that is no number\ny = 2", [(3, "banned")]),
        (f"# {LONG[:100]}\n# {LONG[:100]}.", [(1, "long")]),
        (f"x = 1  # {LONG[:100]}\n# {LONG[:100]}", []),
        ("x = 1  # noqa: S101 - as it is no number", [(1, "banned")]),
        ("x = 1  # noqa: S101", []),
    ],
)
def test_docstrings_comments_and_messages_are_checked(prose, source, found):
    assert rules(prose, prose.python(source)) == found


def test_words_of_other_frameworks_stay_on_their_pages(prose):
    texts = [(1, "A view function.")]
    assert list(prose.faults_of("docs/coming-from-flask.md", texts)) == []


def fault(prose, file="a.md", rule="long"):
    return prose.Fault(file, 1, rule, "")


def test_known_faults_pass_and_more_of_them_fail(prose):
    faults = [fault(prose), fault(prose)]
    assert prose.worse({"a.md": {"long": 2}}, faults) == []
    assert prose.worse({"a.md": {"long": 1}}, faults) == faults
    assert prose.worse({"a.md": {"banned": 2}}, faults) == faults


def test_list_of_known_faults_only_shrinks(prose):
    faults = [fault(prose), fault(prose), fault(prose, "b.md")]
    assert prose.shrunk({"a.md": {"long": 1, "banned": 3}}, faults) == {"a.md": {"long": 1}}
    assert prose.shrunk({"a.md": {"long": 5}}, faults) == {"a.md": {"long": 2}}
    assert prose.shrunk({"a.md": {"long": 1}}, []) == {}


def test_files_that_are_gone_are_not_in_the_list(prose):
    known = json.loads(prose.BASELINE.read_text())
    assert [name for name in known if not (ROOT / name).exists()] == []


def test_readme_has_its_two_commands_on_its_first_screen(prose):
    assert prose.first_screen() == []
