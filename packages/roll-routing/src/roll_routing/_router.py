"""The interface of a router."""

from typing import Any, Protocol

__all__ = ["Router"]


class Router(Protocol):
    """What an application needs of a router: any object with these two methods will do."""

    def add(self, path: str, /, **payload: Any) -> None:
        """Register a path; on a path that exists, merge the payload into its own."""
        ...

    def match(self, path: str, /) -> tuple[dict[str, Any] | None, dict[str, str] | None]:
        """Give the payload of a path and the values of its placeholders, or two `None`."""
        ...
