"""Deep copies of requests and responses, which share the application and the connection."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from typing import Any, TypeVar, cast

__all__ = ["copy_deeply"]

T = TypeVar("T")


def copy_deeply(original: T, memo: dict[int, Any], shared: Iterable[str]) -> T:
    """Return a deep copy; the attributes in `shared`, such as the application, are not copied."""
    reduced: Any = original.__reduce_ex__(4)  # for an object with slots, this has five parts
    make, arguments, state, _, items = reduced
    copy: Any = make(*arguments)
    memo[id(original)] = copy
    attributes, slots = state
    for name, value in {**(attributes or {}), **slots}.items():
        setattr(copy, name, value if name in shared else deepcopy(value, memo))
    for key, value in items or ():
        copy[deepcopy(key, memo)] = deepcopy(value, memo)
    return cast("T", copy)
