"""Escapes for text of clients, which must not end a line of a log or look like other fields."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote

from ..request import Request

__all__ = ["MOST", "escaped", "is_plain", "json_text", "one_line", "peer_of"]

MOST: Final = 1024
"""Maximum characters of a field; longer fields are cut, and end in `...`.

So a line fits in `PIPE_BUF`, and the lines of several processes are never mixed in a pipe.
"""


def is_plain(text: str) -> bool:
    """Tell whether a text is printable ASCII without a double quote and a backslash."""
    return text.isascii() and text.isprintable() and '"' not in text and "\\" not in text


def escaped(text: str, most: int = MOST) -> str:
    r"""Return a text as printable ASCII that can stand in double quotes.

    Quotes and backslashes get a backslash before them. A control character becomes `\n` or `\x1b`.
    A character that is not ASCII becomes `\xe9` or `\u20ac`. A text longer than `most` is cut.
    """
    return text if len(text) <= most and is_plain(text) else bounded(text, python_escapes, most)


def one_line(text: str) -> str:
    r"""Return a text with escapes such as `\n` or `\x1b`; the caller escapes quotes."""
    if text.isprintable() and "\\" not in text:
        return text
    return "".join([each if is_shown(each) else python_escapes(each) for each in text])


def is_shown(character: str) -> bool:
    return character.isprintable() and character != "\\"


def json_text(text: str | None, most: int = MOST) -> str:
    """Return a text as JSON, in ASCII; a text longer than `most` characters is cut."""
    if text is None:
        return "null"
    if len(text) <= most and is_plain(text):
        return f'"{text}"'
    return f'"{bounded(text, json_escapes, most)}"'


def bounded(text: str, escape: Callable[[str], str], most: int) -> str:
    """Return an escaped text; if it is longer than `most`, cut it between two characters."""
    kept = text[:most]
    shown = escape(kept)
    while len(shown) > most:
        kept = kept[: len(kept) * most // len(shown)]
        shown = escape(kept)
    return shown if len(kept) == len(text) else f"{shown}..."


def python_escapes(text: str) -> str:
    return text.encode("unicode_escape").decode("ascii").replace('"', '\\"')


def json_escapes(text: str) -> str:
    return json.dumps(text)[1:-1]


def peer_of(request: Any) -> str:
    """Return the address of a client as one word; `-` if it is not known."""
    if request.forwarded is None:
        known: str | None = getattr(request.protocol, "logged_peer", None)
        return remembered(request) if known is None else known
    return word(request.client)


def remembered(request: Any) -> str:
    """Return the address of a client, and cache it for its connection.

    If an application overrides `client`, its address is read each time.
    """
    peer = word(request.client)
    if request.protocol is not None and type(request).client is Request.client:
        request.protocol.logged_peer = peer
    return peer


def word(client: tuple[str, int] | None) -> str:
    """Return an address as one word that needs no quotes, and no escapes in JSON.

    Addresses of the system are such words. Other sources of addresses may return any text.
    """
    address = str(client[0]) if client else ""
    if not address:
        return "-"
    return address if is_plain(address) and " " not in address else quote(address, ":")
