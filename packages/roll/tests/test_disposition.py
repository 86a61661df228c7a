"""Names of downloads (RFC 6266, RFC 8187)."""

import re
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roll.disposition import attachment

FIELD = re.compile(
    r"""attachment;\ filename="([ !#-\[\]-~]+)"  # no quote, no backslash: nothing to be escaped
    (?:;\ filename\*=UTF-8''([!#$&+.^_`|~0-9A-Za-z-]|%[0-9A-F]{2})+)?""",
    re.VERBOSE,
)


def decoded(field):
    """The name that a client of today takes."""
    assert FIELD.fullmatch(field), field
    _, extended, value = field.partition("filename*=UTF-8''")
    return unquote(value, errors="strict") if extended else field.split('"')[1]


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("Bill.pdf", 'attachment; filename="Bill.pdf"'),
        ("two words.pdf", 'attachment; filename="two words.pdf"'),
        (
            "Name für den Download.pdf",
            'attachment; filename="Name fur den Download.pdf";'
            " filename*=UTF-8''Name%20f%C3%BCr%20den%20Download.pdf",
        ),
        ("€.txt", "attachment; filename=\"_.txt\"; filename*=UTF-8''%E2%82%AC.txt"),
        ("😀.txt", "attachment; filename=\"_.txt\"; filename*=UTF-8''%F0%9F%98%80.txt"),
        (
            'say "hi".txt',
            "attachment; filename=\"say _hi_.txt\"; filename*=UTF-8''say%20%22hi%22.txt",
        ),
        ("100%.txt", "attachment; filename=\"100_.txt\"; filename*=UTF-8''100%25.txt"),
        ("a%41.txt", "attachment; filename=\"a_41.txt\"; filename*=UTF-8''a%2541.txt"),
        ("a;b='c'.txt", "attachment; filename=\"a;b='c'.txt\""),
        ("a/b\\c.txt", 'attachment; filename="a_b_c.txt"'),
        ("../../etc/passwd", 'attachment; filename=".._.._etc_passwd"'),
        ("C:\\autoexec.bat", 'attachment; filename="C:_autoexec.bat"'),
        ("a\r\nSet-Cookie: b=c", 'attachment; filename="a__Set-Cookie: b=c"'),
        ("a\0b\x7f\x85\u2028.txt", 'attachment; filename="a_b___.txt"'),
        ("\ud83d\ude00\udcff.txt", 'attachment; filename="___.txt"'),
        ("invoice\u202efdp.exe", 'attachment; filename="invoice_fdp.exe"'),
        ("", 'attachment; filename="download"'),
        ("  ", 'attachment; filename="download"'),
        ("..", 'attachment; filename="download"'),
        (".", 'attachment; filename="download"'),
        ("/", 'attachment; filename="_"'),
    ],
)
def test_a_name_is_sent_for_old_clients_and_new(name, field):
    assert attachment(name) == field


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Zl", "Zp"])))
def test_path_separators_in_a_filename_are_replaced(name):
    expected = re.sub(r"[/\\]", "_", name).strip()
    assert decoded(attachment(name)) == (
        expected if expected not in {"", ".", ".."} else "download"
    )


@given(st.text(st.characters()))
def test_any_name_makes_one_field_of_ascii(name):
    decoded(attachment(name))
