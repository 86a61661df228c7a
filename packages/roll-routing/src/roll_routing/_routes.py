"""`Routes`: a dict for static paths, autoroutes for plain tables, the tree for all others."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from ._branches import Entry
from ._build import build
from ._engine import taught
from ._patterns import parse, ranks
from ._router import ListedRoute
from ._scope import Scope
from ._trie import Node, insert

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._engine import Ask, Asked
    from ._patterns import Tokens

__all__ = ["Routes"]

_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "DELETE", "TRACE", "OPTIONS", "CONNECT", "PATCH")


class Routes:
    """A router: see `Router` for its contract, the README for the patterns and their precedence.

    Threads may match while others add.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._entries: dict[Tokens, Entry] = {}
        self._static: dict[str, dict[str, Any]] = {}
        self._tree = Node(self._lock, Scope())
        self._grown: list[Entry] = []
        self._ask: Ask | None = None

    def add(self, path: str, /, **payload: Any) -> None:
        """Register a path; if it is registered already, merge the payload into its own.

        A path that names its placeholders otherwise is another one for the very same URLs: these
        give the payload and the names of the first, which gets what it lacks from the others.
        Raises `InvalidRoute`.
        """
        pattern = parse(path)
        with self._lock:
            entry = self._entries.get(pattern.tokens)
            if entry is not None:
                entry.payload.update(payload)
                _complete(entry.holder, payload)
                return
            order = (ranks(pattern.tokens), len(self._entries))
            self._insert(Entry(path, pattern, order, payload))

    def _insert(self, entry: Entry) -> None:
        self._entries[entry.pattern.tokens] = entry
        if not entry.pattern.names:
            self._static[entry.path] = entry.payload
            return
        holder = insert(self._tree, entry)
        if holder is not entry:
            entry.holder = holder
            _complete(holder, entry.payload)
            return
        self._grown.append(entry)
        self._ask = self._ask_first

    def match(self, path: str, /) -> tuple[dict[str, Any], dict[str, str]] | tuple[None, None]:
        """Give the payload of a percent-decoded path and the values of its placeholders.

        Two `None` if nothing matches. The payload is the registered one, not a copy.
        """
        # This is all that most requests cost: what it asks is chosen for what it takes.
        if path in self._static:
            return self._static[path], {}
        ask = self._ask
        if ask is not None:
            hit, values = ask(path)
            if hit:
                return hit["payload"], values
        parts = path.split("/")
        return self._tree.run(parts, len(parts)) or (None, None)

    def _ask_first(self, path: str) -> Asked:
        """Teach autoroutes a table that has changed, if it is one to ask it for."""
        with self._lock:
            ask = self._ask = taught(self._tree, self._grown)
        return ask(path) if ask else (None, {})

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
