"""What a request is known by, beyond this process: its id, and its trace (W3C Trace Context)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from random import getrandbits
from typing import Any, Final, NamedTuple

from .views import path_of

__all__ = ["ID", "Identified", "Trace", "new_id", "trace_of"]

# Compiled at their first use: this saves 0.25 ms of the import.

ID: Final = r"[A-Za-z0-9._~:+/=@-]{1,200}"
"""What an id may be: the ids of nginx, HAProxy, Envoy, Heroku and AWS are all of that kind."""

# Trace Context 3.2.2; a later version may have more behind it (4.3).
PARENT: Final = r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?"
STATE: Final = r"[ -~]{1,512}"
INVALID: Final = {"0" * 32, "0" * 16}


def new_id() -> str:
    """Return a new id, 32 hexadecimal digits: as nginx makes them.

    It names, and protects nothing: so no system call is made for it (0.5 us). Python seeds this
    generator anew in a process that is forked.
    """
    return f"{getrandbits(128):032x}"


class Trace(NamedTuple):
    """What the field `traceparent` of a request says (W3C Trace Context)."""

    trace_id: str
    """32 hexadecimal digits."""
    parent_id: str
    """The span of the caller, 16 hexadecimal digits."""
    sampled: bool
    """Whether the caller records this trace."""
    state: str | None
    """The field `tracestate`, if there is one."""

    @property
    def headers(self) -> dict[str, str]:
        """The fields to send with requests to other services, so that they join the trace."""
        fields = {"traceparent": f"00-{self.trace_id}-{self.parent_id}-{self.sampled:02x}"}
        return fields if self.state is None else {**fields, "tracestate": self.state}


def trace_of(headers: Mapping[str, str]) -> Trace | None:
    """Return the trace of a request, by its fields; None without one, or a malformed one."""
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
    """The part of a request that says what it is known by."""

    __slots__ = ()

    headers: dict[str, str]
    method: str | None
    route: Any

    known_id: str | None
    """The `id`; None as long as nobody has asked for it."""

    @property
    def id(self) -> str:
        """What this request is known by in logs, and by other services; made when first used.

        With the extension `request_ids`, the id that a trusted proxy has given, if any. It may be
        set: to a text, or to what has one.
        """
        if self.known_id is None:
            self.known_id = new_id()  # type: ignore[misc]  # the slot is that of `Request`
        return self.known_id

    @id.setter  # noqa: A003 - this one is meant
    def id(self, value: str) -> None:
        self.known_id = value  # type: ignore[misc]  # as above

    @property
    def trace(self) -> Trace | None:
        """The trace that the client has named in `traceparent` (W3C Trace Context).

        None without a well-formed one. `request.trace.headers` are the fields to send on with
        requests to other services. Any client can send them.
        """
        return trace_of(self.headers)

    @property
    def route_path(self) -> str | None:
        """The path of the route, as it was registered: `/users/{name}`; None where none matches.

        It has few values, whatever clients ask for: for metrics and logs.
        """
        route = self.route
        return None if route is None else path_of(route.payload, self.method)
