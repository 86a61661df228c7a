"""The id of a request, and its trace (W3C Trace Context), which other services know too."""

from __future__ import annotations

import re
from collections.abc import Mapping
from random import getrandbits
from typing import Any, Final, NamedTuple

from .views import path_of

__all__ = ["ID", "Identified", "Trace", "new_id", "trace_of"]

# Python compiles these expressions at their first use, which saves 0.25 ms of the import.

ID: Final = r"[A-Za-z0-9._~:+/=@-]{1,200}"
"""A valid id; those of nginx, HAProxy, Envoy, Heroku and AWS all match."""

# Trace Context 3.2.2; later versions may append further parts (4.3).
PARENT: Final = r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?"
STATE: Final = r"[ -~]{1,512}"
INVALID: Final = {"0" * 32, "0" * 16}


def new_id() -> str:
    """Return a new id of 32 hexadecimal digits, like those of nginx.

    The id is not a secret, so a fast generator makes it: a system call would take 0.5 us more.
    Python seeds the generator again in each forked process.
    """
    return f"{getrandbits(128):032x}"


class Trace(NamedTuple):
    """The content of the field `traceparent` of a request (W3C Trace Context)."""

    trace_id: str
    """32 hexadecimal digits."""
    parent_id: str
    """The span of the caller: 16 hexadecimal digits."""
    sampled: bool
    """Whether the caller records this trace."""
    state: str | None
    """The field `tracestate`; None without a valid one."""

    @property
    def headers(self) -> dict[str, str]:
        """The fields to send to other services, so that they join the trace."""
        fields = {"traceparent": f"00-{self.trace_id}-{self.parent_id}-{self.sampled:02x}"}
        return fields if self.state is None else {**fields, "tracestate": self.state}


def trace_of(headers: Mapping[str, str]) -> Trace | None:
    """Return the trace that the fields of a request name; None without a valid one."""
    found = re.fullmatch(PARENT, headers.get("TRACEPARENT", ""))
    if found is None:
        return None
    version, trace_id, parent_id, flags, more = found.groups()
    if version == "ff" or (version == "00" and more) or {trace_id, parent_id} & INVALID:
        return None
    state = headers.get("TRACESTATE", "")
    kept = state if re.fullmatch(STATE, state) else None
    return Trace(trace_id, parent_id, bool(int(flags, 16) & 1), kept)


class Identified:
    """The part of a request that has its id, its trace and the path of its route."""

    __slots__ = ()

    headers: dict[str, str]
    method: str | None
    route: Any

    known_id: str | None
    """The `id`; None until it is first read."""

    @property
    def id(self) -> str:
        """The id of this request in logs and for other services; created at the first use.

        With the extension `request_ids`, it is the id that a trusted proxy sent, if any. It can
        be set.
        """
        if self.known_id is None:
            self.known_id = new_id()  # type: ignore[misc]  # the slot is that of `Request`
        return self.known_id

    @id.setter  # noqa: A003 - the name of the attribute is `id`
    def id(self, value: str) -> None:
        self.known_id = value  # type: ignore[misc]  # as above

    @property
    def trace(self) -> Trace | None:
        """The trace that the client named in `traceparent` (W3C Trace Context).

        It is None without a well-formed field. `request.trace.headers` are the fields to send to
        other services. Any client can send these fields, so do not trust them.
        """
        return trace_of(self.headers)

    @property
    def route_path(self) -> str | None:
        """The path of the route as registered, such as `/users/{name}`; None without a route.

        It suits metrics and logs, because it has few values whatever clients request.
        """
        route = self.route
        return None if route is None else path_of(route.payload, self.method)
