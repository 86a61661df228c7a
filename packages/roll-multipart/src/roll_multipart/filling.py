"""The parser that fills a form and files."""

from collections.abc import Callable
from typing import Any, Final

from .checks import check_made, refuse_async, refuse_unrun, wrong_type
from .errors import LimitError, MultipartError, NestedError
from .files import FileFactory, Files, MemoryFile, Progress, SpooledFile, Target
from .headers import Part, get_boundary
from .limits import DEFAULTS, UNLIMITED, Limits
from .multidict import Multidict
from .pairs import put
from .parser import PushParser
from .query import Form
from .states import cut
from .usual_head import USUAL_HEAD, make_part

__all__ = ["Filler"]

Write = Callable[[bytes | memoryview], object]
OWN_FILES: Final = (SpooledFile, MemoryFile)


class Filler(PushParser):
    """The parser that fills the containers and enforces their limits.

    If it fails, it closes the files.
    """

    _name = ""
    _file: Target | None = None
    # Whether the file is in memory and can move to disk.
    _spools = False
    _size = 0
    # Whether `part_data` is the method below, which counts bytes.
    _counts = True

    def __init__(
        self,
        content_type: str,
        limits: Limits | None,
        make_form: Callable[[], Form],
        make_files: Callable[[], Files],
        factory: FileFactory,
        progress: Progress | None,
    ) -> None:
        limits = limits or DEFAULTS
        self._begin(get_boundary(content_type), limits)
        form: Any = make_form()
        files: Any = make_files()
        if not (isinstance(form, Multidict) and isinstance(files, Files)):
            check_made("form", form, Multidict)
            check_made("files", files, Files)
        self.form = form
        self.files = files
        self._factory = factory if factory in OWN_FILES else checked(factory)
        self._progress = progress
        self._text = bytearray()
        self._max_field_size = limits.max_field_size
        self._text_left = limits.max_text_size
        self._memory_left = limits.files_memory
        self._temporary_left = limits.max_temporary_files
        self._files_left = limits.max_files_size
        # Takes the data of this part, and how many bytes it takes before `_overflow`.
        self._write: Write = self._text.extend
        self._room = 0

    def part_begin(self, part: Part) -> None:
        self._name = part.name
        if is_nested(part):
            kind = part.content_type.partition(";")[0]
            raise NestedError(f"A form has no nested parts: {kind}")
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
        if self._progress is not None and self._file is not None:
            told = self._progress(self._file, self._size - self._room)
            if told is not None:
                refuse_unrun("progress", told)

    def part_end(self) -> None:
        if self._file is None:
            self._text_left -= len(self._text)
            self._add(self._name, str(self._text, "utf-8", "replace"))
            self._text.clear()
        else:
            self._end_file(self._file)

    def abort(self) -> None:
        """Stop parsing, and close all files."""
        if self._failure is None:
            super()._die(MultipartError("The parsing was aborted"))
        try:
            if self._file is not None:
                self._file.close()  # closing may write the rest of the file, to a full disk
        finally:
            self.files.close()

    def _die(self, error: BaseException) -> None:
        super()._die(error)
        self.abort_for(error)

    def abort_for(self, error: BaseException) -> None:
        """Stop because of an error. If closing a file fails as well, this error is raised."""
        try:
            self.abort()
        except Exception as failure:  # noqa: BLE001 - whatever a file of somebody else's raises
            error.add_note(f"A file could not be closed: {failure!r}")

    def _after_delimiter(self, data: bytes, position: int) -> int:
        """Take the parts that are complete in the data, without the events of the parser.

        This makes the parsing of forms a third faster.
        """
        size = len(self._delimiter)
        while match := USUAL_HEAD.match(data, position):
            start = match.end()
            if start - position > self._usual_size or self._parts >= self.limits.max_parts:
                return super()._after_delimiter(data, position)
            end = self._find_end(data, start)
            head = data[position + 2 : start - 4]
            if match.lastindex != 1:  # the part has a filename or a Content-Type
                part = make_part(match, head)
                if end < 0 or not self._add_whole_file(part, data, start, end):
                    return self._deliver(part, data, start, end)
            elif end < 0 or not self._add_short_field(match[1], data[start:end]):
                return self._deliver(make_part(match, head), data, start, end)
            position = end + size
        return self._read_boundary_line(data, position)

    def _add_short_field(self, name: bytes, content: bytes) -> bool:
        """Add a text field. Return False if a limit or malformed text requires the slow way."""
        left = self._text_left - len(content)
        if len(content) > self._max_field_size or left < 0:
            return False
        try:
            self._add(name.decode(), content.decode())
        except UnicodeDecodeError:
            return False
        self._text_left = left
        self._parts += 1
        return True

    def _add_whole_file(self, part: Part, data: bytes, start: int, end: int) -> bool:
        """Add a file that fits in memory. Return False for any other."""
        size = max(end - start, 0)
        if size > self._memory_left or size > self.limits.file_memory or size > self._files_left:
            return False
        if part.filename is None or self._progress is not None or is_nested(part):
            return False
        self._file = file = self._factory(part)
        if size:
            file.write(cut(data, start, end))
            file.seek(0)
        if hasattr(file, "rollover"):
            self._memory_left -= size
        if self._files_left != UNLIMITED:
            self._files_left -= size
        self._parts += 1
        put(self.files, part.name, []).append(file)
        self._file = None
        return True

    def _add(self, name: str, text: str) -> None:
        put(self.form, name, []).append(text)

    def _begin_file(self, part: Part) -> None:
        self._file = file = self._factory(part)
        self._spools = hasattr(file, "rollover")
        self._write = file.write
        if self._spools:
            limits = self.limits
            self._size = min(limits.file_memory, self._memory_left, self._files_left)
        else:
            self._size = self._files_left
            self._count_no_more(file)
        self._room = self._size

    def _count_no_more(self, file: Target) -> None:
        """Write later data directly to the file, if its size need not be counted."""
        if self._progress is None and self._files_left == UNLIMITED:
            self.part_data = file.write  # type: ignore[method-assign, assignment]
            self._counts = False

    def _end_file(self, file: Any) -> None:
        file.seek(0)
        size = self._size - self._room
        if self._spools:
            self._memory_left -= size
        if self._files_left != UNLIMITED:
            self._files_left -= size
        put(self.files, self._name, []).append(file)
        self._file = None
        if not self._counts:
            self._counts = True
            del self.part_data

    def _overflow(self) -> None:
        """Handle data beyond what may be in memory, or beyond a limit."""
        if self._file is None:
            raise LimitError("Too much text in the fields")
        size = self._size - self._room
        if size > self._files_left:
            raise LimitError("Too much in the files")
        self._roll_over(self._file)
        self._size = self._files_left
        self._room = self._size - size

    def _roll_over(self, file: Any) -> None:
        self._temporary_left -= 1
        if self._temporary_left < 0:
            raise LimitError("Too many large files")
        file.rollover()
        self._spools = False
        self._write = file.write
        self._count_no_more(file)


def checked(factory: FileFactory) -> FileFactory:
    """Return a factory that raises `TypeError` if the given one does not return a file."""

    def make(part: Part) -> Target:
        try:
            file = factory(part)
        except TypeError as error:
            error.add_note("A file_factory is called with the Part")
            raise
        if not all(hasattr(file, name) for name in ("write", "seek", "close")):
            refuse_unrun("file_factory", file)
            raise wrong_type("What file_factory returns", "a file to write to", file)
        for name in ("write", "seek", "close", "rollover"):
            refuse_async(f"The {name} of a file of file_factory", getattr(file, name, None))
        return file

    return make


def is_nested(part: Part) -> bool:
    """Return whether a part has parts itself, which RFC 7578 4.3 does not allow."""
    return part.content_type[: len("multipart/")].lower() == "multipart/"
