"""Dates of HTTP."""

import time
from email.utils import formatdate

from hypothesis import given
from hypothesis import strategies as st

from roll_http.h1.dates import format_date


@given(st.integers(-62_135_596_800, 253_402_300_799))
def test_each_second_of_the_years_1_to_9999_is_written_as_the_standard_library_writes_it(seconds):
    assert format_date(seconds) == formatdate(seconds, usegmt=True)


def test_a_part_of_a_second_is_dropped():
    assert format_date(0.999) == "Thu, 01 Jan 1970 00:00:00 GMT"


def test_the_default_is_now():
    before = int(time.time())
    # The system's clock in seconds may be a tick behind that of `time.time`.
    allowed = {format_date(second) for second in range(before - 1, before + 3)}
    assert format_date() in allowed
