"""Text out of bytes, by the charset that a `Content-Type` names."""

from __future__ import annotations

from typing import Any

__all__ = ["decode"]


def decode(body: Any, content_type: object) -> str:
    """Return a body as text: by its charset, else by UTF-8; what cannot be decoded is replaced.

    Raises:
        TypeError: the body is neither text nor bytes: it is to be streamed.
    """
    if isinstance(body, str):
        return body
    if not isinstance(body, bytes | bytearray | memoryview):
        raise TypeError(f"The body is {type(body).__name__}, which is not decoded as text")
    from email.message import Message  # noqa: PLC0415 - few applications read what they answer

    message = Message()
    message["Content-Type"] = str(content_type)
    try:
        return bytes(body).decode(message.get_content_charset("utf-8"), "replace")
    except LookupError:  # no charset that Python knows
        return bytes(body).decode("utf-8", "replace")
