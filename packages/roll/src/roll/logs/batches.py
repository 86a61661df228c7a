"""Access logs, whose lines are written in batches."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

from .lines import Format
from .targets import File

__all__ = ["AccessLog"]

INTERVAL: Final = 0.1
"""Maximum seconds until a line is written."""

BATCH: Final = 64 * 1024
"""Number of characters after which lines are written at once."""

ROW: Final = 64
"""Number of lines that are formatted together."""

PATIENCE: Final = 1.0
"""Seconds that a slow reader has when the log is closed."""


class AccessLog:
    """An access log, which `extensions.access_log` returns."""

    def __init__(self, form: Format, make: Callable[[], File]) -> None:
        self._format = form
        self._make = make
        self._file: File | None = None
        self._records: list[Any] = []
        self._lines: list[str] = []
        self._size = 0
        self._timer: asyncio.TimerHandle | None = None

    def add(self, request: Any, response: Any, size: int, seconds: float) -> None:
        """Add the line of an exchange; it is written soon, together with others."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(INTERVAL, self._flush_in_time)
        self._records.append(self._format.record(request, response, size, seconds))
        if len(self._records) >= ROW:
            self._render()
            if self._size >= BATCH:
                self.flush()

    def _render(self) -> None:
        # Take the lines first: the handler of a signal may interrupt this and flush too.
        records, self._records = self._records, []
        text = self._format.render(records)
        self._lines.append(text)
        self._size += len(text)

    def _flush_in_time(self) -> None:
        self._timer = None
        self.flush()
        if self._file is not None and self._file.waits:
            self._timer = asyncio.get_running_loop().call_later(INTERVAL, self._flush_in_time)

    def flush(self) -> None:
        """Write the waiting lines as far as possible without blocking."""
        self._render()
        lines, self._lines, self._size = "".join(self._lines), [], 0
        if self._file is None and lines:  # the application was not started, or has ended
            self.open()
        if self._file is not None:
            self._file.write(lines.encode("utf-8", "backslashreplace"))

    def open(self) -> None:
        """Open the target; raise `OSError` if that fails."""
        self._timer = None  # it may belong to another loop
        if self._file is None:
            self._file = self._make()

    def reopen(self) -> None:
        """Open the path of the target again: the old file may have been moved.

        The signals SIGUSR1 and SIGHUP call this.
        """
        self.flush()
        if self._file is not None:
            self._file.reopen()

    def close(self) -> None:
        """Write all lines, and close the target."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.flush()
        if self._file is not None:
            self._file.close(PATIENCE)
            self._file = None

    def forget(self) -> None:
        """Drop the waiting lines in a forked process: its parent writes them."""
        self._records, self._lines, self._size = [], [], 0
