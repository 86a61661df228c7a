"""`Routes`: a dict for static paths, autoroutes for plain tables, the tree for all others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import count
from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple, Protocol

from ._autoroutes import build_autoroutes
from ._compiler import compile_match, compile_node
from ._kinds import Converter
from ._pattern import InvalidRoute, RoutingError, build_url, parse
from ._trie import Entry, Node, insert, remove, update

if TYPE_CHECKING:
    from ._autoroutes import Ask
    from ._compiler import Match
    from ._kinds import Converters
    from ._pattern import Pattern, Tokens
    from ._trie import Answer, Run

__all__ = ["ListedRoute", "Route", "Router", "Routes", "build", "variables"]

_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "DELETE", "TRACE", "OPTIONS", "CONNECT", "PATCH")
# How many routes a `repr` shows.
_SHOWN: Final = 20


class Route(NamedTuple):
    """What a match gives: the registered payload, and the text of the placeholders by name.

    An application may keep a `Route(None, None)` where nothing matches; `Routes.find` returns None
    instead. The fields are `Any` too, so that type checkers accept `route.payload["GET"]` without
    a check, and the check where one is needed.
    """

    payload: dict[str, Any] | Any
    vars: dict[str, str] | Any


class ListedRoute(NamedTuple):
    """A registered route, as iteration gives it.

    `methods`: the HTTP methods among the keys of the payload.
    `name`: the value of that key of the payload, or None.
    """

    path: str
    methods: tuple[str, ...]
    name: str | None
    payload: dict[str, Any]


class Router(Protocol):
    """What an application needs of a router: any object with these two methods is one.

    A router guarantees this:

    - A path that matches a registered pattern always gets an answer. Where several patterns match,
      the router documents which one wins.
    - It knows at least the placeholders of autoroutes: `{x}`, regexes, and the types `string`,
      `digit`, `alpha`, `alnum`, `path` and `any`.
    - `match` may be called while another thread adds a route. The answers for all other routes
      stay as they were.
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
    """A table of paths and their payloads.

    `Router` states its contract, the README the patterns and their precedence. It is a collection
    of the registered paths: it has `len`, `in` and iteration. Threads may match while others add
    and remove.
    """

    converters: ClassVar[Mapping[str, Converter]] = {}
    """Types of placeholders by the words that stand for them, for subclasses to set.

    With `{"slug": Converter("[a-z-]+")}`, `/{x:slug}` is a pattern.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not isinstance(cls.converters, Mapping):
            raise RoutingError(f"{cls.__name__}.converters is a mapping, not {cls.converters!r}")
        for word, converter in cls.converters.items():
            if not (_is_word(word) and isinstance(converter, Converter)):
                raise RoutingError(
                    f"{cls.__name__}.converters has {word!r}: {converter!r}; it takes identifiers,"
                    f" and a Converter for each"
                )

    def __init__(self) -> None:
        self._lock = Lock()
        self._numbers = count()
        self._entries: dict[Tokens, Entry] = {}
        self._static: dict[str, dict[str, Any]] = {}
        self._tree = Node(self._compile)
        # What answers for paths with values: autoroutes, where it is asked, then the function of
        # the tree. Both are made at the first match after a change.
        self._ask: Ask | None = None
        self._answer: Match = self._answer_first

    def add(self, path: str, /, **payload: Any) -> None:
        """Register a path. One that is registered already gets the payload merged into its own.

        Of two paths that only name their placeholders differently, a match gives the names and the
        payload of the first. That payload gets the keys it lacks from the second.

        Raises `InvalidRoute` if the path cannot be read.
        """
        pattern = self._parse(path)
        with self._lock:
            entry = self._entries.get(pattern.tokens)
            if entry is None:
                self._insert(Entry(path, pattern, (pattern.ranks, next(self._numbers)), payload))
            elif pattern.names:
                update(self._tree, entry, payload)
            else:
                entry.payload.update(payload)

    def _insert(self, entry: Entry) -> None:
        self._entries[entry.pattern.tokens] = entry
        if entry.pattern.names:
            insert(self._tree, entry)
            self._renew()
        else:
            self._static[entry.path] = entry.payload

    def remove(self, path: str, /) -> None:
        """Remove a registered path.

        A path that got keys from its payload loses them. Raises `RoutingError` if the path is not
        registered, `InvalidRoute` if it cannot be read.
        """
        pattern = self._parse(path)
        with self._lock:
            entry = self._entries.pop(pattern.tokens, None)
            if entry is None:
                raise RoutingError(f"There is no route {path!r} to remove")
            if pattern.names:
                remove(self._tree, entry)
                self._renew()
            else:
                # Another dict: a match that has found the path in this one takes it from there.
                self._static = {key: self._static[key] for key in self._static if key != path}

    def match(self, path: str, /) -> tuple[dict[str, Any], dict[str, str]] | tuple[None, None]:
        """Return the payload for a percent-decoded path, and the text of its placeholders by name.

        Return two `None` if nothing matches. The payload is the registered one, not a copy. The
        dict of the text belongs to the caller.
        """
        # This is all that static paths cost.
        static = self._static
        if path in static:
            return static[path], {}
        ask = self._ask
        if ask is not None:
            hit, values = ask(path)
            if hit:
                return hit["payload"], values
        return self._answer(path)

    def find(self, path: str, /) -> Route | None:
        """Return the `Route` for a percent-decoded path, or None if nothing matches."""
        payload, values = self.match(path)
        return None if payload is None else Route(payload, values)

    def _compile(self, node: Node) -> Run:
        """Compile a node that is asked for the first time since it changed."""
        with self._lock:
            run = node.run = compile_node(node)
        return run

    def _renew(self) -> None:
        self._ask, self._answer = None, self._answer_first

    def _answer_first(self, path: str) -> Answer | tuple[None, None]:
        """Compile the function of the tree, and tell autoroutes, as the table has changed."""
        with self._lock:
            answer = self._answer = compile_match(self._tree)
            self._ask = build_autoroutes(self._tree)
        return answer(path)

    @classmethod
    def build(cls, pattern: str, /, **vars: Any) -> str:  # noqa: A002 - as `Route` calls them
        """Build the path of a URL, percent-encoded (RFC 3986), from a pattern and its values.

        Each value goes through the `to_url` of its converter, or through `str()`.

        Raises `InvalidRoute` if the pattern cannot be read. Raises `BuildError` (a `ValueError`)
        if a value is missing or unknown, if its placeholder does not take it, if it has a lone
        surrogate, which UTF-8 cannot encode, and if the URL has a segment `.` or `..`.
        """
        return build_url(pattern, cls._own(), vars)

    @classmethod
    def conversions(cls, pattern: str, /) -> dict[str, Callable[[str], Any]]:
        """Return the `to_python` functions of a pattern, by the names of its placeholders.

        Placeholders without a converter have none. A match gives text: call these functions to
        convert it. Raises `InvalidRoute` if the pattern cannot be read.
        """
        placeholders = cls._parse(pattern).placeholders
        converters = {name: kind.converter for name, kind in placeholders}
        return {name: each.to_python for name, each in converters.items() if each}

    @classmethod
    def _parse(cls, path: str) -> Pattern:
        return parse(path, cls._own())

    @classmethod
    def _own(cls) -> Converters:
        return tuple(cls.converters.items())

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, path: object) -> bool:
        """Tell whether a path is registered, as it was added: `/{x}`, not what it matches."""
        try:
            return isinstance(path, str) and self._parse(path).tokens in self._entries
        except InvalidRoute:
            return False

    def __iter__(self) -> Iterator[ListedRoute]:
        """Iterate over the routes in the order of their registration."""
        return map(_listed, tuple(self._entries.values()))

    def __repr__(self) -> str:
        """Show the first 20 routes: one line each, with the methods and the name."""
        entries = tuple(self._entries.values())
        lines = [_line(_listed(entry)) for entry in entries[:_SHOWN]]
        more = len(entries) - _SHOWN
        lines += [f"... and {more:,} more"] * (more > 0)
        routes = "route" if len(entries) == 1 else "routes"
        first = f"<{type(self).__name__}: {len(entries):,} {routes}"
        return "\n  ".join([first, *lines]) + ">"


def build(pattern: str, /, **vars: Any) -> str:  # noqa: A002 - as `Route` calls them
    """Build the path of a URL as `Routes.build` does, for patterns without converters."""
    return build_url(pattern, (), vars)


def variables(pattern: str, /) -> tuple[str, ...]:
    """Return the names of a pattern's placeholders, in their order. Raises `InvalidRoute`."""
    return parse(pattern).names


def _is_word(word: object) -> bool:
    return isinstance(word, str) and word.isidentifier()


def _listed(entry: Entry) -> ListedRoute:
    methods = tuple(method for method in _METHODS if method in entry.payload)
    return ListedRoute(entry.path, methods, entry.payload.get("name"), entry.payload)


def _line(route: ListedRoute) -> str:
    name = "" if route.name is None else f" name={route.name!r}"
    return " ".join([route.path, *route.methods]) + name
