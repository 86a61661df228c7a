"""`static`: the files of a folder."""

from __future__ import annotations

import asyncio
import mimetypes
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING, Any, Final

from roll_http import FileBody, HttpError

from .conditions import Unsatisfiable, asked_range, not_modified

if TYPE_CHECKING:
    from ..application import Roll

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


def static(
    app: Roll,
    prefix: str = "/static/",
    root: Path | str = Path(),
    default_index: str = "",
    name: str = DEFAULT_NAME,
    **extras: Any,
) -> None:
    """Serve the files below `root` at `prefix`, from startup on.

    A directory is answered with its `default_index`, if one is given; what lies outside of
    `root`, links followed, with 400. Dates, tags and single ranges are understood (RFC 9110 13
    and 14). Extras are given to the route.
    """
    folder = Path(root).resolve()
    if name != DEFAULT_NAME:
        extras["name"] = name

    async def serve(request: Any, response: Any, path: str) -> None:
        def look_and_answer() -> None:
            answer(find(folder, path, default_index), request, response)

        # All at once: for a small file, going to a thread is most of the cost.
        await asyncio.to_thread(look_and_answer)

    serve.__name__ = name

    @app.listen("startup")
    def register() -> None:
        app.route(f"{prefix.rstrip('/')}/{{path:any}}", **extras)(serve)


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file as it was when it was looked at."""

    path: Path
    size: int
    """In bytes."""
    modified: float
    """In seconds since the epoch."""
    etag: str

    @property
    def headers(self) -> dict[str, str]:
        return {
            "Content-Type": content_type(self.path),
            "Last-Modified": formatdate(self.modified, usegmt=True),
            "ETag": self.etag,
            "Accept-Ranges": "bytes",
        }

    def read(self, start: int, length: int) -> bytes:
        with self.path.open("rb") as file:
            file.seek(start)
            return file.read(length)


def find(folder: Path, path: str, default_index: str) -> StaticFile:
    """Look a file up.

    Raises:
        HttpError: 400 when it is outside of `folder`, 404 when it is no file.
    """
    try:
        place = (folder / path).resolve()
        if not place.is_relative_to(folder):
            raise HttpError(HTTPStatus.BAD_REQUEST, path)
        if default_index and place.is_dir():
            place /= default_index
        status = place.stat()
    except (OSError, ValueError):  # a name that is too long, or has a NUL in it
        raise HttpError(HTTPStatus.NOT_FOUND, path) from None
    if not S_ISREG(status.st_mode):
        raise HttpError(HTTPStatus.NOT_FOUND, path)
    etag = f'"{status.st_mtime_ns:x}-{status.st_size:x}"'
    return StaticFile(place, status.st_size, status.st_mtime, etag)


def content_type(path: Path) -> str:
    kind, encoding = mimetypes.guess_type(path.name)
    if encoding is not None:
        return COMPRESSED.get(encoding, "application/octet-stream")
    return kind or "application/octet-stream"


def answer(file: StaticFile, request: Any, response: Any) -> None:
    response.headers.update(file.headers)
    if not_modified(request.headers, file.etag, file.modified):
        response.status = HTTPStatus.NOT_MODIFIED
        return
    start, end = 0, file.size
    try:
        asked = asked_range(request.headers, file.size, file.etag, file.modified)
    except Unsatisfiable:
        response.headers["Content-Range"] = f"bytes */{file.size}"
        response.status = HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
        return
    if asked is not None and request.method == "GET":
        start, end = asked
        response.headers["Content-Range"] = f"bytes {start}-{end - 1}/{file.size}"
        response.status = HTTPStatus.PARTIAL_CONTENT
    send(file, start, end - start, request, response)


def send(file: StaticFile, start: int, length: int, request: Any, response: Any) -> None:
    if request.method == "HEAD":
        response.headers["Content-Length"] = length
    elif length <= WHOLE:
        response.body = file.read(start, length)
    else:
        response.headers["Content-Length"] = length
        response.body = body = FileBody(file.path, start, length)
        body.open()
