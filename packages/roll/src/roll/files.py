"""Files as responses: open ones, with their validators, in whole or in part (RFC 9110 13, 14)."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from io import BufferedReader, FileIO
from pathlib import Path
from stat import S_ISREG
from typing import Any, Final, Self

from roll_http import FileBody, HttpError
from roll_http.h1.dates import format_date

from .conditions import Unsatisfiable, asked_range, not_modified, precondition_failed
from .errors import set_fields
from .fields import names_of, vary_on
from .late import unsettled
from .places import locate

__all__ = [
    "WHOLE",
    "FileAnswer",
    "OpenFile",
    "answer",
    "content_type",
    "find",
    "open_file",
    "send",
]

WHOLE: Final = 256 * 1024
"""A file of that many bytes is read and sent whole."""

# How a file that is compressed already is to be called, rather than what is in it.
COMPRESSED: Final = {
    "gzip": "application/gzip",
    "bzip2": "application/x-bzip2",
    "xz": "application/x-xz",
    "compress": "application/x-compress",
    "br": "application/x-brotli",
}

ABSENT: Final = frozenset(
    {
        errno.ENOENT,
        errno.ENOTDIR,
        errno.EISDIR,
        errno.EACCES,  # that there is something is nobody's business either
        errno.EPERM,
        errno.ELOOP,
        errno.ENAMETOOLONG,
        errno.EINVAL,  # a name that the system does not allow
        errno.ENXIO,  # a socket
        errno.ENODEV,
    }
)
"""What opening fails with where there is no file to be served."""

# A FIFO would be waited for until somebody writes into it.
UNWAITING: Final[int] = getattr(os, "O_NONBLOCK", 0)


class OpenFile:
    """An open file, and what it is told by: that of the very version which is open.

    A context manager, at whose end it is closed, unless it is a response's by then.
    """

    def __init__(self, path: Path, content: FileIO, status: os.stat_result) -> None:
        self.path = path
        self.size = status.st_size
        """In bytes."""
        self.modified = status.st_mtime
        """In seconds since the epoch."""
        self.etag = f'"{status.st_mtime_ns:x}-{status.st_size:x}"'
        self.fields: dict[str, str] = {}
        """What else is said of it, in place of the fields that all files have."""
        self.varies: list[str] = []
        """The fields of a request that may get it another file."""
        self._content = content
        self._handed_over = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file, unless a response has it."""
        if not self._handed_over:
            self._content.close()

    @property
    def headers(self) -> dict[str, str]:
        return {
            "Content-Type": content_type(self.path),
            # Never later than the response itself (RFC 9110 8.8.2.1).
            "Last-Modified": format_date(min(self.modified, time.time())),
            "ETag": self.etag,
            "Accept-Ranges": "bytes",
            **self.fields,
        }

    def body(self, start: int, length: int) -> bytes | FileBody:
        """Return a part of it, to be asked for once.

        Raises:
            EOFError: the file was cut meanwhile, and is no longer the version that was told of.
        """
        if length > WHOLE:
            self._handed_over = True
            return FileBody(self._content, start, length)
        with BufferedReader(self._content) as content:
            content.seek(start)
            data = content.read(length)
        if len(data) < length:
            raise EOFError(f"{self.path} was cut while it was read")
        return data


def find(folder: Path, path: str, default_index: str, dotfiles: bool) -> OpenFile:
    """Open a file below a folder.

    Raises:
        HttpError: 400 when it is outside of `folder`, 404 when it is no file, hidden, or not
            readable.
        OSError: it can't be opened now.
    """
    with absence_told(path):
        return open_file(locate(folder, path, default_index, dotfiles), path)


def open_file(place: str | os.PathLike[str], shown: str) -> OpenFile:
    """Open a file; an error shows the path `shown`.

    Raises:
        HttpError: 404 when it is no file, or not readable.
        OSError: it can't be opened now.
    """
    with absence_told(shown):
        # As text: the slash at its end, which a `Path` drops, names a folder.
        content = FileIO(os.fspath(place), opener=open_at_once)
    # Only what is open is sure to be what is sent: another may take its place at any time.
    status = os.fstat(content.fileno())
    if not S_ISREG(status.st_mode):
        content.close()
        raise HttpError(HTTPStatus.NOT_FOUND, shown)
    return OpenFile(Path(place), content, status)


@contextmanager
def absence_told(shown: str) -> Iterator[None]:
    """Raise an `HttpError` 404 in place of what a system raises where there is no file."""
    try:
        yield
    except (OSError, RuntimeError, ValueError) as error:  # a circle of links, a NUL in a name
        if isinstance(error, OSError) and error.errno not in ABSENT:
            raise
        raise HttpError(HTTPStatus.NOT_FOUND, shown) from None


def open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | UNWAITING)


def content_type(path: Path) -> str:
    import mimetypes  # noqa: PLC0415 - 0.3 ms of everyone's start

    # The dot keeps a name such as `data:text/html,.png` from being read as a URL.
    kind, encoding = mimetypes.guess_type(f"./{path.name}")
    if encoding is not None:
        return COMPRESSED.get(encoding, "application/octet-stream")
    return kind or "application/octet-stream"


class FileAnswer:
    """What a file has made of a response, until its listeners have run.

    One that replaces the body sends another content: what was said of the file would be wrong.
    """

    def __init__(self, response: Any, fields: dict[str, Any]) -> None:
        self._body = response.body
        self._fields = fields

    def take_back(self, response: Any, typed: bool) -> None:
        """Take back what was said of the file, where the body is another one by now.

        The type as well if the new body is `typed`, as a file is; a text may only be changed.
        """
        if response.body is self._body:
            return
        for name, value in self._fields.items():
            taken_back = typed or name != "Content-Type"
            if taken_back and response.headers.get(name) is value:
                del response.headers[name]
        partial = response.status is HTTPStatus.PARTIAL_CONTENT
        if partial and "content-range" not in names_of(response.headers):
            response.status = HTTPStatus.OK


def answer(file: OpenFile, request: Any, response: Any) -> None:
    """Set `response` to what the request asks of a file: all of it, a part, or none."""
    status, part = decide(file, request)
    send(file, request, response, status, part)


def send(
    file: OpenFile, request: Any, response: Any, status: HTTPStatus, part: tuple[int, int] | None
) -> None:
    """Set `response`; its headers when nothing can fail any more, as no error is to have them."""
    headers: dict[str, Any] = file.headers
    if part is not None:
        start, end = part
        if status is HTTPStatus.PARTIAL_CONTENT:
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{file.size}"
        if request.method == "HEAD" or end - start > WHOLE:
            headers["Content-Length"] = end - start
        if request.method != "HEAD":
            response.body = file.body(start, end - start)
    elif status is HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        headers["Content-Range"] = f"bytes */{file.size}"
    response.status = status
    set_fields(response.headers, headers)
    if part is not None:
        unsettled(request).file = FileAnswer(response, headers)
    for name in file.varies:
        vary_on(response.headers, name)


def decide(file: OpenFile, request: Any) -> tuple[HTTPStatus, tuple[int, int] | None]:
    """Return a status, and which part of the file it is for, if any.

    The conditions are looked at in the order of RFC 9110 13.2.2; another method than GET and HEAD
    has acted, and asks for nothing.
    """
    headers, version = request.headers, (file.etag, file.modified)
    if request.method not in {"GET", "HEAD"}:
        return HTTPStatus.OK, (0, file.size)
    if precondition_failed(headers, *version):
        return HTTPStatus.PRECONDITION_FAILED, None
    if not_modified(headers, *version):
        return HTTPStatus.NOT_MODIFIED, None
    if request.method != "GET":  # of which alone there are ranges (RFC 9110 14.2)
        return HTTPStatus.OK, (0, file.size)
    try:
        asked = asked_range(headers, file.size, *version, now=time.time())
    except Unsatisfiable:
        return HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, None
    return (HTTPStatus.PARTIAL_CONTENT, asked) if asked else (HTTPStatus.OK, (0, file.size))
