"""Files as responses, complete or in part, with validators (RFC 9110 13, 14)."""

from __future__ import annotations

import errno
import os
import time
from http import HTTPStatus
from io import BufferedReader, FileIO
from pathlib import Path
from stat import S_ISREG
from typing import Any, Final, Self

from roll_http import FileBody, HttpError
from roll_http.h1.dates import format_date

from .conditional import OF_THE_BODY
from .conditions import Unsatisfiable, asked_range, not_modified, precondition_failed
from .dates import FIRST
from .errors import drop, forget_lifetime, set_fields
from .fields import names_of, vary_on
from .late import unsettled
from .places import locate

__all__ = [
    "WHOLE",
    "FileAnswer",
    "FoundFile",
    "OpenFile",
    "answer",
    "content_type",
    "find",
    "open_file",
]

WHOLE: Final = 256 * 1024
"""The greatest size in bytes of a file (or part) that is read and sent at once."""

# The media types of compressed files: the compression decides, not the content.
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
        errno.EACCES,  # do not tell clients that the file exists
        errno.EPERM,
        errno.ELOOP,
        errno.ENAMETOOLONG,
        errno.EINVAL,  # a name that the system does not allow
        errno.ENXIO,  # a socket
        errno.ENODEV,
    }
)
"""The errors of `open` that mean 404: there is no file to serve."""

REFUSED: Final = (HTTPStatus.PRECONDITION_FAILED, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
"""The errors about the conditions and the range of a request."""

OF_ERRORS: Final = ("Last-Modified", "ETag", "Accept-Ranges")
"""The fields of a file that these errors have: caches must not keep them as they keep the file."""

# RuntimeError: links in a circle. ValueError: a NUL in a name.
MISSING: Final = (OSError, RuntimeError, ValueError)

# Without this flag, opening a FIFO would wait until a process writes into it.
UNWAITING: Final[int] = getattr(os, "O_NONBLOCK", 0)


class OpenFile:
    """An open file with its validators (ETag, Last-Modified), which belong to the open version.

    It is a context manager, which closes the file at the end unless a response has taken it.
    """

    def __init__(self, path: Path, content: FileIO, status: os.stat_result) -> None:
        self.path = path
        self.size = status.st_size
        """The size in bytes."""
        self.modified = status.st_mtime
        """The time of the last change, in seconds since the epoch."""
        self.etag = f'"{status.st_mtime_ns:x}-{status.st_size:x}"'
        self.fields: dict[str, str] = {}
        """Further header fields, which override those that all files have."""
        self.varies: list[str] = []
        """The names of the request fields on which the choice of the file depends."""
        self._content = content
        self._handed_over = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file, unless a response has taken it."""
        if not self._handed_over:
            self._content.close()

    @property
    def headers(self) -> dict[str, str]:
        return {
            "Content-Type": content_type(self.path),
            # Never later than the response itself (RFC 9110 8.8.2.1).
            "Last-Modified": format_date(max(FIRST, min(self.modified, time.time()))),
            "ETag": self.etag,
            "Accept-Ranges": "bytes",
            **self.fields,
        }

    def body(self, start: int, length: int) -> bytes | FileBody:
        """Return `length` bytes from `start`, or a body that streams them; call it only once.

        Raises:
            EOFError: the file was truncated meanwhile, so its validators are wrong.
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
        HttpError: 400 if the path is outside of `folder`, 404 if it is not a file, hidden, or
            not readable.
        OSError: the file cannot be opened now.
    """
    try:
        return open_file(locate(folder, path, default_index, dotfiles), path)
    except MISSING as error:
        raise error_for(error, path) from None


def open_file(place: str | os.PathLike[str], shown: str) -> OpenFile:
    """Open a file; an error shows the path `shown`.

    Raises:
        HttpError: 404 if the path is not a file, or not readable.
        OSError: the file cannot be opened now.
    """
    try:
        # Open the path as text: a final slash means a folder, and a `Path` drops it.
        content = FileIO(os.fspath(place), opener=open_at_once)
    except MISSING as error:
        raise error_for(error, shown) from None
    # Check the open file, not its path: another file can replace it at any time.
    status = os.fstat(content.fileno())
    if not S_ISREG(status.st_mode):
        content.close()
        raise HttpError(HTTPStatus.NOT_FOUND, shown)
    return OpenFile(Path(place), content, status)


def error_for(error: Exception, shown: str) -> Exception:
    """Return the `HttpError` 404 for a file that is missing; any other error is returned itself.

    A context manager of `contextlib` would keep the error in its frame, which the error refers to:
    such a cycle keeps the request in memory until the next garbage collection.
    """
    if isinstance(error, OSError) and error.errno not in ABSENT:
        return error
    return HttpError(HTTPStatus.NOT_FOUND, shown)


def open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | UNWAITING)


def content_type(path: Path) -> str:
    import mimetypes  # noqa: PLC0415 - the import takes 0.3 ms

    # With the dot, `mimetypes` does not read a name such as `data:text/html,.png` as a URL.
    kind, encoding = mimetypes.guess_type(f"./{path.name}")
    if encoding is not None:
        return COMPRESSED.get(encoding, "application/octet-stream")
    return kind or "application/octet-stream"


class FileAnswer:
    """The header fields that a file added to a response, kept until the listeners have run.

    If a listener replaces the body, the fields that describe the file must go.
    """

    def __init__(self, response: Any, fields: dict[str, Any]) -> None:
        self._body = response.body
        self._fields = fields

    def take_back(self, response: Any, typed: bool) -> None:
        """Remove the fields that describe the file if the body has been replaced.

        Remove `Content-Type` only if the new body is `typed`, which means that it sets its own
        type, as a file does. Otherwise the new body is probably a changed version of the file.
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


class FoundFile:
    """What a file gives to a response: the status, the header fields and the body.

    A thread makes it, and the event loop sets the response: meanwhile the request may have got
    another answer, such as the 503 of its time limit. A body that no response takes closes its
    file.
    """

    __slots__ = ("body", "fields", "sends", "status", "varies")

    def __init__(
        self, file: OpenFile, request: Any, status: HTTPStatus, part: tuple[int, int] | None
    ) -> None:
        self.status = status
        self.sends = part is not None
        """Whether the response has the file, or a part of it."""
        self.body: bytes | FileBody | None = None
        self.fields = fields_of(file, status, part)
        self.varies = file.varies
        if part is not None:
            start, end = part
            if request.method == "HEAD" or end - start > WHOLE:
                self.fields["Content-Length"] = end - start
            if request.method != "HEAD":
                self.body = file.body(start, end - start)

    def set(self, request: Any, response: Any) -> None:
        """Set a response; call it only once."""
        headers = response.headers
        if self.status in REFUSED:
            drop(headers, OF_THE_BODY)
            forget_lifetime(headers)
        if self.body is not None:
            # Keep no reference: the thread may still have this object when the response is freed.
            response.body, self.body = self.body, None
        response.status = self.status
        set_fields(headers, self.fields)
        if self.sends:
            unsettled(request).file = FileAnswer(response, self.fields)
        for name in self.varies:
            vary_on(headers, name)


def fields_of(file: OpenFile, status: HTTPStatus, part: tuple[int, int] | None) -> dict[str, Any]:
    headers: dict[str, Any] = file.headers
    if status in REFUSED:
        headers = {name: headers[name] for name in OF_ERRORS}
    if part is not None and status is HTTPStatus.PARTIAL_CONTENT:
        headers["Content-Range"] = f"bytes {part[0]}-{part[1] - 1}/{file.size}"
    elif status is HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        headers["Content-Range"] = f"bytes */{file.size}"
    return headers


def answer(file: OpenFile, request: Any) -> FoundFile:
    """Return the complete file, a part of it or no content, as the request asks."""
    return FoundFile(file, request, *decide(file, request))


def decide(file: OpenFile, request: Any) -> tuple[HTTPStatus, tuple[int, int] | None]:
    """Return the status, and the start and end (exclusive) of the part to send; None for none.

    Conditions are checked in the order of RFC 9110 13.2.2. They do not apply to methods other
    than GET and HEAD, whose handler has already acted.
    """
    headers, version = request.headers, (file.etag, file.modified)
    if request.method not in {"GET", "HEAD"}:
        return HTTPStatus.OK, (0, file.size)
    if precondition_failed(headers, *version):
        return HTTPStatus.PRECONDITION_FAILED, None
    if not_modified(headers, *version):
        return HTTPStatus.NOT_MODIFIED, None
    if request.method != "GET":  # ranges apply to GET only (RFC 9110 14.2)
        return HTTPStatus.OK, (0, file.size)
    try:
        asked = asked_range(headers, file.size, *version, now=time.time())
    except Unsatisfiable:
        return HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, None
    return (HTTPStatus.PARTIAL_CONTENT, asked) if asked else (HTTPStatus.OK, (0, file.size))
