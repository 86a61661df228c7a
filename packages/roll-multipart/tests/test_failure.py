"""A failed parser raises an equal error again, and leaves nothing to the garbage collector."""

import gc
import weakref

import pytest

from roll_multipart import (
    Form,
    LimitError,
    Limits,
    Multipart,
    MultipartError,
    PushParser,
    Query,
    SpooledFile,
)

CONTENT_TYPE = "multipart/form-data; boundary=boundary"
MALFORMED = b"--boundaryX"


@pytest.fixture
def uncollected():
    """No garbage collector; gives how many objects it would find."""
    gc.collect()
    gc.disable()
    yield gc.collect
    gc.enable()


class Mine(LimitError):
    """An error of a hook, with unusual arguments."""

    def __init__(self, where, *, what):
        super().__init__(f"{what} at {where}")


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (MultipartError("wrong"), MultipartError, "wrong"),
        (LimitError("large"), LimitError, "large"),
        (Mine("there", what="it"), LimitError, "it at there"),
        (KeyError("key"), MultipartError, "The parsing failed before: KeyError('key')"),
        (KeyboardInterrupt(), MultipartError, "The parsing failed before: KeyboardInterrupt()"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_failed_parser_says_what_was_wrong(tools, error, kind, message):
    class Failing(PushParser):
        def part_end(self):
            raise error

    parser = Failing("boundary")
    with pytest.raises(type(error)) as caught:
        parser.feed(tools.body(tools.part()))
    assert caught.value is error
    for call in (lambda: parser.feed(b"more"), parser.close):
        with pytest.raises(MultipartError) as caught:
            call()
        assert (type(caught.value), caught.value.message) == (kind, message)
        assert caught.value.__context__ is None


def fail(call, *arguments):
    """Call it for its error, of which nothing is kept."""
    try:
        call(*arguments)
    except (MultipartError, OSError) as error:
        return type(error), str(error)
    pytest.fail("It did not fail")


def fail_all(parser, feed, data, *more):
    """Return the errors of a body, of the bytes after it, and of the end."""
    return {fail(feed, chunk) for chunk in (data, *more)} | {fail(parser.close)}


@pytest.mark.parametrize("data", [MALFORMED, b"x" * 100])
def test_a_failed_parser_is_freed_without_the_garbage_collector(uncollected, data):
    parser = PushParser("boundary", Limits(max_preamble=50))
    assert len(fail_all(parser, parser.feed, data, data, b"more")) == 1
    left = weakref.ref(parser)
    del parser
    assert left() is None
    assert uncollected() == 0


def test_parser_closed_too_early_is_freed_without_the_garbage_collector(uncollected):
    parser = PushParser("boundary")
    assert fail(parser.close) == fail(parser.close)
    left = weakref.ref(parser)
    del parser
    assert left() is None
    assert uncollected() == 0


@pytest.mark.parametrize("aborted", [False, True])
def test_failed_form_is_freed_without_the_garbage_collector(uncollected, tools, aborted):
    multipart = Multipart()
    multipart.initialize(CONTENT_TYPE)
    multipart.feed_data(tools.part() + tools.part("f", filename="f"))
    if aborted:
        multipart.abort()
    assert len(fail_all(multipart, multipart.feed_data, MALFORMED, b"more")) == 1
    left = weakref.ref(multipart)
    del multipart
    assert left() is None
    assert uncollected() == 0


def refuse(data):
    raise OSError(28, "No space left on device")


class FullDisk(SpooledFile):
    """A file whose disk is full as soon as it gets there."""

    __slots__ = ()

    def rollover(self):
        super().rollover()
        self.write = refuse


def test_unwritable_file_is_freed_without_the_garbage_collector(uncollected, tools):
    made = []

    def factory(part):
        file = FullDisk(part)
        made.append(weakref.ref(file))
        return file

    multipart = Multipart(file_factory=factory, file_memory=10)
    multipart.initialize(CONTENT_TYPE)
    data = tools.body(tools.part("f", b"x" * 100, filename="f"))
    assert fail_all(multipart, multipart.feed_data, data, b"more") == {
        (OSError, "[Errno 28] No space left on device"),
        (
            MultipartError,
            "The parsing failed before: OSError(28, 'No space left on device')",
        ),
    }
    left = weakref.ref(multipart)
    del multipart
    assert left() is None
    assert uncollected() == 0
    assert made[0]() is None


@pytest.mark.parametrize("kind", [Form, Query])
@pytest.mark.parametrize("data", [b"\xff", b"no equals sign"])
def test_malformed_urlencoded_body_leaves_nothing_to_the_garbage_collector(
    uncollected, kind, data
):
    assert fail(lambda: kind.parse(data, strict=True))[0] is MultipartError
    assert uncollected() == 0
