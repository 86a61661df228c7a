"""The push parser, which calls methods for what it finds, without I/O (RFC 2046, RFC 7578)."""

from typing import Any, Final

from .checks import check_flag, refuse_async, to_bytes, wrong_type
from .errors import LimitError, MultipartError
from .headers import Part, check_boundary
from .limits import DEFAULTS, Limits
from .search import SHORT
from .states import SMALL, States

__all__ = ["PushParser"]

CR: Final = ord("\r")


class PushParser(States):
    """Parse a multipart body in chunks of any size. The result does not depend on the chunks.

    Override `part_begin`, `part_data` and `part_end`. Call `feed` for each chunk, and `close` at
    the end. They raise what the three methods raise. After an error, each later call raises an
    equal error.

    The boundary is text, or the result of `get_boundary`. Each part of a form needs a name. With
    `form=False` (multipart/mixed, related, alternative), a part needs no fields at all.
    """

    def __init_subclass__(cls, **settings: Any) -> None:
        super().__init_subclass__(**settings)
        for name in ("part_begin", "part_data", "part_end"):
            refuse_async(name, getattr(cls, name))

    def __init__(
        self, boundary: str | bytes, limits: Limits = DEFAULTS, *, form: bool = True
    ) -> None:
        if form is not True:
            check_flag("form", form)
        if not isinstance(limits, Limits):
            raise wrong_type("limits", "Limits", limits)
        self._begin(check_boundary(boundary), limits, form=form)

    def part_begin(self, part: Part) -> None:
        """Take the head of the next part."""

    def part_data(self, data: bytes | memoryview) -> None:
        """Take the next bytes of the content. To keep them, make a copy."""

    def part_end(self) -> None:
        """End the part: its content is complete."""

    def feed(self, data: bytes) -> None:
        """Parse a chunk. It is copied if it is not `bytes`. Raises `MultipartError`."""
        try:
            if self._in_content and type(data) is bytes and data:
                # `run in data` would take twice as long: it first checks whether the run is a
                # number.
                if len(data) < SHORT and (data.find(self._run) < 0 or CR not in data):
                    end = -1
                else:
                    end = self._find(data, 0)
                if end >= 0:
                    self._parse(data, self._end_content(data, 0, end))
                elif data.rfind(b"\r\n", self._reach) < 0 and data[-1] != CR:
                    self.part_data(data)  # most chunks contain nothing that begins a delimiter
                else:
                    self._hold_back(data, 0)
            elif data := to_bytes(data):
                self._parse(self._join(data) if self._carry else data, 0)
        except BaseException as error:
            self._die(error)
            raise

    def close(self) -> None:
        """End the input.

        Raises `MultipartError` if the final boundary is missing, or if the parsing failed before.
        """
        if self._failure is not None:
            self._fail(b"", 0)
        if not self.finished:
            try:
                self._end_early()
            except MultipartError as error:
                self._die(error)
                raise

    @property
    def finished(self) -> bool:
        """Whether the final boundary was found. What follows it is skipped."""
        return self._state is PushParser._skip_epilogue

    def _die(self, error: BaseException) -> None:
        """Store the type and the message of an error, to raise an equal one later.

        The error itself is not stored: its traceback refers to the parser and the chunk. This
        reference cycle would stay in memory until the garbage collector runs.
        """
        if isinstance(error, MultipartError):
            kind = LimitError if isinstance(error, LimitError) else MultipartError
            self._failure = kind, error.message
        else:
            self._failure = MultipartError, f"The parsing failed before: {error!r}"
        self._in_content = False
        self._carry = b""
        self._state = PushParser._fail

    def _join(self, data: bytes) -> bytes:
        """Return the carried bytes and the chunk. A long chunk is not copied."""
        carry, self._carry = self._carry, b""
        if (
            self._state is PushParser._read_data
            and len(data) >= SMALL
            and not data.startswith(self._delimiter[len(carry) :])
        ):
            self.part_data(carry)
            return data
        return carry + data
