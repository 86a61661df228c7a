"""Aids for development, which `roll run --debug` turns on: never use them in production."""

from .page import error_pages
from .report import report
from .unawaited import log_unawaited
from .watchdog import watch_loop

__all__ = ["error_pages", "log_unawaited", "report", "watch_loop"]
