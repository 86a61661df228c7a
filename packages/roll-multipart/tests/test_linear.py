"""The work is linear in the size of the input, by the count of calls and of bytes held."""

import sys

import pytest

FLOODS = {
    "CR": b"\r",
    "LF": b"\n",
    "CRLF": b"\r\n",
    "dashes": b"\r\n--",
    "prefixes": b"\r\n--boundar",
    "boundaries": b"boundary",
    "text": b"some text ",
}


def count_calls(function):
    """How many calls, of Python and of C, the function makes."""
    calls = 0

    def count(frame, event, argument):
        nonlocal calls
        calls += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        function()
    finally:
        sys.setprofile(before)
    return calls


def feed(parser, chunks):
    for chunk in chunks:
        parser.feed(chunk)


def calls_for(tools, head, flood, size, chunk):
    parser = tools.recorder("boundary")
    parser.feed(head)
    data = (flood * (size // len(flood) + 1))[:size]
    chunks = tools.pieces(data, chunk)
    return count_calls(lambda: feed(parser, chunks))


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS)
@pytest.mark.parametrize("chunk", [100, 1000, 5000, 40_000])
def test_four_times_the_content_is_four_times_the_calls(tools, flood, chunk):
    head = tools.part("f", b"", filename="f")[:-2] + b"."
    once = calls_for(tools, head, flood, 100_000, chunk)
    four = calls_for(tools, head, flood, 400_000, chunk)
    assert four <= 4 * once + 40
    assert once <= 40 + 40 * (100_000 / chunk + 100_000 / 8192)


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS)
def test_nothing_but_an_unfinished_delimiter_is_carried_over(tools, flood):
    parser = tools.recorder("boundary")
    parser.feed(tools.part("f", b"", filename="f")[:-2] + b".")
    for chunk in tools.pieces(flood * 500, 7):
        parser.feed(chunk)
        assert len(parser._carry) < len(b"\r\n--boundary")


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS)
def test_the_preamble_is_carried_over_as_little(tools, flood):
    parser = tools.recorder("boundary")
    parser.feed(b".")
    for chunk in tools.pieces(flood * 100, 7):
        parser.feed(chunk)
        assert len(parser._carry) < len(b"\r\n--boundary")


def test_a_head_is_searched_once_however_it_comes(tools):
    """At most three bytes are searched again in each chunk."""
    parser = tools.recorder("boundary")
    parser.feed(b"--boundary\r\nX:")
    for size in range(1, 4000):
        parser.feed(b"x")
        assert parser._searched == len(b"\r\nX:") + size - 3


def test_many_parts_cost_the_same_each(tools):
    def calls(number):
        data = tools.body(*[tools.part("a", b"value")] * number)
        return count_calls(lambda: tools.recorder("boundary").feed(data))

    assert calls(400) <= 4 * calls(100)
