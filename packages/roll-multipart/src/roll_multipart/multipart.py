"""`Multipart` fills a form and files from a multipart body."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from .checks import check_callable
from .errors import MultipartError
from .files import FileFactory, Files, Progress, SpooledFile
from .query import Form

if TYPE_CHECKING:
    from .filling import Filler
    from .limits import Limits

__all__ = ["Multipart"]

UNINITIALIZED = "Not initialized with a content type"


class Multipart:
    """Fill a `Form` and `Files` from the chunks of a multipart body.

    `form` and `files` are called without arguments. `file_factory` is called with the `Part`, and
    returns a file to write to. If this file has a `rollover` method, it is called when the file
    takes too much memory. `progress` is called with a file and its size so far, for each piece.
    Raises `TypeError` if one of them is an async function or a generator, or returns one of these.
    The limits are those of `Limits`. As a context manager, it calls `close`; after an exception,
    it closes the files instead.
    """

    def __init__(
        self,
        form: Callable[[], Form] = Form,
        files: Callable[[], Files] = Files,
        *,
        file_factory: FileFactory = SpooledFile,
        progress: Progress | None = None,
        **limits: int | None,
    ) -> None:
        if form is not Form or files is not Files:
            check_callable("form", form)
            check_callable("files", files)
        if file_factory is not SpooledFile:
            check_callable("file_factory", file_factory)
        if progress is not None:
            check_callable("progress", progress)
        self._form = form
        self._files = files
        self._file_factory = file_factory
        self._progress = progress
        self._limits = load_limits(limits) if limits else None
        self._filler: Filler | None = None

    def initialize(self, content_type: str) -> tuple[Form, Files]:
        """Return the form and the files that `feed_data` fills.

        Raises `MultipartError` if the type is not multipart/form-data with a valid boundary.
        """
        filler = (Loaded.filler or load())(
            content_type,
            self._limits,
            self._form,
            self._files,
            self._file_factory,
            self._progress,
        )
        self._filler = filler
        if type(self).feed_data is Multipart.feed_data:
            # This saves a call for each chunk: uploads in chunks of 1 KiB take a tenth less time.
            self.feed_data = filler.feed  # type: ignore[method-assign]
        return filler.form, filler.files

    def feed_data(self, data: bytes) -> None:
        """Parse the next chunk of the body. Raises `MultipartError`, after closing the files."""
        if self._filler is None:
            raise MultipartError(UNINITIALIZED)
        self._filler.feed(data)

    def close(self) -> None:
        """End the body. Raises `MultipartError`, after closing the files."""
        if self._filler is None:
            raise MultipartError(UNINITIALIZED)
        self._filler.close()

    def abort(self) -> None:
        """Stop parsing, and close all files, the incomplete one too."""
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
        elif self._filler is not None:
            self._filler.abort_for(error)


class Loaded:
    """The class that is loaded with the first body.

    Loading it takes a third of the time of the package, and many processes never parse a body. An
    `import` in a function would take 1 us each time.
    """

    filler: type[Filler] | None = None


def load() -> type[Filler]:
    from .filling import Filler  # noqa: PLC0415

    Loaded.filler = Filler
    return Filler


def load_limits(limits: dict[str, int | None]) -> Limits:
    from .limits import make_limits  # noqa: PLC0415 - as above

    return make_limits(limits)
