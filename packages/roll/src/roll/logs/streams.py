"""Python streams without a descriptor, as in tests and notebooks."""

from __future__ import annotations

import io
import logging
from typing import Any

__all__ = ["StreamFile"]

logger = logging.getLogger("roll")


class StreamFile:
    """A writer of lines to a stream, with the methods of a `LineFile`."""

    waits = False

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._binary = isinstance(stream, io.RawIOBase | io.BufferedIOBase)
        self._failed = False  # and the failure was logged

    def write(self, data: bytes) -> None:
        """Write whole lines; log the exceptions of the stream once."""
        try:
            self._stream.write(data if self._binary else data.decode())
            if hasattr(self._stream, "flush"):
                self._stream.flush()
        except Exception as error:  # noqa: BLE001 - a stream may be anything
            if not self._failed:
                self._failed = True
                logger.error("The access log cannot be written, and loses lines: %s", error)  # noqa: TRY400 - the text is enough

    def reopen(self) -> None:
        """Do nothing: a stream does not have a file that can be moved."""

    def close(self, patience: float = 0) -> None:
        """Do nothing: the stream belongs to the application."""
