"""The errors of the package: each is a `ValueError` with the HTTP status of the response."""

__all__ = ["FieldError", "LimitError", "MultipartError", "NestedError"]


class MultipartError(ValueError):
    """The input is malformed or ends too early.

    `status` is the HTTP status for the response, and `message` is a text for the client.
    """

    status: int = 400

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class LimitError(MultipartError):
    """The input is larger than a limit allows (RFC 9110 15.5.14)."""

    status = 413


class NestedError(MultipartError):
    """A part of a form is a multipart body itself, which RFC 7578 4.3 does not allow."""


class FieldError(ValueError):
    """A key is missing, or its value cannot be cast to the requested type."""

    status: int = 400

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
