"""The choice of the file that `static` sends for a path, and its fields for caches."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from roll_http import HttpError
from roll_http.shown import shown

from ..codings import accepted
from ..fields import vary_on
from ..files import OpenFile, content_type, find
from ..places import check_index
from ..settings import check_flag
from .checks import check_text, is_delta
from .negotiation import qualities

__all__ = ["Policy", "cache_control", "check_policy"]

YEAR: Final = 365 * 24 * 60 * 60

SUFFIXES: Final = {"br": ".br", "zstd": ".zst", "gzip": ".gz"}
"""The suffixes of precompressed files by content coding; the usually smallest is first."""

PAGES: Final = (("text", "html"), ("application", "xhtml+xml"))
"""Types that only navigations have in `Accept`: scripts, images and `fetch` send `*/*`."""


CHOOSING: Final = ("Accept", "Sec-Fetch-Mode")
"""The fields of a request that tell whether it gets the fallback."""


@dataclass(frozen=True)
class Policy:
    """The options of one use of `static`."""

    folder: Path
    default_index: str
    dotfiles: bool
    precompressed: bool
    cache_control: str | None
    fallback: str

    def find(self, path: str, request: Any) -> OpenFile:
        """Open the file for a path; raise `HttpError` and `OSError` as `files.find` does."""
        file = self._find(path, request)
        if self.cache_control is not None:
            file.fields["Cache-Control"] = self.cache_control
        if self.fallback and file.path == (self.folder / self.fallback).resolve():
            # The fallback names the other files of a new version: caches must always revalidate
            # it.
            file.fields["Cache-Control"] = "no-cache"
        if self.precompressed:
            file.varies.append("Accept-Encoding")
            return self._smaller(file, request.headers.get("ACCEPT-ENCODING", ""))
        return file

    def _find(self, path: str, request: Any) -> OpenFile:
        try:
            return find(self.folder, path, self.default_index, self.dotfiles)
        except HttpError as error:
            if error.status != HTTPStatus.NOT_FOUND or not (self.fallback and navigates(request)):
                raise
        file = find(self.folder, self.fallback, "", self.dotfiles)
        file.varies += CHOOSING
        return file

    def vary(self, response: Any, error: HttpError) -> None:
        """Say that another request may get the fallback in place of this 404."""
        if self.fallback and error.status == HTTPStatus.NOT_FOUND:
            for field in CHOOSING:
                vary_on(response.headers, field)

    def _smaller(self, file: OpenFile, accept_encoding: str) -> OpenFile:
        """Return a compressed sibling of a file if there is a current one, otherwise the file."""
        name = file.path.relative_to(self.folder).as_posix()
        for coding in accepted(accept_encoding, tuple(SUFFIXES)):
            try:
                sibling = find(self.folder, f"{name}{SUFFIXES[coding]}", "", dotfiles=True)
            except HttpError:
                continue
            if sibling.modified >= file.modified:
                file.close()
                return dressed(sibling, file, coding)
            sibling.close()
        return file


def dressed(sibling: OpenFile, file: OpenFile, coding: str) -> OpenFile:
    """Return a sibling with the fields of the file, and with its content coding."""
    sibling.fields = {
        **file.fields,
        "Content-Type": content_type(file.path),
        "Content-Encoding": coding,
    }
    sibling.varies = file.varies
    # Another representation needs another tag (RFC 9110 8.8.3.3), even if the times are equal.
    sibling.etag = f'{sibling.etag[:-1]}-{coding}"'
    return sibling


def navigates(request: Any) -> bool:
    """Tell whether a browser navigates to a page, rather than loads a part of one."""
    if request.method not in {"GET", "HEAD"}:
        return False
    if request.headers.get("SEC-FETCH-MODE", "navigate") != "navigate":
        return False
    wanted = qualities(request.headers.get("ACCEPT", ""))
    return any(wanted.get(page) for page in PAGES)


def cache_control(max_age: int | None, immutable: bool) -> str | None:
    if immutable:
        return f"max-age={YEAR if max_age is None else max_age}, immutable"
    return None if max_age is None else f"max-age={max_age}"


def check_policy(
    precompressed: bool, max_age: int | None, immutable: bool, fallback: str, dotfiles: bool
) -> None:
    """Raise a `ValueError` for an option with a wrong type or value."""
    check_flag("precompressed", precompressed)
    check_flag("immutable", immutable)
    if max_age is not None and not is_delta(max_age, 0):
        raise ValueError(f"`max_age` is a number of seconds, such as 3600, not {shown(max_age)}")
    if fallback != "":
        check_text("fallback", fallback, "index.html")
        check_index(fallback, dotfiles, "fallback")
