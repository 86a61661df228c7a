"""An error that is to be raised again, later and more than once, without being kept."""

from typing import Any

__all__ = ["Failure"]


class Failure:
    """What it takes to raise an error again: its class, arguments and attributes.

    Not the error itself. Its traceback has the frames it went through, and these the parser and
    the chunk: a parser that kept it would be a cycle, and the body stay in memory until the
    garbage collector comes. Tracebacks, causes and contexts are not kept.
    """

    __slots__ = ("_arguments", "_builtin", "_kind", "_state")

    def __init__(self, error: BaseException) -> None:
        self._kind = type(error)
        self._builtin = builtin_of(self._kind)
        _, self._arguments, *state = self._builtin.__reduce__(error)
        self._state: dict[str, Any] = dict(*state)

    def renew(self) -> BaseException:
        """A new error, equal to the one that was."""
        error: BaseException = self._builtin.__new__(self._kind, *self._arguments)
        self._builtin.__init__(error, *self._arguments)
        self._builtin.__setstate__(error, self._state)
        return error


def builtin_of(kind: Any) -> Any:
    """The built-in class that the errors of a class are made of.

    Its constructor and its pickling are known. Those of somebody else's class may take other
    things than the arguments that the error has in the end, or write the message from them.
    """
    while kind.__module__ != "builtins":
        kind = kind.__base__
    return kind
