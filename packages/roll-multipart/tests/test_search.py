"""The search for delimiters finds what `bytes.find` finds, in floods too."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roll_multipart.search import SHORT, DelimiterSearch

BOUNDARIES = [b"a", b"-", b"m", b"----", b"MJm-MJm-MJm-", b"0123456789abcdef", b"aaaaaaaaaaaa"]
BOUNDARIES += [b"----WebKitFormBoundaryzK8cLhqGkJy5dQeT", b"x" * 200]
SIZES = [0, 1, 16, SHORT - 1, SHORT, 30_000, 60_000]


def patterns(delimiter):
    yield from (b"\r", b"\n", b"\r\n", b"\r\n--", b"-", b"text ", b"\0", delimiter[:-1])
    yield from (delimiter[2:], delimiter[4:], delimiter[4:] + b"\r", delimiter[1:])


@pytest.mark.parametrize("boundary", BOUNDARIES, ids=bytes.decode)
def test_floods_hide_no_delimiter(boundary):
    delimiter = b"\r\n--" + boundary
    search = DelimiterSearch(delimiter)
    for pattern in patterns(delimiter):
        for size in SIZES:
            flood = (pattern * (size // len(pattern) + 1))[:size]
            for data in (flood + b"!", flood + delimiter, flood + delimiter + flood):
                for position in (0, 1, len(data) // 2, len(data) - 1):
                    assert search.find(data, position) == data.find(delimiter, position)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from([b"\r", b"\n", b"-", b"ab", b"abcdefghab", b"\r\n--abcdefghab", b"x"])
    ),
    st.integers(0, 5000),
)
def test_any_mixture_hides_no_delimiter(fragments, padding):
    delimiter = b"\r\n--abcdefghab"
    data = b"".join(fragments) + b"\r" * padding + b"".join(fragments) + b"."
    search = DelimiterSearch(delimiter)
    for position in {0, len(data) // 2, len(data) - 1}:
        assert search.find(data, position) == data.find(delimiter, position)
