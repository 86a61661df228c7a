"""The HTTP answer to a request that is refused."""

from email.utils import formatdate
from http import HTTPStatus

from roll_websocket.errors import HandshakeError, check_refusal
from roll_websocket.fields import checked_field

__all__ = ["refusal"]

# Fields that the connection decides (RFC 9110 6.6.1, 7.6.1, 8.6).
RESERVED = {"connection", "content-length", "date", "transfer-encoding"}


def refusal(error: HandshakeError, method: str | None = None) -> bytes:
    """Return the answer to a request with this method.

    Raises an exception if the error was changed and cannot be sent.
    """
    check_refusal(error.status, error.message)
    # A 304 has no content (RFC 9110 15.4.5): clients would read it as the next response.
    empty = error.status == HTTPStatus.NOT_MODIFIED
    body = b"" if empty else error.message.encode("utf-8", "replace")
    content_type = "Content-Type", "text/plain; charset=utf-8"
    fields = {} if empty else {"content-type": content_type}
    for item in error.headers.items():
        name, value = checked_field(*item)
        if name.lower() not in RESERVED:
            fields[name.lower()] = name, value
    lines = [
        f"HTTP/1.1 {int(error.status)} {phrase(error.status)}",
        f"Date: {formatdate(usegmt=True)}",
        *(f"{name}: {value}" for name, value in fields.values()),
        *([] if empty else [f"Content-Length: {len(body)}"]),
        "Connection: close",
    ]
    head = "\r\n".join([*lines, "", ""]).encode("latin-1")
    return head if method == "HEAD" else head + body  # RFC 9110 9.3.2


def phrase(status: int) -> str:
    """Return the phrase of a status, empty for an unknown one."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
