"""Forms and files out of a body, and the limits on what they hold."""

import dataclasses
import errno
import io
import os
import tempfile
from contextlib import suppress
from functools import partial

import pytest

from roll_multipart import (
    UNLIMITED,
    Files,
    Form,
    LimitError,
    Limits,
    MemoryFile,
    Multipart,
    MultipartError,
    NestedError,
    SpooledFile,
    parse_form,
    parts,
    parts_async,
)

CONTENT_TYPE = "multipart/form-data; boundary=boundary"


def test_fields_and_files_appear_as_they_complete(tools):
    multipart = Multipart()
    form, files = multipart.initialize(CONTENT_TYPE)
    assert (type(form), type(files)) == (Form, Files)
    multipart.feed_data(tools.part("a", b"1"))
    assert (form, files) == ({}, {})
    multipart.feed_data(tools.part("f", b"2", "Content-Type: text/plain", filename="f.txt"))
    assert form == {"a": ["1"]}
    multipart.feed_data(tools.body())
    file = files.get("f")
    assert (file.filename, file.content_type, file.tell(), file.read()) == (
        "f.txt",
        "text/plain",
        0,
        b"2",
    )
    multipart.close()


def test_params_are_those_that_were_sent(tools):
    multipart = Multipart()
    _, files = multipart.initialize(CONTENT_TYPE)
    params = 'Name=f; filename="C:\\a%22.txt"; filename*=utf-8\'\'b; x=""'
    head = f"Content-Disposition: form-data; {params}"
    multipart.feed_data(tools.with_head(head))
    assert files.get("f").params == {
        "name": "f",
        "filename": "C:\\a%22.txt",
        "filename*": "utf-8''b",
        "x": "",
    }
    multipart.feed_data(b"epilogue")
    multipart.initialize(CONTENT_TYPE)
    multipart.feed_data(tools.body(tools.part("g", filename="plain.txt")))
    assert files.get("f").filename == 'a".txt'


def test_params_of_a_plain_head_are_read_when_asked_for(tools):
    multipart = Multipart()
    _, files = multipart.initialize(CONTENT_TYPE)
    multipart.feed_data(tools.body(tools.part("f", filename="plain.txt")))
    assert files.get("f").params == {"name": "f", "filename": "plain.txt"}


def test_custom_classes_are_used(tools):
    class MyForm(Form):
        pass

    class MyFiles(Files):
        pass

    multipart = Multipart(form=MyForm, files=MyFiles, file_factory=MemoryFile, file_memory=1)
    form, files = multipart.initialize(CONTENT_TYPE)
    multipart.feed_data(tools.body(tools.part(), tools.part("f", b"content", filename="f")))
    assert (type(form), type(files), type(files.get("f"))) == (MyForm, MyFiles, MemoryFile)
    assert files.get("f").getvalue() == b"content"


def test_files_of_the_standard_library_do(tools):
    def factory(part):
        return tempfile.SpooledTemporaryFile()

    multipart = Multipart(file_factory=factory, file_memory=3)
    _, files = multipart.initialize(CONTENT_TYPE)
    multipart.feed_data(tools.body(tools.part("f", b"content", filename="f")))
    with files:
        assert files.get("f").read() == b"content"


def test_feed_data_can_be_overridden(tools):
    class Counting(Multipart):
        size = 0

        def feed_data(self, data):
            self.size += len(data)
            super().feed_data(data)

    body = tools.body(tools.part("a", b"1"))
    multipart = Counting()
    form, _ = multipart.initialize(CONTENT_TYPE)
    for chunk in tools.pieces(body, 9):
        multipart.feed_data(chunk)
    multipart.close()
    assert (form, multipart.size) == ({"a": ["1"]}, len(body))


def test_a_multipart_can_be_used_again(tools):
    multipart = Multipart()
    for value in ("1", "2"):
        form, _ = multipart.initialize(CONTENT_TYPE)
        multipart.feed_data(tools.body(tools.part("a", value.encode())))
        multipart.close()
        assert form == {"a": [value]}


LIMITED = {
    "Multipart": Multipart,
    "Limits": Limits,
    "parts": partial(parts, CONTENT_TYPE, b""),
    "parts_async": partial(parts_async, CONTENT_TYPE, b""),
    "parse_form": partial(parse_form, CONTENT_TYPE, b"--boundary--"),
    "urlencoded": partial(parse_form, "application/x-www-form-urlencoded", b""),
}
limited = pytest.mark.parametrize("call", LIMITED.values(), ids=LIMITED)


@limited
def test_unknown_limits_are_a_mistake(call):
    if call is not Limits:
        with pytest.raises(
            TypeError, match="Unknown argument 'max_all': the limits are max_parts"
        ):
            call(max_all=1)


@limited
@pytest.mark.parametrize("value", [-1, "3", True, 1.5])
def test_a_limit_is_an_integer_of_0_or_more(call, value):
    with pytest.raises(
        ValueError, match="max_parts must be an integer of 0 or more, or None, not"
    ):
        call(max_parts=value)


@limited
@pytest.mark.parametrize("limit", [field.name for field in dataclasses.fields(Limits)])
def test_none_means_no_limit(call, limit):
    call(**{limit: None})
    call(**{limit: UNLIMITED})
    assert getattr(Limits(**{limit: None}), limit) == UNLIMITED


def test_without_limits_any_size_is_accepted(tools):
    body = tools.body(tools.part("a", b"x" * 2**21), *[tools.part()] * 1001)
    names = [field.name for field in dataclasses.fields(Limits)]
    form, files = parse_form(CONTENT_TYPE, body, **dict.fromkeys(names))
    assert (len(form["a"]), files) == (1002, {})


@pytest.mark.parametrize(
    "kind", ["multipart/mixed", "Multipart/Mixed; boundary=x", "multipart/", "MULTIPART/form-data"]
)
@pytest.mark.parametrize("filename", [None, "f"])
def test_nested_parts_are_refused_and_named(tools, kind, filename):
    for content in (b"x", b"x" * 5000):
        part = tools.part("a", content, f"Content-Type: {kind}", filename=filename)
        assert tools.parse(tools.body(part)).error == (
            NestedError,
            400,
            f"A form has no nested parts: {kind.partition(';')[0]}",
        )
        assert tools.parse(tools.pieces(tools.body(part), 3)) == tools.parse(tools.body(part))


def test_a_field_may_have_another_content_type(tools):
    data = tools.body(tools.part("a", b"{}", "Content-Type: application/json"))
    assert tools.same_for_all_cuts(data).fields == {"a": ["{}"]}


def test_feed_data_before_initialize_is_an_error():
    multipart = Multipart()
    with pytest.raises(MultipartError):
        multipart.feed_data(b"")
    with pytest.raises(MultipartError):
        multipart.close()
    multipart.abort()


def test_other_content_types_are_refused():
    with pytest.raises(MultipartError):
        Multipart().initialize("text/plain")


def test_text_is_decoded_as_a_whole(tools):
    data = tools.body(tools.part("a", "é€😀".encode() + b"\xff\xe2\x82"))
    assert tools.same_for_all_cuts(data).fields == {"a": ["é€😀��"]}


def test_a_text_field_is_limited(tools):
    fits, over = (tools.body(tools.part("a", b"x" * size)) for size in (20, 21))
    assert tools.same_for_all_cuts(fits, max_field_size=20).error is None
    error = tools.same_for_all_cuts(over, max_field_size=20).error
    assert error == (LimitError, 413, "Too much text in the fields")


def test_all_text_is_limited(tools):
    fits, over = (tools.body(tools.part(), tools.part("a", b"x" * size)) for size in (20, 21))
    assert tools.same_for_all_cuts(fits, max_text_size=21).error is None
    result = tools.same_for_all_cuts(over, max_text_size=21)
    assert result.error == (LimitError, 413, "Too much text in the fields")
    assert result.fields == {"a": ["x"]}


def test_files_do_not_count_as_text(tools):
    data = tools.body(tools.part("a", b"x" * 100, filename="f"))
    assert tools.same_for_all_cuts(data, max_text_size=0).error is None


def test_the_default_limits_are_the_documented_ones(tools):
    fields = [tools.part(f"n{i}") for i in range(1001)]
    assert tools.parse(tools.body(*fields[:1000])).error is None
    assert tools.parse(tools.body(*fields)).error[1] == 413
    mebibyte = b"x" * 2**20
    assert tools.parse(tools.body(tools.part("a", mebibyte))).error is None
    assert tools.parse(tools.body(tools.part("a", mebibyte + b"x"))).error[1] == 413
    assert tools.parse(tools.body(*[tools.part("a", mebibyte)] * 8)).error is None
    assert tools.parse(tools.body(*[tools.part("a", mebibyte)] * 8, tools.part())).error[1] == 413
    preamble = b"x" * 2**16
    assert tools.parse(preamble + b"\r\n" + tools.body(tools.part())).error is None
    assert tools.parse(preamble + b"x\r\n" + tools.body(tools.part())).error[1] == 413
    lines = [f"X-{i}: y" for i in range(32)]
    assert tools.parse(tools.body(tools.part("a", b"", *lines[:31]))).error is None
    assert tools.parse(tools.body(tools.part("a", b"", *lines))).error[1] == 413
    head = "Content-Disposition: form-data; name=a\r\nX: "
    padding = "x" * (2**13 - len(head))
    assert tools.parse(tools.with_head(head + padding)).error is None
    assert tools.parse(tools.with_head(head + padding + "x")).error[1] == 413


def upload(tools, *sizes, chunk=10, **limits):
    """Where the files lie that have these sizes: True for memory."""
    multipart = Multipart(**limits)
    _, files = multipart.initialize(CONTENT_TYPE)
    data = tools.body(*(tools.part("f", os.urandom(size), filename="f") for size in sizes))
    for piece in tools.pieces(data, chunk):
        multipart.feed_data(piece)
    multipart.close()
    contents = [len(file.read()) for file in files.list("f")]
    assert contents == list(sizes)
    found = [file.in_memory for file in files.list("f")]
    files.close()
    return found


@pytest.mark.parametrize("chunk", [1, 10, 10_000])
def test_a_file_moves_to_disk_past_the_threshold(tools, chunk):
    assert upload(tools, 50, 51, 50, chunk=chunk, file_memory=50) == [True, False, True]


@pytest.mark.parametrize("chunk", [1, 10, 10_000])
def test_files_move_to_disk_when_all_of_them_take_too_much(tools, chunk):
    found = upload(tools, 40, 80, 60, 1, 0, chunk=chunk, file_memory=70, files_memory=100)
    assert found == [True, False, True, False, True]


def test_the_default_threshold_is_a_mebibyte(tools):
    assert upload(tools, 2**20, 2**20 + 1, chunk=2**16) == [True, False]


def test_at_most_eight_mebibytes_of_files_lie_in_memory(tools):
    assert upload(tools, *[2**20] * 8, 1, chunk=2**16) == [True] * 8 + [False]


@pytest.mark.parametrize("chunk", [1, 10, 10_000])
def test_temporary_files_are_limited(tools, chunk):
    assert not any(upload(tools, 5, 5, chunk=chunk, file_memory=1, max_temporary_files=2))
    with pytest.raises(LimitError, match="Too many large files") as caught:
        upload(tools, 5, 5, 5, chunk=chunk, file_memory=1, max_temporary_files=2)
    assert caught.value.status == 413


def test_at_most_64_temporary_files_are_open_by_default(tools):
    assert len(upload(tools, *[2] * 64, file_memory=1)) == 64
    with pytest.raises(LimitError):
        upload(tools, *[2] * 65, file_memory=1)


def test_file_on_disk_does_not_count_for_the_memory(tools):
    multipart = Multipart(file_memory=10, files_memory=15)
    _, files = multipart.initialize(CONTENT_TYPE)
    first = tools.part("f", b"x" * 30, filename="f")
    multipart.feed_data(first[:-20])
    multipart.feed_data(first[-20:])
    multipart.feed_data(tools.body(tools.part("f", b"y" * 10, filename="f"), tools.part("a")))
    assert [file.in_memory for file in files.list("f")] == [False, True]
    assert [len(file.read()) for file in files.list("f")] == [30, 10]
    files.close()


@pytest.fixture
def made():
    """All files that were made, to see whether they are closed."""
    files = []

    def factory(part):
        files.append(SpooledFile(part))
        return files[-1]

    factory.files = files
    return factory


def test_an_error_closes_all_files(tools, made):
    multipart = Multipart(file_factory=made, file_memory=1)
    multipart.initialize(CONTENT_TYPE)
    with pytest.raises(MultipartError):
        multipart.feed_data(tools.part("f", b"12", filename="f") + b"--boundaryX")
    assert [file.closed for file in made.files] == [True]


def test_closing_too_early_closes_the_unfinished_file(tools, made):
    multipart = Multipart(file_factory=made, file_memory=1)
    multipart.initialize(CONTENT_TYPE)
    multipart.feed_data(tools.part("f", b"12", filename="f") + tools.part("g", b"3", filename="g"))
    with pytest.raises(MultipartError):
        multipart.close()
    assert [file.closed for file in made.files] == [True, True]


def test_abort_closes_all_files_and_ends_the_parsing(tools, made):
    multipart = Multipart(file_factory=made)
    multipart.initialize(CONTENT_TYPE)
    multipart.feed_data(tools.part("f", b"12", filename="f") + tools.part("g", b"3", filename="g"))
    multipart.abort()
    assert [file.closed for file in made.files] == [True, True]
    for call in (lambda: multipart.feed_data(b"more"), multipart.close):
        with pytest.raises(MultipartError, match="aborted"):
            call()


def test_abort_closes_the_others_when_one_can_not_be_closed(tools, made):
    class Full(SpooledFile):
        def close(self):
            super().close()
            raise OSError(errno.ENOSPC, "No space left on device")

    def factory(part):
        return Full(part) if part.filename == "full" else made(part)

    multipart = Multipart(file_factory=factory)
    multipart.initialize(CONTENT_TYPE)
    multipart.feed_data(
        tools.part("f", b"12", filename="f") + tools.part("g", b"3", filename="full")
    )
    with pytest.raises(OSError, match="No space left"):
        multipart.abort()
    assert [file.closed for file in made.files] == [True]


def test_the_error_of_a_body_counts_more_than_that_of_a_file(tools):
    class Full(SpooledFile):
        def close(self):
            super().close()
            raise OSError(errno.ENOSPC, "No space left on device")

    multipart = Multipart(file_factory=Full)
    multipart.initialize(CONTENT_TYPE)
    multipart.feed_data(tools.part("g", b"3", filename="full"))
    with pytest.raises(MultipartError, match="final boundary") as caught:
        multipart.close()
    assert "No space left" in caught.value.__notes__[0]
    with pytest.raises(KeyError) as caught, Multipart(file_factory=Full) as multipart:
        multipart.initialize(CONTENT_TYPE)
        multipart.feed_data(tools.part("g", b"3", filename="full"))
        raise KeyError
    assert "No space left" in caught.value.__notes__[0]


def test_an_error_stays(tools):
    multipart = Multipart()
    multipart.initialize(CONTENT_TYPE)
    for call in (lambda: multipart.feed_data(b"--boundaryX"), multipart.abort, multipart.close):
        with suppress(MultipartError):
            call()
        with pytest.raises(MultipartError, match="Unexpected bytes"):
            multipart.feed_data(tools.body())


def test_the_context_manager_closes_at_the_end(tools):
    with Multipart() as multipart:
        form, _ = multipart.initialize(CONTENT_TYPE)
        multipart.feed_data(tools.body(tools.part()))
    assert form == {"a": ["x"]}
    with pytest.raises(MultipartError, match="final boundary"), Multipart() as multipart:
        multipart.initialize(CONTENT_TYPE)


def test_context_manager_aborts_on_an_error(tools, made):
    with pytest.raises(KeyError), Multipart(file_factory=made) as multipart:
        multipart.initialize(CONTENT_TYPE)
        multipart.feed_data(tools.part("f", b"12", filename="f"))
        raise KeyError
    assert made.files[0].closed


def test_a_parser_is_reusable_for_the_next_body(tools):
    multipart = Multipart()
    for _ in range(2):
        form, _ = multipart.initialize(CONTENT_TYPE)
        multipart.feed_data(tools.body(tools.part()))
        multipart.close()
        assert form == {"a": ["x"]}


def test_an_upload_does_not_stay_in_memory(tools):
    import tracemalloc

    multipart = Multipart()
    _, files = multipart.initialize(CONTENT_TYPE)
    head, chunk = tools.part("f", b"", filename="f")[:-2], bytes(2**16)
    multipart.feed_data(head)
    tracemalloc.start()
    for _ in range(256):
        multipart.feed_data(chunk)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    multipart.feed_data(b"\r\n" + tools.body())
    with files:
        assert files.get("f").seek(0, io.SEEK_END) == 2**24
    assert peak < 2 * 2**20 + 2**18  # the mebibyte, twice while it grows


@pytest.mark.parametrize("chunk", [1, 10, 10_000])
@pytest.mark.parametrize("factory", [SpooledFile, MemoryFile])
def test_all_files_of_a_body_are_limited(tools, chunk, factory):
    data = tools.body(
        tools.part("f", b"x" * 30, filename="f"),
        tools.part("a", b"x" * 100),
        tools.part("f", b"x" * 30, filename="f"),
    )
    for memory in (5, 1000):
        limits = {"file_factory": factory, "file_memory": memory}
        fits = tools.parse(tools.pieces(data, chunk), max_files_size=60, **limits)
        assert [len(content) for *_, content in fits.files["f"]] == [30, 30]
        error = tools.parse(tools.pieces(data, chunk), max_files_size=59, **limits).error
        assert error == (LimitError, 413, "Too much in the files")


@pytest.mark.parametrize("chunk", [7, 10_000])
@pytest.mark.parametrize("factory", [SpooledFile, MemoryFile])
def test_progress_is_called_with_the_size_so_far(tools, chunk, factory):
    told = []

    def tell(file, size):
        assert file.size == size
        told.append((file.filename, size))

    multipart = Multipart(file_factory=factory, progress=tell, file_memory=20)
    _, files = multipart.initialize(CONTENT_TYPE)
    parts = [tools.part("f", b"x" * 50, filename=name) for name in ("one", "two")]
    for piece in tools.pieces(tools.body(tools.part(), *parts), chunk):
        multipart.feed_data(piece)
    multipart.close()
    sizes = {name: [size for found, size in told if found == name] for name in ("one", "two")}
    for found in sizes.values():
        assert found == sorted(set(found))
        assert found[-1] == 50
        assert (len(found) == 1) == (chunk == 10_000)
    files.close()


def test_async_callbacks_are_refused():
    async def hook(*arguments):
        """Nobody would await it."""

    for hooks in ({"progress": hook}, {"file_factory": hook}):
        with pytest.raises(TypeError, match="is called and not awaited"):
            Multipart(**hooks)


def test_a_callback_that_fails_ends_the_upload(tools, made):
    def fail(file, size):
        raise KeyError("enough")

    multipart = Multipart(file_factory=made, progress=fail)
    multipart.initialize(CONTENT_TYPE)
    with pytest.raises(KeyError):
        multipart.feed_data(tools.body(tools.part("f", filename="f")))
    assert [file.closed for file in made.files] == [True]
