"""The errors of an HTTP exchange."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from .shown import shown

__all__ = ["ClientDisconnected", "HttpError"]


# The lookup of `HTTPStatus` itself takes 0.5 us.
_STATUSES: dict[int, HTTPStatus] = {status.value: status for status in HTTPStatus}


class _Status:
    """The status of an error: the one that was set, otherwise that of its class."""

    def __init__(self, code: int | HTTPStatus | None = None) -> None:
        self._default = None if code is None else _status_of(code)

    def __get__(self, error: HttpError | None, owner: type[HttpError]) -> Any:
        if error is None:  # of the class; its own value, where it has one
            return self if self._default is None else self._default
        status = error.__dict__.get("_status", self._default)
        if status is None:
            raise AttributeError(f"{owner.__name__} has no status: set `self.status`")
        return status

    def __set__(self, error: HttpError, code: int | HTTPStatus) -> None:
        error.__dict__["_status"] = _status_of(code)


def _status_of(code: Any) -> HTTPStatus:
    try:
        return _STATUSES[code]
    except (KeyError, TypeError):  # TypeError: it may be of a type that no dict takes
        raise ValueError(
            f"{shown(code)} is not an HTTP status: give a registered code, such as 404"
        ) from None


class HttpError(Exception):
    """An error that the server answers with an HTTP status.

    The arguments are a status code (an int or an `http.HTTPStatus`), a message for the client, and
    any `context` for the code that handles the error. A missing or empty message becomes the
    standard phrase of the status. A context that is an exception is also the `__context__`.

    A subclass may set `status` and `message` in its class body. It is then raised without
    arguments, or with a message alone. Or its own constructor sets them, without calling this
    constructor.

    Raises:
        ValueError: the code is not a registered HTTP status.
        TypeError: there is no code, and the class has no status of its own.
    """

    message: Any = None
    context: Any = None

    if TYPE_CHECKING:
        # Read, it is an `HTTPStatus`. Type checkers would then refuse `status = 404` in the body
        # of a subclass.
        status: Any
    else:
        status = _Status()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if isinstance(cls.status, int):
            cls.status = _Status(cls.status)

    def __init__(
        self,
        http_code: int | HTTPStatus | str | None = None,
        message: Any = None,
        context: Any = None,
    ) -> None:
        if isinstance(http_code, str) and message is None and self._has_own_status():
            http_code, message = None, http_code
        if http_code is not None:
            self.args = (http_code, message)  # half the time of the parent's constructor
            self.status = http_code
        elif not self._has_own_status():
            raise TypeError(f"{type(self).__name__} needs a status code, such as 404")
        self.message = message or self.message or self.status.phrase
        self.context = context
        if isinstance(context, BaseException):
            self.__context__ = context

    @classmethod
    def _has_own_status(cls) -> bool:
        return not isinstance(cls.status, _Status)

    def __str__(self) -> str:
        status = getattr(self, "status", None)  # a subclass may have set none
        return f"{self.message}" if status is None else f"{status.value} {self.message}"

    def __reduce__(self) -> tuple[Any, ...]:
        # A subclass may have a constructor of its own, whose arguments differ from `args`.
        return _restored, (type(self), self.args, vars(self))


def _restored(kind: type[HttpError], args: tuple[Any, ...], attributes: dict[str, Any]) -> Any:
    """Rebuild an error from its pickle."""
    error = kind.__new__(kind)
    error.args = args
    vars(error).update(attributes)
    return error


class ClientDisconnected(ConnectionError):
    """The client has disconnected: a handler that reads the body or writes gets this error."""
