"""Placeholders of one place that its routes name differently: `/user/{id}`, `/user/{name}`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from roll_routing import nameless, variables

from .views import ENDPOINTS, Endpoint

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Aliases"]


class Aliases:
    """The names that handlers were registered with, where a match gives those of another."""

    def __init__(self) -> None:
        self.names: dict[Endpoint, tuple[str, ...]] = {}
        """Of the endpoints that want other names than those of the first route there."""
        self._first: dict[str, tuple[str, ...]] = {}
        """Of each place, as its routes have it in common."""

    def add(self, path: str, payload: Mapping[str, Any]) -> None:
        """Note the names of a route."""
        names = tuple(variables(path))
        if self._first.setdefault(nameless(path), names) != names:
            for endpoint in payload.values():
                if isinstance(endpoint, Endpoint):
                    self.names[endpoint] = names

    def rename(
        self, payload: Mapping[str, Any], method: str, values: Mapping[str, str]
    ) -> Mapping[str, str]:
        """Give the values of a match under the names that the handler of `method` expects."""
        key = ENDPOINTS.get(method, "")
        endpoint = payload.get(key) or payload.get(ENDPOINTS["GET"])
        names = self.names.get(endpoint) if endpoint is not None else None
        return values if names is None else dict(zip(names, values.values(), strict=True))
