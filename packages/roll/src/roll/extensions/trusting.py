"""The trusted proxies of a listener, for the extensions that read fields of proxies."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from .forwarded import Trusted

__all__ = ["TrustsProxies"]

LOCAL: Final = ("127.0.0.1", "::1", "unix")
"""The proxies of this machine."""


UNSPECIFIED: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 - nothing is bound to it
"""Addresses to listen on, which no peer has."""


class TrustsProxies:
    """A listener of `headers` that trusts some proxies.

    Raises:
        ValueError: `trusted` has something else than addresses, networks, `"unix"` and `"*"`, or
            an address that no proxy has.
    """

    def __init__(self, trusted: Collection[str] | None) -> None:
        self.by_default = trusted is None
        """Whether the application has not named proxies."""
        self.trusted = Trusted(LOCAL if trusted is None else trusted)
        if trusted is not None:
            refuse_unspecified(trusted)

    def trust(self, names: Collection[str]) -> None:
        """Trust these proxies, unless the application has named others."""
        if self.by_default:
            self.trusted = Trusted(names)


def refuse_unspecified(trusted: Collection[str]) -> None:
    for each in trusted:
        if str(each) in UNSPECIFIED:
            raise ValueError(
                f"`trusted` has addresses of proxies, and no proxy has {str(each)!r}: write '*'"
                " for all, or a network such as '10.0.0.0/8'"
            )
