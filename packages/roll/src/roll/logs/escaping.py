"""Text of clients in a line of a log: it can never end the line, or look like another field."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from ..request import Request

__all__ = ["escaped", "is_plain", "json_text", "peer_of"]


def is_plain(text: str) -> bool:
    """Tell whether a text is printable ASCII without a double quote and a backslash."""
    return text.isascii() and text.isprintable() and '"' not in text and "\\" not in text


def escaped(text: str) -> str:
    r"""Return a text as printable ASCII that can stand in double quotes.

    A quote and a backslash have a backslash before them; a control character is `\n` or `\x1b`,
    a character that is not ASCII `\xe9` or `\u20ac`.
    """
    if is_plain(text):
        return text
    return text.encode("unicode_escape").decode("ascii").replace('"', '\\"')


def json_text(text: str | None) -> str:
    """Return a text as JSON, in ASCII."""
    if text is None:
        return "null"
    return f'"{text}"' if is_plain(text) else json.dumps(text)


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
