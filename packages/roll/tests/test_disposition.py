"""Names of downloads (RFC 6266, RFC 8187)."""

import re
import unicodedata
from email.message import Message
from urllib.parse import quote, unquote

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
        ("\u061ca\u200eb\u200fc", 'attachment; filename="_a_b_c"'),
        (
            "．．／．．／etc／passwd",  # noqa: RUF001 - they become dots and slashes
            "attachment; filename=\".._.._etc_passwd\"; filename*=UTF-8''"
            + quote("．．／．．／etc／passwd", safe=""),  # noqa: RUF001
        ),
        ("evil\uff3c", "attachment; filename=\"evil_\"; filename*=UTF-8''evil%EF%BC%BC"),
        ("\u2100", "attachment; filename=\"a_c\"; filename*=UTF-8''%E2%84%80"),
        ("\uff0e", "attachment; filename=\"download\"; filename*=UTF-8''%EF%BC%8E"),
        ("\u2025", "attachment; filename=\"download\"; filename*=UTF-8''%E2%80%A5"),
        ("\u0301", "attachment; filename=\"download\"; filename*=UTF-8''%CC%81"),
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


FOLDED = [
    chr(code)
    for code in range(0x80, 0x30000)
    if set(unicodedata.normalize("NFKD", chr(code))) & set('/\\."% \0\r\n')
]
"""The characters whose compatibility form has one that a name must not have, a dot or a space."""


@given(st.text(st.sampled_from([*FOLDED, *"a./\\", "\u0301"])))
def test_name_for_old_clients_is_a_name_in_one_folder(name):
    field = attachment(name)
    decoded(field)
    message = Message()
    message["Content-Disposition"] = field.partition("; filename*")[0]
    simple = message.get_filename()
    assert not re.search(r"[/\\\0]", simple)
    assert simple == simple.strip()
    assert simple not in {"", ".", ".."}


@pytest.mark.parametrize("character", FOLDED, ids=ascii)
def test_character_that_folds_to_a_separator_ends_no_quotes(character):
    for name in (character, f"a{character}", f"{character}a", f"a{character}b"):
        assert FIELD.fullmatch(attachment(name))


@given(st.text(st.characters()))
def test_any_name_makes_one_field_of_ascii(name):
    decoded(attachment(name))
