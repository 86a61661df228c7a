"""`Routes`: a dict matches static paths, autoroutes plain tables, and the tree all others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import count
from threading import Lock
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple

from ._autoroutes import build_autoroutes
from ._compiler import compile_match, compile_node
from ._kinds import Converter, RoutingError, check_text, no_match
from ._pattern import InvalidRoute, build_url, read
from ._trie import Entry, Node, insert, remove, update

if TYPE_CHECKING:
    from ._autoroutes import Ask
    from ._compiler import Match
    from ._kinds import Converters
    from ._pattern import Pattern, Tokens
    from ._trie import Answer, Run

__all__ = ["ListedRoute", "Route", "Routes"]

_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "DELETE", "TRACE", "OPTIONS", "CONNECT", "PATCH")
# The most routes that a `repr` shows.
_SHOWN: Final = 20


class Route(NamedTuple):
    """The result of a match: the registered payload, and the text of the placeholders by name.

    `Routes.find` returns None if nothing matches; an application may use `Route(None, None)`
    for that. The fields are also `Any`, so that type checkers accept `route.payload["GET"]`
    with and without a check for None.
    """

    payload: dict[str, Any] | Any
    vars: dict[str, str] | Any


class ListedRoute(NamedTuple):
    """A registered route, as iteration over `Routes` returns it.

    `methods`: the HTTP methods among the keys of the payload.
    `name`: the value of the key `name` of the payload, or None.
    """

    path: str
    methods: tuple[str, ...]
    name: str | None
    payload: dict[str, Any]


class Routes:
    """A table of paths and their payloads.

    `Router` states the contract. The README describes the patterns and their precedence. `len`,
    `in` and iteration work on the registered paths. Threads may match while others add and remove.
    """

    converters: ClassVar[Mapping[str, Converter]] = MappingProxyType({})
    """The types of placeholders that a subclass defines, by their words.

    With `{"slug": Converter("[a-z-]+")}`, `/{x:slug}` is a pattern. A class also has the types
    of its parents. Raises `RoutingError` if a subclass sets anything else.
    """

    _own_converters: ClassVar[Mapping[str, Converter]] = converters  # by this very class
    _all_converters: ClassVar[Mapping[str, Converter]] = converters

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._own_converters = vars(cls).get("converters", {})
        cls.converters = cls._all_converters = _merged(cls)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "converters":
            raise AttributeError("Set `converters` on a subclass, not on an object")
        super().__setattr__(name, value)

    def __init__(self) -> None:
        self._lock = Lock()
        self._numbers = count()
        self._entries: dict[Tokens, Entry] = {}
        self._static: dict[str, dict[str, Any]] = {}
        self._tree = Node(self._compile)
        # What matches paths with placeholders: autoroutes, if it is used, then the function of
        # the tree. Both are made at the first match after a change.
        self._ask: Ask | None = None
        self._answer: Match = self._answer_first

    def __getstate__(self) -> dict[str, Any]:
        # A copy has the routes, with copies of their payloads, and the attributes of a subclass.
        state: Any = object.__getstate__(self)
        attributes, slots = state if isinstance(state, tuple) else (state, {})
        own = {key: attributes[key] for key in attributes.keys() - _OWN}
        with self._lock:
            routes = [(entry.path, {**entry.given}) for entry in self._entries.values()]
        return {"attributes": own | slots, "routes": routes}

    def __setstate__(self, state: dict[str, Any]) -> None:
        Routes.__init__(self)
        for name, value in state["attributes"].items():
            setattr(self, name, value)
        for path, payload in state["routes"]:
            Routes.add(self, path, **payload)  # not the `add` of a subclass: it was called before

    def add(self, path: str, /, **payload: Any) -> None:
        """Register a path. If it is registered already, merge the payload into its own.

        If two paths differ in the names of their placeholders alone, a match returns the names
        and the payload of the first, completed with the keys that only the second has.

        Raises `InvalidRoute` if the path cannot be read, `TypeError` if it is not text.
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

        Another path whose payload it completed loses these keys. Raises `RoutingError` if the path
        is not registered, `InvalidRoute` if it cannot be read.
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
                # Make another dict: a match in another thread may still read the old one.
                self._static = {key: self._static[key] for key in self._static if key != path}

    def match(self, path: str, /) -> tuple[dict[str, Any], dict[str, str]] | tuple[None, None]:
        """Return the payload for a percent-decoded path, and the text of its placeholders by name.

        Return two `None` if nothing matches. The payload is the registered one, not a copy. The
        caller may change the dict of the text. Raises `TypeError` if the path is not text.
        """
        try:
            # Static paths cost no more than this.
            static = self._static
            if path in static:
                return static[path], {}
            ask = self._ask
            if ask is not None:
                hit, values = ask(path)
                if hit:
                    return hit["payload"], values
            return self._answer(path)
        except (TypeError, AttributeError):  # checking the type first costs a tenth
            check_text(path)
            if type(path) is str:
                raise
            return self.match(str.__str__(path))  # autoroutes takes no subclass

    def find(self, path: str, /) -> Route | None:
        """Return the `Route` for a percent-decoded path, or None if nothing matches."""
        payload, values = self.match(path)
        return None if payload is None else Route(payload, values)

    def _compile(self, node: Node) -> Run:
        """Compile the function of a node, at its first call after a change."""
        with self._lock:
            run = node.run = compile_node(node)
        return run

    def _renew(self) -> None:
        self._ask, self._answer = None, self._answer_first

    def _answer_first(self, path: str) -> Answer | tuple[None, None]:
        """Match for the first time after a change: compile the tree, and fill autoroutes."""
        with self._lock:
            answer = self._answer = compile_match(self._tree) if self._tree.children else no_match
            self._ask = build_autoroutes(self._tree)
        return answer(path)

    @classmethod
    def build(cls, pattern: str, /, **vars: Any) -> str:  # noqa: A002 - as `Route` calls them
        """Build the path of a URL, percent-encoded (RFC 3986), from a pattern and its values.

        The `to_url` of its converter turns a value into text. Without a converter, `str()` does:
        then the value is text, a number, or an object whose class has its own `__str__`.

        Raises `InvalidRoute` if the pattern cannot be read. Raises `BuildError` (a `ValueError`)
        if a value is missing or unknown, or if its placeholder does not accept it. Also raises it
        for a lone surrogate, which UTF-8 cannot encode, and for a segment `.` or `..`.
        """
        return build_url(pattern, cls._own(), vars)

    @classmethod
    def conversions(cls, pattern: str, /) -> dict[str, Callable[[str], Any]]:
        """Return the `to_python` functions of a pattern, by the names of its placeholders.

        Placeholders without a converter are left out. A match returns text: call these functions
        to convert it. Raises `InvalidRoute` if the pattern cannot be read.
        """
        placeholders = cls._parse(pattern).placeholders
        converters = {name: kind.converter for name, kind in placeholders}
        return {name: each.to_python for name, each in converters.items() if each}

    @classmethod
    def _parse(cls, path: str) -> Pattern:
        return read(path, cls._own())

    @classmethod
    def _own(cls) -> Converters:
        if cls.converters is not cls._all_converters:  # they were set after the class was made
            cls._own_converters = cls.converters
            cls.converters = cls._all_converters = _merged(cls)
        return tuple(cls.converters.items())

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, path: object) -> bool:
        """Tell whether a pattern such as `/{x}` is registered."""
        try:
            return isinstance(path, str) and self._parse(path).tokens in self._entries
        except InvalidRoute:
            return False

    def __iter__(self) -> Iterator[ListedRoute]:
        """Iterate over the routes in the order of their registration."""
        return map(_listed, tuple(self._entries.values()))

    def __repr__(self) -> str:
        """Return a line for each of the first 20 routes, with the methods and the name."""
        entries = tuple(self._entries.values())
        lines = [_line(_listed(entry)) for entry in entries[:_SHOWN]]
        lines += [f"... and {len(entries) - _SHOWN:,} more"] * (len(entries) > _SHOWN)
        routes = "route" if len(entries) == 1 else "routes"
        first = f"<{type(self).__name__}: {len(entries):,} {routes}"
        return "\n  ".join([first, *lines]) + ">"


_OWN: Final = vars(Routes()).keys()  # the attributes that each copy makes again


def _merged(cls: type) -> Mapping[str, Converter]:
    """Return the converters of a class; the nearest in its MRO win. Raises `RoutingError`."""
    found: dict[str, Converter] = {}
    for owner in reversed(cls.__mro__):
        # What the class itself has set: its `converters` also hold those of its parents.
        own = vars(owner).get("_own_converters", vars(owner).get("converters", {}))
        _check_converters(owner, own)
        found |= own
    return MappingProxyType(found)


def _check_converters(owner: type, converters: Any) -> None:
    if not isinstance(converters, Mapping):
        raise RoutingError(f"{owner.__name__}.converters is a mapping, not {converters!r}")
    for word, converter in converters.items():
        is_word = isinstance(word, str) and word.isidentifier()
        if not (is_word and isinstance(converter, Converter)):
            raise RoutingError(
                f"{owner.__name__}.converters has {word!r}: {converter!r}; it takes identifiers,"
                " and a Converter for each"
            )


def _listed(entry: Entry) -> ListedRoute:
    methods = tuple(method for method in _METHODS if method in entry.payload)
    return ListedRoute(entry.path, methods, entry.payload.get("name"), entry.payload)


def _line(route: ListedRoute) -> str:
    name = "" if route.name is None else f" name={route.name!r}"
    return " ".join([route.path, *route.methods]) + name
