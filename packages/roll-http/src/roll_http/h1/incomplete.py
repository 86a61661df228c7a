"""Faults of a head that show before the head is complete. No I/O.

The first byte that no acceptable head has at its place decides the error. So the error does not
depend on how the network cut the bytes.
"""

from __future__ import annotations

from bisect import bisect_left

from ..limits import Limits
from ..syntax import CRLF, has_bare_lf
from .head import RequestError
from .request_line import bad_request_line, is_request_line, may_go_on

__all__ = ["check_beginning", "check_first_fault", "too_large"]


def check_beginning(data: bytes, seen: int, limits: Limits) -> None:
    """Raise `RequestError` if no acceptable head begins with `data`.

    Its first `seen` bytes were checked before, so a head that arrives byte by byte takes linear
    time.
    """
    if _fault_of(data, seen, limits) is not None:
        check_first_fault(data, limits)


def check_first_fault(data: bytes, limits: Limits) -> None:
    """Raise the error of the shortest beginning of `data` that has one.

    If a beginning has a fault, each longer one has a fault too: a binary search finds the first.
    """
    sizes = range(min(len(data), limits.head + 1) + 1)
    size = bisect_left(sizes, True, key=lambda size: _fault_of(data[:size], 0, limits) is not None)
    error = _fault_of(data[:size], 0, limits)
    try:
        if error is not None:
            raise error from None
    finally:
        del error  # otherwise this frame refers to the error, which refers to this frame


def too_large(line: int, limits: Limits) -> RequestError:
    """Return the error for a head over a limit; `line` is the length of its request line."""
    if line > limits.request_line:
        return RequestError(414, "Request line too long")
    return RequestError(431, "Header fields too large")


def _fault_of(data: bytes, seen: int, limits: Limits) -> RequestError | None:
    """Return a fault of the beginning of a head, not always the first one."""
    found = data.find(CRLF)
    line = len(data) - data.endswith(b"\r") if found < 0 else found
    if line > limits.request_line or len(data) > limits.head:
        return too_large(line, limits)
    if has_bare_lf(data, seen):
        return RequestError(400, "Bare LF in the head")
    if 0 <= found < seen - 1 or data in {b"", b"\r"}:
        return None  # the line was checked before, or has not begun
    good = may_go_on(data, seen) if found < 0 else is_request_line(data)
    return None if good else bad_request_line(data)
