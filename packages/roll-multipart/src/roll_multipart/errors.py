"""The errors of the package: `ValueError`s that suggest the HTTP status of the answer."""

__all__ = ["FieldError", "LimitError", "MultipartError", "NestedError"]


class MultipartError(ValueError):
    """The input is malformed or ends too early.

    `status` is the HTTP status that a server may answer with, `message` a text for the client.
    """

    status: int = 400

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class LimitError(MultipartError):
    """The input is larger than a limit allows (RFC 9110 15.5.14)."""

    status = 413


class NestedError(MultipartError):
    """A part of a form is itself a multipart body, which RFC 7578 4.3 has done away with."""


class FieldError(ValueError):
    """A key is missing, or its value is not of the type asked for."""

    status: int = 400

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
