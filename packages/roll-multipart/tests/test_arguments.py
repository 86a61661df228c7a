"""Arguments of a wrong type: each error names the argument, its type and the expected type."""

import asyncio
import io
import re
import types
import warnings
from functools import partial

import pytest

from roll_multipart import (
    Files,
    Form,
    Limits,
    Multidict,
    Multipart,
    MultipartError,
    PushParser,
    Query,
    encode,
    encode_stream,
    encode_stream_async,
    get_boundary,
    parse_form,
    parse_form_async,
    parts,
    parts_async,
)

CONTENT_TYPE = "multipart/form-data; boundary=boundary"
URLENCODED = "application/x-www-form-urlencoded"
BODY = (
    b'--boundary\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\nx\r\n'
    b"--boundary--\r\n"
)
CALLABLE, TEXT, FLAG = "callable", "text", "True or False"
SOURCE = "Expected bytes, a file, an iterable of bytes, a WSGI environ"
PAIRS = "mapping or an iterable of pairs"


def run(function, *arguments, **settings):
    return asyncio.run(function(*arguments, **settings))


async def read_async(content_type, source):
    return [await part.read_async() async for part in parts_async(content_type, source)]


def fill(**settings):
    multipart = Multipart(**settings)
    multipart.initialize(CONTENT_TYPE)
    multipart.feed_data(BODY)
    multipart.close()


def fed(parser):
    parser.feed(b"")
    return parser


def initialized():
    multipart = Multipart()
    multipart.initialize(CONTENT_TYPE)
    return multipart


# A call with an argument, what is expected of it, and values that are something else.
CALLS = {
    "form": (lambda value: fill(form=value), f"form must be {CALLABLE}", [None, 5, "Form"]),
    "files": (lambda value: fill(files=value), f"files must be {CALLABLE}", [None, 5, "Files"]),
    "file_factory": (
        lambda value: fill(file_factory=value),
        f"file_factory must be {CALLABLE}",
        [None, 5, "BytesIO"],
    ),
    "progress": (lambda value: fill(progress=value), f"progress must be {CALLABLE}", [5, "print"]),
    "made form": (
        lambda value: fill(form=lambda: value),
        "What form returns must be a Multidict",
        [None, 5, {}],
    ),
    "made files": (
        lambda value: fill(files=lambda: value),
        "What files returns must be a Files",
        [None, 5, {}, Form()],
    ),
    "made file": (
        lambda value: fill(file_factory=lambda part: value),
        "What file_factory returns must be a file to write to",
        [None, 5, b"", {}],
    ),
    "urlencoded form": (
        lambda value: parse_form(URLENCODED, b"", form=value),
        f"form must be {CALLABLE}",
        [None, 5],
    ),
    "urlencoded progress": (
        lambda value: parse_form(URLENCODED, b"", progress=value),
        f"progress must be {CALLABLE}",
        [5, "print"],
    ),
    "urlencoded made form": (
        lambda value: parse_form(URLENCODED, b"", form=lambda: value),
        "What form returns must be a Multidict",
        [None, {}],
    ),
    "feed_data": (
        lambda value: initialized().feed_data(value),
        "A chunk of a body must be bytes",
        [None, 5, "text", [], [1], {}],
    ),
    "feed": (
        lambda value: fed(PushParser("boundary")).feed(value),
        "A chunk of a body must be bytes",
        [None, 5, "text", "", [], [1]],
    ),
    "boundary": (PushParser, "A boundary must be text or bytes", [None, 5, ["x"]]),
    "limits": (
        lambda value: PushParser("boundary", value),
        "limits must be Limits",
        [None, 5, {"max_parts": 1}, Limits],
    ),
    "parser form": (
        lambda value: PushParser("boundary", form=value),
        f"form must be {FLAG}",
        [None, 0, "no"],
    ),
    "boundary form": (
        lambda value: get_boundary(CONTENT_TYPE, form=value),
        f"form must be {FLAG}",
        [None, 0, "no"],
    ),
    "body": (
        lambda value: parse_form(CONTENT_TYPE, value),
        SOURCE,
        [None, 5, "text", {}, object()],
    ),
    "stream": (lambda value: parts(CONTENT_TYPE, value), SOURCE, [None, 5, "text", {"a": 1}, len]),
    "async body": (
        lambda value: run(parse_form_async, CONTENT_TYPE, value),
        f"{SOURCE}, an ASGI receive",
        [None, 5, "text", {"type": "http"}],
    ),
    "async chunks": (
        lambda value: parts_async(CONTENT_TYPE, value),
        f"{SOURCE}, an ASGI receive",
        [None, 5, "text", {"type": "http"}],
    ),
    "chunk": (
        lambda value: list(parts(CONTENT_TYPE, [value])),
        "A chunk of a body must be bytes",
        [None, 5, "text", [1]],
    ),
    "chunk of a form": (
        lambda value: parse_form(URLENCODED, [value]),
        "A chunk of a body must be bytes",
        [None, 5, "text", [1]],
    ),
    "chunk of an iterable": (
        lambda value: run(read_async, CONTENT_TYPE, [value]),
        "A chunk of a body must be bytes",
        [None, 5, "text"],
    ),
    "text file": (
        lambda value: parse_form(URLENCODED, value),
        "A chunk of a body must be bytes",
        [io.StringIO("a=1"), io.StringIO("")],
    ),
    "read": (
        lambda value: next(parts(CONTENT_TYPE, BODY)).read(value),
        "size must be an integer or None",
        ["1", 1.5, b"", []],
    ),
    "parse": (Query.parse, "text must be text or bytes", [None, 5, ["a=1"], {}]),
    "strict": (lambda value: Query.parse("", strict=value), f"strict must be {FLAG}", [None, 1]),
    "multi": (lambda value: Query().items(value), f"multi must be {FLAG}", [None, 1, "a"]),
    "cast": (
        lambda value: Query(a="1").cast("a", value),
        "function must be callable",
        [None, "x"],
    ),
    "Multidict": (Multidict, PAIRS, [None, 5, "text", b"text"]),
    "fields": (encode, PAIRS, [None, 5, "text", b"text"]),
    "pair": (encode, "Each item of fields must be a pair", [["ab"], [1], [("a",)], [(1, 2, 3)]]),
    "name": (lambda value: encode([(value, "x")]), "Each name of fields must be text", [5, b"a"]),
    "file name": (
        lambda value: encode(files=[(value, b"x")]),
        "Each name of files must be text",
        [None, 5, b"a"],
    ),
    "filename": (
        lambda value: encode(files={"f": (b"x", value)}),
        "The filename of 'f' must be text",
        [5, b"a", ["a"], io.BytesIO()],
    ),
    "content type": (
        lambda value: encode(files={"f": (b"x", "f", value)}),
        "The content type of 'f' must be text",
        [5, b"a", {"a": "b"}],
    ),
    "file": (
        lambda value: encode(files={"f": value}),
        r"The file 'f' must be (content, filename, content_type), not",
        [(), (b"x", "f", "text/plain", {})],
    ),
    "own boundary": (lambda value: encode(boundary=value), "boundary must be text", [5, b"x", []]),
    "streamed fields": (encode_stream, PAIRS, [None, 5, "text", b"text"]),
    "streamed files": (
        lambda value: encode_stream_async(files=value),
        "files must be a mapping or an iterable of pairs",
        [None, 5, "text"],
    ),
}


@pytest.mark.parametrize(
    ("call", "expected", "value"),
    [
        pytest.param(call, expected, value, id=f"{name} {number}")
        for name, (call, expected, values) in CALLS.items()
        for number, value in enumerate(values)
    ],
)
def test_error_names_the_argument_and_the_expected_type(call, expected, value):
    with pytest.raises(TypeError, match=re.escape(expected)) as caught:
        call(value)
    assert " not " in str(caught.value)


@pytest.mark.parametrize("value", [None, 5, b"multipart/form-data; boundary=x", ["x"]], ids=repr)
def test_a_missing_content_type_is_the_clients_fault(value):
    for call in (
        Multipart().initialize,
        get_boundary,
        lambda value: parts(value, b""),
        lambda value: parts_async(value, b""),
        lambda value: parse_form(value, b""),
        lambda value: run(parse_form_async, value, b""),
    ):
        with pytest.raises(MultipartError, match="A content type is text, not "):
            call(value)


@pytest.mark.parametrize("boundary", [b"", b"\xff", b"a\r\nb", b"x" * 201, "", 'a"'], ids=repr)
def test_invalid_boundary_is_refused(boundary):
    for call in (PushParser, lambda value: encode(boundary=value)):
        with pytest.raises((MultipartError, TypeError), match="boundary"):
            call(boundary)


class Proxy:
    """An object that only looks like an iterable, as the request of Flask does."""

    def __init__(self, environ):
        self.environ = environ

    def __iter__(self):
        raise TypeError("not iterable")

    def __aiter__(self):
        raise TypeError("not iterable")


async def test_a_request_that_has_an_environ_is_refused_with_a_hint():
    with pytest.raises(TypeError, match="not Proxy: pass its `environ`"):
        parts(CONTENT_TYPE, Proxy({}))
    with pytest.raises(TypeError, match="not Proxy: pass its `environ`"):
        parts_async(CONTENT_TYPE, Proxy({}))


class AsyncStream:
    """A stream like that of asyncio."""

    async def read(self, size):
        raise AssertionError


class AsyncRequest(dict):
    """A request like that of Starlette or aiohttp: a mapping."""

    url = "/"


async def receive():
    raise AssertionError


async def agenerator():
    yield b""


@pytest.mark.parametrize(
    "source",
    [AsyncStream(), AsyncRequest(), receive, agenerator()],
    ids=["stream", "request", "receive", "generator"],
)
def test_error_for_an_asynchronous_source_names_the_functions_that_accept_it(source):
    for call in (parts, parse_form):
        with pytest.raises(TypeError, match="asynchronous source: parts_async, parse_form_async"):
            call(CONTENT_TYPE, source)


async def returns(value):
    return value


@pytest.mark.parametrize(
    ("receive", "message"),
    [
        (lambda: b"", "What an ASGI receive returns must be awaitable, not bytes"),
        (lambda: returns(b""), "A message of an ASGI receive must be a dict, not bytes"),
        (lambda: returns({"type": "websocket.connect"}), "not websocket.connect"),
        (lambda: returns({}), "must give http.request messages, not None"),
        (lambda: returns({"type": "http.request", "body": ""}), "must be bytes, not str"),
    ],
    ids=["bytes", "message", "websocket", "empty", "text"],
)
async def test_a_receive_must_be_one_of_asgi(receive, message):
    with pytest.raises(TypeError, match=message):
        await read_async(CONTENT_TYPE, receive)


def test_a_factory_that_takes_something_else_is_named_in_a_note():
    with pytest.raises(TypeError) as caught:
        fill(file_factory=io.BytesIO)
    assert caught.value.__notes__ == ["A file_factory is called with the Part"]


async def coroutine(*arguments):
    """Nobody would await it."""


@types.coroutine
def old_coroutine(*arguments):
    yield


async def async_generator(*arguments):
    yield


def generator(*arguments):
    yield


class Called:
    async def __call__(self, *arguments):
        """Nobody would await it."""

    async def method(self, *arguments):
        """Nobody would await it."""


class Future:
    def __await__(self):
        yield


UNRUN = {
    "async": coroutine,
    "old": old_coroutine,
    "async generator": async_generator,
    "generator": generator,
    "partial": partial(coroutine, 1),
    "partial of a partial": partial(partial(generator), 1),
    "object": Called(),
    "partial of an object": partial(Called(), 1),
    "method": Called().method,
}
RETURNED = {
    "coroutine": lambda *arguments: [coroutine()][0],
    "async generator": lambda *arguments: [async_generator()][0],
    "generator": lambda *arguments: [generator()][0],
    "future": lambda *arguments: Future(),
}
TAKEN = ["form", "files", "file_factory", "progress"]


@pytest.mark.parametrize("name", TAKEN)
@pytest.mark.parametrize("function", UNRUN.values(), ids=UNRUN)
def test_a_function_of_which_a_call_runs_nothing_is_refused(name, function):
    for call in (fill, lambda **settings: parse_form(URLENCODED, b"", **settings)):
        with pytest.raises(TypeError, match=f"{name} is called and not awaited: it must be a pl"):
            call(**{name: function})


@pytest.mark.parametrize("name", TAKEN)
@pytest.mark.parametrize("function", RETURNED.values(), ids=RETURNED)
def test_a_result_of_which_nothing_has_run_is_refused(name, function):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(TypeError, match=f"{name} is called and not awaited, and has retur"):
            fill(**{name: function})


@pytest.mark.parametrize("function", UNRUN.values(), ids=UNRUN)
def test_a_cast_of_which_a_call_runs_nothing_is_refused(function):
    with pytest.raises(TypeError, match="function is called and not awaited: it must be a plain"):
        Query({"a": ["1"]}).cast("a", function)


@pytest.mark.parametrize("function", RETURNED.values(), ids=RETURNED)
def test_cast_that_returns_a_coroutine_or_generator_is_refused(function):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(TypeError, match="function is called and not awaited, and has return"):
            Query({"a": ["1"]}).cast("a", function)


@pytest.mark.parametrize("name", ["write", "seek", "close", "rollover"])
@pytest.mark.parametrize("function", UNRUN.values(), ids=UNRUN)
def test_a_file_with_an_async_method_is_refused(name, function):
    file = types.SimpleNamespace(write=len, seek=int, close=int, rollover=int)
    setattr(file, name, function)
    with pytest.raises(TypeError, match=f"The {name} of a file of file_factory is called and not"):
        fill(file_factory=lambda part: file)


def test_plain_classes_partials_and_objects_are_accepted():
    class Told:
        def __call__(self, file, size):
            sizes.append(size)

    class Awaited(io.BytesIO):
        def __await__(self):
            raise AssertionError

    sizes = []
    fill(form=partial(Form), files=Files, file_factory=lambda part: Awaited(), progress=Told())
    assert sizes == [1]
    assert Query({"a": ["1"]}).cast("a", partial(int, base=16)) == 1


def test_missing_attributes_of_an_uploaded_file_are_guessed():
    """Other libraries have None for a name, or a type, that the client did not send."""

    class Upload(io.BytesIO):
        filename = None
        content_type = None

    body, content_type = encode(files={"f": Upload(b"x")})
    _, files = parse_form(content_type, body)
    file = files.get("f")
    assert (file.filename, file.content_type) == ("f", "application/octet-stream")
