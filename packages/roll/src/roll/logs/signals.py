"""Signals: they reopen files, and no line is lost when a signal ends the process."""

from __future__ import annotations

import asyncio
import atexit
import os
import signal
import threading
from types import FrameType
from typing import Any, Final, cast

from ..errors import log_error
from .batches import AccessLog

__all__ = ["GUARD", "SignalGuard", "send_reopen"]


def known(*names: str) -> tuple[signal.Signals, ...]:
    """Return the signals with these names that the system has."""
    return tuple(signal.Signals[name] for name in names if name in signal.Signals.__members__)


REOPENING: Final = known("SIGUSR1", "SIGHUP")

DEADLY: Final = known(
    *("SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGALRM", "SIGVTALRM", "SIGPROF"),
    *("SIGUSR1", "SIGUSR2", "SIGXCPU", "SIGABRT"),
)
"""The signals that end a process without a handler for them."""


LAST_SECONDS: Final = 0.5
"""Seconds that the event loop has after a deadly signal to finish its current step."""


class SignalGuard:
    """The open access logs of the process, with their handlers of signals.

    A signal that already has a handler is not touched.
    """

    def __init__(self) -> None:
        self._logs: dict[AccessLog, Any] = {}
        """The guarded logs, each with its application."""
        self._reopening: list[signal.Signals] = []
        self._deadly: list[signal.Signals] = []
        self._ignored: list[signal.Signals] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    def add(self, app: Any, log: AccessLog, *, reopens: bool) -> None:
        """Guard an open log; if it `reopens`, signals reopen it."""
        if not self._logs:
            atexit.register(self._flush)
        self._logs[log] = app
        if threading.current_thread() is threading.main_thread():
            self._loop = asyncio.get_running_loop()
            if reopens:
                self._take_reopening()
            self._take_deadly()

    def remove(self, log: AccessLog) -> None:
        """Stop guarding a log; after the last one, restore the handlers of signals."""
        self._logs.pop(log, None)
        if not self._logs:
            atexit.unregister(self._flush)
            self._put_back()

    def _take_reopening(self) -> None:
        for number in REOPENING:
            handler = signal.getsignal(number)
            # `nohup` ignores SIGHUP, so that the process outlives its terminal: keep it ignored.
            if handler in {signal.SIG_DFL, signal.SIG_IGN}:
                asyncio.get_running_loop().add_signal_handler(number, self._reopen)
                self._reopening.append(number)
                if handler is signal.SIG_IGN:
                    self._ignored.append(number)

    def _take_deadly(self) -> None:
        for number in DEADLY:
            if signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, self._die)
                self._deadly.append(number)

    def _put_back(self) -> None:
        if self._runs:
            for number in self._reopening:
                cast("asyncio.AbstractEventLoop", self._loop).remove_signal_handler(number)
        for number in self._ignored:
            signal.signal(number, signal.SIG_IGN)
        for number in self._deadly:
            if signal.getsignal(number) == self._die:
                signal.signal(number, signal.SIG_DFL)
        self._reopening, self._deadly, self._ignored, self._loop = [], [], [], None

    @property
    def _runs(self) -> bool:
        return self._loop is not None and not self._loop.is_closed()

    def _reopen(self) -> None:
        for app in {id(app): app for app in self._logs.values()}.values():
            send_reopen(app)

    def _die(self, number: int, _: FrameType | None) -> None:
        """Write the lines, and then end the process by the signal, after the current step.

        Python may call this between any two instructions: a response may have been sent, and its
        line may not be added yet. A second signal ends the process at once, and a blocked loop is
        not waited for.
        """
        signal.signal(number, signal.SIG_DFL)
        deadline = threading.Timer(LAST_SECONDS, self._end, [number])
        deadline.daemon = True
        deadline.start()
        if self._runs:
            loop = cast("asyncio.AbstractEventLoop", self._loop)
            loop.call_soon_threadsafe(self._end, number, deadline)

    def _end(self, number: int, deadline: threading.Timer | None = None) -> None:
        if deadline is not None:
            deadline.cancel()
        self._flush()
        os.kill(os.getpid(), number)

    def _flush(self) -> None:
        for log in list(self._logs):
            log.close()

    def forget(self) -> None:
        """Drop the logs in a forked process: they belong to its parent."""
        for log in self._logs:
            log.forget()
        self._logs.clear()
        atexit.unregister(self._flush)
        self._loop = None  # the parent handles its signals
        self._put_back()


GUARD: Final = SignalGuard()
"""The guard of the process; signals are global to a process."""

# Systems without `fork` do not have this function.
getattr(os, "register_at_fork", dict)(after_in_child=GUARD.forget)


def send_reopen(app: Any) -> None:
    """Send the event `reopen_logs` after a signal; log exceptions of listeners."""
    try:
        app.hook("reopen_logs")
    except Exception as error:  # noqa: BLE001 - it would be lost otherwise
        log_error("listener of reopen_logs", error)
