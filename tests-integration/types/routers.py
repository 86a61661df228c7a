"""Routers, as type checkers see them."""

from typing import Any

from roll_routing import Converter, Router, Routes


class Exact:
    """A router without placeholders, as the how-to writes it."""

    def __init__(self) -> None:
        self.payloads: dict[str, dict[str, Any]] = {}

    def add(self, path: str, **payload: Any) -> None:
        self.payloads.setdefault(path, {}).update(payload)

    def match(self, path: str) -> tuple[dict[str, Any] | None, dict[str, str] | None]:
        payload = self.payloads.get(path)
        return (payload, {}) if payload else (None, None)


class Positional:
    """The same, within another."""

    def __init__(self) -> None:
        self.below = Exact()

    def add(self, path: str, /, **payload: Any) -> None:
        self.below.add(path, **payload)

    def match(self, path: str, /) -> tuple[dict[str, Any] | None, dict[str, str] | None]:
        return self.below.match(path)


class Numbered(Exact):
    def add(self, path: int, **payload: Any) -> None:  # type: ignore[override]
        """Refuse all paths."""


class Blind:
    def add(self, path: str, **payload: Any) -> None:
        """Forget the path."""


ours: Router = Routes()
exact: Router = Exact()
positional: Router = Positional()
numbered: Router = Numbered()  # error: assignment
blind: Router = Blind()  # error: assignment

found = Routes().find("/a")
if found:
    method: str = found.vars["x"].upper()
    payload: dict[str, Any] = found.payload
    if found.payload is None:
        payload = {}
unchecked = Routes().find("/a").vars  # error: union-attr
OWN = {"slug": Converter("[a-z-]+"), "hex": Converter("[0-9a-f]+", lambda text: int(text, 16))}
WRONG = {"slug": "[a-z-]+"}


class Own(Routes):
    converters = OWN


class Wrong(Routes):
    converters = WRONG  # error: assignment


built: str = Own.build("/{x:slug}", x="a")
amount: int = len(Own())
known: bool = "/a" in Own()
paths: list[str] = [route.path for route in Own()]
