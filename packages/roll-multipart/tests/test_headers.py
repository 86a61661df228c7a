"""The parsing of Content-Type and Content-Disposition."""

import pytest

from roll_multipart import Multipart, MultipartError, get_boundary


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data; boundary=abc",
        "multipart/form-data;boundary=abc",
        "MultiPart/Form-Data; Boundary=abc",
        'multipart/form-data; boundary="abc"',
        "multipart/form-data; charset=utf-8; boundary=abc",
        'multipart/form-data; boundary="abc"; charset="utf-8"; ',
        "  multipart/form-data \t;\tboundary=abc\t ",
        "multipart/form-data; ; boundary=abc;",
    ],
)
def test_boundaries_are_found_however_they_are_written(content_type):
    assert get_boundary(content_type) == b"abc"


@pytest.mark.parametrize("boundary", ["a/b=c:d", "----x'()+_,-./:=?", "a" * 200, "{x}"])
def test_boundaries_need_no_quotes(boundary):
    assert get_boundary(f"multipart/form-data; boundary={boundary}") == boundary.encode()
    assert get_boundary(f'multipart/form-data; boundary="{boundary}"') == boundary.encode()


def test_quoted_boundaries_may_have_spaces_and_semicolons(tools):
    content_type = 'multipart/form-data; boundary="a b;c"'
    assert get_boundary(content_type) == b"a b;c"
    data = tools.body(tools.part()).replace(b"boundary", b"a b;c")
    assert tools.same_for_all_cuts(data, content_type).fields == {"a": ["x"]}


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        'multipart/form-data; boundary=""',
        "multipart/form-data; boundary=a; boundary=a",
        "multipart/form-data; boundary=a; BOUNDARY=b",
        "multipart/form-data; boundary=a\r\nb",
        'multipart/form-data; boundary="a\r\nb"',
        'multipart/form-data; boundary="a\nb"',
        "multipart/form-data; boundary=é",
        'multipart/form-data; boundary="\0"',
        r'multipart/form-data; boundary="a\b"',
        "multipart/form-data; boundary=" + "a" * 201,
        'multipart/form-data; boundary="abc',
        "multipart/form-data; boundary=a b",
        "multipart/form-data, boundary=a",
        "multipart/mixed; boundary=a",
        "application/x-www-form-urlencoded",
        "; boundary=a",
    ],
)
def test_other_content_types_are_refused(content_type):
    with pytest.raises(MultipartError) as caught:
        get_boundary(content_type)
    assert caught.value.status == 400
    assert str(caught.value) == caught.value.message


DISPOSITION = "Content-Disposition: form-data; "


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (DISPOSITION + 'name="a"', "a"),
        (DISPOSITION + "name=a", "a"),
        (DISPOSITION + "NAME=a;", "a"),
        ('content-disposition:FORM-DATA;name="a"', "a"),
        ('Content-Type: text/plain\r\nContent-Disposition: form-data; name="a"', "a"),
        (DISPOSITION + 'x=y; name="a"; z="\\\\"', "a"),
        (DISPOSITION + 'name=""', ""),
        (DISPOSITION + 'name="ü"', "ü"),
        (DISPOSITION + 'name="a;b=c"', "a;b=c"),
        (DISPOSITION + 'name="a%22b%0D%0ac%20"', 'a"b\r\nc%20'),
        (DISPOSITION + r'name="a\"b"', 'a"b'),
        (DISPOSITION + r'name="a\"; b"', 'a"; b'),
        (DISPOSITION + r'name="a\b"', r"a\b"),
        (DISPOSITION + 'name="a\\"', "a\\"),
        (DISPOSITION + r'name="\"a\" \"; x=y', '"a" \\'),
        (DISPOSITION + 'name="a"\r\nContent-Transfer-Encoding: base64', "a"),
    ],
)
def test_names_are_understood_however_they_are_written(tools, head, name):
    result = tools.same_for_all_cuts(tools.with_head(head, b"eA=="))
    assert result.fields == {name: ["eA=="]}


def test_names_that_are_not_utf8_are_replaced(tools):
    head = b'Content-Disposition: form-data; name="\xff"'
    assert tools.same_for_all_cuts(tools.with_head(head)).fields == {"�": ["x"]}


@pytest.mark.parametrize(
    ("params", "filename"),
    [
        ('name="a"; filename="f.txt"', "f.txt"),
        ("filename=f.txt; name=a", "f.txt"),
        ('name="a"; filename=""', ""),
        ('name="a"; filename="../../etc/passwd"', "passwd"),
        ('name="a"; filename="C:\\dir\\f.txt"', "f.txt"),
        ('name="a"; filename="C:\\dir\\"', ""),
        ('name="a"; filename="dir/"', ""),
        ('name="a"; filename=".."', ""),
        ('name="a"; filename="."', ""),
        ('name="a"; filename="../.."', ""),
        ('name="a"; filename="..."', ""),
        ('name="a"; filename="C:x"', "x"),
        ('name="a"; filename="C:"', ""),
        ('name="a"; filename="c:D:x"', "x"),
        ('name="a"; filename="/C:.. "', ""),
        ('name="a"; filename=" C:x"', "x"),
        ('name="a"; filename="\ufeffC:\u200b \u200dD:x"', "x"),
        ('name="a"; filename="x.txt::$DATA"', "x.txt"),
        ('name="a"; filename="ab::b"', "ab::b"),
        ('name="a"; filename="f\u200ftxt.\u061cexe"', "ftxt.exe"),
        ('name="a"; filename="f.exe.\xa0\u3000."', "f.exe"),
        ('name="a"; filename="\u2003f\u200c.\u200d"', "f"),
        ('name="a"; filename="12:30 in C:.png"', "12:30 in C:.png"),
        ('name="a"; filename="f.exe. . ."', "f.exe"),
        ('name="a"; filename="f.txt "', "f.txt"),
        ('name="a"; filename=" .. "', ""),
        ('name="a"; filename=".htaccess"', ".htaccess"),
        ('name="a"; filename="f\x01\x1b[2J\x7f.txt"', "f[2J.txt"),
        ('name="a"; filename="f\t.txt"', "f.txt"),
        ('name="a"; filename=".\x02.\x03"', ""),
        ('name="a"; filename="C\x04:x"', "x"),
        ('name="a"; filename="f%0D%0ASet-Cookie: a=b%0d%0a"', "fSet-Cookie: a=b"),
        ('name="a"; filename="f\x85\x9b\u2028\u2029.txt"', "f.txt"),
        ('name="a"; filename="f\u202etxt.exe"', "ftxt.exe"),
        ('name="a"; filename="\u2066f\u2069.txt"', "f.txt"),
        (
            'name="a"; filename="é \U0001f468\u200d\U0001f469.png"',
            "é \U0001f468\u200d\U0001f469.png",
        ),
        ("name=a; filename*=utf-8''f%0D%0Ax%1B%C2%85%E2%80%AE.txt%20.", "fx.txt"),
        ("name=a; filename*=utf-8''C%3Ax", "x"),
        ("name=a; filename*=utf-8''%zz%4", "%zz%4"),
        ('name="a"; filename="..a"', "..a"),
        ('name="a"; filename="%22.txt"', '".txt'),
        ('name="a"; filename="100%.txt"', "100%.txt"),
        ('name="a\\"; filename="f.txt"', "f.txt"),
        ("name=a; filename*=UTF-8''%e2%82%ac.txt", "€.txt"),
        ("name=a; filename*=iso-8859-1'en'%A3.txt", "£.txt"),
        ("name=a; filename*=utf-8''%2e%2e%2fpasswd", "passwd"),
        ("name=a; filename*=utf-8''..%5C..", ""),
        ("name=a; filename*=utf-8''%ff", "�"),
        ("name=a; filename=\"plain.txt\"; filename*=UTF-8''other.exe", "plain.txt"),
        ("name=a; filename*=UTF-8''other.exe; filename=\"plain.txt\"", "plain.txt"),
        ('name=a; filename="plain.txt"; filename*=nonsense', "plain.txt"),
    ],
)
def test_a_filename_is_the_last_component(tools, params, filename):
    result = tools.same_for_all_cuts(tools.with_head(f"Content-Disposition: form-data; {params}"))
    [(name, content_type, content)] = [file for files in result.files.values() for file in files]
    assert (name, content_type, content) == (filename, "", b"x")


def test_filename_as_sent_stays_in_the_parameters(tools):
    parser = tools.recorder("boundary")
    sent = "C:\\a\x01%0D%0A\u202e. "
    parser.feed(tools.body(tools.part("a", filename=sent)))
    [(part, _)] = parser.parts
    assert part.filename == "a"
    assert part.params["filename"] == sent
    assert part.params is part.params


@pytest.mark.parametrize("separator", [";", "; ", ";x=", '; x=""', ";x"])
def test_parameters_are_limited(tools, separator):
    head = "Content-Disposition: form-data; name=a" + separator * 7000
    error = tools.same_for_all_cuts(tools.with_head(head[:500])).error
    assert error is not None
    assert error[1] == 400
    with pytest.raises(MultipartError):
        get_boundary("multipart/form-data; boundary=a" + separator * 16)


def test_sixteen_parameters_are_read(tools):
    params = "".join(f"; x{i}=y" for i in range(15))
    assert get_boundary(f"multipart/form-data; boundary=a{params}") == b"a"
    assert get_boundary(f'multipart/form-data; boundary="a"{params} ') == b"a"
    with pytest.raises(MultipartError, match="Too many parameters"):
        get_boundary(f"multipart/form-data; boundary=a{params};")
    data = tools.with_head(f"Content-Disposition: form-data; name=a{params}; x=y")
    assert tools.same_for_all_cuts(data).error == (
        MultipartError,
        400,
        "Too many parameters in a header",
    )


@pytest.mark.parametrize("content_type", [None, b"multipart/form-data; boundary=a", 1, ["a"]])
def test_a_content_type_is_text(content_type):
    with pytest.raises(MultipartError, match="A content type is text, not"):
        get_boundary(content_type)
    with pytest.raises(MultipartError, match="A content type is text, not"):
        Multipart().initialize(content_type)


@pytest.mark.parametrize("character", ["\x01", "\x0b", "\x1b", "\x7f"])
def test_a_content_type_has_no_control_characters(tools, character):
    data = tools.body(tools.part("a", b"", f"Content-Type: text/plain{character}"))
    assert tools.same_for_all_cuts(data).error == (
        MultipartError,
        400,
        "Control character in the Content-Type of a part",
    )


def test_a_part_without_a_filename_is_text_whatever_its_type(tools):
    data = tools.body(tools.part("a", b"\xff", "Content-Type: application/octet-stream"))
    assert tools.same_for_all_cuts(data).fields == {"a": ["�"]}


def test_continued_filenames_do_not_make_a_file(tools):
    head = "Content-Disposition: form-data; name=a; filename*0=x; filename*1=y"
    assert tools.same_for_all_cuts(tools.with_head(head)).fields == {"a": ["x"]}


@pytest.mark.parametrize(
    "head",
    [
        "",
        "X-Other: yes",
        "Content-Disposition",
        "Content-Disposition:",
        "Content-Disposition: ;name=a",
        "Content-Disposition: form-data",
        "Content-Disposition: form-data; filename=a",
        "Content-Disposition: form-data; name",
        "Content-Disposition: form-data; name=a; name=a",
        'Content-Disposition: form-data; name="a"; NAME="b"',
        "Content-Disposition: form-data; name=a; filename=b; filename=c",
        "Content-Disposition: form-data; name=a; filename*=utf-8''b; filename*=utf-8''c",
        "Content-Disposition: form-data; name=a; filename*=b",
        "Content-Disposition: form-data; name=a; filename*=utf-7''b",
        "Content-Disposition: form-data; name=a; filename*=utf-8''%00",
        'Content-Disposition: form-data; name="a',
        'Content-Disposition: form-data; name="a"b',
        'Content-Disposition: form-data; name="a"b"',
        "Content-Disposition: form-data; name=a b",
        "Content-Disposition: form-data name=a",
        "Content-Disposition: form-data, name=a",
        "Content-Disposition: attachment; name=a",
        "Content-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=b",
        "Content-Disposition: form-data; name=a\r\nContent-Type: a/b\r\ncontent-type: a/c",
        "Content-Disposition: form-data;\r\n name=a",
        "Content-Disposition : form-data; name=a",
        " Content-Disposition: form-data; name=a",
        "Content-Disposition: form-data; name=a\r\n: x",
        "Content-Disposition: form-data; name=a\r\nfoo",
        "Content-Disposition: form-data; name=a\r\nX: a\nb",
        "Content-Disposition: form-data; name=a\r\nX: a\rb",
        "Content-Disposition: form-data; name=a\r\nX: a\0b",
        'Content-Disposition: form-data; name="a\0"',
        'Content-Disposition: form-data; name="a"; filename="\0"',
        'Content-Disposition: form-data; name="a\nb"',
        'Content-Disposition: form-data; name="a"\nX: y',
    ],
)
def test_malformed_heads_are_refused(tools, head):
    result = tools.same_for_all_cuts(tools.with_head(head))
    assert result.error is not None
    assert result.error[1] == 400
    assert result.fields == result.files == {}


def test_boundary_inside_a_head_is_ignored(tools):
    data = b'--boundary\r\nContent-Disposition: form-data; name="a"\r\n' + tools.body(tools.part())
    assert tools.same_for_all_cuts(data).error == (
        MultipartError,
        400,
        "Malformed header in a part",
    )


def test_content_type_without_a_boundary_is_named():
    with pytest.raises(MultipartError, match="The Content-Type has no boundary"):
        get_boundary("multipart/form-data; charset=utf-8")


@pytest.mark.parametrize("name", ["a", '"a"', '"a"; filename="b"', "a; filename=b"])
@pytest.mark.parametrize("separator", [";", "; x=y", " ;", ';x="y"'])
def test_content_type_of_a_part_has_sixteen_parameters_at_most(tools, name, separator):
    head = f"Content-Disposition: form-data; name={name}\r\nContent-Type: text/plain"
    assert tools.same_for_all_cuts(tools.with_head(head + separator * 16)).error is None
    quoted = '; title="' + "a;" * 20 + '"'
    assert tools.same_for_all_cuts(tools.with_head(head + quoted)).error is None
    found = tools.same_for_all_cuts(tools.with_head(head + separator * 17)).error
    assert found == (MultipartError, 400, "Too many parameters in a header")
