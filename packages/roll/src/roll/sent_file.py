"""`response.send_file`: a file that is opened after the handler has returned."""

from __future__ import annotations

import asyncio
import os
from datetime import datetime
from http import HTTPStatus
from pathlib import Path, PurePath
from typing import Any, NamedTuple

from roll_http import HttpError
from roll_http.shown import shown

from .conditional import parsed_modified
from .fields import field_of
from .files import FoundFile, OpenFile, answer, find, open_file

__all__ = ["SentFile"]

PathLike = str | os.PathLike[str]


class SentFile:
    """The body of a response until its file is opened, in a thread because disks may be slow.

    Raises:
        ValueError: the path or the root is not a path, or the filename is not text.
    """

    def __init__(
        self, path: PathLike, filename: str | None = None, root: PathLike | None = None
    ) -> None:
        check_path("the path of a file, such as 'bills/1.pdf'", path)
        if root is not None:
            check_path("`root`, the path of a folder", root)
        if filename is not None and not isinstance(filename, str):
            raise ValueError(f"`filename` is text, such as 'Bill.pdf': not {shown(filename)}")
        self.path = path
        """The path that the handler gave."""
        self._root = root
        self._disposition: str | None = None
        if filename is not None:
            from .disposition import attachment  # noqa: PLC0415 - the import takes 0.6 ms

            self._disposition = attachment(filename)

    async def answer(self, request: Any, response: Any) -> None:
        """Open the file, and set the response.

        Raises:
            HttpError: 404 if there is no such file, 400 if it lies outside of the root.
            OSError: the file cannot be opened now, such as without permission.
        """
        given = Given.of(response)
        # In one call, because the switch to a thread is most of the cost of a small file.
        found = await asyncio.to_thread(self._look, request, given)
        response.body = b""
        found.set(request, response)

    def _look(self, request: Any, given: Given) -> FoundFile:
        try:
            with self._open() as file:
                if self._disposition is not None:
                    file.fields["Content-Disposition"] = self._disposition
                return given.answer(file, request)
        except HttpError as error:  # clients must not learn the path of the file
            raise HttpError(error.status, request.path) from None

    def _open(self) -> OpenFile:
        if self._root is None:
            return open_file(self.path, "")
        folder = Path(self._root).resolve()
        return find(folder, below(self.path, self._root), "", dotfiles=False)


class Given(NamedTuple):
    """What the handler has set, which overrides what the file has."""

    status: HTTPStatus
    etag: str | None
    modified: datetime | None
    kind: str | None

    @classmethod
    def of(cls, response: Any) -> Given:
        """Return what is set on a response."""
        headers = response.headers
        return cls(
            response.status,
            field_of(headers, "etag"),
            parsed_modified(field_of(headers, "last-modified")),
            field_of(headers, "content-type"),
        )

    def answer(self, file: OpenFile, request: Any) -> FoundFile:
        """Return what a file gives to a response."""
        file.etag = self.etag or file.etag
        if self.modified is not None:
            file.modified = self.modified.timestamp()
        if self.kind is not None:
            file.fields["Content-Type"] = self.kind
        if self.status is HTTPStatus.OK:
            return answer(file, request)
        return FoundFile(file, request, self.status, (0, file.size))  # such as an error page


def check_path(what: str, value: Any) -> None:
    try:
        text = os.fspath(value)
    except TypeError:
        text = None
    if not isinstance(text, str):
        raise ValueError(f"`response.send_file` takes {what}: not {shown(value)}")  # noqa: TRY004 - as for any value that cannot be sent


def below(path: PathLike, root: PathLike) -> str:
    """Return a path relative to the root; an absolute `Path` below the root becomes relative.

    An absolute path as text stays absolute and is refused later. It may come from a client, and
    the answer must not tell whether the client guessed the root.
    """
    if isinstance(path, PurePath) and path.is_absolute() and path.is_relative_to(root):
        path = path.relative_to(root)
    return os.fspath(path)
