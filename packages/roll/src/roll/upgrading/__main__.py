"""What `python -m roll.upgrading` runs."""

import sys

from roll.upgrading.command import main

if __name__ == "__main__":  # pragma: no branch - a test imports every module
    sys.exit(main(sys.argv[1:]))
