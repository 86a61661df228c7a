"""Advice on results of handlers: Roll ignores them, and warns of those that look like answers."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import is_dataclass
from http import HTTPStatus
from numbers import Number
from types import AsyncGeneratorType, CodeType, GeneratorType
from typing import Any, Final

from roll_http import Response

from .advice import advise_at, code_of, described
from .callables import refuse_unrun

__all__ = ["ResultAdvice"]

TEXT: Final = (str, bytes, bytearray, memoryview)

ANSWERS: Final[tuple[tuple[type | tuple[type, ...], str], ...]] = (
    (HTTPStatus, "set response.status"),
    ((*TEXT, GeneratorType, AsyncGeneratorType), "set response.body"),
    ((Mapping, AbstractSet, list, tuple), "set response.json"),
    (Response, "fill the response that the handler is given"),
    (BaseException, "raise it"),
)
"""Types of results that look like an answer -> what to do instead of returning them."""

OTHERS: Final = "fill the response"

STATUSES: Final = frozenset(status.value for status in HTTPStatus)


class ResultAdvice:
    """Warnings about ignored results of handlers, one for each handler."""

    def __init__(self) -> None:
        self._told: set[CodeType | type] = set()

    def look_at(
        self, handler: Any, result: Any, given: Collection[Any], instead: str | None = None
    ) -> None:
        """Warn, at the handler's line, of a result that looks like an answer.

        `given` are the arguments of the handler, which it may return. `instead` says what to do
        if that does not depend on the result.

        Raises:
            TypeError: the result is a coroutine that was never started.
        """
        if any(result is each for each in given):
            return
        if inspect.iscoroutine(result):  # generators count as answers, see `ANSWERS`
            refuse_unrun(result, described(handler))
        known = advice_on(result)
        if known is None or (code_of(handler) or type(handler)) in self._told:
            return
        kind = type(result).__name__
        article = "an" if kind[0] in "aeiouAEIOH" else "a"
        ignored = f"returned {article} {kind}, which is ignored"
        self.tell_once(handler, f"{ignored}: {instead or known}")

    def tell_once(self, call: Any, advice: str) -> None:
        """Warn once for each function or generator, at its line."""
        key = code_of(call) or type(call)
        if key not in self._told:
            advise_at(key, f"{described(call)} {advice}")
            # After the warning, so that each call raises it where warnings are errors.
            self._told.add(key)


def advice_on(result: Any) -> str | None:
    """Return what to do instead of returning a result; None if it does not look like an answer."""
    if isinstance(result, tuple) and (answer := advice_on_members(result)) is not None:
        return answer
    if inspect.isawaitable(result):
        return "`await` it"
    if is_status(result):
        return "set response.status"
    if is_dataclass(result):
        return "set response.json"
    # Handlers often return the result of a last call, such as the count of `file.write`.
    if result is None or isinstance(result, Number):
        return None
    return next((do for kinds, do in ANSWERS if isinstance(result, kinds)), OTHERS)


def advice_on_members(result: tuple[Any, ...]) -> str | None:
    """Return what to set instead of a tuple such as `"text", 404`, which Flask accepts."""
    body, *others = result or (None,)
    names = ["response.body" if isinstance(body, TEXT) else "response.json"]
    names += ["response.status"] if any(map(is_status, others)) else []
    names += ["response.headers"] if any(isinstance(each, dict) for each in others) else []
    meant = others and len(names) == len(result)
    return f"set {' and '.join(names)}" if meant else None


def is_status(value: Any) -> bool:
    return type(value) in {int, HTTPStatus} and value in STATUSES
