"""Limits: invalid values are refused at once."""

from dataclasses import fields, replace
from math import inf, nan

import pytest

from roll_http import Limits

NAMES = [field.name for field in fields(Limits)]
LIFTED = ["body", "connections", "linger"]
WAITED = [
    "head_timeout",
    "body_timeout",
    "body_rate_window",
    "keep_alive_timeout",
    "write_timeout",
    "tls_handshake_timeout",
]
NEEDED = ["request_line", "head", "headers", "connections"]


@pytest.mark.parametrize("value", ["16m", "16", -1, -0.5, nan, True, b"1", [1]])
@pytest.mark.parametrize("name", NAMES)
def test_a_value_that_cannot_work_is_refused(name, value):
    with pytest.raises(
        ValueError,
        match=f"^The limit '{name}' must be a .*number.*, (at least [01]|above 0).*, not",
    ):
        Limits(**{name: value})
    with pytest.raises(ValueError, match=f"^The limit '{name}'"):
        replace(Limits(), **{name: value})


@pytest.mark.parametrize("name", NAMES)
def test_none_lifts_only_the_limits_that_accept_it(name):
    if name in LIFTED:
        assert getattr(Limits(**{name: None}), name) is None
    else:
        with pytest.raises(ValueError, match=f"'{name}' .*, (at least [01]|above 0), not None"):
            Limits(**{name: None})


@pytest.mark.parametrize("name", NAMES)
def test_smallest_and_larger_whole_numbers_are_accepted(name):
    least = 1 if name in NEEDED else 0.001 if name in WAITED else 0
    assert getattr(Limits(**{name: least}), name) == least
    assert getattr(Limits(**{name: 7}), name) == 7


@pytest.mark.parametrize("name", NEEDED)
def test_limit_that_no_request_meets_is_refused(name):
    with pytest.raises(ValueError, match=f"The limit '{name}' must be a whole number, at least 1"):
        Limits(**{name: 0})


@pytest.mark.parametrize("name", WAITED)
@pytest.mark.parametrize("value", [0, 0.0, -0.0])
def test_time_in_which_no_request_can_arrive_is_refused(name, value):
    with pytest.raises(
        ValueError, match=f"'{name}' must be a number of seconds, .*, above 0, not"
    ):
        Limits(**{name: value})


@pytest.mark.parametrize("name", NAMES)
def test_time_that_the_clock_cannot_count_is_refused(name):
    value = 10**400
    if str(Limits.__annotations__[name]).startswith("int"):
        assert getattr(Limits(**{name: value}), name) == value
    else:
        with pytest.raises(ValueError, match=f"'{name}' must be a number of seconds"):
            Limits(**{name: value})


@pytest.mark.parametrize("value", [0.5, inf])
@pytest.mark.parametrize("name", NAMES)
def test_only_times_and_rates_have_fractions_and_no_end(name, value):
    if (name, value) == ("body_rate", inf):  # no body is so fast
        with pytest.raises(ValueError, match="'body_rate' must be"):
            Limits(**{name: value})
    elif "timeout" in name or "rate" in name or name == "linger_silence":
        assert getattr(Limits(**{name: value}), name) == value
    else:
        with pytest.raises(ValueError, match=f"'{name}' must be a whole number"):
            Limits(**{name: value})


def test_the_message_says_what_to_write():
    with pytest.raises(ValueError, match="body") as caught:
        Limits(body="16m")
    assert str(caught.value) == (
        "The limit 'body' must be a whole number, at least 0, or None for no limit, not '16m'"
    )


@pytest.mark.parametrize("name", ["body", "head", "headers", "request_line"])
async def test_limit_beyond_any_size_of_the_system_means_no_limit(serve, name):
    connection = await (await serve(**{name: 2**63})).connect()
    connection.send(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert (await connection.rest()).startswith(b"HTTP/1.1 200 OK\r\n")
