"""What this package raises."""

from http import HTTPStatus

__all__ = ["BuildError", "InvalidRoute", "RoutingError"]


class RoutingError(ValueError):
    """A mistake of the application, never of its client: hence the `status`."""

    status: int = HTTPStatus.INTERNAL_SERVER_ERROR

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidRoute(RoutingError):
    """A pattern that cannot be read: `pattern`, and `position`, the index in it of the fault."""

    def __init__(self, pattern: str, position: int, reason: str) -> None:
        super().__init__(f"Invalid route {pattern!r}, at index {position}: {reason}")
        self.pattern = pattern
        self.position = position


class BuildError(RoutingError):
    """Values from which the URL of a pattern cannot be built."""
