"""Tell which core is active, and why: `python -m roll_http`."""

from __future__ import annotations

from . import __version__
from ._core import is_native, reason


def main() -> None:
    core = "the native core is active" if is_native else f"the Python path is active: {reason}"
    print(f"roll-http {__version__}: {core}")  # noqa: T201 - it is a command


if __name__ == "__main__":
    main()
