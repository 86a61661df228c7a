"""`static`: the files of a folder."""

from __future__ import annotations

import asyncio
import errno
import mimetypes
import os
import time
from email.utils import formatdate
from http import HTTPStatus
from io import BufferedReader, FileIO
from pathlib import Path
from stat import S_ISREG
from typing import Any, Final, Self

from roll_http import FileBody, HttpError

from ..application import Roll
from ..conditions import Unsatisfiable, asked_range, not_modified, precondition_failed
from ..errors import set_fields
from ..settings import advise_on_extras, check_flag
from .checks import check_folder, check_reading, check_text
from .places import check_index, locate

__all__ = ["static"]

WHOLE: Final = 256 * 1024
"""A file of that many bytes is read and sent whole."""

# Two uses without a name may share it, as long as no URL is asked for by it.
DEFAULT_NAME: Final = "static"

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


def static(
    app: Roll,
    prefix: str = "/static/",
    root: Path | str = Path(),
    default_index: str = "",
    name: str = DEFAULT_NAME,
    *,
    dotfiles: bool = False,
    **extras: Any,
) -> None:
    """Serve the files below `root` at `prefix`, from startup on.

    A directory is answered with its `default_index`, if one is given; what lies outside of
    `root`, links followed, with 400; what is no file, or may not be read, with 404. A file has one
    path: `a.txt/`, `css//a.txt`, `./a.txt` and `css/../a.txt` are no files. Without `dotfiles`,
    nor is what has a name that begins with a dot, such as `.env` or `.git/config`, in its path or
    where the links of the path lead; `.well-known` (RFC 8615) is always served. Preconditions and
    single ranges are understood (RFC 9110 13 and 14). Extras are given to the route. The startup
    raises a `ValueError` if `root` is no folder, or may not be entered.

    Raises:
        ValueError: an option is of another kind, the prefix does not begin with a "/", or the
            extras make a route that no file is read by.
    """
    check_folder("root", root)
    check_text("name", name, DEFAULT_NAME)
    check_flag("dotfiles", dotfiles)
    if default_index:
        check_text("default_index", default_index, "index.html")
        check_index(default_index, dotfiles)
    advise_on_extras(extras, ("dotfiles", "default_index", "prefix", "root"))
    folder = Path(root).resolve()
    if name != DEFAULT_NAME:
        extras["name"] = name
    # What is wrong with prefix and extras is told here, not at startup.
    check_text("prefix", "/" if prefix == "" else prefix, "/static/")
    group = app.group(prefix.rstrip("/"), **extras)
    check_reading(extras)

    async def serve(request: Any, response: Any, path: str) -> None:
        def look_and_answer() -> None:
            with find(folder, path, default_index, dotfiles) as file:
                answer(file, request, response)

        # All at once: for a small file, going to a thread is most of the cost.
        await asyncio.to_thread(look_and_answer)

    serve.__name__ = name

    def register() -> None:
        check_root(folder)
        group.route("/{path:any}")(serve)

    app.at_startup(register)


def check_root(folder: Path) -> None:
    """Check that files of a folder can be opened.

    Raises:
        ValueError: there is none, or it may not be entered.
    """
    try:
        os.stat(f"{folder}/.")  # noqa: PTH116 - a `Path` drops the dot, which is what is looked up
    except OSError as error:
        raise ValueError(
            f"The root {str(folder)!r} of `static` cannot be served: {error.strerror}"
        ) from error


class StaticFile:
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
        self._content = content
        self._handed_over = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        if not self._handed_over:
            self._content.close()

    @property
    def headers(self) -> dict[str, str]:
        return {
            "Content-Type": content_type(self.path),
            # Never later than the response itself (RFC 9110 8.8.2.1).
            "Last-Modified": formatdate(min(self.modified, time.time()), usegmt=True),
            "ETag": self.etag,
            "Accept-Ranges": "bytes",
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


def find(folder: Path, path: str, default_index: str, dotfiles: bool) -> StaticFile:
    """Open a file.

    Raises:
        HttpError: 400 when it is outside of `folder`, 404 when it is no file, hidden, or not
            readable.
        OSError: it can't be opened now.
    """
    try:
        place = locate(folder, path, default_index, dotfiles)
        content = FileIO(place, opener=open_at_once)
    except (OSError, RuntimeError, ValueError) as error:  # a circle of links, a NUL in a name
        if isinstance(error, OSError) and error.errno not in ABSENT:
            raise
        raise HttpError(HTTPStatus.NOT_FOUND, path) from None
    # Only what is open is sure to be what is sent: another may take its place at any time.
    status = os.fstat(content.fileno())
    if not S_ISREG(status.st_mode):
        content.close()
        raise HttpError(HTTPStatus.NOT_FOUND, path)
    return StaticFile(place, content, status)


def open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | UNWAITING)


def content_type(path: Path) -> str:
    # The dot keeps a name such as `data:text/html,.png` from being read as a URL.
    kind, encoding = mimetypes.guess_type(f"./{path.name}")
    if encoding is not None:
        return COMPRESSED.get(encoding, "application/octet-stream")
    return kind or "application/octet-stream"


def answer(file: StaticFile, request: Any, response: Any) -> None:
    """Set `response`; its headers when nothing can fail any more, as no error is to have them."""
    status, part = decide(file, request)
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


def decide(file: StaticFile, request: Any) -> tuple[HTTPStatus, tuple[int, int] | None]:
    """Return a status, and which part of the file it is for, if any.

    The conditions are looked at in the order of RFC 9110 13.2.2.
    """
    headers, version = request.headers, (file.etag, file.modified)
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
