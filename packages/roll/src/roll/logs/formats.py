"""Formats of access logs, such as `%(name)s`, compiled once."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from ..fields import field_of
from .clock import Clock, clf_time
from .escaping import MOST, escaped, peer_of

__all__ = ["HEADER", "Getter", "check_widths", "compiled", "each_name", "request_line"]

Getter = Callable[[Any, Any, int, float], Any]
"""A function of a request, its response, the bytes of its body and seconds, for one field."""

# A `%%` is not a name, whatever follows it.
NAMES: Final = re.compile(r"%%|%\(([^)]*)\)")

# The width and the precision of each field, if it has them; a name may have parentheses.
WIDTHS: Final = re.compile(
    r"%%|%(?:\((?:[^()]|\([^()]*\))*\))?[-+ #0]*+([0-9]+|\*)?(?:\.([0-9]+|\*))?"
)

HEADER: Final = re.compile(r"\{([^{}]+)\}([io])")
"""A field of the request (`i`) or of the response (`o`), as in Apache and gunicorn."""

NUMBERS: Final[dict[str, Any]] = {"status": 200, "bytes": 2**40, "duration": 0.0}
"""Examples of the fields that are numbers; all others are text."""

TEXT: Final = "--"
"""An example of a text, for which `%c` cannot be used."""


def text_of(value: object) -> str:
    """Return a value as text for a line; `-` for None."""
    return escaped(str(value)) if value else "-"


def request_line(method: str, url: bytes, version: str) -> str:
    """Return the escaped request line; only a long target is cut."""
    return f"{escaped(method)} {escaped(url.decode('latin-1'))} HTTP/{version}"


def header_of(name: str, side: str) -> Getter:
    """Return a function for a header field of the request (`i`) or of the response (`o`)."""
    if side == "i":
        key = name.upper()
        return lambda request, *_: text_of(request.headers.get(key))
    lowered = name.lower()
    return lambda _, response, *__: text_of(field_of(response.headers, lowered))


def ours() -> dict[str, Getter]:
    """Return the fields of Roll's formats; each result has its own clock for `time`."""
    clock = Clock(clf_time)
    return {
        "peer": lambda request, *_: peer_of(request),
        "time": lambda *_: clock.text(),
        "method": lambda request, *_: text_of(request.method),
        "url": lambda request, *_: text_of(request.url.decode("latin-1")),
        "path": lambda request, *_: text_of(request.path),
        "query": lambda request, *_: text_of(request.query_string),
        "version": lambda request, *_: text_of(request.version),
        "status": lambda _, response, *__: response.status.value,
        "bytes": lambda _, __, size, ___: size,
        "duration": lambda *values: values[3],
        "referer": header_of("Referer", "i"),
        "agent": header_of("User-Agent", "i"),
        "id": lambda request, *_: text_of(request.known_id),
        "route": lambda request, *_: text_of(request.route_path),
        "trace": lambda request, *_: text_of(request.trace and request.trace.trace_id),
    }


def each_name(template: str) -> list[str]:
    """Return the names in a format, in order."""
    return [found[1] for found in NAMES.finditer(template) if found[1] is not None]


def check_widths(name: str, template: str) -> None:
    """Raise a `ValueError` for a width or a precision above `MOST`, or one that is `*`.

    Filling in such a field would take the memory of the process.
    """
    for found in WIDTHS.finditer(template):
        for given in filter(None, found.groups()):
            if len(given) > len(str(MOST)) or not given.isdigit() or int(given) > MOST:
                raise ValueError(
                    f"`{name}` has widths and precisions up to {MOST}, not {given[:40]!r}"
                )


def compiled(
    template: str,
    known: Mapping[str, Getter] | None = None,
    numbers: Mapping[str, Any] = NUMBERS,
) -> Callable[[Any, Any, int, float], str]:
    """Return a function that makes a line in a format, with its line end.

    `known` has additional fields; `numbers` names those that are not text.

    Raises:
        ValueError: the format has an unknown name, or no name, or cannot be filled in, or a width
            or a precision is too large.
    """
    check_widths("format", template)
    names = each_name(template)
    if not names:
        raise ValueError(
            f"`format` is 'text', 'json' or text with fields such as '%(url)s', not {template!r}"
        )
    getters = ours() if known is None else known
    used = [checked_getter(name, getters) for name in names]
    # Fill in by position: this takes half the time of a dict of names.
    positional = NAMES.sub(lambda found: "%%" if found[1] is None else "%", template) + "\n"
    try:
        positional % tuple(numbers.get(name, TEXT) for name in names)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"`format` cannot be filled in: {template!r}: {error}") from None

    def line(request: Any, response: Any, size: int, seconds: float) -> str:
        return positional % tuple([get(request, response, size, seconds) for get in used])

    return line


def checked_getter(name: str, known: Mapping[str, Getter]) -> Getter:
    found = HEADER.fullmatch(name)
    if name in known:
        return known[name]
    if found is not None:
        return header_of(found[1], found[2])
    raise ValueError(
        f"`format` cannot have {name!r}: there are {', '.join(known)}, and header fields such as"
        " {User-Agent}i of the request and {Content-Type}o of the response"
    )
