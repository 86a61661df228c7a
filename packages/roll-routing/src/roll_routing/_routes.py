"""`Routes`: autoroutes first, the exact matcher behind it."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Lock
from typing import Any, Final, NamedTuple

from ._build import build
from ._patterns import Pattern, parse, ranks
from ._trie import Entry, Node, find, insert

__all__ = ["ListedRoute", "Route", "Routes"]

_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "DELETE", "TRACE", "OPTIONS", "CONNECT", "PATCH")


class Route(NamedTuple):
    """What a match gives: the payload registered, the values of the placeholders."""

    payload: dict[str, Any] | None
    vars: dict[str, str] | None


class ListedRoute(NamedTuple):
    """A registered route, for tools."""

    path: str
    methods: tuple[str, ...]
    name: str | None
    payload: dict[str, Any]


class Routes:
    """Map paths to payloads.

    `add` may be called while other threads match.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._entries: dict[Pattern, Entry] = {}
        self._static: dict[str, dict[str, Any]] = {}
        self._root = Node()

    def add(self, path: str, /, **payload: Any) -> None:
        """Register a path, or merge the payload into that of a path already registered.

        Raises `InvalidRoute`.
        """
        pattern = parse(path)
        with self._lock:
            entry = self._entries.get(pattern)
            if entry is not None:
                entry.payload.update(payload)
                return
            order = (ranks(pattern.tokens), len(self._entries))
            entry = self._entries[pattern] = Entry(path, pattern, order, payload)
            if pattern.placeholders:
                insert(self._root, entry)
            else:
                self._static[path] = payload

    def match(self, path: str) -> tuple[dict[str, Any], dict[str, str]] | tuple[None, None]:
        """Find the payload of a path (percent-decoded) and the values of its placeholders."""
        payload = self._static.get(path)
        if payload is not None:
            return payload, {}
        found = find(self._root, path.split("/"), 0)
        if found is None:
            return None, None
        entry, values = found
        return entry.payload, dict(zip(entry.pattern.names, values, strict=True))

    build = staticmethod(build)

    def __iter__(self) -> Iterator[ListedRoute]:
        """List the routes, in the order of their registration."""
        return map(_listed, tuple(self._entries.values()))

    def __len__(self) -> int:
        return len(self._entries)


def _listed(entry: Entry) -> ListedRoute:
    methods = tuple(method for method in _METHODS if method in entry.payload)
    return ListedRoute(entry.path, methods, entry.payload.get("name"), entry.payload)
