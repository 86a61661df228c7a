"""The form and the files of a request: loaded with the body, or read from it as it arrives."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from http import HTTPStatus
from itertools import chain
from typing import Any, Final

from roll_http import HttpError, Request
from roll_http.shown import shown
from roll_multipart import LimitError, MultipartError, NestedError

from .answered import run_after
from .containers import Files, Form, Multipart, filled, is_own, made_of
from .late import Late, late_of
from .media_types import MULTIPART, URLENCODED, media_type, refuse_several
from .views import ENDPOINTS

__all__ = ["MAX_STREAMED_FORM", "FormLoad", "ReadsForms"]

MAX_STREAMED_FORM: Final = 2**30
"""The greatest size in bytes that `load_form` reads if the route sets no `max_body`."""


class FormLoad:
    """The state of the reading of a form: the lock of its reader, and its failure."""

    __slots__ = ("failure", "lock")

    def __init__(self) -> None:
        self.lock: Final = asyncio.Lock()
        self.failure: tuple[HTTPStatus, Any] | None = None


class ReadsForms(Request):
    """A request that reads its form and its files, and closes the files."""

    __slots__ = ("_form", "_form_load", "_opened", "late")

    late: Late | None
    """The work that is left after the last listener of `response`; None if there is none."""

    # Slots are None at first.
    _form: Any
    _form_load: FormLoad | None
    _opened: Any
    """The parser's own files, if `uploads` is not a `Files` of Roll."""

    @property
    def _shared(self) -> tuple[str, ...]:
        # Open files, and the lock of tasks that wait for the form.
        return (*super()._shared, "late", "_form_load", "_opened")

    @property
    def uploads(self) -> Any:
        """The files of the body, closed when the request ends; None before they are read."""
        return None if self.late is None else self.late.uploads

    @uploads.setter
    def uploads(self, files: Any) -> None:
        late_of(self).uploads = files

    @property
    def form(self) -> Form:
        """The fields of a multipart or urlencoded body; empty for any other content type.

        Raises `HttpError`: 400 when the body cannot be parsed, or has several content types, 413
        when it is past a limit, 500 when it is not loaded yet.
        """
        if self._form is None:
            self._parse_form()
        form: Form = self._form
        return form

    @property
    def files(self) -> Files:
        """The files of a multipart body; large ones are on disk, until the request ends.

        Raises what `form` raises.
        """
        if self._form is None:
            self._parse_form()
        if self.uploads is None:  # not a multipart body
            self.uploads = self._class("Files", Files)()
        files: Files = self.uploads
        return files

    async def load_form(self) -> None:
        """Read `form` and `files` from the body as it arrives; store large files on disk.

        Use it in handlers with `lazy_body`: a multipart body is never in memory as a whole. It
        may have `max_body` bytes if the route sets that, else 1 GiB. Several tasks may call it at
        the same time: all get the same form, or the same error. A `headers` listener may call it
        too: the body is then not loaded again for the handler.
        Raises what `form` and `load_body` raise.
        """
        if self._form is not None:
            return
        if self._form_load is None:
            self._form_load = FormLoad()
        async with self._form_load.lock:
            if self._form is None:
                await self._load_form(self._form_load)

    # Python's warning about a missing await shows this name.
    load_form.__qualname__ = "Request.load_form"

    async def _load_form(self, load: FormLoad) -> None:
        if load.failure is not None:  # the body cannot be read again
            raise HttpError(*load.failure)
        try:
            if self._body is None and self._media_type == MULTIPART:
                await self._stream_form()
            else:
                await self.load_body()
                self._parse_form()
        except HttpError as error:
            # Keep no reference to the error: its traceback refers to this request.
            load.failure = error.status, error.message
            raise

    def _class(self, name: str, default: Any) -> Any:
        # A request that a test created may have no application.
        return default if self.app is None else getattr(self.app, name)

    @property
    def _media_type(self) -> str:
        return media_type(self.content_type)

    def _parse_form(self) -> None:
        refuse_several(self.content_type)
        kind = self._media_type
        body = self.body
        if kind == MULTIPART:
            self._read_multipart(body)
        else:
            make = Form if self.app is None else self.app.Form
            found = parse_urlencoded(body if kind == URLENCODED else b"", make)
            self._form = found if type(found) is make else made_of(found, make)

    def _read_multipart(self, body: bytes) -> None:
        try:
            parser, form, files = self._begin_multipart()
            feed_whole(parser, body)
        except ValueError as error:  # a custom parser may raise a plain ValueError
            raise unparsable("multipart", error) from error
        self._take_form(form, files)

    async def _stream_form(self) -> None:
        refuse_several(self.content_type)
        if self.max_body is None:
            self.max_body = self._limit_of_route()
        try:
            parser, form, files = self._begin_multipart()
            # Set them first, so that files on disk are closed after an error too.
            self.uploads = files
            await self._feed(parser)
        except ValueError as error:
            raise unparsable("multipart", error) from error
        self._take_form(form, files)

    def _limit_of_route(self) -> int:
        """Return the limit of the route: a `headers` listener runs before it is set."""
        payload = (self.route and self.route.payload) or {}
        endpoint = payload.get(ENDPOINTS.get(self.method or "", ""))
        settings = dict(getattr(endpoint, "settings", ()))
        limit: int = settings.get("max_body", MAX_STREAMED_FORM)
        return limit

    async def _feed(self, parser: Any) -> None:
        try:
            chunks = aiter(self)
            if self._stream is not None:
                self._stream.handed_over = True
            async for chunk in chunks:
                parser.feed_data(chunk)
            end(parser)
        except BaseException:
            abandon(parser)
            raise

    def _begin_multipart(self) -> tuple[Any, Any, Any]:
        make = self._class("Multipart", Multipart)
        form, files = self._class("Form", Form), self._class("Files", Files)
        if isinstance(make, type) and issubclass(make, Multipart):
            # It fills Roll's containers; those of other classes are filled from these.
            form, files = (form if is_own(form) else Form), (files if is_own(files) else Files)
        parser = make(form=form, files=files)
        form, files = pair_of(parser.initialize(self.content_type), make)
        return parser, form, files

    def _take_form(self, form: Any, files: Any) -> None:
        """Keep the result of a parser, in containers of the application's own classes."""
        self.uploads = files  # first, so that they are closed even if a class raises
        make_form, make_files = self._class("Form", Form), self._class("Files", Files)
        if isinstance(form, Form) and not is_own(make_form):
            form = made_of(form, make_form)
        if isinstance(files, Files) and not is_own(make_files):
            self._opened = files
            files = filled(make_files(), files)
        self._form, self.uploads = form, files

    def release(self, response: Any) -> None:
        """Close the files on disk: now, or after a streamed body was sent or its client lost."""
        # A stream of the application may still read a multipart body.
        if not self.uploads and self._media_type != MULTIPART:
            return
        if self.app is None or response.body is None or isinstance(response.body, str | bytes):
            self._close_files()
        else:
            # Do not wrap the stream in a generator: if that never starts, it closes nothing.
            run_after(self.app, self, response, self._close_files, first=True)

    def _close_files(self) -> None:
        files = self.uploads if self._opened is None else self._opened
        # A custom class without files may have no `values`.
        if not files or not hasattr(files, "values"):
            return
        # The stack closes all of them, also when one raises.
        with ExitStack() as stack:
            for file in chain.from_iterable(files.values()):
                # Files in memory need no close; Roll always left them open.
                if not getattr(file, "in_memory", True):
                    stack.callback(file.close)


def pair_of(made: Any, make: Any) -> tuple[Any, Any]:
    """Return the form and the files; raise a `TypeError` if a parser returned something else."""
    try:
        form, files = made
    except (TypeError, ValueError):
        raise TypeError(
            f"`initialize` of {shown(make)} returns the form and the files, not {shown(made)}"
        ) from None
    return form, files


def parse_urlencoded(body: bytes, make: Any) -> Form:
    # A subclass may set other limits.
    own = make if isinstance(make, type) and issubclass(make, Form) else Form
    try:
        return own.parse(body, strict=True)
    except MultipartError as error:
        raise unparsable("urlencoded", error) from error


def unparsable(kind: str, error: ValueError) -> HttpError:
    """Return a 413 for a body past a limit, and a 400 for an invalid body."""
    if isinstance(error, LimitError | NestedError):
        return HttpError(error.status, error.message)  # it tells the client what to change
    return HttpError(HTTPStatus.BAD_REQUEST, f"Unparsable {kind} body")


def feed_whole(parser: Any, body: bytes) -> None:
    try:
        parser.feed_data(body)
        end(parser)
    except BaseException:
        abandon(parser)
        raise


def abandon(parser: Any) -> None:
    """Close the file that the parser was writing, which is in no list yet."""
    if hasattr(parser, "abort"):
        parser.abort()


def end(parser: Any) -> None:
    """Tell a parser that the body has ended, if it has a `close`."""
    if hasattr(parser, "close"):
        parser.close()
