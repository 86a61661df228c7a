"""Text of clients in a line of a log: it can never end the line, or look like another field."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote

from ..request import Request

__all__ = ["MOST", "escaped", "is_plain", "json_text", "one_line", "peer_of"]

MOST: Final = 1024
"""Characters that a field has at most; longer ones are cut, and end in `...`.

A line then fits in `PIPE_BUF`, so that those of several processes are never mixed in a pipe.
"""


def is_plain(text: str) -> bool:
    """Tell whether a text is printable ASCII without a double quote and a backslash."""
    return text.isascii() and text.isprintable() and '"' not in text and "\\" not in text


def escaped(text: str, most: int = MOST) -> str:
    r"""Return a text as printable ASCII that can stand in double quotes.

    A quote and a backslash have a backslash before them; a control character is `\n` or `\x1b`,
    a character that is not ASCII `\xe9` or `\u20ac`. What is longer than `most` is cut.
    """
    return text if len(text) <= most and is_plain(text) else bounded(text, python_escapes, most)


def one_line(text: str) -> str:
    r"""Return a text for who escapes quotes: what is not printable is `\n` or `\x1b`, as above."""
    if text.isprintable() and "\\" not in text:
        return text
    return "".join([each if is_shown(each) else python_escapes(each) for each in text])


def is_shown(character: str) -> bool:
    return character.isprintable() and character != "\\"


def json_text(text: str | None, most: int = MOST) -> str:
    """Return a text as JSON, in ASCII; what is longer than `most` characters is cut."""
    if text is None:
        return "null"
    if len(text) <= most and is_plain(text):
        return f'"{text}"'
    return f'"{bounded(text, json_escapes, most)}"'


def bounded(text: str, escape: Callable[[str], str], most: int) -> str:
    """Return a text escaped, cut between two characters where it is longer than `most`."""
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
    """Return the address of a client, as a word; `-` where none is known."""
    if request.forwarded is None:
        known: str | None = getattr(request.protocol, "logged_peer", None)
        return remembered(request) if known is None else known
    return word(request.client)


def remembered(request: Any) -> str:
    """Return the address of a client, and remember it: its connection has one, and asks anew.

    An application whose requests find their client by themselves is asked each time.
    """
    peer = word(request.client)
    if request.protocol is not None and type(request).client is Request.client:
        request.protocol.logged_peer = peer
    return peer


def word(client: tuple[str, int] | None) -> str:
    """Return an address as it can stand without quotes, and within those of JSON.

    Those of the system are such words. What else tells addresses may tell anything.
    """
    address = str(client[0]) if client else ""
    if not address:
        return "-"
    return address if is_plain(address) and " " not in address else quote(address, ":")
