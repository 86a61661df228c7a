"""A multipart body into a form and files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from .errors import MultipartError
from .files import SpooledFile
from .multidict import Files, Form

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from .files import FileFactory
    from .filling import Filler
    from .limits import Limits

__all__ = ["Multipart"]

UNINITIALIZED = "Not initialized with a content type"


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
        self._limits = make_limits(limits) if limits else None
        self._filler: Filler | None = None

    def initialize(self, content_type: str) -> tuple[Form, Files]:
        """Make the form and the files that `feed_data` fills.

        Raises `MultipartError` if the type is not multipart/form-data with a sound boundary.
        """
        # Here, for a third of the package's time to load: few processes ever see such a body.
        from .filling import DEFAULTS, Filler, get_boundary  # noqa: PLC0415

        boundary = get_boundary(content_type)
        form, files = self._form(), self._files()
        limits = self._limits or DEFAULTS
        self._filler = Filler(boundary, limits, form, files, self._file_factory)
        return form, files

    def feed_data(self, data: bytes) -> None:
        """Take the next chunk of the body. Raises `MultipartError`, having closed the files."""
        if self._filler is None:
            raise MultipartError(UNINITIALIZED)
        try:
            self._filler.feed(data)
        except BaseException as error:
            self._abort_for(error)
            raise

    def close(self) -> None:
        """Say that the body has ended. Raises `MultipartError`, having closed the files."""
        if self._filler is None:
            raise MultipartError(UNINITIALIZED)
        try:
            self._filler.close()
        except BaseException as error:
            self._abort_for(error)
            raise

    def abort(self) -> None:
        """Give up: close all files, the unfinished one too."""
        if self._filler is not None:
            self._filler.abort()

    def _abort_for(self, error: BaseException) -> None:
        """Give up because of an error, which counts more than that of a file on a full disk."""
        try:
            self.abort()
        except Exception as failure:  # noqa: BLE001 - whatever a file of somebody else's raises
            error.add_note(f"A file could not be closed: {failure!r}")

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
            self._abort_for(error)


def make_limits(limits: dict[str, int]) -> Limits:
    from .limits import Limits  # noqa: PLC0415 - as above

    return Limits(**limits)
