"""Encoded bodies are parsed back, however they are cut."""

import io
import os
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roll_multipart import encode
from roll_multipart.headers import clean_filename

NAMES = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12
) | st.sampled_from(["a\\", 'a"', 'a\\"b', "a;b=c", 'a"; filename="b', "a\r\nb", "%", "é"])
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
CONTENTS = st.binary(max_size=60) | st.sampled_from([b"\r\n", b"\r\n--", b"\r\n--x", b"-" * 9])
TYPES = st.sampled_from(["text/plain", "application/octet-stream", "text/html; charset=utf-8"])


def read_back(name):
    """Escapes are ambiguous, as browsers write them."""
    for escape, plain in {"%22": '"', "%0D": "\r", "%0d": "\r", "%0A": "\n", "%0a": "\n"}.items():
        name = name.replace(escape, plain)
    return name


def basename(name):
    return clean_filename(read_back(name))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(NAMES, TEXTS), max_size=4),
    st.lists(st.tuples(NAMES, st.tuples(CONTENTS, NAMES, TYPES)), max_size=3),
    st.integers(1, 200),
    st.integers(0, 400),
)
def test_fields_and_files_come_back(tools, fields, files, size, position):
    data, content_type = encode(fields, files)
    result = tools.result()
    for name, text in fields:
        result.fields.setdefault(read_back(name), []).append(text)
    for name, (content, filename, kind) in files:
        file = (basename(filename), kind, content)
        result.files.setdefault(read_back(name), []).append(file)
    assert tools.parse(data, content_type) == result
    assert tools.parse(tools.pieces(data, size), content_type) == result
    assert tools.parse([data[:position], data[position:]], content_type) == result


def test_the_bytes_are_those_of_a_browser():
    data, content_type = encode(
        {"a": "é", "b": [1, b"\xff"]}, {'q"': ("text", "new\r\nline.txt")}, boundary="xyz"
    )
    assert content_type == "multipart/form-data; boundary=xyz"
    assert data == (
        '--xyz\r\nContent-Disposition: form-data; name="a"\r\n\r\né\r\n'
        '--xyz\r\nContent-Disposition: form-data; name="b"\r\n\r\n1\r\n'.encode()
        + b'--xyz\r\nContent-Disposition: form-data; name="b"\r\n\r\n\xff\r\n'
        b'--xyz\r\nContent-Disposition: form-data; name="q%22"; filename="new%0D%0Aline.txt"\r\n'
        b"Content-Type: text/plain\r\n\r\ntext\r\n--xyz--\r\n"
    )


def test_an_empty_form_has_a_final_boundary_only(tools):
    data, content_type = encode()
    assert data.startswith(b"------RollFormBoundary")
    assert tools.parse(data, content_type) == tools.result()
    assert encode()[1] != content_type


@pytest.mark.parametrize(
    ("file", "filename", "kind"),
    [
        (b"text", "f", "application/octet-stream"),
        pytest.param("text", "f", "application/octet-stream", id="str"),
        (bytearray(b"text"), "f", "application/octet-stream"),
        (io.BytesIO(b"text"), "f", "application/octet-stream"),
        (io.StringIO("text"), "f", "application/octet-stream"),
        ((memoryview(b"text"), "a.png"), "a.png", "image/png"),
        ((io.BytesIO(b"text"), "a.png", None), "a.png", "image/png"),
        ((b"text", "a.png", "x/y"), "a.png", "x/y"),
        ((b"text", ""), "", "application/octet-stream"),
    ],
)
def test_a_file_may_be_given_in_many_ways(tools, file, filename, kind):
    data, content_type = encode(files=[("f", file)])
    assert tools.parse(data, content_type).files == {"f": [(filename, kind, b"text")]}


class Answer:
    """An object that has a text but is not a str."""

    def __str__(self):
        return "42"


@pytest.mark.parametrize("number", [3, 2.5, True, Decimal(1)])
def test_number_is_not_a_file(number):
    for content in (number, (number, "f.txt")):
        with pytest.raises(TypeError, match=r"'f' must be text, bytes or a file, not "):
            encode(files={"f": content})


@pytest.mark.parametrize(
    "value",
    [
        (number for number in range(3)),
        None,
        Answer(),
        {"a": 1},
        {1},
        ("a", "b"),
        1j,
        object,
        iter([b"x"]),
        Path("f"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_value_other_than_text_number_bytes_or_file_is_refused(value):
    with pytest.raises(TypeError, match=r"'a' must be text, bytes, a number or a file, not "):
        encode({"a": value})
    if not isinstance(value, Path | tuple):
        with pytest.raises(TypeError, match=r"'f' must be text, bytes or a file, not "):
            encode(files={"f": value})
        with pytest.raises(TypeError, match=r"'f' must be text, bytes or a file, not "):
            encode(files={"f": (value, "f.txt")})


@pytest.mark.parametrize(
    ("value", "text"),
    [("x", "x"), (b"y", "y"), (1, "1"), (-1.5, "-1.5"), (True, "True"), (Decimal("1.50"), "1.50")],
)
def test_a_field_is_text_a_number_or_bytes(tools, value, text):
    body, content_type = encode({"a": value})
    assert tools.parse(body, content_type).fields == {"a": [text]}


def test_filename_of_an_open_file_or_a_path_is_its_name(tools, tmp_path):
    path = tmp_path / "own name.png"
    path.write_bytes(b"png")
    expected = {"f": [("own name.png", "image/png", b"png")]}
    with path.open("rb") as file:
        for content in (file, path, (path,), (path, None)):
            file.seek(0)
            body, content_type = encode(files={"f": content})
            assert tools.parse(body, content_type).files == expected
    body, content_type = encode(files={"f": (path, "other", "x/y")})
    assert tools.parse(body, content_type).files == {"f": [("other", "x/y", b"png")]}
    with open(os.open(path, os.O_RDONLY), "rb") as file:
        body, content_type = encode(files={"f": file})
        assert tools.parse(body, content_type).files["f"][0][0] == "f"


def test_an_uploaded_file_can_be_sent_on(tools):
    from roll_multipart import MemoryFile, Part

    file = MemoryFile(Part(b"", "f", "name.txt", "x/y"))
    file.write(b"text")
    file.seek(0)
    data, content_type = encode(files={"f": [file]})
    assert tools.parse(data, content_type).files == {"f": [("name.txt", "x/y", b"text")]}


def test_custom_boundary_must_not_occur_in_the_content(tools):
    with pytest.raises(ValueError, match="boundary"):
        encode({"a": "--xyz"}, boundary="xyz")
    data, content_type = encode({"a": "x"}, boundary="x y")
    assert content_type == 'multipart/form-data; boundary="x y"'
    assert tools.parse(data, content_type).fields == {"a": ["x"]}


@pytest.mark.parametrize("boundary", ["a\r\nb", "é", "x" * 201, 'a"b'])
def test_custom_boundary_must_be_valid(boundary):
    with pytest.raises(ValueError, match="boundary"):
        encode(boundary=boundary)


def test_names_have_no_nul():
    with pytest.raises(ValueError, match="NUL"):
        encode({"a\0": ""})
    with pytest.raises(ValueError, match="NUL"):
        encode(files={"a": (b"", "\0")})


def test_content_types_have_no_line_breaks():
    with pytest.raises(ValueError, match="content type"):
        encode(files={"a": (b"", "f", "text/plain\r\nX: y")})
