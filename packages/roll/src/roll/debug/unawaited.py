"""Log the coroutines that nobody awaited."""

from __future__ import annotations

import logging
import sys
import warnings
from typing import Any, Final

__all__ = ["log_unawaited"]

logger = logging.getLogger("roll")

DEPTH: Final = 1
"""Frames that Python keeps of the stack that made a coroutine: the line that lacks the await."""


def log_unawaited() -> None:
    """Log at ERROR each coroutine that was never awaited, with the line that made it.

    For the whole process, and for good. Python tells of these coroutines by a warning, when they
    are collected; the line needs `sys.set_coroutine_origin_tracking_depth`, which slows each call
    of an `async def` function a little.
    """
    sys.set_coroutine_origin_tracking_depth(DEPTH)
    warnings.filterwarnings("always", "coroutine .* was never awaited", RuntimeWarning)
    show = warnings.showwarning

    def log(message: Any, category: type[Warning], *where: Any, **more: Any) -> None:
        if issubclass(category, RuntimeWarning) and "was never awaited" in str(message):
            logger.error("An await is missing: %s", message)
        else:
            show(message, category, *where, **more)

    warnings.showwarning = log
