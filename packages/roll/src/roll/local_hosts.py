"""Whether a request names this machine: what shows secrets is for its developer alone."""

from __future__ import annotations

import ipaddress
from typing import Any

__all__ = ["is_asked_locally", "is_local"]


def is_asked_locally(request: Any) -> bool:
    """Tell whether a request names this machine, in each `Host` that the client has sent.

    A site that rebinds its name to a loopback address does not. `request.host` alone may be what
    a proxy is said to have forwarded: scripts of such a site can write that.
    """
    sent = [value for name, value in request.raw_headers if name.lower() == b"host"]
    return all(map(is_local, [request.host, *(host.decode("latin-1") for host in sent)]))


def is_local(host: str) -> bool:
    """Tell whether a `Host` names this machine."""
    name = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
    name = name.strip("[]")
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name.lower() == "localhost"
