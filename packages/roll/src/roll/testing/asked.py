"""A request of a test client, and the request that follows a redirection."""

from __future__ import annotations

from dataclasses import dataclass, replace
from email.message import Message
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urldefrag, urljoin, urlsplit

from .encoding import encode_head

__all__ = ["Asked", "redirected"]

REDIRECTS: Final = {
    HTTPStatus.MOVED_PERMANENTLY,
    HTTPStatus.FOUND,
    HTTPStatus.SEE_OTHER,
    HTTPStatus.TEMPORARY_REDIRECT,
    HTTPStatus.PERMANENT_REDIRECT,
}

TO_POST: Final = {HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.FOUND}
"""The redirections that turn a POST into a GET (RFC 9110 15.4.2)."""

OF_BODY: Final = {"content-type", "content-length", "content-encoding", "transfer-encoding"}
"""The header fields that a request loses with its body."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request with the header fields that the test has given."""

    method: str
    path: str
    fields: dict[str, Any]
    content: bytes

    @property
    def head(self) -> bytes:
        """The request line and the header fields, as bytes."""
        names = {name.lower() for name in self.fields}
        framed = names & {"content-length", "transfer-encoding"}
        length = {"Content-Length": len(self.content)} if self.content and not framed else {}
        return encode_head(self.method, self.path, {**self.fields, **length})

    def field(self, name: str, default: str = "") -> str:
        """Return a header field; its name may be in any case."""
        found = (str(value) for known, value in self.fields.items() if known.lower() == name)
        return next(found, default)


def redirected(asked: Asked, status: int, sent: Message) -> Asked | None:
    """Return the request that follows a redirection; None if this client follows none."""
    location = sent.get("Location")
    if status not in REDIRECTS or location is None:
        return None
    host = asked.field("host")
    target = urlsplit(urldefrag(urljoin(f"http://{host}{asked.path}", location)).url)
    if target.netloc != host:
        return None
    path = f"{target.path or '/'}?{target.query}" if target.query else target.path or "/"
    turned = status == HTTPStatus.SEE_OTHER or (status in TO_POST and asked.method == "POST")
    if not turned or asked.method == "HEAD":
        return replace(asked, path=path)
    fields = {name: asked.fields[name] for name in asked.fields if name.lower() not in OF_BODY}
    return Asked("GET", path, fields, b"")
