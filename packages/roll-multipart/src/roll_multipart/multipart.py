"""A multipart body into a form and files."""

import sys
from collections.abc import Callable
from types import TracebackType
from typing import Self

from .errors import LimitError, MultipartError
from .files import SpooledFile, UploadedFile
from .headers import Part, get_boundary
from .limits import DEFAULTS, Limits
from .multidict import Files, Form
from .parser import PushParser

__all__ = ["Multipart"]

UNINITIALIZED = "Not initialized with a content type"

FileFactory = Callable[[Part], UploadedFile]


class Multipart:
    """Fill a `Form` and `Files` from a multipart body that comes in chunks.

    `form` and `files` are called without arguments, `file_factory` with the `Part`, for a file to
    write to; if that has a `rollover` method, it is called when the file takes too much memory.
    The limits are those of `Limits`. As a context manager it closes itself at the end, and when
    something went wrong the files too.
    """

    def __init__(
        self,
        form: Callable[[], Form] = Form,
        files: Callable[[], Files] = Files,
        *,
        file_factory: FileFactory = SpooledFile,
        **limits: int,
    ) -> None:
        self._form = form
        self._files = files
        self._file_factory = file_factory
        self._limits = Limits(**limits) if limits else DEFAULTS
        self._filler: Filler | None = None

    def initialize(self, content_type: str) -> tuple[Form, Files]:
        """Make the form and the files that `feed_data` fills.

        Raises `MultipartError` if the type is not multipart/form-data with a sound boundary.
        """
        boundary = get_boundary(content_type)
        form, files = self._form(), self._files()
        self._filler = Filler(boundary, self._limits, form, files, self._file_factory)
        return form, files

    def feed_data(self, data: bytes) -> None:
        """Take the next chunk of the body. Raises `MultipartError`, having closed the files."""
        if self._filler is None:
            raise MultipartError(UNINITIALIZED)
        try:
            self._filler.feed(data)
        except BaseException:
            self.abort()
            raise

    def close(self) -> None:
        """Say that the body has ended. Raises `MultipartError`, having closed the files."""
        if self._filler is None:
            raise MultipartError(UNINITIALIZED)
        try:
            self._filler.close()
        except BaseException:
            self.abort()
            raise

    def abort(self) -> None:
        """Give up: close all files, the unfinished one too."""
        if self._filler is not None:
            self._filler.abort()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.close()
        else:
            self.abort()


class Filler(PushParser):
    """The parser that fills the containers and keeps the limits on what they hold."""

    def __init__(
        self, boundary: bytes, limits: Limits, form: Form, files: Files, factory: FileFactory
    ) -> None:
        super().__init__(boundary, limits)
        self.form = form
        self.files = files
        self._factory = factory
        self._name = ""
        self._text = bytearray()
        self._text_left = limits.max_text_size
        self._file: UploadedFile | None = None
        self._memory_left = limits.files_memory
        self._temporary_left = limits.max_temporary_files
        # Where the data of this part go, and how many bytes may go there before `_overflow`.
        self._write: Callable[[bytes | memoryview], object] = self._text.extend
        self._room = 0
        self._size = 0

    def part_begin(self, part: Part) -> None:
        self._name = part.name
        if part.filename is None:
            self._write = self._text.extend
            self._room = min(self.limits.max_field_size, self._text_left)
        else:
            self._begin_file(part)

    def part_data(self, data: bytes | memoryview) -> None:
        self._room -= len(data)
        if self._room < 0:
            self._overflow()
        self._write(data)

    def part_end(self) -> None:
        if self._file is None:
            self._add_text(self._text)
            self._text.clear()
        else:
            self._end_file(self._file)

    def abort(self) -> None:
        """Close all files, and parse no more."""
        self._die(self._error or MultipartError("The parsing was aborted"))
        if self._file is not None:
            self._file.close()
        self.files.close()

    def _whole_part(self, part: Part, data: bytes | memoryview) -> None:
        self._name = part.name
        if part.filename is None and len(data) <= self.limits.max_field_size:
            self._add_text(data)
        else:
            self.part_begin(part)
            self.part_data(data)
            self.part_end()

    def _add_text(self, data: bytes | bytearray | memoryview) -> None:
        self._text_left -= len(data)
        if self._text_left < 0:
            self._overflow()
        self.form.setdefault(self._name, []).append(str(data, "utf-8", "replace"))

    def _begin_file(self, part: Part) -> None:
        self._file = file = self._factory(part)
        self._write = file.write
        limit, left = self.limits.file_memory, self._memory_left
        self._size = min(limit, left)
        self._room = self._size if hasattr(file, "rollover") else sys.maxsize

    def _end_file(self, file: UploadedFile) -> None:
        file.seek(0)
        self.files.setdefault(self._name, []).append(file)
        self._file = None
        if self._room <= self._size:
            self._memory_left -= self._size - self._room
        else:  # it is on disk, or of a kind that never will be
            self.__dict__.pop("part_data", None)

    def _overflow(self) -> None:
        """The data of the part are more than what may lie in memory."""
        if self._file is None:
            raise LimitError("Too much text in the fields")
        self._temporary_left -= 1
        if self._temporary_left < 0:
            raise LimitError("Too many large files")
        self._file.rollover()  # type: ignore[attr-defined]
        self._write = self._file.write
        self._room = sys.maxsize
        # From here on nothing is counted: what comes goes straight to the file.
        self.part_data = self._write  # type: ignore[method-assign, assignment]
