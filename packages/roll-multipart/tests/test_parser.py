"""The push parser: the hooks that it calls, and the bodies that it refuses."""

import pytest

from roll_multipart import LimitError, Limits, MultipartError, PushParser


def events(tools, data, **limits):
    parser = tools.recorder("boundary", Limits(**limits))
    parser.feed(data)
    parser.close()
    return [(part.name, bytes(content)) for part, content in parser.parts]


def test_parts_begin_have_data_and_end(tools):
    parser = tools.recorder("boundary")
    parser.feed(tools.part("a", b"one"))
    assert [(part.name, content) for part, content in parser.parts] == [("a", b"one")]
    assert parser.ended == 0
    parser.feed(tools.body())
    assert parser.ended == 1
    assert parser.finished
    parser.close()


def test_the_hooks_of_the_base_do_nothing(tools):
    parser = PushParser("boundary")
    parser.feed(tools.body(tools.part(), tools.part("b", b"y" * 5000)))
    parser.close()
    assert parser.finished


def test_an_empty_form_has_no_parts(tools):
    assert tools.same_for_all_cuts(b"--boundary--").error is None
    assert events(tools, b"--boundary--\r\n") == []


@pytest.mark.parametrize(
    "content",
    [b"", b"\r", b"\n", b"\r\n", b"--", b"\r\n--", b"\r\n--boundar", b"-boundary", b"\0"],
)
def test_content_like_a_delimiter_is_content(tools, content):
    data = tools.body(tools.part("a", content), tools.part("b", content * 2))
    result = tools.same_for_all_cuts(data)
    text = content.decode()
    assert result.fields == {"a": [text], "b": [text * 2]}


def test_an_empty_part_may_share_the_line_break_of_its_head(tools):
    data = (
        b'--boundary\r\nContent-Disposition: form-data; name="a"\r\n\r\n'
        b'--boundary\r\nContent-Disposition: form-data; name="b"\r\n\r\nx\r\n--boundary--'
    )
    assert tools.same_for_all_cuts(data).fields == {"a": [""], "b": ["x"]}


def test_preamble_and_epilogue_are_skipped(tools):
    data = (
        b"pre -boundary --bound\ramble\r\n\r"
        + b"\r\n"
        + tools.body(tools.part())
        + b"\r\n--boundary"
    )
    assert tools.same_for_all_cuts(data).fields == {"a": ["x"]}


@pytest.mark.parametrize("junk", [b"j", b"\n", b"\r", b"x\n", b"x\r", b"x\n\r", b"x" * 5000])
@pytest.mark.parametrize("parts", [0, 1, 2])
def test_a_first_boundary_that_begins_no_line_is_refused(tools, junk, parts):
    """Else the first part would vanish, or all of them."""
    parse = tools.same_for_all_cuts if len(junk) < 50 else tools.parse
    error = parse(junk + tools.body(*[tools.part()] * parts)).error
    assert error == (MultipartError, 400, "The first boundary does not begin a line")


@pytest.mark.parametrize("before", [b"", b"\r\n", b"text\r\n"])
@pytest.mark.parametrize("after", [b"", b" ", b"\r\n", b"text", b"\r\n.", b"\r\n--boundary\r\n"])
def test_a_body_without_a_part_has_nothing_else(tools, before, after):
    result = tools.same_for_all_cuts(before + b"--boundary--" + after)
    if before.strip() or after.strip():
        assert result.error == (MultipartError, 400, "No part in a body that is not empty")
    else:
        assert result == tools.result()


@pytest.mark.parametrize("data", ["text", 5, None, ["list"]])
@pytest.mark.parametrize("before", [b"", b"\r\n", b"--boun"])
def test_data_other_than_bytes_is_refused(tools, before, data):
    parser = tools.recorder("boundary")
    parser.feed(before)
    with pytest.raises(TypeError):
        parser.feed(data)


def test_line_break_before_the_first_boundary_is_accepted(tools):
    assert tools.same_for_all_cuts(b"\r\n" + tools.body(tools.part())).fields == {"a": ["x"]}


def test_padding_after_a_boundary_is_allowed(tools):
    data = tools.body(tools.part()).replace(b"--boundary\r\n", b"--boundary \t  \r\n")
    assert tools.same_for_all_cuts(data).fields == {"a": ["x"]}


@pytest.mark.parametrize(
    "tail", [b"x", b"\n", b"\r\r", b"-x", b" -", b" --", b" x", b"\r\n\r\n\r\n", b"\0\r\n"]
)
def test_anything_else_after_a_boundary_is_refused(tools, tail):
    result = tools.same_for_all_cuts(tools.part() + b"--boundary" + tail + b"more")
    assert result.error is not None
    assert result.error[1] == 400


@pytest.mark.parametrize(
    "data", [b"", b"-", b"--boundary", b"text", b"--boundary-", b"\r\n--bound"]
)
def test_a_body_that_ends_early_is_an_error(tools, data):
    error = tools.same_for_all_cuts(data).error
    assert error == (MultipartError, 400, "The body ended before its final boundary")


def test_bare_line_feeds_do_not_end_lines(tools):
    data = tools.body(tools.part()).replace(b"\r\n", b"\n")
    assert tools.same_for_all_cuts(data).error is not None
    assert tools.same_for_all_cuts(tools.part() + b"\n--boundary--").error is not None


def test_bytearrays_and_memoryviews_are_accepted(tools):
    data = tools.body(tools.part("a", b"x" * 100))
    for kind in (bytearray, memoryview):
        assert tools.parse([kind(data)]).fields == {"a": ["x" * 100]}
        assert tools.parse([kind(chunk) for chunk in tools.pieces(data)]).error is None


def test_empty_chunks_change_nothing(tools):
    data = tools.body(tools.part("a", b"x" * 100))
    chunks = [chunk for pair in tools.two_way(data) for chunk in (*pair, b"")][:3]
    assert chunks == [b"", data, b""]
    assert tools.parse([b"", data[:90], b"", data[90:], b""]).fields == {"a": ["x" * 100]}


def test_a_failed_parser_repeats_its_error(tools):
    parser = tools.recorder("boundary")
    with pytest.raises(MultipartError) as first:
        parser.feed(b"--boundaryX")
    with pytest.raises(MultipartError) as second:
        parser.feed(tools.body(tools.part()))
    with pytest.raises(MultipartError) as third:
        parser.close()
    errors = [caught.value for caught in (first, second, third)]
    assert {(type(error), error.status, error.message, str(error)) for error in errors} == {
        (MultipartError, 400, "Unexpected bytes after a boundary", errors[0].message)
    }
    assert parser.parts == []


@pytest.mark.parametrize("name", ["part_begin", "part_data", "part_end"])
def test_async_hooks_are_refused(name):
    async def hook(self, *arguments):
        """Nobody would await it."""

    async def generator(self, *arguments):
        yield

    for function in (hook, generator):
        with pytest.raises(TypeError, match=f"{name} is called and not awaited"):
            type("Mine", (PushParser,), {name: function})


def test_closing_early_twice_gives_the_same_error():
    parser = PushParser("boundary")
    for _ in range(2):
        with pytest.raises(MultipartError, match="final boundary"):
            parser.close()


def test_boundaries_are_checked():
    with pytest.raises(MultipartError):
        PushParser("a\r\nb")
    assert PushParser(b"taken as it is")


def test_parts_are_limited(tools):
    parts = [tools.part(f"n{i}") for i in range(3)]
    assert tools.same_for_all_cuts(tools.body(*parts), max_parts=3).error is None
    result = tools.same_for_all_cuts(tools.body(*parts), max_parts=2)
    assert result.error == (LimitError, 413, "Too many parts")
    assert result.fields == {"n0": ["x"], "n1": ["x"]}


@pytest.mark.parametrize("lines", [1, 2, 3])
def test_header_lines_are_limited(tools, lines):
    extra = ["Content-Type: text/plain", "X-More: yes"][: lines - 1]
    data = tools.body(tools.part("a", b"x", *extra))
    assert tools.same_for_all_cuts(data, max_headers=lines).error is None
    error = tools.same_for_all_cuts(data, max_headers=lines - 1).error
    assert error == (LimitError, 413, "Too many headers in a part")


@pytest.mark.parametrize("line", ["Content-Type: text/plain", "X-More: yes"])
def test_header_blocks_are_limited(tools, line):
    data = tools.body(tools.part("a", b"x", line))
    size = data.index(b"\r\n\r\n") - len(b"--boundary\r\n")
    assert tools.same_for_all_cuts(data, max_header_size=size).error is None
    error = tools.same_for_all_cuts(data, max_header_size=size - 1).error
    assert error == (LimitError, 413, "Too large headers in a part")


def test_a_header_block_without_an_end_is_refused_before_it_grows(tools):
    parser = tools.recorder("boundary", Limits(max_header_size=1000))
    parser.feed(b"--boundary\r\nX: ")
    with pytest.raises(LimitError):
        for _ in range(200):
            parser.feed(b"x" * 10)
    assert len(parser._carry) <= 1020


def test_the_preamble_is_limited(tools):
    data = tools.body(tools.part())
    assert tools.same_for_all_cuts(b"x" * 50 + b"\r\n" + data, max_preamble=50).error is None
    error = tools.same_for_all_cuts(b"x" * 51 + b"\r\n" + data, max_preamble=50).error
    assert error == (LimitError, 413, "Too much before the first boundary")


def test_padding_is_not_held_in_memory(tools):
    parser = tools.recorder("boundary")
    parser.feed(b"--boundary")
    for _ in range(100):
        parser.feed(b" \t" * 500)
        assert parser._carry == b""
    parser.feed(b"\r\n")
    parser.feed(tools.body(tools.part())[len("--boundary\r\n") :])
    parser.close()
    assert [bytes(content) for _, content in parser.parts] == [b"x"]


def test_large_contents_come_as_views_without_a_copy(tools):
    kinds = []

    class Kinds(PushParser):
        def part_data(self, data):
            kinds.append(type(data))

    parser = Kinds("boundary")
    parser.feed(tools.part("a", b"x" * 10_000))
    parser.feed(b"y" * 10_000)
    parser.feed(b"\r\n" + tools.body())
    assert kinds == [memoryview, bytes, bytes]


def test_a_delimiter_may_be_cut_between_long_chunks(tools):
    data = tools.body(tools.part("a", b"x" * 10_000), tools.part("b", b"y" * 10_000))
    start = data.index(b"\r\n--boundary\r\n")
    for position in range(start - 2, start + 16):
        assert tools.parse([data[:position], data[position:]]) == tools.parse(data)
        almost = data[:position] + b"\r\n--bound" + data[position:]
        cut = position + 5
        assert tools.parse([almost[:cut], almost[cut:]]) == tools.parse(almost)


def test_a_part_shows_itself_and_its_headers(tools):
    parser = tools.recorder("boundary")
    parser.feed(
        tools.body(tools.part("a", b"", "X-One: 1", "Content-Type:text/plain ", filename="f"))
    )
    part = parser.parts[0][0]
    assert part.headers == {
        "content-disposition": 'form-data; name="a"; filename="f"',
        "x-one": "1",
        "content-type": "text/plain",
    }
    assert repr(part) == "<Part 'a' filename='f' 'text/plain'>"
