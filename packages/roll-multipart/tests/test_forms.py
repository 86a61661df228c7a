"""Forms of both kinds by one call."""

import io

import pytest

from roll_multipart import (
    Files,
    Form,
    LimitError,
    MemoryFile,
    MultipartError,
    SpooledFile,
    encode,
    parse_form,
    parse_form_async,
)

URLENCODED = "application/x-www-form-urlencoded"
BODY, MULTIPART = encode({"a": "é"}, {"f": (b"content", "f.txt")})


async def iterate(chunks):
    for chunk in chunks:
        yield chunk


@pytest.fixture(params=["sync", "async"])
def parse(request):
    """Both functions, as one that is awaited."""
    if request.param == "async":

        async def parse(content_type, body, **settings):
            chunks = iterate(body) if isinstance(body, list) else body
            return await parse_form_async(content_type, chunks, **settings)
    else:

        async def parse(content_type, body, **settings):
            return parse_form(content_type, body, **settings)

    return parse


@pytest.mark.parametrize(
    "body", [BODY, [BODY], io.BytesIO(BODY), [BODY[i : i + 5] for i in range(0, len(BODY), 5)]]
)
async def test_a_multipart_form(parse, body):
    if isinstance(body, io.BytesIO):
        body.seek(0)
    form, files = await parse(MULTIPART, body)
    assert (type(form), type(files)) == (Form, Files)
    assert form == {"a": ["é"]}
    with files:
        assert (files.get("f").filename, files.get("f").read()) == ("f.txt", b"content")


@pytest.mark.parametrize("content_type", [URLENCODED, URLENCODED.upper() + "; charset=utf-8"])
async def test_an_urlencoded_form(parse, content_type):
    for body in (b"a=1&b=%C3%A9", [b"a=1&", b"b=%C3", b"%A9"], io.BytesIO(b"a=1&b=%C3%A9")):
        form, files = await parse(content_type, body)
        assert (type(form), type(files)) == (Form, Files)
        assert (form, files) == ({"a": ["1"], "b": ["é"]}, {})
    for body in (b"", [], [b""]):
        assert await parse(content_type, body) == ({}, {})


async def test_custom_classes_are_used(parse):
    class MyForm(Form):
        pass

    class MyFiles(Files):
        pass

    for content_type, body in ((MULTIPART, BODY), (URLENCODED, b"a=1")):
        form, files = await parse(
            content_type, body, form=MyForm, files=MyFiles, file_factory=MemoryFile
        )
        assert (type(form), type(files)) == (MyForm, MyFiles)
    told = []
    _, files = await parse(MULTIPART, BODY, progress=lambda file, size: told.append(size))
    assert told == [7]
    assert isinstance(files.get("f"), SpooledFile)


@pytest.mark.parametrize(
    "content_type", [None, b"bytes", "", "text/plain", "multipart/mixed; boundary=x", ";"]
)
async def test_other_content_types_are_refused(parse, content_type):
    with pytest.raises(MultipartError):
        await parse(content_type, b"")


async def test_errors_of_missing_and_malformed_content_types_differ(parse):
    for missing in ("", " "):
        with pytest.raises(MultipartError, match="The Content-Type is missing"):
            await parse(missing, b"")
    with pytest.raises(MultipartError, match="The Content-Type is malformed"):
        await parse(";", b"")


@pytest.mark.parametrize("sent", [b"", b"a=1", b"a=1&b=2"])
async def test_urlencoded_body_shorter_than_its_content_length_is_refused(parse, sent):
    environ = {"wsgi.input": io.BytesIO(sent), "CONTENT_LENGTH": "9"}
    with pytest.raises(MultipartError, match="ended before its Content-Length"):
        await parse(URLENCODED, environ)


@pytest.mark.parametrize("body", [b"a", b"a=1&&b=2", b"\xff=1", [b"a=\xff"]])
async def test_a_malformed_urlencoded_form_is_an_error(parse, body):
    with pytest.raises(MultipartError) as caught:
        await parse(URLENCODED, body)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    "limits", [{"max_parts": 1}, {"max_field_size": 1}, {"max_text_size": 3}, {"max_text_size": 1}]
)
async def test_the_limits_are_those_of_multipart(parse, limits):
    body, content_type = encode({"a": "12", "b": "34"})
    for kind, data in (
        (content_type, body),
        (URLENCODED, b"a=12&b=34"),
        (URLENCODED, [b"a=12&", b"b=34"]),
    ):
        with pytest.raises(LimitError):
            await parse(kind, data, **limits)
        assert (await parse(kind, data))[0] == {"a": ["12"], "b": ["34"]}


async def test_an_urlencoded_body_is_not_collected_beyond_its_limit(parse):
    taken = []

    def chunks():
        for _ in range(100):
            taken.append(1)
            yield b"a=" + b"x" * 100 + b"&"

    with pytest.raises(LimitError):
        await parse(URLENCODED, chunks(), max_text_size=200)
    assert len(taken) == 8


async def test_a_body_that_fails_closes_the_files(parse):
    made = []

    def factory(part):
        made.append(SpooledFile(part))
        return made[-1]

    with pytest.raises(MultipartError):
        await parse(MULTIPART, [BODY[:-20]], file_factory=factory)
    assert [file.closed for file in made] == [True]
    with pytest.raises(ZeroDivisionError):
        await parse(MULTIPART, (1 // 0 for _ in range(1)), file_factory=factory)
