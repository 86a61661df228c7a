"""The entry point of `python -m roll`."""

import sys

from roll.command import main

if __name__ == "__main__":  # pragma: no branch - a test imports every module
    sys.exit(main())
