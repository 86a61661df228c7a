"""`Routes`: a dict for static paths, autoroutes for plain tables, the tree for all others."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from ._autoroutes import build_autoroutes
from ._build import build
from ._compiler import compile_match, compile_node
from ._pattern import parse
from ._trie import Entry, Node, insert

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._autoroutes import Ask
    from ._compiler import Match
    from ._pattern import Tokens
    from ._trie import Answer, Run

__all__ = ["ListedRoute", "Route", "Router", "Routes"]

_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "DELETE", "TRACE", "OPTIONS", "CONNECT", "PATCH")


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


class Router(Protocol):
    """What an application needs of a router: any object with these two methods will do.

    It guarantees that
    - a path that matches one registered pattern, or several, is never answered as if it matched
      none; which of several wins is the router's affair, and is documented;
    - placeholders are those of autoroutes, at least: `{x}`, the types `string`, `digit`, `alpha`,
      `alnum`, `path` and `any`, else a regex;
    - `match` may be called while a route is added, by another thread too, and answers for the
      others as it did before.
    """

    # `*args` are what type checkers read as "whatever else": with the keywords alone, they would
    # refuse an `add` whose path is not positional-only. No payload has a key `path`.
    def add(self, path: str, /, *args: Any, **payload: Any) -> None:
        """Register a pattern. One that is registered already gets the payload merged into its own.

        Raises a `ValueError` if the pattern cannot be read.
        """
        ...

    def match(self, path: str, /) -> tuple[dict[str, Any] | None, dict[str, str] | None]:
        """Return the payload of the pattern that a percent-decoded path matches, and the values.

        The payload holds all that was registered for the pattern; the caller does not change it.
        The values, text by name, belong to the caller. Without a match both are None.
        """
        ...


class Routes:
    """A router: see `Router` for its contract, the README for the patterns and their precedence.

    Threads may match while others add.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._entries: dict[Tokens, Entry] = {}
        self._static: dict[str, dict[str, Any]] = {}
        self._tree = Node(self._compile)
        # What answers for paths with values: autoroutes, where it is asked, then the function of
        # the tree. Both are made at the first match after a change.
        self._ask: Ask | None = None
        self._answer: Match = self._answer_first

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
            self._insert(Entry(path, pattern, (pattern.ranks, len(self._entries)), payload))

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
        self._ask, self._answer = None, self._answer_first

    def match(self, path: str, /) -> tuple[dict[str, Any], dict[str, str]] | tuple[None, None]:
        """Return the payload of a percent-decoded path and the values of its placeholders.

        Two `None` if nothing matches. The payload is the registered one, not a copy.
        """
        # This is all that static paths cost.
        if path in self._static:
            return self._static[path], {}
        ask = self._ask
        if ask is not None:
            hit, values = ask(path)
            if hit:
                return hit["payload"], values
        return self._answer(path)

    def _compile(self, node: Node) -> Run:
        """Compile a node that is asked for the first time since it changed."""
        with self._lock:
            run = node.run = compile_node(node)
        return run

    def _answer_first(self, path: str) -> Answer | tuple[None, None]:
        """Compile the function of the tree, and tell autoroutes, as the table has changed."""
        with self._lock:
            answer = self._answer = compile_match(self._tree)
            self._ask = build_autoroutes(self._tree)
        return answer(path)

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
