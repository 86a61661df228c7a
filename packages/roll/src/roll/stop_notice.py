"""The notice that a stop of the application has begun."""

from __future__ import annotations

from collections.abc import Callable

from .errors import log_error

__all__ = ["StopNotice"]


class StopNotice:
    """It tells work without an end, such as a stream of events, that the application stops.

    The server gives it before it waits for the running requests. The event `shutdown` is sent
    after them, so it would come too late: such requests would hold up the stop until they are cut.
    """

    def __init__(self) -> None:
        self.given = False
        """Whether a stop has begun; False again from the next startup on."""
        self._calls: dict[Callable[[], object], None] = {}

    def add(self, call: Callable[[], object]) -> None:
        """Call a plain function without arguments whenever a stop begins."""
        self._calls[call] = None

    def discard(self, call: Callable[[], object]) -> None:
        """Call a function no more; do nothing if it was not added."""
        self._calls.pop(call, None)

    def give(self) -> None:
        """Call all functions, unless this stop was announced before; log their exceptions."""
        if self.given:
            return
        self.given = True
        for call in list(self._calls):
            try:
                call()
            except Exception as error:  # noqa: BLE001 - the other functions must be called too
                log_error("notice of the stop", error)

    def withdraw(self) -> None:
        """Take the notice back: the application starts again."""
        self.given = False
