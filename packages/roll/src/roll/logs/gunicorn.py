"""gunicorn's access log: its format without its logger, or its logger."""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, Final

from ..fields import field_of
from .clock import Clock, clf_time
from .escaping import escaped, one_line, peer_of
from .formats import HEADER, Getter, compiled, each_name, request_line
from .lines import Format

__all__ = ["gunicorn_format", "log_access"]


def given(value: object) -> str:
    """Return a value as gunicorn writes it: `-` for None, and an empty text unchanged."""
    return "-" if value is None else escaped(str(value))


def user_of(request: Any) -> str:
    """Return the user name of Basic credentials (RFC 7617)."""
    scheme, _, credentials = request.headers.get("AUTHORIZATION", "").partition(" ")
    if scheme.lower() != "basic":
        return "-"
    try:
        return escaped(b64decode(credentials.strip()).partition(b":")[0].decode()) or "-"
    except ValueError:
        return "-"


def asked(request: Any) -> str:
    return request_line(str(request.method), request.url, request.version)


def microseconds(seconds: float) -> int:
    return round(seconds * 1_000_000)


def in_seconds(seconds: float) -> str:
    whole, rest = divmod(microseconds(seconds), 1_000_000)
    return f"{whole}.{rest:06}"


def atoms() -> dict[str, Getter]:
    """Return the fields of gunicorn's formats, except those of the environment."""
    clock = Clock(clf_time)
    return {
        "h": lambda request, *_: peer_of(request),
        "l": lambda *_: "-",
        "u": lambda request, *_: user_of(request),
        "t": lambda *_: f"[{clock.text()}]",
        "r": lambda request, *_: asked(request),
        "s": lambda _, response, *__: str(response.status.value),
        "m": lambda request, *_: given(request.method),
        "U": lambda request, *_: given(request.path),
        "q": lambda request, *_: given(request.query_string),
        "H": lambda request, *_: f"HTTP/{request.version}",
        "b": lambda _, __, size, ___: str(size),
        "B": lambda _, __, size, ___: size,
        "f": lambda request, *_: given(request.headers.get("REFERER")),
        "a": lambda request, *_: given(request.headers.get("USER-AGENT")),
        "T": lambda *values: microseconds(values[3]) // 1_000_000,
        "D": lambda *values: microseconds(values[3]),
        "M": lambda *values: microseconds(values[3]) // 1000,
        "L": lambda *values: in_seconds(values[3]),
        "p": lambda *_: f"<{os.getpid()}>",
    }


NUMBERS: Final = dict.fromkeys("BTDM", 2**40)


def header_of(name: str, side: str) -> Getter:
    if side == "i":
        key = name.upper()
        return lambda request, *_: given(request.headers.get(key))
    lowered = name.lower()
    return lambda _, response, *__: given(field_of(response.headers, lowered))


def gunicorn_format(template: str) -> Format | None:
    """Return a compiled format; None for a format that only gunicorn's logger can fill in."""
    known: Mapping[str, Getter] = atoms()
    fields = {name: HEADER.fullmatch(name) for name in each_name(template)}
    headers = {name: header_of(found[1], found[2]) for name, found in fields.items() if found}
    try:
        return Format(compiled(template, {**known, **headers}, NUMBERS), "".join)
    except ValueError:
        return None


def log_access(log: Any, request: Any, response: Any, length: int, duration: float) -> None:
    """Pass an exchange to gunicorn's access log, with the WSGI data that it needs.

    gunicorn escapes only quotes. So this removes line ends from the text of clients.
    """
    answer = SimpleNamespace(
        status=str(response.status.value),
        sent=length,
        headers=list(on_lines(response.headers).items()),
    )
    headers = on_lines(request.headers)
    environ = {
        "REMOTE_ADDR": request.client[0] if request.client else "-",
        "REQUEST_METHOD": request.method,
        "RAW_URI": request.url.decode("ascii", "backslashreplace"),
        "PATH_INFO": one_line(request.path),
        "QUERY_STRING": one_line(request.query_string),
        "SERVER_PROTOCOL": f"HTTP/{request.version}",
    }
    fields = {f"HTTP_{name.replace('-', '_')}": value for name, value in headers.items()}
    if "HTTP_AUTHORIZATION" in fields:
        fields["HTTP_AUTHORIZATION"] = credentials_on_a_line(fields["HTTP_AUTHORIZATION"])
    asked = SimpleNamespace(headers=list(headers.items()))
    log.access(answer, asked, fields | environ, timedelta(seconds=duration))


def on_lines(headers: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: one_line(value) if isinstance(value, str) else value
        for name, value in headers.items()
    }


def credentials_on_a_line(field: str) -> str:
    """Return Basic credentials without line ends in the user name, which gunicorn decodes."""
    scheme, _, credentials = field.partition(" ")
    try:
        name, colon, secret = b64decode(credentials.strip()).partition(b":")
        shown = one_line(name.decode())
    except ValueError:
        return field  # gunicorn cannot decode the credentials either
    return f"{scheme} {b64encode(shown.encode() + colon + secret).decode()}"
