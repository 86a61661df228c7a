"""`Routes`: autoroutes first, the exact matcher behind it."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ._build import build
from ._engine import Engine, check_of
from ._patterns import parse, ranks
from ._trie import Entry, Node, insert

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._patterns import Pattern

__all__ = ["ListedRoute", "Route", "Routes"]

_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "DELETE", "TRACE", "OPTIONS", "CONNECT", "PATCH")

# How many routes autoroutes is told of at once: in a millisecond or two, beside a thousand others.
_LESSON: Final = 10


class Route(NamedTuple):
    """What a match gives: the payload registered, the values of the placeholders."""

    payload: dict[str, Any] | None
    vars: dict[str, str] | None


class ListedRoute(NamedTuple):
    """A registered route, as tools want it: `name` is the extra of that name, or None."""

    path: str
    methods: tuple[str, ...]
    name: str | None
    payload: dict[str, Any]


class Routes:
    """A router: see `Router` for its contract, the README for the patterns and their precedence.

    Threads may match while others add.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._entries: dict[Pattern, Entry] = {}
        self._static: dict[str, dict[str, Any]] = {}
        self._tree = Node()
        self._engine = Engine()
        self._ask = self._engine.match
        self._pending: list[Entry] = []
        self._proven: list[Entry] = []

    def add(self, path: str, /, **payload: Any) -> None:
        """Register a path; if it is registered already, merge the payload into its own.

        A path that names its placeholders otherwise is another one for the very same URLs: these
        give the payload and the names of the first, which gets what it lacks from the others.
        Raises `InvalidRoute`.
        """
        pattern = parse(path)
        with self._lock:
            entry = self._entries.get(pattern)
            if entry is not None:
                entry.payload.update(payload)
                _complete(entry.holder, payload)
                return
            order = (ranks(pattern.tokens), len(self._entries))
            self._insert(Entry(path, pattern, order, payload))

    def _insert(self, entry: Entry) -> None:
        self._entries[entry.pattern] = entry
        if not entry.pattern.names:
            self._static[entry.path] = entry.payload
            return
        self._doubt()
        holder = insert(self._tree, entry)
        if holder is entry:
            self._pending.append(entry)
        else:
            entry.holder = holder
            _complete(holder, entry.payload)

    def match(self, path: str, /) -> tuple[dict[str, Any], dict[str, str]] | tuple[None, None]:
        """Give the payload of a percent-decoded path and the values of its placeholders.

        Two `None` if nothing matches. The payload is the registered one, not a copy.
        """
        # This is all that most requests cost: what it asks is chosen for what it takes.
        if path in self._static:
            return self._static[path], {}
        hit, values = self._ask(path)
        if hit is not None:
            proof = hit["entry"].proof
            if proof is not None:
                check, payload = proof
                if check is None or check(values):
                    return payload, values
        return self._match_exactly(path)

    def _match_exactly(
        self, path: str
    ) -> tuple[dict[str, Any], dict[str, str]] | tuple[None, None]:
        found = self._tree.find(path.split("/"), 0, ())
        if found is None:
            return None, None
        entry, values = found
        if self._pending:
            self._teach()
        elif entry.taught and entry.proof is None:
            self._prove(entry)
        return entry.payload, dict(zip(entry.pattern.names, values, strict=True))

    def _teach(self) -> None:
        """Tell autoroutes of some routes.

        Some, as each costs it a walk through all that it has; in the order of the tree, as it
        tries them in the order it was told.
        """
        with self._lock:
            self._doubt()
            self._pending.sort(key=lambda entry: entry.place, reverse=True)
            for entry in self._pending[: -_LESSON - 1 : -1]:
                self._engine.tell(entry)
            del self._pending[-_LESSON:]

    def _prove(self, entry: Entry) -> None:
        with self._lock:
            entry.proof = (check_of(entry), entry.payload)
            self._proven.append(entry)

    def _doubt(self) -> None:
        """Take back what was proven, as the tree or autoroutes is about to change."""
        for entry in self._proven:
            entry.proof = None
        self._proven.clear()

    build = staticmethod(build)

    def __iter__(self) -> Iterator[ListedRoute]:
        """List the routes, in the order of their registration."""
        return map(_listed, tuple(self._entries.values()))


def _complete(holder: Entry | None, payload: dict[str, Any]) -> None:
    """Give the route that is found what it lacks."""
    if holder is not None:
        for key, value in payload.items():
            holder.payload.setdefault(key, value)


def _listed(entry: Entry) -> ListedRoute:
    methods = tuple(method for method in _METHODS if method in entry.payload)
    return ListedRoute(entry.path, methods, entry.payload.get("name"), entry.payload)
