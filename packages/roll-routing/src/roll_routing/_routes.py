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
    """What a match gives: the payload registered, the values of the placeholders.

    Applications make one of two `None` where nothing matches; `Routes.find` never does. Hence
    `Any`, by which type checkers let both be used.
    """

    payload: dict[str, Any] | Any
    vars: dict[str, str] | Any


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

    It is a collection of the registered paths: `len`, `in` and iteration. Threads may match while
    others add and remove.

    Attributes:
        converters: types of one's own by the words that stand for them, for subclasses to set:
            with `{"slug": Converter("[a-z-]+")}`, `/{x:slug}` is a pattern.
    """

    converters: ClassVar[Mapping[str, Converter]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for word, converter in cls.converters.items():
            if not (word.isidentifier() and isinstance(converter, Converter)):
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
        """Register a path; if it is registered already, merge the payload into its own.

        A path that names its placeholders otherwise is another one for the very same URLs: these
        give the payload and the names of the first, which gets what it lacks from the others.
        Raises `InvalidRoute`.
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
        """Remove a registered path, and what its payload lent to others of the very same URLs.

        Raises `RoutingError` if it is not registered, `InvalidRoute` if it cannot be read.
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
        """Return the payload of a percent-decoded path, and the text of its placeholders by name.

        Two `None` if nothing matches. The payload is the registered one, not a copy.
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
        """Return what `match` does as a `Route`; None if nothing matches."""
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

        Values go through the `to_url` of their converter, else through `str()`. Raises
        `InvalidRoute` for the pattern, `BuildError` (a `ValueError`) for a value that is missing,
        unknown, or that its placeholder does not take, and for text that UTF-8 cannot encode: lone
        surrogates.
        """
        return build_url(pattern, cls._own(), vars)

    @classmethod
    def conversions(cls, pattern: str, /) -> dict[str, Callable[[str], Any]]:
        """Return the `to_python` of each placeholder of a pattern that has a converter, by name.

        A match gives text: call these to convert it. Raises `InvalidRoute`.
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
        """Tell whether a path is registered: the pattern, not a path that it matches."""
        try:
            return isinstance(path, str) and self._parse(path).tokens in self._entries
        except InvalidRoute:
            return False

    def __iter__(self) -> Iterator[ListedRoute]:
        """List the routes, in the order of their registration."""
        return map(_listed, tuple(self._entries.values()))

    def __repr__(self) -> str:
        """Show the table: a line a route, with its methods and its name."""
        entries = tuple(self._entries.values())
        lines = [_line(_listed(entry)) for entry in entries[:_SHOWN]]
        more = len(entries) - _SHOWN
        lines += [f"... and {more:,} more"] * (more > 0)
        return "\n  ".join([f"<{type(self).__name__}: {len(entries):,} routes", *lines]) + ">"


def build(pattern: str, /, **vars: Any) -> str:  # noqa: A002 - as `Route` calls them
    """Build the path of a URL as `Routes.build` does, without converters."""
    return build_url(pattern, (), vars)


def variables(pattern: str, /) -> tuple[str, ...]:
    """Return the names of a pattern's placeholders, in their order. Raises `InvalidRoute`."""
    return parse(pattern).names


def _listed(entry: Entry) -> ListedRoute:
    methods = tuple(method for method in _METHODS if method in entry.payload)
    return ListedRoute(entry.path, methods, entry.payload.get("name"), entry.payload)


def _line(route: ListedRoute) -> str:
    name = "" if route.name is None else f" name={route.name!r}"
    return " ".join([route.path, *route.methods]) + name
