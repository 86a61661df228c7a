"""The header fields that decide about a body and its parts (RFC 2045, 2046, 7578, 8187)."""

import re
from urllib.parse import unquote_to_bytes

from .errors import LimitError, MultipartError
from .limits import Limits

__all__ = ["Part", "get_boundary", "parse_part"]

NAME = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
# Clients write boundaries with `=`, `/` or `:` without the quotes that RFC 2045 asks for.
PARAMETER = rf'[ \t]*+;[ \t]*+(?:({NAME})=(?:"({{quoted}})"|([^\s";]*+)))?+'
# A quoted-string as RFC 9110 5.6.4 has it: a backslash takes the next character along.
STANDARD = re.compile(PARAMETER.format(quoted=r'(?:[^"\\]|\\.)*+'), re.DOTALL)
# Browsers do not escape backslashes: in `name="a\"; filename="b"` the name ends with one.
ESCAPED_QUOTE = r'"(?![ \t]*+(?:;|\Z))'
BROWSER = re.compile(PARAMETER.format(quoted=rf'(?:[^"\\]|\\(?:{ESCAPED_QUOTE})?+)*+'))
VALUE = re.compile(rf"[ \t]*+({NAME}(?:/{NAME})?)")
HEADER = re.compile(rf"({NAME}):[ \t]*+([^\r\n\0]*)")

ESCAPES = re.compile(r'\\"|%22|%0[Dd]|%0[Aa]')
ESCAPED = {'\\"': '"', "%22": '"', "%0D": "\r", "%0d": "\r", "%0A": "\n", "%0a": "\n"}
EXTENDED = re.compile(r"(utf-8|iso-8859-1)'[^']*'([^\0]*)", re.IGNORECASE)

# What browsers and nearly every library send, taken in one go.
USUAL_CONTENT_TYPE = re.compile(
    r"multipart/form-data; ?boundary=([\w'()+./:=?-]{1,200})", re.ASCII
)
# RFC 2046 allows 70 characters, and fewer kinds of them.
BOUNDARY = re.compile(r"[ !#-\[\]-~]{1,200}")

Parameters = dict[str, str]


class Part:
    """The head of a part: what its Content-Disposition and Content-Type say.

    `filename` is None for a text field, and else the last component of what the client sent, which
    may be empty (a file input without a file). `content_type` is "" when the client sent none.
    """

    __slots__ = ("_head", "_params", "content_type", "filename", "name")

    def __init__(self, head: bytes, name: str, filename: str | None, content_type: str) -> None:
        self._head = head
        self._params: Parameters | None = None
        self.name = name
        self.filename = filename
        self.content_type = content_type

    def __repr__(self) -> str:
        return f"<Part {self.name!r} filename={self.filename!r} {self.content_type!r}>"

    @property
    def headers(self) -> dict[str, str]:
        """All header fields of the part, by their names in lower case."""
        return parse_fields(self._head)

    @property
    def params(self) -> Parameters:
        """The parameters of Content-Disposition as they were sent, escapes and paths included."""
        if self._params is None:
            self._params = parse_value(self.headers["content-disposition"])[1]
        return self._params


def get_boundary(content_type: str) -> bytes:
    """The boundary parameter of a `multipart/form-data` content type (RFC 2046 5.1.1)."""
    if usual := USUAL_CONTENT_TYPE.fullmatch(content_type):
        return usual[1].encode()
    media_type, params = parse_value(content_type)
    if media_type.lower() != "multipart/form-data":
        raise MultipartError(f"Expected multipart/form-data, not {media_type}")
    return check_boundary(params.get("boundary", ""))


def check_boundary(boundary: str) -> bytes:
    """The boundary as bytes, if it may be one."""
    if not BOUNDARY.fullmatch(boundary):
        raise MultipartError(
            "A boundary has 1 to 200 characters, printable ASCII without quotes and backslashes"
        )
    return boundary.encode()


def parse_part(head: bytes, limits: Limits) -> Part:
    """Read the header lines of a part, without the blank line that ends them."""
    if head.count(b"\r\n") >= limits.max_headers:
        raise LimitError("Too many headers in a part")
    headers = parse_fields(head)
    disposition, params = parse_value(headers.get("content-disposition", ""))
    if disposition.lower() != "form-data" or "name" not in params:
        raise MultipartError("A part needs Content-Disposition: form-data and a name")
    name = unescape(params["name"])
    part = Part(head, name, get_filename(params), headers.get("content-type", ""))
    part._params = params  # noqa: SLF001 - read already, and of the same module
    return part


def parse_fields(head: bytes) -> dict[str, str]:
    """Split header lines; each name may come once, since every repetition is ambiguous here."""
    headers: dict[str, str] = {}
    for line in head.decode("utf-8", "replace").split("\r\n"):
        match = HEADER.fullmatch(line)
        if match is None:
            raise MultipartError("Malformed header in a part")
        name = match[1].lower()
        if name in headers:
            raise MultipartError(f"Repeated header in a part: {name}")
        headers[name] = match[2].rstrip(" \t")
    return headers


def parse_value(text: str) -> tuple[str, Parameters]:
    """Split `value; name=value; name="value"`; the values stay as they were sent."""
    value = VALUE.match(text)
    if value is None:
        raise MultipartError("Malformed or missing header value")
    params = parse_params(STANDARD, text, value.end())
    if params is None:
        params = parse_params(BROWSER, text, value.end())
    if params is None:
        raise MultipartError("Malformed header parameters")
    return value[1], params


def parse_params(pattern: re.Pattern[str], text: str, position: int) -> Parameters | None:
    """Read parameters up to the end of the text; None if the pattern does not reach it."""
    params: Parameters = {}
    text = text.rstrip(" \t")
    while position < len(text):
        match = pattern.match(text, position)
        if match is None:
            return None
        add_param(params, match)
        position = match.end()
    return params


def add_param(params: Parameters, match: re.Match[str]) -> None:
    """Keep a parameter; a `;` with nothing behind it is no harm."""
    name, quoted, bare = match.groups()
    if name is None:
        return
    if name.lower() in params:
        raise MultipartError(f"Repeated parameter: {name.lower()}")
    params[name.lower()] = bare if quoted is None else quoted


def unescape(text: str) -> str:
    """Undo what browsers (`%22`, `%0D`, `%0A`) and curl (a backslash before a quote) escape."""
    return ESCAPES.sub(lambda match: ESCAPED[match[0]], text)


def get_filename(params: Parameters) -> str | None:
    """The name of the file, without any directory; None if the part is not a file.

    A plain `filename` wins: two names in one part are a way around filters that look at one.
    """
    if "filename" in params:
        return last_component(unescape(params["filename"]))
    if "filename*" in params:
        return last_component(decode_extended(params["filename*"]))
    return None


def decode_extended(text: str) -> str:
    """Decode `charset'language'percent-encoded` (RFC 8187 3.2)."""
    match = EXTENDED.fullmatch(text)
    if match is None:
        raise MultipartError("Malformed filename* parameter")
    filename = unquote_to_bytes(match[2]).decode(match[1], "replace")
    if "\0" in filename:
        raise MultipartError("NUL in a filename")
    return filename


def last_component(path: str) -> str:
    """Drop the directories, of either kind; what names a directory is no filename at all."""
    name = path.rpartition("/")[2].rpartition("\\")[2]
    return "" if name in {".", ".."} else name
