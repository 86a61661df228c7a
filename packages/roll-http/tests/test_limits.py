"""Limits: a value that cannot work is refused at once."""

from dataclasses import fields, replace
from math import inf, nan

import pytest

from roll_http import Limits

NAMES = [field.name for field in fields(Limits)]
LIFTED = ["body", "connections", "linger"]


@pytest.mark.parametrize("value", ["16m", "16", -1, -0.5, nan, True, b"1", [1]])
@pytest.mark.parametrize("name", NAMES)
def test_a_value_that_cannot_work_is_refused(name, value):
    with pytest.raises(
        ValueError, match=f"^The limit '{name}' is a .*number.*, not below 0.*; it"
    ):
        Limits(**{name: value})
    with pytest.raises(ValueError, match=f"^The limit '{name}'"):
        replace(Limits(), **{name: value})


@pytest.mark.parametrize("name", NAMES)
def test_none_lifts_only_the_limits_that_accept_it(name):
    if name in LIFTED:
        assert getattr(Limits(**{name: None}), name) is None
    else:
        with pytest.raises(ValueError, match=f"'{name}' .*, not below 0; it is None"):
            Limits(**{name: None})


@pytest.mark.parametrize("name", NAMES)
def test_zero_and_whole_numbers_are_taken(name):
    assert getattr(Limits(**{name: 0}), name) == 0
    assert getattr(Limits(**{name: 7}), name) == 7


@pytest.mark.parametrize("value", [0.5, inf])
@pytest.mark.parametrize("name", NAMES)
def test_only_times_and_rates_have_fractions_and_no_end(name, value):
    if "timeout" in name or "rate" in name or name == "linger_silence":
        assert getattr(Limits(**{name: value}), name) == value
    else:
        with pytest.raises(ValueError, match=f"'{name}' is a whole number"):
            Limits(**{name: value})


def test_the_message_says_what_to_write():
    with pytest.raises(ValueError, match="body") as caught:
        Limits(body="16m")
    assert str(caught.value) == (
        "The limit 'body' is a whole number, not below 0, or None for no limit; it is '16m'"
    )
