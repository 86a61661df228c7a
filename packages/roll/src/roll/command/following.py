"""The serving process of `--reload`, when the process that watches the files is gone."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Final

__all__ = ["PATIENCE", "follow"]

PATIENCE: Final = 5.0
"""Seconds that running requests have before the serving process is killed."""


def follow(line: int) -> None:
    """End this process when a pipe ends, because the process that watches the files is gone.

    End it gracefully, as at SIGTERM; kill it after `PATIENCE` seconds.
    """
    os.set_inheritable(line, False)
    threading.Thread(target=wait_and_end, args=(line,), name="roll-follow", daemon=True).start()


def wait_and_end(line: int) -> None:
    os.read(line, 1)  # nothing is ever written
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(PATIENCE)
    os.kill(os.getpid(), signal.SIGKILL)  # pragma: no cover - coverage is not saved then
