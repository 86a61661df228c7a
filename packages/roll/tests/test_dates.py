"""Dates of HTTP, valid and malformed ones."""

import time
from email.utils import formatdate

import pytest

from roll.dates import parse_date

SECOND = 784111777

DIGITS = "9" * 5001
LIKE_DIGITS = ["\u0661", "\u07c1", "\u0967", "\uff11", "\U0001d7cf", "\u00b2", "\u2460"]


@pytest.mark.parametrize(
    "text",
    [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
    ],
)
def test_the_three_formats_are_known(text):
    assert parse_date(text) == SECOND


def test_a_day_of_two_digits_is_known_in_all_formats():
    expected = SECOND + 20 * 86400
    assert parse_date("Sat, 26 Nov 1994 08:49:37 GMT") == expected
    assert parse_date("Saturday, 26-Nov-94 08:49:37 GMT") == expected
    assert parse_date("Sat Nov 26 08:49:37 1994") == expected


@pytest.mark.parametrize("second", [0, 951782400, 1e9, 4e9, 253402300799])
def test_a_date_that_is_written_is_read(second):
    assert parse_date(formatdate(second, usegmt=True)) == second


@pytest.mark.parametrize(
    ("digits", "year"), [("00", 2000), ("26", 2026), ("76", 2076), ("77", 1977), ("99", 1999)]
)
def test_a_year_of_two_digits_is_at_most_50_years_ahead(monkeypatch, digits, year):
    monkeypatch.setattr(time, "gmtime", lambda: time.struct_time((2026, *[1] * 8)))
    expected = parse_date(f"Sun, 06 Nov {year} 08:49:37 GMT")
    assert parse_date(f"Sunday, 06-Nov-{digits} 08:49:37 GMT") == expected


def test_a_leap_second_is_the_second_before():
    leap = parse_date("Sat, 31 Dec 2016 23:59:60 GMT")
    assert leap == parse_date("Sat, 31 Dec 2016 23:59:59 GMT")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "*",
        "nonsense",
        "Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
        f"Mon, 01 Jan {DIGITS} 00:00:00 GMT",
        f"Mon, {DIGITS} Jan 2001 00:00:00 GMT",
        f"Mon, 01 Jan 2001 {DIGITS}:00:00 GMT",
        f"Mon, 01 Jan 2001 00:{DIGITS}:00 GMT",
        f"Mon, 01 Jan 2001 00:00:{DIGITS} GMT",
        f"Mon, 01 Jan 2001 00:00:00 +{DIGITS}",
        f"Monday, 01-Jan-{DIGITS} 00:00:00 GMT",
        f"Mon Jan  1 00:00:00 {DIGITS}",
        f"Mon Jan {DIGITS} 00:00:00 2001",
        DIGITS,
        "Mon, 01 Jan 0000 00:00:00 GMT",
        "Mon, 00 Jan 2001 00:00:00 GMT",
        "Mon, 32 Jan 2001 00:00:00 GMT",
        "Fri, 30 Feb 2001 00:00:00 GMT",
        "Thu, 29 Feb 2001 00:00:00 GMT",
        "Mon, 01 Jan 2001 24:00:00 GMT",
        "Mon, 01 Jan 2001 00:60:00 GMT",
        "Mon, 01 Jan 2001 00:00:61 GMT",
        "Mon, -1 Jan 2001 00:00:00 GMT",
        "Mon, +1 Jan 2001 00:00:00 GMT",
        "Mon, 1_ Jan 2001 00:00:00 GMT",
        "Mon, 01 Jan 2001 00:00:00 +9999",
        "Mon, 01 Jan 2001 00:00:00",
        "Mon, 01 Jan 2001 00:00:00 GMT\n",
        "Mon, 01 Jan 2001 00:00:00 GMT\x00",
        "Mon,\u00a001 Jan 2001 00:00:00 GMT",
        "Mon, 01 Foo 2001 00:00:00 GMT",
        "Foo, 01 Jan 2001 00:00:00 GMT",
        "mon, 01 jan 2001 00:00:00 gmt",
        "Mon, 01 \u017fan 2001 00:00:00 GMT",
        "\udcff",
        *[f"Mon, 0{digit} Jan 2001 00:00:00 GMT" for digit in LIKE_DIGITS],
        *[f"Mon, 01 Jan 200{digit} 00:00:00 GMT" for digit in LIKE_DIGITS],
    ],
    ids=lambda text: f"{ascii(text)[:40]} {len(text)}",
)
def test_malformed_date_is_none(text):
    assert parse_date(text) is None
