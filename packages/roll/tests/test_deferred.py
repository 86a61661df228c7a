"""Parts that are imported when they are first read."""

import sys

import pytest

from roll import Roll
from roll.deferred import Deferred, is_deferred


@pytest.fixture
def kind(tmp_path, monkeypatch):
    (tmp_path / "part_of_a_test.py").write_text("class Part: ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "part_of_a_test", raising=False)
    return type("Kind", (), {"Part": Deferred("part_of_a_test", "Part")})


def test_a_part_is_imported_when_it_is_first_read(kind):
    assert is_deferred(kind(), "Part")
    assert "part_of_a_test" not in sys.modules
    part = kind().Part
    assert part is sys.modules["part_of_a_test"].Part
    assert vars(kind)["Part"] is kind.Part is part
    assert not is_deferred(kind(), "Part")


def test_a_subclass_reads_the_part_of_its_base(kind):
    subclass = type("Subclass", (kind,), {})
    assert is_deferred(subclass(), "Part")
    assert subclass.Part is vars(kind)["Part"]
    assert "Part" not in vars(subclass)


def test_what_replaces_a_part_is_not_deferred(kind):
    assert not is_deferred(type("Subclass", (kind,), {"Part": int})(), "Part")
    one = kind()
    one.Part = int
    assert not is_deferred(one, "Part")
    assert one.Part is int
    assert "part_of_a_test" not in sys.modules


def test_the_parts_of_an_application_are_checked_without_an_import(kind):
    class App(Roll):
        WebsocketProtocol = vars(kind)["Part"]

    App()
    assert "part_of_a_test" not in sys.modules
