"""Decoding of bodies with the charset that their `Content-Type` names."""

from __future__ import annotations

from typing import Any

__all__ = ["decode"]


def decode(body: Any, content_type: object) -> str:
    """Decode a body with the charset of its `Content-Type`, or with UTF-8 by default.

    Bytes that cannot be decoded become U+FFFD.

    Raises:
        TypeError: the body is neither text nor bytes, such as a stream.
    """
    if isinstance(body, str):
        return body
    if not isinstance(body, bytes | bytearray | memoryview):
        raise TypeError(f"The body is {type(body).__name__}, which is not decoded as text")
    from email.message import Message  # noqa: PLC0415 - few applications read their own responses

    message = Message()
    message["Content-Type"] = str(content_type)
    try:
        return bytes(body).decode(message.get_content_charset("utf-8"), "replace")
    except LookupError:  # Python does not know this charset
        return bytes(body).decode("utf-8", "replace")
