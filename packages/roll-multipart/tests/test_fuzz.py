"""Broken bodies: no exception but `MultipartError`, and never a difference between cuts."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roll_multipart import parts

SEED = (
    b'pre\r\n--boundary\r\nContent-Disposition: form-data; name="a"\r\n\r\nvalue\r\n'
    b'--boundary  \r\nContent-Type: text/plain\r\ncontent-disposition: form-data; name="\\"b%22"; '
    b"filename*=utf-8''%C3%A9.txt\r\n\r\n\r\n--bound\r\r\n--\r\n--boundary\r\n"
    b'Content-Disposition: form-data; name="f"; filename="a\\b.txt"\r\n'
    b"Content-Type: a/b; c=d\r\n\r\n\r\n--boundary--\r\nepilogue"
)
TOKENS = [
    b"\r",
    b"\n",
    b"\r\n",
    b"--",
    b"\r\n--boundary",
    b"--boundary--",
    b'"',
    b"\\",
    b";",
    b"=",
]
TOKENS += [b"\0", b"\xff", b" ", b"\t", b":", b"%22", b"filename*=", b"name=x", b"", b"\r\n\r\n"]
EDITS = st.lists(
    st.tuples(
        st.integers(0, len(SEED)),
        st.integers(0, 12),
        st.sampled_from(TOKENS) | st.binary(max_size=4),
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=300, deadline=None)
@given(EDITS, st.lists(st.integers(0, len(SEED) + 20), max_size=6), st.booleans())
def test_mutated_bodies_give_the_same_however_they_are_cut(tools, edits, cuts, tight):
    data = SEED
    for position, length, token in edits:
        data = data[:position] + token + data[position + length :]
    limits = {"max_header_size": 90, "max_parts": 2, "file_memory": 2} if tight else {}
    whole = tools.parse(data, **limits)
    assert whole.error is None or whole.error[1] in {400, 413}
    assert tools.parse(tools.pieces(data), **limits) == whole
    edges = [0, *sorted(cuts), len(data)]
    chunks = [data[start:end] for start, end in pairwise(edges)]
    assert tools.parse(chunks, **limits) == whole


def collect(found):
    """Fields and contents of files, by their names."""
    fields, files = {}, {}
    for name, filename, content in found:
        if filename is None:
            fields.setdefault(name, []).append(content.decode("utf-8", "replace"))
        else:
            files.setdefault(name, []).append((filename, content))
    return fields, files


def push(tools, chunks):
    parser = tools.recorder("boundary")
    for chunk in chunks:
        parser.feed(chunk)
    parser.close()
    return collect((part.name, part.filename, bytes(data)) for part, data in parser.parts)


def pull(tools, chunks):
    found = parts("multipart/form-data; boundary=boundary", chunks)
    return collect((part.name, part.filename, part.read()) for part in found)


@settings(max_examples=300, deadline=None)
@given(EDITS, st.integers(1, 50))
def test_all_ways_to_parse_give_the_same(tools, edits, size):
    """Return the results of the three parsers: whole parts, events, and pulled parts."""
    data = SEED
    for position, length, token in edits:
        data = data[:position] + token + data[position + length :]
    result = tools.parse(data)
    for chunks in ([data], tools.pieces(data, size)):
        for parse in (push, pull):
            if result.error is None:
                files = {
                    name: [(filename, content) for filename, _, content in group]
                    for name, group in result.files.items()
                }
                assert parse(tools, chunks) == (result.fields, files)
            elif "nested" not in result.error[2]:
                with pytest.raises(result.error[0]) as caught:
                    parse(tools, chunks)
                assert caught.value.message == result.error[2]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(TOKENS) | st.binary(max_size=8), max_size=30).map(b"".join))
def test_noise_gives_an_error_or_a_form(tools, noise):
    for data in (noise, b"--boundary\r\n" + noise, tools.part()[:-2] + noise):
        assert (
            tools.parse(data)
            == tools.parse(tools.pieces(data, 3))
            == tools.parse(tools.pieces(data))
        )
