"""The header fields of a request."""

from __future__ import annotations

from typing import Any

__all__ = ["Headers"]


class Headers(dict[str, str]):
    """The fields of a request by upper-cased name; `headers["User-Agent"]` finds `USER-AGENT`.

    `get` and `in` want upper case: a dict's own, they cost nothing.
    """

    __slots__ = ()

    def __missing__(self, name: Any) -> str:
        upper = name.upper() if isinstance(name, str) else name
        if upper == name or upper not in self:
            raise KeyError(name)
        return self[upper]

    def copy(self) -> Headers:
        """Return a copy of the same kind."""
        return Headers(self)
