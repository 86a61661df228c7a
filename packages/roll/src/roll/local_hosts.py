"""Whether a request was sent to this machine by name: only its developer may see secrets."""

from __future__ import annotations

import ipaddress
from typing import Any

__all__ = ["is_asked_locally", "is_local"]


def is_asked_locally(request: Any) -> bool:
    """Tell whether each `Host` that the client sent names this machine.

    This protects against DNS rebinding: a hostile site that points its own name at a loopback
    address still sends that name. `request.host` alone is not enough, because it may come from a
    forwarded field, which the scripts of such a site can set.
    """
    sent = [value for name, value in request.raw_headers if name.lower() == b"host"]
    return all(map(is_local, [request.host, *(host.decode("latin-1") for host in sent)]))


def is_local(host: str) -> bool:
    """Tell whether a `Host` is `localhost` or a loopback address, with or without a port."""
    name = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
    name = name.strip("[]")
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name.lower() == "localhost"
