"""Parsing of both kinds of forms: multipart/form-data and urlencoded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from .async_sources import AsyncSource, read_chunks_async
from .checks import check_made, to_bytes
from .errors import LimitError, MultipartError
from .fields import parse_value
from .files import FileFactory, Files, Progress, SpooledFile
from .headers import FORM_DATA
from .limits import Limits, make_limits
from .multidict import Multidict
from .multipart import Multipart
from .query import Form
from .sources import Source, read_chunks
from .urlencoded import fill

__all__ = ["parse_form", "parse_form_async"]

URLENCODED: Final = "application/x-www-form-urlencoded"
# How much longer encoded text may be: `%XX` is three bytes for one, and names count as well.
EXPANSION: Final = 4


def parse_form(
    content_type: str,
    body: Source,
    *,
    form: Callable[[], Form] = Form,
    files: Callable[[], Files] = Files,
    file_factory: FileFactory = SpooledFile,
    progress: Progress | None = None,
    **limits: int | None,
) -> tuple[Form, Files]:
    """Parse the body of a form of either kind, and return its fields and its files.

    Close the files when you are done. `body` is bytes, a file, an iterable of bytes, or a WSGI
    environ. The other arguments are those of `Multipart`. `max_parts` also limits the fields of an
    urlencoded body. Raises `MultipartError` for a malformed body and for any other content type,
    and `LimitError` beyond a limit, after closing the files.
    """
    parser = make_parser(content_type, form, files, file_factory, progress, limits)
    found = parser.initialize(content_type)
    with parser:
        for chunk in read_chunks(body):
            parser.feed_data(chunk)
    return found


async def parse_form_async(
    content_type: str,
    body: AsyncSource,
    *,
    form: Callable[[], Form] = Form,
    files: Callable[[], Files] = Files,
    file_factory: FileFactory = SpooledFile,
    progress: Progress | None = None,
    **limits: int | None,
) -> tuple[Form, Files]:
    """Parse the body of a form as `parse_form` does, from an asynchronous source.

    `body` is a request of Starlette, aiohttp or Roll, an asynchronous iterable of bytes, an object
    with an asynchronous `read`, an ASGI `receive`, or anything that `parse_form` takes.
    """
    parser = make_parser(content_type, form, files, file_factory, progress, limits)
    found = parser.initialize(content_type)
    with parser:
        async for chunk in read_chunks_async(body):
            parser.feed_data(chunk)
    return found


def make_parser(
    content_type: Any,
    form: Callable[[], Form],
    files: Callable[[], Files],
    file_factory: FileFactory,
    progress: Progress | None,
    limits: dict[str, int | None],
) -> Multipart:
    """Return the parser for the type of the body."""
    parser = Multipart(form, files, file_factory=file_factory, progress=progress, **limits)
    if not isinstance(content_type, str):
        raise MultipartError(f"A content type is text, not {type(content_type).__name__}")
    kind = parse_value(content_type)[0].lower()
    if kind == URLENCODED:
        return Urlencoded(form, files, make_limits(limits))
    if kind == FORM_DATA:
        return parser
    raise MultipartError(f"Expected {FORM_DATA} or {URLENCODED}, not {kind}")


class Urlencoded(Multipart):
    """A parser that collects an urlencoded body, and parses it at the end."""

    def __init__(
        self, form: Callable[[], Form], files: Callable[[], Files], limits: Limits
    ) -> None:
        super().__init__(form, files)
        self._bounds = limits
        self._max_size = EXPANSION * limits.max_text_size
        # A list of tiny chunks would take forty times their size.
        self._body = bytearray()

    def initialize(self, content_type: str) -> tuple[Form, Files]:
        self._fields, files = self._form(), self._files()
        check_made("form", self._fields, Multidict)
        check_made("files", files, Files)
        return self._fields, files

    def feed_data(self, data: bytes) -> None:
        self._body += to_bytes(data)
        if len(self._body) > self._max_size:
            raise LimitError("Too much text in the fields")

    def close(self) -> None:
        limits = self._bounds
        fill(
            self._fields,
            self._body,
            limits.max_parts,
            limits.max_field_size,
            limits.max_text_size,
            strict=True,
        )
