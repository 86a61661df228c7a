"""The additions to a request: query, form and files."""

import asyncio
import copy
import gc
import weakref

import pytest

from roll import Files, Form, HttpError, Multipart, Query, Request, Response, Roll
from roll.testing import Client, encode_multipart
from roll_http import Limits

URLENCODED = "application/x-www-form-urlencoded"


@pytest.fixture
def made():
    """A request made by hand."""
    return Request(None, None)


def form_request(body, content_type, app=None):
    request = Request(app, None)
    request.headers["CONTENT-TYPE"] = content_type
    request.body = body
    return request


def test_a_request_is_a_dict_of_the_users_own(made):
    assert not made
    made["user"] = "ada"
    assert made == {"user": "ada"}
    assert made.kwargs == {}
    made.kwargs["extension"] = 1
    assert made.kwargs == {"extension": 1}


def test_only_subclasses_accept_further_attributes(made):
    with pytest.raises(AttributeError):
        made.user = "ada"

    class Mine(Request):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.user = "ada"

        @property
        def json(self):
            return {"wrapped": super().json}

    mine = Mine(None, None)
    mine.body = b"1"
    assert (mine.user, mine.json) == ("ada", {"wrapped": 1})


def test_the_query_keeps_blank_values_and_is_parsed_once(made):
    made.query_string = "a=1&b=&a=%C3%A9+x"
    assert made.query == {"a": ["1", "é x"], "b": [""]}
    assert made.query is made.query
    assert isinstance(made.query, Query)


async def test_the_query_answers_for_itself(app, client):
    @app.route("/")
    def handler(request, response):
        response.json = [request.query.int("n", None), request.query.int("m")]

    assert (await client.get("/?m=1")).body == b"[null,1]"
    response = await client.get("/?m=x")
    assert (response.status, b"'m'" in response.body) == (400, True)
    assert (await client.get("/")).body == b"Missing 'm' key"


async def test_too_many_fields_in_a_query_are_a_400(app, client):
    @app.route("/")
    def handler(request, response):
        response.json = request.query

    assert (await client.get(f"/?{'a&' * 3000}")).status == 400


def test_a_query_class_gets_a_mapping():
    class App(Roll):
        Query = dict

    request = Request(App(), None)
    request.query_string = "a=1"
    assert type(request.query) is dict
    assert request.query == {"a": ["1"]}


def test_an_urlencoded_body_is_a_form(made):
    request = form_request(b"a=1&b=%C3%A9&a=2&c=", f"{URLENCODED}; charset=utf-8")
    assert request.form == {"a": ["1", "2"], "b": ["é"], "c": [""]}
    assert isinstance(request.form, Form)
    assert request.form is request.form
    assert request.files == {}
    assert isinstance(request.files, Files)


def test_a_multipart_body_is_a_form_and_files():
    body, content_type = encode_multipart({"a": "é", "b": (b"content", "../b.txt")})
    request = form_request(body, content_type.replace("multipart", "MultiPart"))
    assert request.files.get("b").read() == b"content"
    assert request.files.get("b").filename == "b.txt"
    assert request.files.get("b").content_type == "text/plain"
    assert request.form == {"a": ["é"]}


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/json", "nonsense"])
def test_another_body_is_an_empty_form(content_type):
    request = form_request(b"a=1", content_type)
    assert (request.form, request.files) == ({}, {})


SEVERAL = [
    "text/plain, multipart/form-data; boundary=x",
    "multipart/form-data; boundary=x, text/plain",
    "multipart/form-data; boundary=x, multipart/form-data; boundary=x",
    'multipart/form-data; boundary="x", multipart/form-data; boundary=y',
    "multipart/form-data; boundary=x,\ttext/plain",
    "text/plain,application/x-www-form-urlencoded",
    "application/x-www-form-urlencoded, text/plain",
    "application/x-www-form-urlencoded; charset=utf-8, text/plain",
    "application/x-www-form-urlencoded, application/x-www-form-urlencoded",
    "application/json, text/plain",
    ", multipart/form-data; boundary=x",
]


@pytest.mark.parametrize("content_type", SEVERAL)
@pytest.mark.parametrize("name", ["form", "files"])
def test_several_content_types_are_a_400(content_type, name):
    for body in (b"a=1", b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n'):
        with pytest.raises(HttpError, match="Several media types in Content-Type") as caught:
            getattr(form_request(body, content_type), name)
        assert caught.value.status == 400


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (["text/plain", "multipart/form-data; boundary=x"], 400),
        (["multipart/form-data; boundary=x", "text/plain"], 400),
        (["multipart/form-data; boundary=x", URLENCODED], 400),
        (["multipart/form-data; boundary=x"], 200),
    ],
    ids=str,
)
@pytest.mark.parametrize("lazy", [False, True])
async def test_several_content_type_lines_are_a_400(app, liveclient, lines, status, lazy):
    @app.route("/", methods=["POST"], lazy_body=lazy)
    async def view(request, response):
        await request.load_form()
        response.body = request.form.get("a")

    fields = "".join(f"Content-Type: {line}\r\n" for line in lines)
    body = '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n'
    head = f"POST / HTTP/1.1\r\nHost: a\r\n{fields}Content-Length: {len(body)}\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", liveclient.port)
    writer.write((head + body).encode())
    assert (await reader.readline()).startswith(f"HTTP/1.1 {status} ".encode())
    writer.close()


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        ('multipart/form-data; boundary="a,b"', "a,b"),
        ('multipart/form-data; boundary="a, text/plain"', "a, text/plain"),
        (r'multipart/form-data; x="\", text/plain"; boundary=a', "a"),
    ],
)
def test_comma_in_a_parameter_does_not_begin_a_second_type(content_type, boundary):
    part = '\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
    body = f"--{boundary}{part}--{boundary}--\r\n".encode()
    assert form_request(body, content_type).form == {"a": ["1"]}


@pytest.mark.parametrize(
    ("body", "content_type", "message"),
    [
        (b"--x\r\nnonsense", "multipart/form-data; boundary=x", "Unparsable multipart body"),
        (b"--x--\r\n", "multipart/form-data", "Unparsable multipart body"),
        (
            b"--x\r\nContent-Disposition: form-data; name=a\r\n"
            b"Content-Type: multipart/mixed; boundary=y\r\n\r\n1\r\n--x--\r\n",
            "multipart/form-data; boundary=x",
            "A form has no nested parts: multipart/mixed",
        ),
        (b"a=\xff", URLENCODED, "Unparsable urlencoded body"),
        (b"a&b", URLENCODED, "Unparsable urlencoded body"),
    ],
)
def test_a_bad_body_is_a_400(body, content_type, message):
    for name in ("form", "files"):
        with pytest.raises(HttpError, match=message) as caught:
            getattr(form_request(body, content_type), name)
        assert caught.value.status == 400


def test_too_many_fields_are_a_413():
    with pytest.raises(HttpError) as caught:
        assert form_request(b"&".join([b"a=1"] * 2000), URLENCODED).form
    assert caught.value.status == 413


@pytest.mark.parametrize("body", [b"a=" + b"%" * (2**20 + 1), b"a=" + b"x" * 2**20 + b"x"])
def test_too_much_text_in_an_urlencoded_form_is_a_413(body):
    with pytest.raises(HttpError, match="Too much text in the fields") as caught:
        assert form_request(body, URLENCODED).form
    assert caught.value.status == 413


def test_all_files_are_closed_when_one_cannot_be():
    closed = []

    class OnDisk:
        in_memory = False

        def close(self):
            closed.append(self)
            raise OSError("No space left on device")

    request = Request(None, None)
    request.uploads = Files({"a": [OnDisk(), OnDisk()], "b": [OnDisk()]})
    with pytest.raises(OSError, match="No space left"):
        request.release(Response(None, None))
    assert len(closed) == 3


def test_form_of_a_body_that_is_not_loaded_is_an_error(made):
    with pytest.raises(HttpError) as caught:
        assert made.form
    assert caught.value.status == 500


def test_an_applications_own_limits_of_a_form_hold():
    class Small(Roll):
        @staticmethod
        def Multipart(form, files):
            return Multipart(form, files, max_parts=1)

    body, content_type = encode_multipart({"a": "1", "b": "2"})
    with pytest.raises(HttpError) as caught:
        assert form_request(body, content_type, Small()).form
    assert caught.value.status == 413


class Plain:
    """A parser that has what is asked for, and no more."""

    def __init__(self, form, files):
        self.form, self.files = form(), files()

    def initialize(self, content_type):
        return self.form, self.files

    def feed_data(self, data):
        if data == b"bad":
            raise ValueError("bad")
        self.form["all"] = [*self.form.get("all", []), data.decode()]


@pytest.mark.parametrize("lazy", [False, True])
async def test_foreign_parser_needs_two_methods(lazy):
    class App(Roll):
        Multipart = Plain

    app = App()

    @app.route("/", methods=["POST"], lazy_body=lazy)
    async def handler(request, response):
        await request.load_form()
        response.json = request.form

    client = Client(app)
    client.content_type = client.default_headers["Content-Type"] = "multipart/form-data"
    assert (await client.post("/", b"data")).body == b'{"all":["data"]}'
    response = await client.post("/", b"bad")
    assert (response.status, response.body) == (400, b"Unparsable multipart body")


@pytest.fixture
def forms(app):
    """Register a lazy handler that loads the form, and say what it saw."""
    seen = []

    @app.route("/", methods=["POST"], lazy_body=True)
    async def handler(request, response):
        await request.load_form()
        await request.load_form()
        seen[:] = [request.form, request.files]
        response.json = [
            request.form,
            [file.read().decode() for file in request.files.list("f", [])],
        ]

    return seen


async def test_load_form_streams_a_multipart_body(client, forms):
    response = await client.post("/", {"a": "1"}, files=[("f", b"one"), ("f", b"two")])
    assert response.body == b'[{"a":["1"]},["one","two"]]'


async def test_load_form_takes_an_urlencoded_body(client, forms):
    response = await client.post("/", {"a": "1"}, content_type=URLENCODED)
    assert response.body == b'[{"a":["1"]},[]]'


async def test_load_form_of_another_body_is_empty(client, forms):
    assert (await client.post("/", {"a": "1"})).body == b"[{},[]]"


async def test_load_form_after_the_body_was_read(app, client):
    @app.route("/", methods=["POST"])
    async def handler(request, response):
        await request.load_form()
        response.json = request.form

    response = await client.post("/", {"a": "1"}, content_type="multipart/form-data")
    assert response.body == b'{"a":["1"]}'


async def test_load_form_of_a_bad_body_is_a_400(client, forms):
    response = await client.post("/", b"--x", content_type="multipart/form-data; boundary=x")
    assert (response.status, response.body) == (400, b"Unparsable multipart body")


@pytest.mark.parametrize("lazy", [False, True])
async def test_a_bad_form_is_freed_without_the_garbage_collector(app, client, lazy):
    made = []

    class Watched(Multipart):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            made.append(weakref.ref(self))

    app.Multipart = Watched

    @app.route("/", methods=["POST"], lazy_body=lazy)
    async def handler(request, response):
        await request.load_form()

    gc.disable()
    try:
        response = await client.post("/", b"--xY", content_type="multipart/form-data; boundary=x")
        assert (response.status, [parser() for parser in made]) == (400, [None])
    finally:
        gc.enable()


async def test_a_form_that_breaks_off_leaves_no_file_open():
    files = []

    class App(Roll):
        class Multipart(Multipart):
            def abort(self):
                files.append("aborted")
                super().abort()

    app = App()

    @app.route("/", methods=["POST"], lazy_body=True)
    async def handler(request, response):
        await request.load_form()

    part = b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\nhalf'
    response = await Client(app).post("/", part, content_type="multipart/form-data; boundary=x")
    assert response.status == 400
    assert files


async def test_load_form_has_a_higher_limit_than_load_body(monkeypatch):
    app = Roll(limits=Limits(body=10))
    monkeypatch.setattr("roll.forms.MAX_STREAMED_FORM", 1000)

    @app.route("/", methods=["POST"], lazy_body=True)
    @app.route("/route", methods=["POST"], lazy_body=True, max_body=100)
    async def handler(request, response):
        await request.load_form()

    client = Client(app)
    assert (await client.post("/", files={"f": b"x" * 100})).status == 200
    assert (await client.post("/", files={"f": b"x" * 1000})).status == 413
    assert (await client.post("/route", files={"f": b"x" * 100})).status == 413
    assert (await client.post("/", {"a": "x" * 100}, content_type=URLENCODED)).status == 413


LARGE = b"x" * 2**21


async def test_a_file_on_disk_is_closed_when_the_request_ends(client, forms):
    await client.post("/", files=[("f", b"small"), ("f", LARGE)])
    small, large = forms[1].list("f")
    small.seek(0)
    assert small.read() == b"small"
    with pytest.raises(ValueError, match="closed"):
        large.read()


async def test_file_is_closed_when_the_handler_raises(app, client):
    seen = []

    @app.route("/", methods=["POST"])
    async def handler(request, response):
        seen.append(request.files.get("f"))
        raise HttpError(402)

    assert (await client.post("/", files={"f": LARGE})).status == 402
    with pytest.raises(ValueError, match="closed"):
        seen[0].read()


async def test_file_is_open_while_the_response_streams(app, client):
    seen = []

    @app.route("/function", methods=["POST"])
    async def function(request, response):
        seen.append(request.files.get("f"))

        async def body():
            yield seen[-1].read()

        response.body = body

    class Stream:
        def __init__(self, file):
            self.chunks = iter([file.read(10)])

        def __aiter__(self):
            return self

        async def __anext__(self):
            for chunk in self.chunks:
                return chunk
            raise StopAsyncIteration

    @app.route("/object", methods=["POST"])
    async def stream(request, response):
        seen.append(request.files.get("f"))
        response.body = Stream(seen[-1])

    assert (await client.post("/function", files={"f": LARGE})).body == LARGE
    assert (await client.post("/object", files={"f": LARGE})).body == LARGE[:10]
    for file in seen:
        with pytest.raises(ValueError, match="closed"):
            file.read()


@pytest.mark.parametrize("lazy", [False, True])
async def test_file_is_closed_after_a_response_that_streams_it(app, client, lazy):
    seen = []

    @app.route("/", methods=["POST"], lazy_body=lazy)
    async def handler(request, response):
        async def body():
            await request.load_form()
            seen.append(request.files.get("f"))
            yield seen[0].read()

        response.body = body

    assert (await client.post("/", files={"f": LARGE})).body == LARGE
    assert seen[0].closed


async def test_a_stream_of_any_class_is_closed_when_its_client_goes(app, liveclient):
    closed = asyncio.Event()

    class Stream:
        def __aiter__(self):
            return self

        async def __anext__(self):
            await asyncio.sleep(0.01)
            return b"x" * 1000

        async def aclose(self):
            closed.set()

    @app.route("/", methods=["POST"])
    async def handler(request, response):
        assert request.files
        response.body = Stream()

    body, content_type = encode_multipart({"f": (LARGE, "a.txt")})
    reader, writer = await asyncio.open_connection("127.0.0.1", liveclient.port)
    head = f"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: {content_type}\r\n"
    writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    await reader.readexactly(1000)
    writer.transport.abort()
    async with asyncio.timeout(10):
        await closed.wait()


async def test_a_stream_beside_a_form_that_is_not_read_is_sent(app, client):
    @app.route("/", methods=["POST"])
    async def handler(request, response):
        async def body():
            yield "streamed"

        response.body = body()

    assert (await client.post("/", files={"f": LARGE})).body == b"streamed"
    assert (await client.post("/", {"a": 1})).body == b"streamed"


async def test_a_generator_of_its_own_is_closed_with_the_files(app, client):
    seen = []

    @app.route("/", methods=["POST"])
    async def handler(request, response):
        async def body():
            try:
                yield file.read()
            finally:
                seen.append("closed")

        file = request.files.get("f")
        response.headers["Content-Length"] = 1
        response.body = body()

    with pytest.raises(asyncio.IncompleteReadError):
        await client.post("/", files={"f": LARGE})
    assert seen == ["closed"]


async def test_only_spaces_and_tabs_stand_around_a_media_type(app, client):
    @app.route("/", methods=["POST"])
    def handler(request, response):
        response.json = dict(request.form)

    for content_type, form in (
        (f"\t{URLENCODED} ; a=b", b'{"a":["1"]}'),
        (f"\u2003{URLENCODED};", b"{}"),
    ):
        assert (await client.post("/", "a=1", content_type=content_type)).body == form


# A form that several read.


@pytest.fixture
def reads(app):
    """A route that answers what its form has."""

    @app.route("/lazy", methods=["POST"], lazy_body=True)
    @app.route("/", methods=["POST"])
    async def handler(request, response):
        forms = [request.load_form() for _ in range(3)]
        await asyncio.gather(*forms)
        assert request.form is request.form
        response.json = [request.form, len(request.files.get("f").read())]


@pytest.mark.parametrize("size", [3, 3_000_000])
@pytest.mark.parametrize("path", ["/", "/lazy"])
@pytest.mark.parametrize("early", [False, True], ids=["handler", "headers listener"])
async def test_all_tasks_that_load_a_form_get_the_same(app, liveclient, reads, size, path, early):
    seen = []

    @app.listen("headers")
    async def load(request):
        if early:
            await asyncio.gather(request.load_form(), request.load_form())
            seen.append(request.form.get("a"))

    body, kind = encode_multipart({"a": "1", "f": (b"x" * size, "f.bin")})
    response = await liveclient.query(
        "POST", path, {"Content-Type": kind}, [body[:100], body[100:]]
    )
    assert (response.status, response.body) == (200, b'[{"a":["1"]},%d]' % size)
    assert seen == (["1"] if early else [])


async def test_all_tasks_that_load_a_malformed_form_get_the_error(app, client):
    @app.route("/", methods=["POST"], lazy_body=True)
    async def handler(request, response):
        loads = [request.load_form() for _ in range(2)]
        errors = await asyncio.gather(*loads, return_exceptions=True)
        response.json = [[error.status, error.message] for error in errors]

    response = await client.post("/", b"--xY", content_type="multipart/form-data; boundary=x")
    assert response.body == b"[%s,%s]" % ((b'[400,"Unparsable multipart body"]',) * 2)


async def test_error_of_reading_a_body_again_says_that_it_was_read_as_a_form(app, client, reads):
    @app.listen("headers")
    async def load(request):
        await request.load_form()

    @app.route("/body", methods=["POST"])
    async def handler(request, response):
        await request.load_body()
        await request.read()

    response = await client.post("/body", {"a": "1"}, content_type="multipart/form-data")
    assert response.status == 500
    assert b"was read as a form" in response.body


@pytest.mark.parametrize("most", [10, None])
async def test_a_form_in_a_headers_listener_has_the_limit_of_the_route(app, client, most):
    @app.listen("headers")
    async def load(request):
        await request.load_form()
        request["limit"] = request.max_body

    @app.route("/", methods=["POST"], lazy_body=True, max_body=most)
    async def handler(request, response):
        response.body = request["limit"]

    for path in ("/", "/nowhere"):
        response = await client.post(path, {"a": "1"}, content_type="multipart/form-data")
        assert response.status == ((413 if most else 200) if path == "/" else 404)


async def test_a_request_with_a_form_is_copied(app, client):
    @app.route("/", methods=["POST"])
    async def handler(request, response):
        await request.load_form()
        twin = copy.deepcopy(request)
        assert (twin.form, twin.files, twin.app) == (request.form, request.files, app)
        assert twin.form is not request.form
        assert twin.route is request.route
        response.body = "fine"

    response = await client.post("/", {"a": "1"}, files={"f": b"x"})
    assert response.body == b"fine"


async def test_files_on_disk_are_there_for_a_generator_that_is_sent(app, client):
    seen = []

    @app.route("/", methods=["POST"])
    def handler(request, response):
        file = request.files.get("f")
        seen.append(file)

        def parts():
            yield file.read(5)
            yield file.read(5)

        response.body = parts()

    response = await client.post("/", {}, files={"f": b"x" * 2_000_000})
    assert response.body == b"x" * 10
    assert seen[0].closed


class Closable:
    """A stream without items that tells when it is closed."""

    def __init__(self):
        self.closed = asyncio.Event()

    def __aiter__(self):
        return self

    async def __anext__(self):
        raise StopAsyncIteration

    async def aclose(self):
        self.closed.set()


async def chunks_of(file):
    yield file.read(5)


async def send_form(port, method, path, body=b""):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"{method} {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n"
    writer.write(f"{head}Content-Type: multipart/form-data; boundary=x\r\n\r\n".encode() + body)
    await writer.drain()
    return reader, writer


def leave(writer, how):
    if how == "reset":
        writer.transport.abort()
    elif how == "half-close":
        writer.write_eof()
    elif how == "close":
        writer.close()


ENDS = ["read", "reset", "half-close", "close"]


@pytest.mark.parametrize("end", [*ENDS, "head", "not modified"])
async def test_stream_is_closed_for_a_request_that_says_multipart(app, liveclient, end):
    """A generator around the stream that is never begun would not close it."""
    stream, asked = Closable(), asyncio.Event()

    @app.route("/")
    async def handler(request, response):
        response.body = stream
        response.status = 304 if end == "not modified" else 200
        asked.set()
        while end in ENDS[1:] and not await request.disconnected():
            await asyncio.sleep(0)

    async with asyncio.timeout(10):
        _, writer = await send_form(liveclient.port, "HEAD" if end == "head" else "GET", "/")
        await asked.wait()
        leave(writer, end)
        await stream.closed.wait()
        writer.close()


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("make", [chunks_of, lambda file: iter([file.read(5)])])
async def test_file_on_disk_is_closed_for_a_stream_that_is_never_begun(app, liveclient, end, make):
    files, answered, asked = [], asyncio.Event(), asyncio.Event()
    app.listen("answered")(lambda request: answered.set())

    @app.route("/", methods=["POST"], lazy_body=True)
    async def handler(request, response):
        await request.load_form()
        files.append(request.files.get("f"))
        response.body = make(files[0])
        response.after(lambda: files.append(files[0].closed))
        asked.set()
        while end != "read" and not await request.disconnected():
            await asyncio.sleep(0)

    field = b'--x\r\nContent-Disposition: form-data; name=f; filename="f"\r\n\r\n'
    async with asyncio.timeout(10):
        body = field + LARGE + b"\r\n--x--\r\n"
        _, writer = await send_form(liveclient.port, "POST", "/", body)
        await asked.wait()
        leave(writer, end)
        await answered.wait()
        while app.kept_tasks._running:
            await asyncio.sleep(0)
        writer.close()
    assert not files[0].in_memory
    assert files[1:] == [True]


async def test_load_form_goes_through_an_overridden_iteration():
    class MyRequest(Request):
        async def __aiter__(self):
            yield b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--x--\r\n"

    class MyRoll(Roll):
        Request = MyRequest

    request = MyRequest(MyRoll(), None)
    request.headers["CONTENT-TYPE"] = "multipart/form-data; boundary=x"
    await request.load_form()
    assert request.form.get("a") == "1"


class AddsFiles:
    """A foreign container with exactly the methods of the contract."""

    def __init__(self):
        self.added = []

    def add(self, name, file):
        self.added.append((name, file))


async def test_foreign_files_without_values_serve_urlencoded_forms(client, app):
    app.Files = AddsFiles

    @app.route("/", methods=["POST"])
    async def post(request, response):
        response.body = f"{request.form.get('a')} {len(request.files.added)}"

    answer = await client.post("/", "a=b", content_type=URLENCODED)
    assert (answer.status, answer.body) == (200, b"b 0")


async def test_foreign_parser_is_aborted_after_an_error(client, app):
    aborted = []

    class Failing:
        def __init__(self, form, files):
            pass

        def initialize(self, content_type):
            return {}, {}

        def feed_data(self, data):
            raise ValueError("no")

        def abort(self):
            aborted.append(True)

    app.Multipart = Failing

    @app.route("/", methods=["POST"])
    async def post(request, response):
        request.form.get("a")

    answer = await client.post("/", "x", content_type="multipart/form-data; boundary=b")
    assert answer.status == 400
    assert aborted == [True]


@pytest.mark.parametrize("kind", ["urlencoded", "multipart"])
async def test_classes_of_forms_set_other_limits(kind):
    sizes = {"max_field_size": 2 * 2**20, "max_text_size": 3 * 2**20}

    class LargeForm(Form):
        @classmethod
        def parse(cls, text, **options):
            return super().parse(text, **sizes, **options)

    class LargeMultipart(Multipart):
        def __init__(self, form=LargeForm, files=Roll.Files):
            super().__init__(form, files, **sizes)

    class Wiki(Roll):
        Form = LargeForm
        Multipart = LargeMultipart

    app = Wiki()

    @app.route("/", methods=["POST"])
    def save(request, response):
        assert type(request.form) is LargeForm
        response.json = len(request.form.get("text"))

    types = {
        "urlencoded": "application/x-www-form-urlencoded",
        "multipart": "multipart/form-data",
    }
    async with Client(app) as client:
        client.content_type = types[kind]
        response = await client.post("/", {"text": "x" * 2 * 2**20})
        assert (response.status, response.json) == (200, 2 * 2**20)
        response = await client.post("/", {"text": "x" * (2 * 2**20 + 1)})
        assert response.status == 413


UPLOAD = encode_multipart({"file": (bytes(3_000_000), "large.bin")})


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("sent", [(b"", "multipart/form-data; boundary=x"), UPLOAD, (b"a", "a/b")])
async def test_half_closed_client_gets_a_file_to_its_end_whatever_it_has_sent(
    liveclient, app, tmp_path, lazy, sent
):
    """Before, a request with a form made the file a stream, which ends when the client closes."""
    path = tmp_path / "large.bin"
    path.write_bytes(bytes(5_000_000))
    uploads = []

    @app.route("/", methods=["POST"], lazy_body=lazy)
    async def convert(request, response):
        if sent is UPLOAD:
            await request.load_form()
            uploads.append(request.files.get("file"))
        response.send_file(path)

    body, kind = sent
    reader, writer = await asyncio.open_connection("127.0.0.1", liveclient.port)
    fields = f"Host: a\r\nContent-Length: {len(body)}\r\nContent-Type: {kind}\r\n\r\n"
    writer.write(f"POST / HTTP/1.1\r\n{fields}".encode() + body)
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert len(answer.partition(b"\r\n\r\n")[2]) == 5_000_000
    while not all(upload.closed for upload in uploads):
        await asyncio.sleep(0)
