"""Content codings: the offered ones that a client accepts (RFC 9110 12.5.3)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roll.codings import accepted

OFFERED = ("zstd", "br", "gzip")


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("", []),
        ("gzip", ["gzip"]),
        ("gzip, deflate, br, zstd", ["zstd", "br", "gzip"]),
        ("gzip;q=1.0, br;q=0.5", ["gzip", "br"]),
        ("gzip ; q=0.8 ,br\t;\tQ=0.9", ["br", "gzip"]),
        ("gzip;q=0", []),
        ("gzip;q=0.000, br", ["br"]),
        ("*", ["zstd", "br", "gzip"]),
        ("*;q=0", []),
        ("*;q=0, gzip", ["gzip"]),
        ("gzip;q=0, *", ["zstd", "br"]),
        ("gzip;q=0.5, *;q=0.1", ["gzip", "zstd", "br"]),
        ("GZip", ["gzip"]),
        ("x-gzip", ["gzip"]),
        ("identity", []),
        ("identity, gzip", ["gzip"]),
        ("identity;q=1, gzip;q=0.5", []),
        ("identity;q=0.5, gzip;q=0.5, br;q=0.4", ["gzip"]),
        ("identity;q=0, br", ["br"]),
        ("deflate, compress", []),
        ("gzip;q=2, br;q=x, zstd;q=0.1234", []),
        ("gzip;q=0.5;q=1", []),
        ("gzip br", []),
        (",,gzip,", ["gzip"]),
        ("gzip;level=1", []),
        ("gz\u0131p, \u212aip", []),
    ],
)
def test_best_coding_is_first(field, expected):
    assert accepted(field, OFFERED) == expected


MEMBERS = st.tuples(
    st.sampled_from(["gzip", "br", "zstd", "identity", "*", "other"]),
    st.integers(0, 1000).map(lambda thousandths: thousandths / 1000),
)


@given(st.dictionaries(MEMBERS.map(lambda pair: pair[0]), st.integers(0, 1000)))
def test_coding_that_the_client_refuses_is_left_out(thousandths):
    qualities = {name: number / 1000 for name, number in thousandths.items()}
    field = ", ".join(f"{name};q={quality:.3f}" for name, quality in qualities.items())
    found = accepted(field, OFFERED)
    given = [qualities.get(name, qualities.get("*", 0)) for name in found]
    assert all(quality > 0 for quality in given)
    assert given == sorted(given, reverse=True)
    left = [qualities.get(name, qualities.get("*", 0)) for name in {*OFFERED} - {*found}]
    assert all(quality == 0 or quality < qualities.get("identity", 0) for quality in left)


@given(st.text("gzipbr*;q=01. ,\t"))
def test_any_field_is_read(field):
    accepted(field, OFFERED)
