"""A dict of lists whose `get` returns one value."""

import builtins
from collections.abc import Generator, ItemsView, Iterable, Iterator, Mapping, Sequence, ValuesView
from collections.abc import Set as AbstractSet
from types import EllipsisType
from typing import Any, ClassVar, Final, Generic, Literal, Self, TypeVar, overload

from .checks import BYTES, check_flag, read_pairs, wrong_type
from .errors import FieldError

__all__ = ["Multidict"]

# These have several values, but are not lists or tuples. They are refused as one value, because
# they were probably meant as several.
UNCLEAR: Final = (Generator, AbstractSet, ValuesView)

T = TypeVar("T")
D = TypeVar("D")

Items = Mapping[str, T] | Mapping[str, Sequence[T]] | Iterable[tuple[str, T | Sequence[T]]]


class Multidict(dict[str, list[T]], Generic[T]):
    """A dict of lists whose `get` returns one value.

    It is made from pairs or from a mapping. A list or a tuple as a value stands for several
    values of its key, anything else for one value. A missing key without a default raises
    `Error(message)`, which is `FieldError` unless a subclass sets another class.
    """

    Error: ClassVar[Any] = FieldError

    def __init__(self, items: Items[T] = (), /, **more: T | Sequence[T]) -> None:
        if items != ():
            add_all(self, read_pairs(type(self).__name__, items))
        if more:
            add_all(self, more.items())

    @classmethod
    def fromkeys(  # type: ignore[override]  # a value, where a dict has the list
        cls, keys: Iterable[str], values: T | Sequence[T] = (), /
    ) -> Self:
        """Return a new object that has the same values for each key, in separate lists."""
        if isinstance(keys, (str, *BYTES)) or not isinstance(keys, Iterable):
            raise wrong_type("keys", "an iterable of keys", keys)
        new = cls()
        add_all(new, ((key, values) for key in keys))
        return new

    def __setitem__(self, key: str, values: builtins.list[T]) -> None:
        """Replace all values of the key by a list. Raises `TypeError` for anything else."""
        check_list(key, values)
        dict.__setitem__(self, key, values)

    def setdefault(  # there is no default: None is not a list
        self, key: str, values: builtins.list[T], /
    ) -> builtins.list[T]:
        """Return the list of the key. If the key is missing, set it to the given list."""
        check_list(key, values)
        return dict.setdefault(self, key, values)

    @overload  # type: ignore[override]  # one value, where a dict of lists gives the list
    def get(self, key: str, default: EllipsisType = ...) -> T: ...
    @overload
    def get(self, key: str, default: D) -> T | D: ...
    def get(self, key: str, default: D | EllipsisType = ...) -> T | D:
        """Return the first value of the key, or the default unchanged."""
        values = dict.get(self, key)
        if values:
            return values[0]
        return self._missing(key, default)

    @overload
    def list(self, key: str, default: EllipsisType = ...) -> builtins.list[T]: ...
    @overload
    def list(self, key: str, default: D) -> builtins.list[T] | D: ...
    def list(self, key: str, default: D | EllipsisType = ...) -> builtins.list[T] | D:
        """Return all values of the key in a new list, or the default unchanged."""
        values = dict.get(self, key)
        if values:
            return [*values]
        return self._missing(key, default)

    @overload
    def getlist(self, key: str, default: EllipsisType = ...) -> builtins.list[T]: ...
    @overload
    def getlist(self, key: str, default: D) -> builtins.list[T] | D: ...
    def getlist(self, key: str, default: D | EllipsisType = ...) -> builtins.list[T] | D:
        """Return what `list` returns: other libraries use this name."""
        return self.list(key, default)

    @overload  # type: ignore[override]  # pairs of single values, where a dict has one kind
    def items(self, multi: Literal[False] = ...) -> ItemsView[str, builtins.list[T]]: ...
    @overload
    def items(self, multi: Literal[True]) -> Iterator[tuple[str, T]]: ...
    def items(self, multi: bool = False) -> Any:
        """Return the keys with their lists. With `multi`, return a pair for each value."""
        if multi is False:
            return dict.items(self)
        check_flag("multi", multi)
        return ((key, value) for key, values in dict.items(self) for value in values)

    def add(self, key: str, value: T) -> None:
        """Append a value to the list of the key. Raises `TypeError` for a list of values."""
        if not isinstance(value, str) and isinstance(value, (builtins.list, tuple, *UNCLEAR)):
            raise wrong_type(f"The value of {key!r}", "one value", value)
        dict.setdefault(self, key, []).append(value)

    def setlist(self, key: str, values: Iterable[T]) -> None:
        """Replace all values of the key. Raises `TypeError` for a single value such as text."""
        if is_one(values):
            raise wrong_type(f"The values of {key!r}", "an iterable of values", values)
        dict.__setitem__(self, key, [*values])

    def update(self, items: Items[T] = (), /, **more: T | Sequence[T]) -> None:  # type: ignore[override]
        """Replace the values of each given key. The arguments are those of the class."""
        dict.update(self, Multidict(items))
        dict.update(self, Multidict(more))

    def copy(self) -> Self:
        """Return an equal object of the same class, with copies of the lists."""
        new = type(self).__new__(type(self))
        dict.update(new, {key: [*values] for key, values in dict.items(self)})
        return new

    __copy__ = copy

    def __or__(self, other: Items[T]) -> Self:  # type: ignore[override]
        new = self.copy()
        new.update(other)
        return new

    def __ror__(self, other: Items[T]) -> Self:  # type: ignore[override]
        new = type(self).__new__(type(self))
        new.update(other)
        new.update(self)
        return new

    def __ior__(self, other: Items[T]) -> Self:  # type: ignore[override]
        self.update(other)
        return self

    def _missing(self, key: str, default: D | EllipsisType) -> D:
        if isinstance(default, EllipsisType):
            raise self.Error(f"Missing '{key}' key")
        return default


def add_all(target: Multidict[Any], pairs: Iterable[tuple[Any, Any]]) -> None:
    """Add the values of each pair to new lists of the target."""
    for key, value in pairs:
        values = dict.setdefault(target, key, [])
        if isinstance(value, list | tuple):
            values.extend(value)
        elif isinstance(value, str) or not isinstance(value, UNCLEAR):
            values.append(value)
        else:
            raise wrong_type(f"The value of {key!r}", "one value, a list or a tuple", value)


def is_one(values: Any) -> bool:
    """Return whether it is one value, even if it can be iterated over."""
    if isinstance(values, (str, *BYTES, Mapping)) or hasattr(values, "read"):
        return True
    return not isinstance(values, Iterable)


def check_list(key: Any, values: Any) -> None:
    if not isinstance(values, list):
        raise wrong_type(f"The values of {key!r}", "a list", values)
