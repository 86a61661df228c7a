"""Parsing of urlencoded text that is long, not ASCII or malformed, in linear time and memory."""

from typing import Final

from .errors import LimitError, MultipartError
from .pairs import Values, add
from .percent import cut_blocks, decode_block

__all__ = ["LongParser"]

AND: Final = b"&"
IS: Final = b"="
SPACES: Final = bytes.maketrans(b"+", b" ")
NOT_UTF_8: Final = "An urlencoded body is not UTF-8"


class LongParser:
    """A parser that decodes one pair after the other, without a copy of the whole text."""

    def __init__(
        self,
        values: Values,
        max_fields: int,
        max_field_size: int,
        max_text_size: int,
        *,
        strict: bool,
    ) -> None:
        self._values = values
        self._max_fields = max_fields
        self._strict = strict
        self._names = Decoder(max_field_size, max_text_size)
        self._contents = Decoder(max_field_size, max_text_size)

    def parse(self, text: str | bytes | bytearray | memoryview) -> None:
        data = self._encode(text) if isinstance(text, str) else text
        if isinstance(data, memoryview):
            data = bytes(data)
        if data.count(AND) >= self._max_fields:
            raise LimitError("Too many fields")
        if self._strict and not (data.isascii() or is_utf8(data)):
            raise MultipartError(NOT_UTF_8)
        start = 0
        while start <= len(data):
            end = data.find(AND, start)
            end = len(data) if end < 0 else end
            self._add_pair(data, start, end)
            start = end + 1

    def _encode(self, text: str) -> bytes:
        """Encode a text. A lone surrogate is an error if strict; otherwise it becomes U+FFFD."""
        try:
            return text.encode()
        except UnicodeEncodeError as error:
            if self._strict:
                raise MultipartError(NOT_UTF_8) from error
            return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()

    def _add_pair(self, data: bytes | bytearray, start: int, end: int) -> None:
        equals = data.find(IS, start, end)
        if start < end or self._strict:
            middle = end if equals < 0 else equals
            name = self._names.decode(data, start, middle)
            content = self._contents.decode(data, middle + 1, end)
            add(self._values, name, "" if equals < 0 else "=", content, self._strict)


class Decoder:
    """A decoder of names or of values that counts their bytes."""

    def __init__(self, max_field_size: int, max_text_size: int) -> None:
        self._max_field_size = max_field_size
        self._left = max_text_size

    def decode(self, data: bytes | bytearray, start: int, end: int) -> str:
        """Return the decoded text between two positions. Raises `LimitError`."""
        room = min(self._max_field_size, self._left)
        found: bytes | bytearray | memoryview = memoryview(data)[start:end]
        if data.find(b"%", start, end) >= 0:
            found = join_blocks(data, start, end, room)
        elif data.find(b"+", start, end) >= 0:
            found = bytes(found).translate(SPACES)
        if len(found) > room:
            raise LimitError("Too much text in the fields")
        self._left -= len(found)
        return str(found, "utf-8", "replace")


def join_blocks(data: bytes | bytearray, start: int, end: int, room: int) -> bytearray:
    """Decode block by block, until the result exceeds the limit."""
    found = bytearray()
    for block in cut_blocks(data, start, end):
        found += decode_block(block.translate(SPACES))
        if len(found) > room:
            break
    return found


def is_utf8(data: bytes | bytearray) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
