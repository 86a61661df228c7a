"""The entry point of `python -m roll.upgrading`."""

import sys

from roll.upgrading.command import main

if __name__ == "__main__":  # pragma: no branch - a test imports every module
    sys.exit(main(sys.argv[1:]))
