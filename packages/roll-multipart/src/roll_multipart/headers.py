"""The header fields of a body and its parts (RFC 2045, 2046, 7578, 8187)."""

import re
from typing import Any, Final

from .checks import check_flag, wrong_type
from .errors import LimitError, MultipartError
from .fields import Parameters, check_number, parse_fields, parse_value
from .limits import Limits
from .part import Part
from .percent import unquote

__all__ = ["Part", "clean_filename", "get_boundary", "parse_part"]

ESCAPES: Final = {
    '\\"': '"',
    "%22": '"',
    "%0D": "\r",
    "%0d": "\r",
    "%0A": "\n",
    "%0a": "\n",
}
EXTENDED = re.compile(r"(utf-8|iso-8859-1)'[^']*'([^\0]*)", re.IGNORECASE)

# The characters that are removed from a filename: control characters, line and paragraph
# separators, and characters that change the direction of the text, so that `txt.exe` looks like
# `exe.txt`.
UNPRINTABLE: Final = dict.fromkeys(
    (
        *(*range(0x20), *range(0x7F, 0xA0), 0xAD, 0x61C, 0x180E, 0x200B, 0x200E, 0x200F, 0xFEFF),
        *(*range(0x2028, 0x202F), *range(0x2060, 0x2070), *range(0xFFF9, 0xFFFC)),
    )
)
# Drives, with the white space and the joiners of letters that may come before each.
DRIVES = re.compile("(?:[\\s\u200c\u200d]*+[A-Za-z]:)*+[\\s\u200c\u200d]*+")
STREAM: Final = "::$"  # on Windows, the text after it names a stream of the file
ENDS: Final = ". \xa0\u1680\u202f\u205f\u3000\u200c\u200d" + "".join(
    map(chr, range(0x2000, 0x200B))
)
# Control characters, except tabs: these are white space.
CONTROL = re.compile("[\0-\x08\x0a-\x1f\x7f]")

# The Content-Type that browsers and nearly all libraries send.
USUAL_CONTENT_TYPE = re.compile(
    r"multipart/form-data; ?boundary=([\w'()+./:=?-]{1,200})", re.ASCII
)
# RFC 2046 allows 70 characters, and fewer kinds of characters.
BOUNDARY = re.compile(r"[ !#-\[\]-~]{1,200}")

FORM_DATA: Final = "multipart/form-data"
DISPOSITION: Final = "The Content-Disposition of a part"


def get_boundary(content_type: str, *, form: bool = True) -> bytes:
    """Return the boundary parameter of a `multipart/form-data` content type (RFC 2046 5.1.1).

    With `form=False`, any `multipart` type is accepted. Raises `MultipartError` for any other
    type, and for a missing or malformed boundary.
    """
    if form is not True:
        check_flag("form", form)
    if not isinstance(content_type, str):
        raise MultipartError(f"A content type is text, not {type(content_type).__name__}")
    if usual := USUAL_CONTENT_TYPE.fullmatch(content_type):
        return usual[1].encode()
    media_type, params = parse_value(content_type)
    if form and media_type.lower() != FORM_DATA:
        raise MultipartError(f"Expected multipart/form-data, not {media_type}")
    if not media_type.lower().startswith("multipart/"):
        raise MultipartError(f"Expected a multipart type, not {media_type}")
    if "boundary" not in params:
        raise MultipartError("The Content-Type has no boundary")
    return check_boundary(params["boundary"])


def is_form(content_type: Any) -> bool:
    """Return whether a content type is multipart/form-data, whatever its parameters."""
    head = content_type[: len(FORM_DATA) + 1] if isinstance(content_type, str) else ""
    return head.partition(";")[0].strip(" \t").lower() == FORM_DATA


def check_boundary(boundary: str | bytes) -> bytes:
    """Return the boundary as bytes. Raises `MultipartError` if it is not valid."""
    if isinstance(boundary, bytes):
        boundary = boundary.decode("latin-1")
    if not isinstance(boundary, str):
        raise wrong_type("A boundary", "text or bytes", boundary)
    if not BOUNDARY.fullmatch(boundary):
        raise MultipartError(
            "A boundary has 1 to 200 characters, printable ASCII without quotes and backslashes"
        )
    return boundary.encode()


def parse_part(head: bytes, limits: Limits, *, form: bool = True) -> Part:
    """Parse the head of a part, without the blank line after it.

    In a form, a part needs a Content-Disposition of `form-data` with a name.
    """
    if head.count(b"\r\n") >= limits.max_headers:
        raise LimitError("Too many headers in a part")
    headers = parse_fields(head)
    disposition, params = parse_value(headers.get("content-disposition", "inline"), DISPOSITION)
    if form and (disposition.lower() != "form-data" or "name" not in params):
        raise MultipartError("A part needs Content-Disposition: form-data and a name")
    name = unescape(params.get("name", ""))
    content_type = headers.get("content-type", "")
    if CONTROL.search(content_type):
        raise MultipartError("Control character in the Content-Type of a part")
    check_number(content_type)
    # The parameters are not kept: they are rarely used, and take ten times their length.
    return Part(head, name, get_filename(params), content_type)


def unescape(text: str) -> str:
    """Undo the escapes of browsers (`%22`, `%0D`, `%0A`) and curl (a quote after a backslash)."""
    # They may be replaced one after the other: no replacement makes another escape.
    for escape, character in ESCAPES.items():
        text = text.replace(escape, character)
    return text


def get_filename(params: Parameters) -> str | None:
    """Return the name of the file without a directory, or None if the part is not a file.

    A plain `filename` wins over `filename*`: attackers send both to evade filters.
    """
    if "filename" in params:
        return clean_filename(unescape(params["filename"]))
    if "filename*" in params:
        return clean_filename(decode_extended(params["filename*"]))
    return None


def decode_extended(text: str) -> str:
    """Decode `charset'language'percent-encoded` (RFC 8187 3.2)."""
    match = EXTENDED.fullmatch(text)
    if match is None:
        raise MultipartError("Malformed filename* parameter")
    filename = unquote(match[2].encode()).decode(match[1], "replace")
    if "\0" in filename:
        raise MultipartError("NUL in a filename")
    return filename


def clean_filename(path: str) -> str:
    """Return the last component of a path of any system, without unsafe characters.

    Directories, drives, streams, invisible characters and white space at both ends are removed.
    Dots at the end are removed too, because Windows ignores them: `..` becomes an empty name.
    """
    name = path.translate(UNPRINTABLE)
    name = name.rpartition("/")[2].rpartition("\\")[2]
    name = DRIVES.sub("", name, count=1).partition(STREAM)[0]
    return name.rstrip(ENDS)
