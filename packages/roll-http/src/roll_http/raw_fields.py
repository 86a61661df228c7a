"""The fields of a head as ASGI applications and gateways want them."""

from __future__ import annotations

from ._core import is_native
from .h1.head import split_fields

__all__ = ["lower_fields", "lower_fields_in_python"]


def lower_fields_in_python(block: bytes) -> list[tuple[bytes, bytes]]:
    """Return name and value of each field line, in order, the names in lower case."""
    return [(name.lower(), value) for name, value in split_fields(block)]


lower_fields = lower_fields_in_python
if is_native:
    from ._core import native

    lower_fields = native.lower_fields
