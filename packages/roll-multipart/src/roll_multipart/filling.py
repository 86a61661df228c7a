"""What fills a form and files from the calls of the parser."""

import sys
from collections.abc import Callable
from typing import Any

from .errors import LimitError, MultipartError
from .files import FileFactory, Target
from .headers import Part, get_boundary
from .limits import DEFAULTS, Limits
from .multidict import Files, Form
from .parser import PushParser

__all__ = ["DEFAULTS", "Filler", "get_boundary"]


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
        self._max_field_size = limits.max_field_size
        self._text_left = limits.max_text_size
        self._file: Target | None = None
        self._memory_left = limits.files_memory
        self._temporary_left = limits.max_temporary_files
        # Where the data of this part go, and how many bytes may go there before `_overflow`.
        self._write: Callable[[bytes | memoryview], object] = self._text.extend
        self._room = 0
        self._size = 0

    def part_begin(self, part: Part) -> None:
        self._name = part.name
        if part.content_type:
            refuse_nested(part)
        if part.filename is None:
            self._write = self._text.extend
            self._room = min(self._max_field_size, self._text_left)
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
        if self._failure is None:
            self._die(MultipartError("The parsing was aborted"))
        try:
            if self._file is not None:
                self._file.close()  # which may have to write what is left, to a full disk
        finally:
            self.files.close()

    def _whole_part(self, part: Part, data: bytes | memoryview) -> None:
        self._name = part.name
        if not part.content_type and part.filename is None and len(data) <= self._max_field_size:
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

    def _end_file(self, file: Any) -> None:
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


def refuse_nested(part: Part) -> None:
    """Refuse a part that has parts: nobody would look for them in its content (RFC 7578 4.3)."""
    kind = part.content_type[: len("multipart/")].lower()
    if kind == "multipart/":
        raise MultipartError(f"A form has no nested parts: {part.content_type.partition(';')[0]}")
